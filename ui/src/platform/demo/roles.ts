// The made-up roles of the team on its PostgreSQL.

import type { RoleList } from '$ui/generated/model';

export function roleList(): RoleList {
  return {
    source: 'groups',
    rows: [
      { name: 'jonas', role: 'analyst' },
      { name: 'mara', role: 'admin' },
    ],
    others: null,
    detail: 'roles are groups of the database, and its server enforces them. The owner of the tables gives one: GRANT watchpost_analyst TO login. The owner, and a superuser, are in none and may everything',
  };
}
