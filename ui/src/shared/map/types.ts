// What a map shows.

export interface MapMark {
  /** Two letters of a country, as in ISO 3166-1. */
  country: string;
  /** In the circle, and its size. */
  n: number;
  /** All of it in words. */
  label: string;
}
