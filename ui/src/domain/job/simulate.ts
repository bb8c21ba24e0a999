// The synthetic traffic: what the backend makes by default and what it takes (`SimulateRequest`).

import type { SimulateRequest } from '$ui/generated/model';

export const SIMULATE_DEFAULT: Readonly<SimulateRequest> = { seed: 7, days: 7, events_per_day: 3_000, users: 120, truth_path: null, until: null };

export const SIMULATE_LIMITS = {
  days: [1, 90],
  events_per_day: [10, 1_000_000],
  users: [1, 100_000],
  seed: [0, 999_999_999_999],
} as const;
