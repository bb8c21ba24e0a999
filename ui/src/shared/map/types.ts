// What a map shows.

export interface MapMark {
  /** Two letters of a country, as in ISO 3166-1. */
  country: string;
  /** In the circle, and its size. */
  n: number;
  /** Where the things are; the middle of the country where that is not known. Degrees. */
  at: { lon: number; lat: number } | null;
  /** All of it in words. */
  label: string;
}
