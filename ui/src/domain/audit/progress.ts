// Following a check or an export by its ticket.

import type { ReportProgress } from '$ui/generated/model';
import type { App } from '$ui/state/app.svelte';

/** How often it is asked how far it is, in milliseconds. */
const ASK_MS = 300;

/** Does `work` and tells `show` how far it is until it has ended. */
export async function followed<Answer>(app: App, ticket: string, show: (now: ReportProgress) => void, work: () => Promise<Answer>): Promise<Answer> {
  const asking = setInterval(() => void ask(), ASK_MS);
  async function ask(): Promise<void> {
    try {
      const now = await app.read('audit_verify_progress', { ticket });
      if (now.running) show(now);
    } catch {
      // The work itself tells what is wrong.
    }
  }
  try {
    return await work();
  } finally {
    clearInterval(asking);
  }
}
