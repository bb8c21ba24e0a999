//! Where the two databases differ in what they are told.

/// Which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }

    /// Ends a SELECT whose row this transaction is going to change. SQLite's writer is alone already.
    pub(crate) const fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE",
        }
    }

    /// The login at the database and the id of the audit log (NULL before its first record).
    pub(crate) const fn login_and_log(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT 'sqlite', (SELECT log_id FROM audit_head WHERE id = 1)",
            Self::Postgres => {
                "SELECT CAST(session_user AS TEXT), (SELECT log_id FROM audit_head WHERE id = 1)"
            }
        }
    }

    /// The number of the login at the database, as rows of `approval` have it.
    pub(crate) const fn login_oid(self) -> &'static str {
        match self {
            Self::Sqlite => "0",
            Self::Postgres => {
                "(SELECT CAST(oid AS BIGINT) FROM pg_catalog.pg_roles WHERE rolname = session_user)"
            }
        }
    }

    /// Reads the head of the audit log for appending: size, frontier, checkpoint size, log id, time of the database.
    /// NULL time means that the caller's clock is the clock of the database. PostgreSQL makes it with the id that is bound
    /// if there is none; SQLite binds nothing.
    pub(crate) const fn audit_head(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT size, frontier, checkpoint_size, log_id, CAST(NULL AS INTEGER) FROM audit_head WHERE id = 1"
            }
            Self::Postgres => {
                "SELECT size, frontier, checkpoint_size, log_id, at FROM watchpost_audit_head($1)"
            }
        }
    }

    /// Begins ORDER BY of the events of one name, before their time: SQLite's indexes of names begin with this (and it must
    /// be written as there). Later days have later times, so it orders nothing else.
    pub(crate) const fn day_of_event(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => Some("at / 86400000000"),
            Self::Postgres => None,
        }
    }

    /// The service that an archived event names in its details; NULL if it names none.
    pub(crate) const fn details_service(self) -> &'static str {
        match self {
            Self::Sqlite => "json_extract(body, '$.details.service')",
            Self::Postgres => "(CAST(body AS JSON) #>> '{details,service}')",
        }
    }

    /// The type of an archived event in lower case: the first line of its searched text.
    pub(crate) const fn event_type(self) -> &'static str {
        match self {
            Self::Sqlite => "substr(search, 1, instr(search, char(10)) - 1)",
            Self::Postgres => "split_part(search, chr(10), 1)",
        }
    }

    /// The user agent of an archived event; NULL if it has none.
    pub(crate) const fn user_agent(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "json_extract(replace(body, '\\u0000', '\\u2400'), '$.http.headers.\"user-agent\"')"
            }
            Self::Postgres => {
                "(CAST(replace(body, '\\u0000', '\\u2400') AS JSON) #>> '{http,headers,user-agent}')"
            }
        }
    }

    /// The path that an archived event asked for; NULL without a request.
    pub(crate) const fn request_path(self) -> &'static str {
        match self {
            Self::Sqlite => "json_extract(replace(body, '\\u0000', '\\u2400'), '$.http.path')",
            Self::Postgres => "(CAST(replace(body, '\\u0000', '\\u2400') AS JSON) #>> '{http,path}')",
        }
    }

    /// What an archived event was done on; NULL if it does not say.
    pub(crate) const fn resource(self) -> &'static str {
        match self {
            Self::Sqlite => "json_extract(replace(body, '\\u0000', '\\u2400'), '$.resource')",
            Self::Postgres => "(CAST(replace(body, '\\u0000', '\\u2400') AS JSON) #>> '{resource}')",
        }
    }

    /// What an archived event did there; NULL if it does not say.
    pub(crate) const fn action(self) -> &'static str {
        match self {
            Self::Sqlite => "json_extract(replace(body, '\\u0000', '\\u2400'), '$.action')",
            Self::Postgres => "(CAST(replace(body, '\\u0000', '\\u2400') AS JSON) #>> '{action}')",
        }
    }

    /// The text at a path in an event's body: pieces of SQL with a bound path between each two. PostgreSQL takes no
    /// NUL in JSON, so both see its symbol.
    pub(crate) const fn body_text(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &[
                "(CASE json_type(replace(body, '\\u0000', '\\u2400'), ",
                ") WHEN 'null' THEN NULL WHEN 'text' THEN json_extract(replace(body, '\\u0000', '\\u2400'), ",
                ") ELSE replace(body, '\\u0000', '\\u2400') -> ",
                " END)",
            ],
            Self::Postgres => {
                &["(CAST(replace(body, '\\u0000', '\\u2400') AS JSON) #>> string_to_array(", ", '.'))"]
            }
        }
    }

    /// The labels of an event as rows `t.value`; a WHERE may follow.
    pub(crate) const fn tags(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT 1 FROM json_each(replace(body, '\\u0000', '\\u2400'), '$.tags') AS t",
            Self::Postgres => {
                "SELECT 1 FROM json_array_elements_text(\
                 CAST(replace(body, '\\u0000', '\\u2400') AS JSON) -> 'tags') AS t(value)"
            }
        }
    }

    /// The texts of a JSON list that is bound, as rows: what stands before the list, and after it.
    pub(crate) const fn texts_of_list(self) -> (&'static str, &'static str) {
        match self {
            Self::Sqlite => ("SELECT value FROM json_each(", ")"),
            Self::Postgres => {
                ("SELECT t.value FROM json_array_elements_text(CAST(", " AS JSON)) AS t(value)")
            }
        }
    }

    /// Countries, each with a JSON list of which texts of a JSON list that is bound are sources in it: what stands before the
    /// list, and after it. SQLite reads the list first, and looks up each source.
    pub(crate) const fn places_of_list(self) -> (&'static str, &'static str) {
        match self {
            Self::Sqlite => (
                "SELECT p.country, json_group_array(t.key) FROM json_each(",
                ") AS t CROSS JOIN source_place p ON p.source = t.value WHERE p.country IS NOT NULL GROUP BY p.country",
            ),
            Self::Postgres => (
                "SELECT p.country, CAST(json_agg(t.nth - 1) AS TEXT) FROM json_array_elements_text(CAST(",
                " AS JSON)) WITH ORDINALITY AS t (value, nth) JOIN source_place p ON p.source = t.value \
                 WHERE p.country IS NOT NULL GROUP BY p.country",
            ),
        }
    }

    /// Behind a text in ORDER BY: by its bytes, as everybody but a PostgreSQL of some language orders it.
    pub(crate) const fn by_bytes(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " COLLATE \"C\"",
        }
    }

    /// Who besides the owner may change the tables of the audit trail: table, person, right. SQLite has no such rights.
    pub(crate) const fn audit_grants(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT name, 'owner of the file', 'write' FROM sqlite_master WHERE name LIKE 'audit%'"
            }
            Self::Postgres => {
                // Whoever may change a partition of the log may change the log.
                "SELECT CASE WHEN i.inhrelid IS NULL THEN CAST(p.table_name AS TEXT) ELSE 'audit_leaf' END, \
                 CAST(p.grantee AS TEXT), CAST(p.privilege_type AS TEXT) \
                 FROM information_schema.table_privileges p JOIN pg_catalog.pg_tables t \
                 ON t.schemaname = p.table_schema AND t.tablename = p.table_name \
                 LEFT JOIN pg_catalog.pg_inherits i ON i.inhparent = to_regclass('audit_leaf') \
                 AND i.inhrelid = to_regclass(quote_ident(CAST(p.table_name AS TEXT))) \
                 WHERE p.table_schema = current_schema() AND p.grantee <> t.tableowner \
                 AND (i.inhrelid IS NOT NULL \
                 OR p.table_name IN ('audit_checkpoint', 'audit_head', 'audit_leaf', 'audit_record')) \
                 AND p.privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE') ORDER BY 1, 2, 3"
            }
        }
    }

    /// The groups of `deploy/postgres-roles.sql` that the login at the database is in.
    pub(crate) const fn groups_of_login(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT name FROM sqlite_master WHERE 1 = 0",
            Self::Postgres => {
                "SELECT CAST(rolname AS TEXT) FROM pg_catalog.pg_roles WHERE rolname IN ('watchpost_viewer', \
                 'watchpost_analyst', 'watchpost_lead', 'watchpost_auditor', 'watchpost_admin') \
                 AND pg_has_role(session_user, oid, 'MEMBER') \
                 AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = session_user AND rolsuper)"
            }
        }
    }

    /// The groups of the login of a name that may decide something, and `owner` if it is the owner of the tables. Whoever
    /// writes a SQLite file is. The login of an engine decides nothing, whatever group it is in beside that.
    pub(crate) const fn groups_of(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT 'owner' WHERE $1 IS NOT NULL",
            Self::Postgres => {
                "SELECT CAST(g.rolname AS TEXT) FROM pg_catalog.pg_roles l, pg_catalog.pg_roles g \
                 WHERE l.rolname = $1 AND g.rolname IN ('watchpost_viewer', 'watchpost_analyst', 'watchpost_lead', \
                 'watchpost_auditor', 'watchpost_admin') AND pg_has_role(l.oid, g.oid, 'MEMBER') AND NOT l.rolsuper \
                 AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles e WHERE e.rolname = 'watchpost_engine' \
                 AND pg_has_role(l.oid, e.oid, 'MEMBER')) \
                 UNION ALL SELECT 'owner' FROM pg_catalog.pg_roles l, pg_catalog.pg_class c \
                 WHERE l.rolname = $1 AND c.oid = to_regclass('approval') \
                 AND (l.rolsuper OR pg_has_role(l.oid, c.relowner, 'MEMBER'))"
            }
        }
    }

    /// The names of people who did something since `$1`. Where the database has logins, those are people that can still log
    /// in, in time and with the right to connect: the login of an engine is nobody, unless it acts as the owner of the tables.
    pub(crate) const fn people(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT name FROM person WHERE last_at >= $1 ORDER BY name",
            Self::Postgres => {
                "SELECT p.name FROM person p WHERE p.last_at >= $1 AND EXISTS ( \
                 SELECT 1 FROM pg_catalog.pg_roles l JOIN pg_catalog.pg_class c ON c.oid = CAST('audit_head' AS regclass) \
                 WHERE l.rolcanlogin AND (l.rolvaliduntil IS NULL OR l.rolvaliduntil > clock_timestamp()) \
                 AND has_database_privilege(l.oid, current_database(), 'CONNECT') \
                 AND lower(regexp_replace(CAST(l.rolname AS TEXT), '\\s', '', 'g')) COLLATE \"C\" = p.name COLLATE \"C\" \
                 AND (l.rolsuper OR pg_has_role(l.oid, c.relowner, 'MEMBER') OR NOT EXISTS ( \
                 SELECT 1 FROM pg_catalog.pg_roles e WHERE e.rolname = 'watchpost_engine' \
                 AND pg_has_role(l.oid, e.oid, 'MEMBER')))) ORDER BY p.name"
            }
        }
    }

    /// The records about the request that is named as their object, with what is sealed in them: number, leaf, actor,
    /// action, key, nonce, sealed, secret, subject.
    pub(crate) const fn approval_records(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT r.seq, l.leaf, r.actor, r.action, p.key_id, p.nonce, p.sealed, k.secret, k.subject \
                 FROM audit_record r JOIN audit_leaf l ON l.seq = r.seq \
                 LEFT JOIN audit_payload p ON p.seq = r.seq LEFT JOIN subject_key k ON k.id = p.key_id \
                 WHERE r.action IN ('approval_ask', 'approval_grant', 'approval_refuse', 'approval_withdraw', \
                 'approval_carry_out') AND r.object = $1 ORDER BY r.seq"
            }
            Self::Postgres => {
                "SELECT seq, leaf, actor, action, key_id, nonce, sealed, secret, subject \
                 FROM watchpost_approval_records($1)"
            }
        }
    }

    /// Is there a table of this name? One row if so.
    pub(crate) const fn table_exists(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table' AND name = $1",
            Self::Postgres => {
                "SELECT CAST(table_name AS TEXT) FROM information_schema.tables \
                 WHERE table_schema = current_schema() AND table_name = $1"
            }
        }
    }

    /// The names of the search columns of the audit trail.
    pub(crate) const fn record_columns(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT name FROM pragma_table_info('audit_record')",
            Self::Postgres => {
                "SELECT CAST(attname AS TEXT) FROM pg_catalog.pg_attribute \
                 WHERE attrelid = to_regclass('audit_record') AND attnum > 0 AND NOT attisdropped"
            }
        }
    }

    /// Every column of every table: table, column, type, place in the key (0 if it is in none). A partition is no table of
    /// its own.
    pub(crate) const fn columns(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT m.name, c.name, c.type, c.pk FROM sqlite_master m JOIN pragma_table_info(m.name) c \
                 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY m.name, c.cid"
            }
            Self::Postgres => {
                "SELECT CAST(r.relname AS TEXT), CAST(a.attname AS TEXT), \
                 CAST(format_type(a.atttypid, NULL) AS TEXT), \
                 CAST(COALESCE(array_position(CAST(i.indkey AS INT2[]), a.attnum) + 1, 0) AS BIGINT) \
                 FROM pg_catalog.pg_class r JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace \
                 JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped \
                 LEFT JOIN pg_catalog.pg_index i ON i.indrelid = r.oid AND i.indisprimary \
                 WHERE n.nspname = current_schema() AND r.relkind IN ('r', 'p') AND NOT r.relispartition \
                 ORDER BY CAST(r.relname AS TEXT) COLLATE \"C\", a.attnum"
            }
        }
    }

    /// Names a row of any table within one transaction, as text.
    pub(crate) const fn row_name(self) -> &'static str {
        match self {
            Self::Sqlite => "CAST(rowid AS TEXT)",
            Self::Postgres => "CAST(ctid AS TEXT)",
        }
    }

    /// The condition of the row with a name: pieces of SQL around the bound name.
    pub(crate) const fn row_named(self) -> (&'static str, &'static str) {
        match self {
            Self::Sqlite => ("rowid = CAST(", " AS INTEGER)"),
            Self::Postgres => ("ctid = CAST(", " AS TID)"),
        }
    }

    /// Every column of every table that can hold text: table, column. A partition is no table of its own.
    pub(crate) const fn text_columns(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
                 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite!_%' ESCAPE '!' AND c.type = 'TEXT' ORDER BY 1, 2"
            }
            Self::Postgres => {
                "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns \
                 WHERE table_schema = current_schema() AND data_type = 'text' AND NOT EXISTS (\
                 SELECT 1 FROM pg_catalog.pg_class r JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace \
                 WHERE n.nspname = current_schema() AND r.relname = table_name AND r.relispartition) ORDER BY 1, 2"
            }
        }
    }
}
