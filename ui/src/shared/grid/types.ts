export interface Column {
  id: string;
  title: string;
  /** A grid track: `96px`, `minmax(200px, 1fr)`. */
  width: string;
  align?: 'start' | 'end';
  /** The title is for screen readers only. */
  quietTitle?: boolean;
}
