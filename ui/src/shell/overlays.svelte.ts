// What lies over the panel: at most one thing.

export type Overlay = 'palette' | 'keys';

class Overlays {
  current = $state<Overlay | null>(null);

  open(overlay: Overlay): void {
    this.current = overlay;
  }

  close(): void {
    this.current = null;
  }
}

export const overlays = new Overlays();
