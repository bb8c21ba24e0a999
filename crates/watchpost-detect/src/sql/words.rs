//! The words that the shapes know; compared without regard to case.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::dictionary::Dictionary;

/// What stands between two operands of a comparison.
const COMPARING: &[&str] =
    &["like", "rlike", "regexp", "in", "is", "between", "sounds", "glob", "div", "ilike", "similar", "not"];
/// What joins an injected condition to what was there.
const JOINING: &[&str] =
    &["or", "and", "xor", "having", "where", "rlike", "regexp", "like", "not", "div", "mod", "between", "on"];
/// Functions that exist to attack, or that no prose and hardly a program text has before a parenthesis.
const CALLS_STRONG: &[&str] = &[
    "pg_sleep",
    "extractvalue",
    "updatexml",
    "load_file",
    "group_concat",
    "utl_inaddr",
    "utl_http",
    "dbms_pipe",
    "dbms_lock",
    "xp_cmdshell",
    "randomblob",
    "make_set",
    "name_const",
    "gtid_subset",
    "gtid_subtract",
    "json_keys",
    "geometrycollection",
    "benchmark",
    "generate_series",
    "regexp_substring",
    "crypt_key",
    "xmltype",
    "current_setting",
    "query_to_xml",
    "database_to_xml",
    "lo_import",
    "openrowset",
    "opendatasource",
    "xp_dirtree",
    "sp_password",
    "quote_ident",
    "ctxsys",
    "is_srvrolemember",
    "has_dbaccess",
    "procedure",
    "string_agg",
    "pg_read_file",
    "session_user",
    "system_user",
];
/// Functions that mean something only where SQL wants an operand.
const CALLS_WEAK: &[&str] = &[
    "sleep",
    "concat",
    "concat_ws",
    "char",
    "chr",
    "ascii",
    "ord",
    "substr",
    "substring",
    "mid",
    "left",
    "right",
    "version",
    "user",
    "database",
    "schema",
    "if",
    "iif",
    "elt",
    "exists",
    "cast",
    "convert",
    "count",
    "length",
    "floor",
    "rand",
    "md5",
    "sha1",
    "hex",
    "unhex",
    "ifnull",
    "nullif",
    "coalesce",
    "current_user",
    "null",
    "select",
    "row",
    "exp",
    "pow",
    "polygon",
    "multipoint",
    "linestring",
    "instr",
    "locate",
    "position",
    "lower",
    "upper",
    "to_char",
    "bin",
    "strcmp",
    "greatest",
    "least",
    "last_insert_id",
    "connection_id",
    "found_rows",
    "row_count",
    "reverse",
    "replace",
    "repeat",
    "space",
    "date_format",
    "conv",
    "compress",
    "like",
    "sum",
    "min",
    "max",
    "avg",
    "typeof",
    "abs",
    "json_extract",
    "db_name",
    "host_name",
    "aes_encrypt",
    "encrypt",
    "isnull",
    "lo_get",
    "starts_with",
    "json_search",
    "json_valid",
    "json_array",
    "json",
    "unistr",
    "likelihood",
    "likely",
    "unlikely",
    "sqlite_compileoption_get",
    "find_in_set",
    "charset",
    "coercibility",
    "collation",
    "sin",
    "cos",
    "pi",
    "round",
    "trim",
    "now",
    "decode",
    "encode",
    "format",
    "uncompress",
    "default",
    "values",
];
/// Functions that tell something of the server or take a text apart letter by letter.
const CALLS_TELLING: &[&str] = &[
    "version",
    "user",
    "database",
    "schema",
    "current_user",
    "session_user",
    "system_user",
    "substring",
    "substr",
    "mid",
    "ascii",
    "current_database",
    "db_name",
    "user_name",
    "compress",
    "load_file",
];
/// What may follow a closed quotation and compares or converts it.
const AFTER_QUOTE: &[&str] = &[
    "is", "in", "sounds", "glob", "collate", "between", "similar", "ilike", "escape", "notnull", "isnull",
    "match", "against", "like", "not",
];
/// What else may follow a closed quotation in a statement.
const LEADING: &[&str] = &[
    "union",
    "select",
    "exec",
    "execute",
    "order",
    "group",
    "limit",
    "procedure",
    "into",
    "as",
    "waitfor",
    "if",
    "case",
    "declare",
    "insert",
    "update",
    "delete",
    "drop",
    "shutdown",
    "begin",
    "from",
    "except",
    "intersect",
    "offset",
    "fetch",
    "for",
    "returning",
    "window",
    "with",
    "values",
    "call",
    "do",
    "set",
    "own3d",
    "null",
    "true",
    "false",
    "desc",
    "asc",
];

/// Sets of words, as bits of [`class`].
pub(super) mod class {
    pub(crate) const STRONG: u8 = 1;
    pub(crate) const WEAK: u8 = 1 << 1;
    pub(crate) const TELLING: u8 = 1 << 2;
    pub(crate) const COMPARING: u8 = 1 << 3;
    pub(crate) const JOINING: u8 = 1 << 4;
    pub(crate) const AFTER_QUOTE: u8 = 1 << 5;
    pub(crate) const LEADING: u8 = 1 << 6;
    pub(crate) const UNION: u8 = 1 << 7;
}

/// The sets that `word` is in; compared without regard to case.
pub(super) fn classes(word: &[u8]) -> u8 {
    const WORD_BYTES_MAX: usize = 26;
    static ALL: OnceLock<Dictionary<u8>> = OnceLock::new();
    if !(2..=WORD_BYTES_MAX).contains(&word.len()) || !word[0].is_ascii_alphabetic() {
        return 0;
    }
    let all = ALL.get_or_init(|| {
        let tables = [
            (CALLS_STRONG, class::STRONG),
            (CALLS_WEAK, class::WEAK),
            (CALLS_TELLING, class::TELLING),
            (COMPARING, class::COMPARING),
            (JOINING, class::JOINING),
            (AFTER_QUOTE, class::AFTER_QUOTE),
            (LEADING, class::LEADING),
            (&["union", "select", "waitfor", "case", "order", "group", "into", "procedure"], class::UNION),
        ];
        let mut all: BTreeMap<&'static str, u8> = BTreeMap::new();
        for (table, bit) in tables {
            table.iter().for_each(|word| *all.entry(word).or_default() |= bit);
        }
        Dictionary::new(&all)
    });
    all.get(word).unwrap_or(0)
}
