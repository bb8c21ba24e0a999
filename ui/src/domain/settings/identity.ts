// Why it is known who acts here, in the language of the window.

import type { WorkspaceStatus } from '$ui/generated/model';
import { language, t } from '$ui/i18n';

/** The backend's sentence says more, and says it in English. */
export function identityText({ identity: { kind, login, detail }, caller }: Pick<WorkspaceStatus, 'identity' | 'caller'>): string {
  if (language === 'en') return detail;
  if (caller.origin === 'http') return t('identity.why.token');
  if (login === null) return t('identity.why.account');
  return t(kind === 'shared' ? 'identity.why.several' : 'identity.why.login');
}
