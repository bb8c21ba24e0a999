// A log file that is to be imported, named from anywhere; the card in Maintenance takes it.

class Pending {
  path = $state.raw<string | null>(null);
}

export const pendingImport = new Pending();
