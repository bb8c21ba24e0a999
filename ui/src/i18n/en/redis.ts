export const redis = {
} as const;
