// What the desktop shows outside of the window: the icon in its panel and notices.
export const desk = {
  'desk.starting': 'Starting',
  'desk.open': 'Open Watchpost',
  'desk.incidents': 'Incidents',
  'desk.redis': 'Redis health',
  'desk.quit': 'Quit',
  'desk.no_connection': 'no connection',
  'desk.redis_down': '{name}: Redis does not answer',
  'desk.database_down': '{name}: the database does not answer',
  'desk.calm': '{name}: no active incident',
  'desk.active': '{name}: {n} active',
  'desk.critical': '{name}: {n} active, {critical} critical and new',
  'desk.notice.title': 'Critical: {family}',
  'desk.notice.body': 'Incident {n} · {kind} {value}',
  'desk.notice.more': 'More critical incidents',
  'desk.notice.more.body': 'Open the list',
  'desk.notice.open': 'Open',
} as const;
