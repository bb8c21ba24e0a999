export interface Column {
  id: string;
  title: string;
  /** A grid track: `96px`, `minmax(200px, 1fr)`. */
  width: string;
  align?: 'start' | 'end';
  /** The title is for screen readers only. */
  quietTitle?: boolean;
}

/** Where a list is. */
export interface ListSpot {
  /** Scrolled by so many pixels. */
  top: number;
  /** Key of the active row. */
  selected: string | number | null;
}

/** Remembers where a list was while its panel is away. */
export interface ListPlace {
  /** Where this list was left; `null` if another one was, or none. */
  take(): ListSpot | null;
  keep(spot: ListSpot): void;
  /** What this panel lists from here on begins at its top. */
  forget(): void;
}
