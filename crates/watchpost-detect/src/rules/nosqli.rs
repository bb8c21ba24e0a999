//! Operators and code in the queries of document databases and key-value stores.

use super::Matcher::Regex;
use super::signatures;
use crate::rule::Sample::{Post, Value};

const JSON: &[(&str, &str)] = &[("Content-Type", "application/json")];

signatures! {
    NOSQLI, Nosqli, attack: &["T1190"], owasp: Some("A05:2025");

    "wp.nosqli.operator" v 1, "Query operator in a name or value", High 90, Any, gate &["$", "&exists"],
        Regex(r#"(?:^|[\[{,.'"\s(])\s*['"]?\$(?:n?eq?|gte?|lte?|n?in|exists|regex|where|x?or|and|not|nor|all|size|elemmatch|type|mod|text|expr|jsonschema|comment|func|function|accumulator|options|search|near|geowithin|lookup|unionwith|out|merge|slice|bit\w+|rand|natural|query|explain|maxtimems|showdiskloc|orderby)['"]?\s*(?:\]|:|=>)|\[\s*['"]?\$(?:n?eq?|gte?|lte?|n?in|exists|regex|where|or|and|not|nor|all|size|elemmatch|type|mod|expr)\b|^\$(?:n?eq?|gte?|lte?|n?in|exists|regex|where|nor|elemmatch|expr|jsonschema|func|not)$|\{\s*"[&$]exists"\s*:"#),
        fires [Value("{\"$gt\": \"\"}"), Value("user[$ne]"), Value("', $or: [ {}, { 'a':'a"), Post(JSON, "{\"user\":\"a\",\"password\":{\"$ne\":null}}"), Value("true, $where: '1 == 1'"), Value("[$regex]=^a")],
        near [Value("costs $in total: 5"), Value("$price: 30"), Value("{$name}"), Value("array[$i] = 1"), Value("$filter=a eq 1")];
    "wp.nosqli.code" v 1, "JavaScript for a document database", High 88, Any,
        gate &["this.", "db.", "return", "emit(", "mapreduce", "sleep(", "new date", "tojson", "||", "&&", "$where", "function", "/.*/"],
        Regex(r#"['"]\s*(?:\|\||&&|;)\s*(?:\(?\s*)?this\s*[.\[]\s*\w|\bthis\.\w+(?:\.\w+)*\.(?:match|test|length|charat|substr\w*|indexof|charcodeat)\b|\bdb\s*\.\s*\w+\s*\.\s*(?:find|insert|drop|remove|update|delete|mapreduce|count|aggregate|save|ensureindex)\w*\s*\(|\bdb\s*\.\s*(?:getcollection\w*|version|admincommand|shutdown\w*|runcommand|currentop|dropdatabase|geteval|eval|serverstatus|hostinfo|listcommands|getmongo|getname)\s*\(|(?:^|['"\s\d);])\s*;\s*return\s*[\s('"]\s*(?:true|false|1|this|!|['"]|\w+\s*==)|^\s*return\s*\(?\s*(?:true|this\.[\w.]+)\s*\)?\s*;|\bmapreduce\s*\(\s*function|\bemit\s*\(\s*(?:1|this)|['"]\s*;\s*(?:var|let|it|while|do)\b[\s=({][^\n]{0,60}(?:new date|sleep\(|return)|\bdo\s*\{[^}]{0,60}new\s*date|\btojson(?:oneline)?\s*\(|['"]?\s*(?:\|\||&&)\s*['"]?(\d|[a-z])['"]?\s*={2,3}\s*['"]?[\da-z]|['"]\s*(?:\|\||&&)\s*['"]{2}\s*={2,3}|;\s*sleep\s*\(\s*\d+\s*\)\s*;"#),
        fires [Value("' && this.password.match(/.*/)//"), Value("db.injection.insert({success:1});"), Value("0;return true"), Value("';it=new Date();do{pt=new Date();}while(pt-it<5000);"), Value("' || '1'=='1")],
        near [Value("this.is fine"), Value("return true to sender"), Value("the db. find it there"), Value("a && b || c"), Value("sleep(8) hours")];
    "wp.nosqli.store" v 1, "Command for Redis, CouchDB, Elasticsearch or a graph database", High 85, Any,
        gate &["flushall", "slaveof", "replicaof", "config", "module", "eval", "*1", "*2", "*3", "*4", "_all_docs", "_design/", "_search", "script_fields", "load csv", "apoc.", "db.labels", "detach", "dbms.", "_users", "call db"],
        Regex(r#"[\r\n]\s*(?:flushall|flushdb|slaveof|replicaof|config\s+set|module\s+load|eval\s|set\s+\S+\s|get\s+\S+\s*[\r\n]|script\s+load|debug\s+sleep|save\s*[\r\n]|keys\s+\*)|^\*\d+\r?\n\$\d+\r?\n|^\s*(?:flushall|config\s+set\s+(?:dir|dbfilename)\s|module\s+load\s|slaveof\s+\S+\s+\d+)|/_(?:all_docs|design/|users/_|all_dbs|changes\?|cat/indices|cluster/|nodes/)|\bscript_fields\b|"script"\s*:\s*\{?\s*"?\w*"?:?\s*".{0,40}java|\bload\s+csv\s+(?:with\s+headers\s+)?from\s|\bapoc\.(?:load|cypher|export|import|util|systemdb)\b|\bcall\s+(?:db|dbms|apoc)\.\w+|\bdetach\s+delete\b|\bwith\s+\w+\s+as\s+\w+\s+(?:call\s+(?:db|dbms|apoc)\.|load\s+csv\b)"#),
        fires [Value("x\r\nFLUSHALL\r\n"), Value("CONFIG SET dir /var/www"), Value("' OR 1=1 WITH 1 as a LOAD CSV FROM 'http://x.example/' as b"), Value("*3\r\n$3\r\nSET\r\n"), Value("CALL db.labels() YIELD label")],
        near [Value("flush all pipes"), Value("set the config"), Value("call db support"), Value("load a CSV from disk")];
}
