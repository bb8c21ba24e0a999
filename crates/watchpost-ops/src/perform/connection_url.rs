//! URLs of servers, taken apart.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use url::Url;
use watchpost_model::connection::{
    DatabaseConnection, HostPort, RedisAddress, RedisConnection, TlsFiles, is_this_machine,
};

use crate::contract::{ParsedUrl, SecretInput};
use crate::error::OpError;

/// Takes a URL apart. Errors never repeat it: it may hold a password.
pub(super) fn parse_url(text: &str) -> Result<ParsedUrl, OpError> {
    if text.contains('#') {
        return Err(wrong("a URL of a server or a file has no part after a #: write the character as %23"));
    }
    // The case of a scheme says nothing.
    let lower = match text.split_once(':') {
        Some((scheme, rest)) => format!("{}:{rest}", scheme.to_ascii_lowercase()),
        None => text.to_owned(),
    };
    let text = lower.as_str();
    for (scheme, is_tls) in [("redis+sentinel://", false), ("rediss+sentinel://", true)] {
        if let Some(rest) = text.strip_prefix(scheme) {
            return parse_sentinel(rest, is_tls);
        }
    }
    for (scheme, is_tls) in CLUSTER_SCHEMES {
        if let Some(rest) = text.strip_prefix(scheme) {
            return parse_cluster(rest, is_tls);
        }
    }
    let several = |rest: &str| {
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        authority.rsplit('@').next().is_some_and(|hosts| hosts.contains(','))
    };
    if ["redis://", "rediss://"].iter().any(|scheme| text.strip_prefix(scheme).is_some_and(several)) {
        return Err(wrong("a redis:// URL has one host").hint(
            "several nodes of a cluster: redis+cluster://one:6379,two:6379; Sentinels: redis+sentinel://",
        ));
    }
    if let Some(rest) = text.strip_prefix("sqlite:") {
        return parse_sqlite(rest);
    }
    let url = Url::parse(text).map_err(|error| wrong(&format!("this is not a URL: {error}")))?;
    let username = Some(decode(url.username())?).filter(|name| !name.is_empty());
    let password = match url.password() {
        Some(password) => SecretInput::Set { value: decode(password)? },
        None => SecretInput::Keep,
    };
    let sentinel_password = SecretInput::Keep;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    match url.scheme() {
        "redis" | "rediss" => {
            let database = redis_number(&url, url.path().trim_matches('/'))?;
            let tls = (url.scheme() == "rediss").then(TlsFiles::default);
            let address = RedisAddress::Tcp { host, port: url.port().unwrap_or(6379), tls };
            Ok(ParsedUrl {
                redis: Some(redis(address, username, database)),
                database: None,
                password,
                sentinel_password,
            })
        }
        "unix" | "redis+unix" => {
            if !matches!(host.as_str(), "" | "localhost") || url.path().is_empty() {
                return Err(wrong("the socket of a Redis is written unix:///its/path"));
            }
            let database = redis_number(&url, "")?;
            let address = RedisAddress::Unix { path: decode(url.path())? };
            Ok(ParsedUrl {
                redis: Some(redis(address, username, database)),
                database: None,
                password,
                sentinel_password,
            })
        }
        "postgres" | "postgresql" => {
            // What libpq takes from the query: a socket's directory has no place before the path.
            let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
            known_only(&url, "PostgreSQL", POSTGRES_QUERY, &query)?;
            let given = |key: &str| query.get(key).cloned().filter(|value| !value.is_empty());
            let port = match given("port") {
                Some(port) => Some(port.parse().map_err(|_| wrong("the port is not a number"))?),
                None => url.port(),
            };
            let host = Some(decode(&host)?).filter(|host| !host.is_empty()).or_else(|| given("host"));
            let username = username.or_else(|| given("user"));
            let host = host.ok_or_else(|| wrong("a PostgreSQL URL needs a host"))?;
            let tls = database_tls(&host, given)?;
            let database = DatabaseConnection::Postgres {
                host,
                port: port.unwrap_or(5432),
                database: decode(url.path().trim_start_matches('/'))?,
                username: username.ok_or_else(|| wrong("a PostgreSQL URL needs a user name"))?,
                tls,
            };
            let password = match (password, given("password")) {
                (SecretInput::Keep, Some(value)) => SecretInput::Set { value },
                (password, _) => password,
            };
            Ok(ParsedUrl { redis: None, database: Some(database), password, sentinel_password })
        }
        "file" => Err(wrong("the file of a SQLite database is written sqlite:///its/path")),
        scheme => Err(wrong(&format!("unknown scheme {scheme:?}")).hint(
            "use redis://, rediss:// (TLS), redis+cluster://, redis+sentinel:// (rediss+ with TLS), unix://, postgres:// or sqlite://",
        )),
    }
}

/// Does the URL of a database ask for a connection without TLS? It is decoded first: a percent-encoded letter says the same.
#[must_use]
pub fn is_without_tls(url: &str) -> bool {
    let says_so = |url: Url| url.query_pairs().any(|(name, value)| name == "sslmode" && value == "disable");
    Url::parse(url.trim()).is_ok_and(says_so)
}

/// The number of a Redis database: in the path, or as `db=`, which is all that its query may have.
fn redis_number(url: &Url, path: &str) -> Result<u32, OpError> {
    let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    known_only(url, "Redis", &["db"], &query)?;
    let number = match (path, query.get("db")) {
        ("", None) => return Ok(0),
        ("", Some(number)) => number.as_str(),
        (number, None) => number,
        (_, Some(_)) => {
            return Err(wrong("the URL says the number of the database twice: in its path and as db="));
        }
    };
    number.parse().map_err(|_| wrong("the database of a Redis URL is a number: redis://host/3 or ?db=3"))
}

/// What a PostgreSQL URL may have in its query.
const POSTGRES_QUERY: &[&str] =
    &["host", "password", "port", "sslcert", "sslkey", "sslmode", "sslrootcert", "user"];

/// Refuses what would be left out without a word: parameters that are not known, that stand twice, or that the part before
/// the path says already.
fn known_only(
    url: &Url,
    kind: &str,
    known: &[&str],
    query: &BTreeMap<String, String>,
) -> Result<(), OpError> {
    if let Some(name) = query.keys().find(|name| !known.contains(&name.as_str())) {
        // A question mark in a password makes a part of it such a name.
        let is_plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let what = if is_plain { format!("{name}=") } else { "something else".to_owned() };
        return Err(wrong(&format!("a {kind} URL takes {}, not {what}", known.join(", "))));
    }
    if url.query_pairs().count() != query.len() {
        return Err(wrong("a parameter stands twice in the URL"));
    }
    let before = [
        ("host", url.host_str().is_some_and(|host| !host.is_empty())),
        ("port", url.port().is_some()),
        ("user", !url.username().is_empty()),
        ("password", url.password().is_some()),
    ];
    match before.iter().find(|(name, is_there)| *is_there && query.contains_key(*name)) {
        Some((name, _)) => Err(wrong(&format!("the URL says {name} twice: before its path and as {name}="))),
        None => Ok(()),
    }
}

/// TLS as `sslmode`, `sslrootcert`, `sslcert` and `sslkey` say. There is one kind: the server's name and authority are checked
/// (`verify-full`), for one that is not checked protects from nobody on the way. Another machine is reached without only
/// where the URL says `sslmode=disable`.
fn database_tls(host: &str, given: impl Fn(&str) -> Option<String>) -> Result<Option<TlsFiles>, OpError> {
    // libpq's word for the authorities of the machine.
    let ca = given("sslrootcert").filter(|ca| ca != "system");
    let files = TlsFiles { ca, cert: given("sslcert"), key: given("sslkey") };
    if files.cert.is_some() != files.key.is_some() {
        return Err(wrong("sslcert and sslkey belong together"));
    }
    let has_files = files != TlsFiles::default();
    match given("sslmode").as_deref() {
        Some("disable") if has_files => {
            Err(wrong("sslmode=disable uses no certificates: leave one of them off"))
        }
        Some("disable") => Ok(None),
        Some("require" | "verify-ca" | "verify-full") => Ok(Some(files)),
        None | Some("allow" | "prefer") => Ok((has_files || !is_this_machine(host)).then_some(files)),
        Some(_) => Err(wrong("sslmode is one of disable, allow, prefer, require, verify-ca, verify-full")),
    }
}

/// What follows `sqlite:`, as sqlx reads it: `//` or nothing, the path, options. `sqlite:///a` and `sqlite:/a` name the
/// file `/a`, `sqlite://a` and `sqlite:a` the file `a`.
fn parse_sqlite(rest: &str) -> Result<ParsedUrl, OpError> {
    let (path, options) = rest.split_once('?').unwrap_or((rest, ""));
    if path.strip_prefix("//").is_some_and(|path| path == "localhost" || path.starts_with("localhost/")) {
        return Err(wrong("a SQLite URL has no host: sqlite:///its/path"));
    }
    let path = decode(path.strip_prefix("//").unwrap_or(path))?;
    if path.is_empty() || path == ":memory:" {
        return Err(wrong("a SQLite URL needs the path of a file"));
    }
    if !matches!(options, "" | "mode=rwc" | "mode=rw") {
        return Err(wrong("a SQLite URL takes no options: Watchpost sets them itself"));
    }
    Ok(ParsedUrl {
        redis: None,
        database: Some(DatabaseConnection::Sqlite { path: Some(path) }),
        password: SecretInput::Keep,
        sentinel_password: SecretInput::Keep,
    })
}

/// What follows the scheme: `[user:password@]host[:port][,...]/name[/database][?sentinel_username=..&sentinel_password=..]`.
/// A URL has one host only, so the library does not read it. User and password are those of the servers.
fn parse_sentinel(rest: &str, is_tls: bool) -> Result<ParsedUrl, OpError> {
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) =
        rest.split_once('/').ok_or_else(|| wrong("a Sentinel URL needs the name of the master"))?;
    let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (username, password) = match login.split_once(':') {
        Some((username, password)) => (username, SecretInput::Set { value: decode(password)? }),
        None => (login, SecretInput::Keep),
    };
    let sentinels = hosts.split(',').map(sentinel).collect::<Result<Vec<_>, _>>()?;
    let (master, number) = path.trim_end_matches('/').split_once('/').unwrap_or((path, "0"));
    let master = Some(decode(master.trim_end_matches('/'))?).filter(|name| !name.is_empty());
    let database =
        number.parse().map_err(|_| wrong("after the name of the master comes a database number"))?;
    let (mut sentinel_username, mut sentinel_password) = (None, SecretInput::Keep);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "sentinel_username" => sentinel_username = Some(value.into_owned()).filter(|v| !v.is_empty()),
            "sentinel_password" => sentinel_password = SecretInput::Set { value: value.into_owned() },
            _ => return Err(wrong("a Sentinel URL takes sentinel_username and sentinel_password only")),
        }
    }
    let address = RedisAddress::Sentinel {
        sentinels,
        master: master.ok_or_else(|| wrong("a Sentinel URL needs the name of the master"))?,
        sentinel_username,
        tls: is_tls.then(TlsFiles::default),
    };
    let username = Some(decode(username)?).filter(|name| !name.is_empty());
    let redis = Some(redis(address, username, database));
    Ok(ParsedUrl { redis, database: None, password, sentinel_password })
}

/// Both ways of writing it are in use.
const CLUSTER_SCHEMES: [(&str, bool); 4] = [
    ("redis+cluster://", false),
    ("rediss+cluster://", true),
    ("redis-cluster://", false),
    ("rediss-cluster://", true),
];

/// What follows the scheme: `[user:password@]host[:port][,...][/]`. A cluster has one database.
fn parse_cluster(rest: &str, is_tls: bool) -> Result<ParsedUrl, OpError> {
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    if !matches!(path, "" | "0") || authority.contains('?') {
        return Err(wrong("behind the nodes of a cluster comes nothing: it has one database, 0"));
    }
    let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (username, password) = match login.split_once(':') {
        Some((username, password)) => (username, SecretInput::Set { value: decode(password)? }),
        None => (login, SecretInput::Keep),
    };
    let nodes = hosts.split(',').map(|text| host_port(text, 6_379)).collect::<Result<Vec<_>, _>>()?;
    let username = Some(decode(username)?).filter(|name| !name.is_empty());
    let address = RedisAddress::Cluster { nodes, tls: is_tls.then(TlsFiles::default) };
    let redis = Some(redis(address, username, 0));
    Ok(ParsedUrl { redis, database: None, password, sentinel_password: SecretInput::Keep })
}

fn sentinel(text: &str) -> Result<HostPort, OpError> {
    host_port(text, 26_379)
}

/// `host`, `host:port`, `[address]:port`.
fn host_port(text: &str, default: u16) -> Result<HostPort, OpError> {
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (host, port) = match bracketed {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map_or(Ok(default), str::parse).map_err(|_| wrong("the port is not a number"))?;
    if host.is_empty() || (bracketed.is_none() && host.contains(':')) {
        return Err(wrong(&format!(
            "such a URL has hosts with commas between them: host1:{default},host2:{default}"
        )));
    }
    Ok(HostPort { host: decode(host)?, port })
}

fn wrong(message: &str) -> OpError {
    OpError::invalid("url", message)
}

fn decode(part: &str) -> Result<String, OpError> {
    let text = percent_decode_str(part).decode_utf8().map_err(|_| wrong("the URL is not UTF-8"))?;
    Ok(text.into_owned())
}

fn redis(address: RedisAddress, username: Option<String>, database: u32) -> RedisConnection {
    RedisConnection { address, username, database, prefix: "security:".to_owned() }
}

#[cfg(test)]
mod tests {
    use watchpost_model::connection::{DatabaseConnection, HostPort, RedisAddress, TlsFiles};

    use super::{SecretInput, is_without_tls, parse_url};

    #[test]
    fn takes_urls_apart() {
        let parsed = parse_url("rediss://app:p%40ss@redis.example:6390/2").unwrap();
        let redis = parsed.redis.expect("a Redis");
        assert!(matches!(redis.address, RedisAddress::Tcp { port: 6390, tls: Some(_), .. }));
        assert_eq!((redis.username.as_deref(), redis.database), (Some("app"), 2));
        assert_eq!(parsed.password, SecretInput::Set { value: "p@ss".into() });

        let parsed = parse_url("postgres://audit@[2001:db8::1]/trail?sslmode=require").unwrap();
        let Some(DatabaseConnection::Postgres { host, port, database, tls, .. }) = parsed.database else {
            panic!("a database was expected");
        };
        assert_eq!(
            (host.as_str(), port, database.as_str(), tls.is_some()),
            ("2001:db8::1", 5432, "trail", true)
        );
    }

    #[test]
    fn takes_the_number_of_a_redis_database_and_leaves_nothing_out() {
        let socket = || RedisAddress::Unix { path: "/run/redis.sock".to_owned() };
        let tcp = || RedisAddress::Tcp { host: "h".to_owned(), port: 6379, tls: None };
        for (url, address, number) in [
            ("unix:///run/redis.sock?db=3", socket(), 3),
            ("redis+unix://localhost/run/redis.sock", socket(), 0),
            ("redis://h?db=3", tcp(), 3),
            ("redis://h/3", tcp(), 3),
            ("redis://h/", tcp(), 0),
        ] {
            let redis = parse_url(url).unwrap().redis.expect("a Redis");
            assert_eq!((redis.address, redis.database), (address, number), "{url}");
        }
        for (url, named) in [
            ("unix:///run/redis.sock?db=3&timeout=1", "timeout="),
            ("redis://h?foo=bar", "foo="),
            ("rediss://h/0?db=3", "twice"),
            ("redis://h?db=3&db=4", "twice"),
            ("redis://h?db=", "a number"),
            ("redis://h?db=x", "a number"),
            ("unix://run/redis.sock", "unix:///its/path"),
            ("unix://", "unix:///its/path"),
        ] {
            let error = parse_url(url).expect_err("it is wrong").to_string();
            assert!(error.contains(named), "{url}: {error}");
        }
        let error = parse_url("redis://u:12?hunter2@h").expect_err("it is wrong").to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn takes_the_socket_of_a_postgresql_from_the_query() {
        let parsed = parse_url("postgres:///trail?host=/run/pg&user=audit&password=p%26q&port=5433").unwrap();
        let Some(DatabaseConnection::Postgres { host, port, username, .. }) = parsed.database else {
            panic!("a database was expected");
        };
        assert_eq!((host.as_str(), port, username.as_str()), ("/run/pg", 5433, "audit"));
        assert_eq!(parsed.password, SecretInput::Set { value: "p&q".into() });
        assert!(parse_url("postgres:///trail?user=audit").is_err(), "there is no host");
    }

    #[test]
    fn takes_the_tls_of_a_postgresql_from_the_query() {
        let tls = |url: &str| match parse_url(url).map(|parsed| parsed.database) {
            Ok(Some(DatabaseConnection::Postgres { tls, .. })) => Ok(tls),
            Ok(other) => panic!("{url}: {other:?}"),
            Err(error) => Err(error.to_string()),
        };
        let checked = Ok(Some(TlsFiles::default()));
        for (url, expect) in [
            ("postgres://u@db.example/d", checked.clone()),
            ("postgres://u@db.example/d?sslmode=prefer", checked.clone()),
            ("postgres://u@db.example/d?sslmode=require", checked.clone()),
            ("postgres://u@db.example/d?sslmode=verify-full&sslrootcert=system", checked.clone()),
            ("postgres://u@db.example/d?sslmode=disable", Ok(None)),
            ("postgres://u@localhost/d", Ok(None)),
            ("postgres://u@127.0.0.7/d", Ok(None)),
            ("postgres://u@[::1]/d", Ok(None)),
            ("postgres:///d?host=/run/pg&user=u", Ok(None)),
            ("postgres://u@localhost/d?sslmode=verify-ca", checked),
        ] {
            assert_eq!(tls(url), expect, "{url}");
        }
        let files = "sslrootcert=/c/ca.pem&sslcert=/c/me.pem&sslkey=/c/me.key";
        let of = |name: &str| Some(format!("/c/{name}"));
        let expect = TlsFiles { ca: of("ca.pem"), cert: of("me.pem"), key: of("me.key") };
        for host in ["db.example", "localhost"] {
            assert_eq!(tls(&format!("postgres://u@{host}/d?{files}")), Ok(Some(expect.clone())), "{host}");
        }
        for query in
            ["sslcert=/c/me.pem", "sslkey=/c/me.key", "sslmode=on", &format!("sslmode=disable&{files}")]
        {
            assert!(tls(&format!("postgres://u@db.example/d?{query}")).is_err(), "{query}");
        }
    }

    #[test]
    fn a_url_without_tls_is_known_however_it_is_written() {
        for query in
            ["sslmode=disable", "sslmode=%64isable", "%73slmode=disable", "port=5433&ssl%6Dode=disabl%65"]
        {
            let url = format!("postgres://u@db.example/d?{query}");
            assert!(is_without_tls(&url), "{query}");
            let parsed = parse_url(&url).map(|parsed| parsed.database);
            let Ok(Some(DatabaseConnection::Postgres { tls, .. })) = parsed else { panic!("{query}") };
            assert_eq!(tls, None, "{query}");
        }
        for other in ["?sslmode=require", "?sslmode=", "", "?sslcert=sslmode=disable", "?sslmode%3Ddisable"] {
            assert!(!is_without_tls(&format!("postgres://u@db.example/d{other}")), "{other}");
        }
        assert!(!is_without_tls("/var/w.db?sslmode=disable"), "the path of a file");
        assert!(parse_url("postgres://u@db.example/d?sslmode%3Ddisable").is_err(), "nothing has this name");
    }

    #[test]
    fn what_a_postgresql_url_would_leave_out_is_refused_by_its_name() {
        for (url, named) in [
            ("postgres://u@h/d?hostaddr=10.0.0.1", "hostaddr="),
            ("postgres://u@h/d?connect_timeout=3", "connect_timeout="),
            ("postgres://u@h/d?host=other", "host="),
            ("postgres://u@h:5433/d?port=5432", "port="),
            ("postgres://u@h/d?user=v", "user="),
            ("postgres://u:p@h/d?password=q", "password="),
            ("postgres://u@h/d?sslmode=disable&sslmode=require", "twice"),
        ] {
            let error = parse_url(url).expect_err("it is wrong").to_string();
            assert!(error.contains(named), "{url}: {error}");
        }
        let error = parse_url("postgres://u:12?hunter2@h/d").expect_err("it is wrong").to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn takes_the_file_of_a_sqlite() {
        for (url, expect) in [
            ("sqlite:/var/w.db", Some("/var/w.db")),
            ("sqlite:///var/w.db", Some("/var/w.db")),
            ("sqlite:///var/my%20w.db?mode=rwc", Some("/var/my w.db")),
            ("sqlite:w.db", Some("w.db")),
            ("sqlite://w.db", Some("w.db")),
            ("sqlite:", None),
            ("sqlite://", None),
            ("sqlite::memory:", None),
            ("sqlite:///var/w.db?mode=ro", None),
            ("SQLite:///var/w.db", Some("/var/w.db")),
            ("sqlite://localhost//var/w.db", None),
            ("sqlite:///var/w.db#x", None),
            ("sqlite:///var/w%23x.db", Some("/var/w#x.db")),
            ("file:/var/w.db", None),
        ] {
            let path = parse_url(url).ok().and_then(|parsed| match parsed.database {
                Some(DatabaseConnection::Sqlite { path }) => path,
                _ => None,
            });
            assert_eq!(path.as_deref(), expect, "{url}");
        }
    }

    #[test]
    fn takes_the_hosts_of_sentinels_apart() {
        let at = |host: &str, port| HostPort { host: host.to_owned(), port };
        let url = "rediss+sentinel://app:p%40ss@a.example:26380,[2001:db8::1]:26381,b.example/shop%2Fone/3\
                   ?sentinel_username=watch&sentinel_password=s%26t";
        let parsed = parse_url(url).unwrap();
        let redis = parsed.redis.expect("a Redis");
        let RedisAddress::Sentinel { sentinels, master, sentinel_username, tls } = redis.address else {
            panic!("Sentinels were expected");
        };
        assert_eq!(sentinels, [at("a.example", 26_380), at("2001:db8::1", 26_381), at("b.example", 26_379)]);
        assert_eq!((master.as_str(), sentinel_username.as_deref()), ("shop/one", Some("watch")));
        assert!(tls.is_some());
        assert_eq!((redis.username.as_deref(), redis.database), (Some("app"), 3));
        assert_eq!(parsed.password, SecretInput::Set { value: "p@ss".into() });
        assert_eq!(parsed.sentinel_password, SecretInput::Set { value: "s&t".into() });

        let plain = parse_url("redis+sentinel://h/mymaster").unwrap();
        assert_eq!((plain.password, plain.sentinel_password), (SecretInput::Keep, SecretInput::Keep));
        for url in ["h", "h/", "/m", "h,/m", "2001:db8::1/m", "h:x/m", "h/m/x", "h/m?db=1"] {
            let url = format!("redis+sentinel://u:hunter2@{url}");
            let error = parse_url(&url).expect_err("it is wrong");
            assert!(!error.to_string().contains("hunter2"), "{url}: {error}");
        }
    }

    #[test]
    fn takes_the_nodes_of_a_cluster_apart() {
        let at = |host: &str, port| HostPort { host: host.to_owned(), port };
        for scheme in ["rediss+cluster", "REDISS-cluster"] {
            let parsed =
                parse_url(&format!("{scheme}://app:p%40ss@a.example:7001,[2001:db8::1]:7002,b/")).unwrap();
            let redis = parsed.redis.expect("a Redis");
            let RedisAddress::Cluster { nodes, tls } = redis.address else {
                panic!("a cluster was expected")
            };
            assert_eq!(nodes, [at("a.example", 7_001), at("2001:db8::1", 7_002), at("b", 6_379)]);
            assert_eq!((redis.username.as_deref(), tls.is_some()), (Some("app"), true));
            assert_eq!(parsed.password, SecretInput::Set { value: "p@ss".into() });
        }
        for url in
            ["redis-cluster://u:hunter2@a,", "redis+cluster://u:hunter2@a/1", "redis://u:hunter2@a:1,b:2"]
        {
            let error = parse_url(url).expect_err("it is wrong");
            assert!(!error.to_string().contains("hunter2"), "{url}: {error}");
        }
    }

    #[test]
    fn errors_do_not_repeat_the_url() {
        for url in
            ["redis://u:hunter2@h/notanumber", "ftp://u:hunter2@h", "postgres://:hunter2@h/db", "hunter2"]
        {
            let error = parse_url(url).expect_err("it is wrong");
            assert!(!error.to_string().contains("hunter2"), "{url}: {error}");
        }
    }
}
