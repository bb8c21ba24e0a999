// English. Every string of the window is here or in a part of this catalogue; keys are typed by it.

import { approval } from './en/approval';
import { audit } from './en/audit';
import { auditWords } from './en/audit-words';
import { blocklist } from './en/blocklist';
import { bulk } from './en/bulk';
import { common } from './en/common';
import { connection } from './en/connection';
import { context } from './en/context';
import { containment } from './en/containment';
import { desk } from './en/desk';
import { entities } from './en/entities';
import { events } from './en/events';
import { figureTitles } from './en/figures';
import { findings } from './en/findings';
import { incidentActions } from './en/incident-actions';
import { incidents } from './en/incidents';
import { maintenance } from './en/maintenance';
import { overview } from './en/overview';
import { privacy } from './en/privacy';
import { redis } from './en/redis';
import { reports } from './en/reports';
import { response } from './en/response';
import { ruleTitles } from './en/rule-titles';
import { rules } from './en/rules';
import { settings } from './en/settings';
import { spokenTexts } from './en/spoken';
import { welcome } from './en/welcome';
import { words } from './en/words';

export const en = {
  ...common,
  ...words,
  ...spokenTexts,
  ...figureTitles,
  ...overview,
  ...incidents,
  ...findings,
  ...incidentActions,
  ...containment,
  ...bulk,
  ...privacy,
  ...approval,
  ...redis,
  ...blocklist,
  ...maintenance,
  ...reports,
  ...audit,
  ...auditWords,
  ...settings,
  ...rules,
  ...ruleTitles,
  ...response,
  ...entities,
  ...events,
  ...context,
  ...connection,
  ...welcome,
  ...desk,
} as const;
