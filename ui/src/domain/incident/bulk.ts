/** What can be done to everything that is selected. */
export type BulkKind = 'take' | 'assign' | 'resolve' | 'note' | 'suppress' | 'status';
