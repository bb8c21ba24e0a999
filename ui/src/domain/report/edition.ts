// Which version of a framework, in the language of the window.

import { said, t } from '$ui/i18n';

/** `Regulation (EU) 2016/679, file edition 6`: the framework's own version, and of ours which edition of the file. */
export function editionText(version: string): string {
  const [, of, n] = /^(.*), file edition (\d+)$/.exec(version) ?? [];
  return of === undefined || n === undefined ? version : t('framework.edition', { of: said('framework_version', of), n });
}
