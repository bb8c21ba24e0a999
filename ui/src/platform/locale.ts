// WebKitGTK names the language after the LANG of its process, and "C" is no language tag: `new Intl.NumberFormat("C")`
// throws, and uPlot makes one while it loads. Imported before everything else; changes nothing where the tag is good.

/** Makes `navigator.language` a tag that Intl accepts. */
export function guardLocale(target: Navigator): void {
  try {
    Intl.getCanonicalLocales(target.language);
  } catch {
    Object.defineProperty(target, 'language', { value: 'en-US', configurable: true });
    Object.defineProperty(target, 'languages', { value: ['en-US'], configurable: true });
  }
}

guardLocale(navigator);
