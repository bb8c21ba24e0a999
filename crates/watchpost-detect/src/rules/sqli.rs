//! SQL injection. The shapes are in `crate::sql`; the expressions here are for what needs no grammar.

use super::{Matcher::Regex, Matcher::Sql, signatures};
use crate::rule::Sample::Value;
use crate::sql::Shape;

signatures! {
    SQLI, Sqli, attack: &["T1190"], owasp: Some("A05:2025");

    "wp.sqli.union" v 1, "UNION SELECT appended", High 95, Any, gate &[], Sql(Shape::Union),
        fires [Value("1 union select 1,2,3"), Value("-1' UNION ALL SELECT NULL,NULL--"), Value("1/**/union/**/select user from t")],
        near [Value("the union select committee met"), Value("European Union selects a new president"), Value("union station")];
    "wp.sqli.tautology" v 1, "Condition that is always true or false", High 90, Any, gate &[], Sql(Shape::Tautology),
        fires [Value("' or 'a'='a"), Value("1 or 1=1"), Value("x') or ('x'='x"), Value("' or true--"), Value("1' and 5821=5821 and 'qx'='qx"), Value("' or username is not null or 'x'='y")],
        near [Value("1 or 2 people"), Value("this and that = something"), Value("it's 5 o'clock or later"), Value("O'Neill and sons"), Value("black and white")];
    "wp.sqli.comment" v 1, "Quotation closed and the rest commented out", High 80, Any, gate &[], Sql(Shape::CommentEnd),
        fires [Value("admin'--"), Value("admin' #"), Value("root')/*")],
        near [Value("don't -- just don't"), Value("C# and F#"), Value("Rock 'n' Roll -- the album")];
    "wp.sqli.stacked" v 1, "Second statement after a semicolon", Critical 90, Any, gate &[], Sql(Shape::Stacked),
        fires [Value("1; drop table users"), Value("1'; exec xp_cmdshell 'dir'--"), Value("1; insert into users values(1)")],
        near [Value("drop the table; update the docs"), Value("wash; rinse; repeat"), Value("first select; then delete")];
    "wp.sqli.select" v 1, "SELECT where a value belongs", High 85, Any, gate &[], Sql(Shape::Select),
        fires [Value("(select password from users where id=1)"), Value("select * from users"), Value("1 and (select count(*) from accounts)>0")],
        near [Value("select the best option from the list"), Value("please select from the menu"), Value("select all")];
    "wp.sqli.function" v 1, "Function used to delay, to leak by errors or to read files", High 85, Any, gate &[], Sql(Shape::Function),
        fires [Value("1 and sleep(5)"), Value("'; waitfor delay '0:0:5'--"), Value("1 and extractvalue(1,concat(0x7e,version()))")],
        near [Value("sleep (5 hours) is not enough"), Value("a benchmark of databases"), Value("wait for the delay")];
    "wp.sqli.clause" v 1, "ORDER BY, GROUP BY or INTO OUTFILE appended", Medium 75, Any, gate &[], Sql(Shape::Clause),
        fires [Value("1 order by 10--"), Value("1' group by users.id having 1=1--"), Value("1 into outfile '/tmp/x'")],
        near [Value("order by phone"), Value("to order by mail, call 10"), Value("a group by itself")];
    "wp.sqli.schema" v 1, "System catalogue or server variable named", High 80, Any,
        gate &["information_schema", "sysobjects", "syscolumns", "sysusers", "sqlite_master", "pg_catalog", "pg_shadow", "pg_user", "mysql.user", "all_tables", "user_tables", "sys.user", "msysaccessobjects", "master..", "master.dbo", "@@version", "@@datadir", "@@hostname", "xp_cmdshell", "xp_regread", "xp_dirtree", "xp_availablemedia", "sp_executesql", "sp_oacreate", "sp_makewebtask", "sp_configure", "rdb$", "v$version", "sys.databases", "from dual", "utl_http.request", "utl_inaddr", "load_file", "msdb", "tempdb", "mysql.db", "northwind", "msdasql", "schema_name", "exec sp_", "exec xp_", "exec+sp_", "sp_password", "sp_execute", "xp_", "openrowset", "utl_http"],
        Regex(r"(?:\binformation_schema[`\]\x22]?\s*\.\s*[`\[\x22]?\w|^\W*(?:from\W+)?(?:information_schema|msdb|tempdb|mysql\.db|northwind|msdasql|schema_name|pg_catalog|msysaccessobjects|sysobjects|sp_executesql|sp_password|xp_\w{3,}|utl_http|openrowset)\W*$|\b(?:from|join|into|table|update)\s+[\w.]*(?:sysobjects|syscolumns|sysusers|sqlite_master|pg_catalog|pg_shadow|pg_user|mysql\.user|all_tables|user_tables|msysaccessobjects|v\$version|sys\.(?:user|databases|tables)|rdb\$)|\bmaster\.(?:dbo)?\.(?:xp_|sp_|sys)\w+|@@(?:version|datadir|hostname)\b|\b(?:exec(?:ute)?\s+|\.\.|dbo\.|;\s*)(?:xp_|sp_)\w+|\b(?:xp_cmdshell|xp_regread|xp_dirtree|xp_availablemedia)\b\s*['(@]|\bsp_(?:makewebtask|oacreate|configure)\s*['@]|\bfrom\s+dual\b\s*(?:\W|where|union|$)|\butl_(?:http\.request|inaddr\.get_host\w+)\s*\(|\bload_file\s*\()"),
        fires [Value("x from information_schema.tables"), Value("exec master..xp_cmdshell 'ver'"), Value("0 and @@version>1"), Value("select name from sqlite_master")],
        near [Value("the information schema of our database"), Value("a master..piece"), Value("see sysobjects in the manual")];
    "wp.sqli.cast" v 1, "PostgreSQL cast of a value", Medium 75, Any, gate &["::"],
        Regex(r"(?:'|\)|\d|\b(?:current_)?user)\s*::\s*(?:bool(?:ean)?|double\s+precision|jsonb?|int(?:eger|[248])?|bigint|text|varchar|numeric|regclass|bytea|date|inet)\b"),
        fires [Value("or '{\"a\":1}'::jsonb ? 'a'"), Value("(select version())::int"), Value("1::text")],
        near [Value("std::int_fast8_t"), Value("Kind::Text"), Value("address fe80::1"), Value("list :: int")];
    "wp.sqli.like" v 1, "Comparison smuggled through encoding functions", Medium 70, Any,
        gate &["char(", "chr(", "0x", "concat(", "concat ("],
        Regex(r"(?:\b(?:chr|char|nchar)\s*\(\s*(?:0x[0-9a-f]{2}|\d{1,3})\s*\)?\s*(?:\|\||\+|,|&)\s*(?:(?:chr|char|nchar)\s*\(\s*)?(?:0x)?\d|\bconcat(?:_ws)?\s*\(\s*(?:0x[0-9a-f]{2,}|char\s*\(|'|@@|\w+\s*,\s*0x[0-9a-f]{2})|\b(?:or|and|like|select)\s+0x[0-9a-f]{8,}\b)"),
        fires [Value("char(97)||char(98)"), Value("concat(0x7e,version(),0x7e)"), Value("1 and like 0x61646d696e")],
        near [Value("char(20) and varchar"), Value("concat(a, b)"), Value("at address 0x7ffe0000")];
}
