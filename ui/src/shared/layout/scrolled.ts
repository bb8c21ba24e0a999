/** How far the pages of panels were scrolled, in pixels: of this window, while it lives. */
export const bodies = new Map<string, number>();
