export const blocklist = {
} as const;
