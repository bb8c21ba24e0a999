// German. A key that is missing here is shown in English; a test says which.

import { approval } from './de/approval';
import { audit } from './de/audit';
import { auditWords } from './de/audit-words';
import { blocklist } from './de/blocklist';
import { bulk } from './de/bulk';
import { common } from './de/common';
import { connection } from './de/connection';
import { context } from './de/context';
import { containment } from './de/containment';
import { desk } from './de/desk';
import { entities } from './de/entities';
import { events } from './de/events';
import { figureTitles } from './de/figures';
import { findings } from './de/findings';
import { incidentActions } from './de/incident-actions';
import { incidents } from './de/incidents';
import { maintenance } from './de/maintenance';
import { overview } from './de/overview';
import { privacy } from './de/privacy';
import { redis } from './de/redis';
import { reports } from './de/reports';
import { response } from './de/response';
import { ruleTitles } from './de/rule-titles';
import { rules } from './de/rules';
import { settings } from './de/settings';
import { spokenTexts } from './de/spoken';
import { welcome } from './de/welcome';
import { words } from './de/words';

export const de = {
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
