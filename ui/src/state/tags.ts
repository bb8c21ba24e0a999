// Every tag of the backend. The type says when one is missing.

import type { Tag } from '$ui/generated/model';

const ALL: Record<Tag, true> = {
  status: true,
  connections: true,
  events: true,
  incidents: true,
  blocks: true,
  jobs: true,
  health: true,
  reports: true,
  audit: true,
  settings: true,
  rules: true,
};

export const ALL_TAGS = Object.keys(ALL) as readonly Tag[];
