// Two looks at the workspace: does the later one say anything new?

import type { WorkspaceStatus } from '$ui/generated/model';

/** Has anything but the times of the answers changed? */
export function moved(before: WorkspaceStatus, after: WorkspaceStatus): boolean {
  const still = (status: WorkspaceStatus): string => JSON.stringify(status, (key, value: unknown) => (key === 'at' || key === 'last_ok' ? null : value));
  return still(before) !== still(after);
}
