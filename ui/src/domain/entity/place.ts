// A place in words, the nearest first.

import type { Place } from '$ui/generated/model';

export function placeText(place: Place | null | undefined): string {
  return [place?.city, place?.country, place?.org].filter((part) => part !== undefined).join(', ');
}
