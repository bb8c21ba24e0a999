// A place in words, the nearest first.

import type { Place } from '$ui/generated/model';
import { language } from '$ui/i18n';

const names = new Intl.DisplayNames(language === 'de' ? 'de-DE' : 'en-US', { type: 'region', fallback: 'code' });

/** `Netherlands` of `NL`; what is no code stays as it is. */
export function countryName(country: string): string {
  return /^[A-Z]{2}$/.test(country) ? (names.of(country) ?? country) : country;
}

export function placeText(place: Place | null | undefined): string {
  const country = place?.country;
  return [place?.city, country === undefined ? undefined : countryName(country), place?.org].filter((part) => part !== undefined).join(', ');
}
