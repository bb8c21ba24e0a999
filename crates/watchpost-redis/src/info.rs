//! The text of `INFO`, read without trusting that any field is there.

use std::collections::BTreeMap;
use std::collections::HashMap;

/// Fields of one `INFO` reply. A missing field is `None`, never zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Info {
    fields: HashMap<String, String>,
}

/// Calls and time of one command since the last reset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CommandStat {
    /// Calls.
    pub calls: u64,
    /// Microseconds of the server's time.
    pub usec: u64,
}

impl Info {
    /// Reads the reply; lines that are no `name:value` are left out.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let fields = lines.filter_map(|line| line.trim_end().split_once(':'));
        Self { fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect() }
    }

    /// A field as text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// A counter or size.
    #[must_use]
    pub fn count(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// A number that may be a fraction or negative; not infinite.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.trim_end_matches('%').parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// A part of a field such as `db0:keys=1,expires=0`.
    #[must_use]
    pub fn part(&self, name: &str, part: &str) -> Option<&str> {
        self.text(name)?
            .split(',')
            .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == part))
            .map(|p| p.1)
    }

    /// Keys and keys with a TTL of a logical database; zero where the server lists no such database.
    #[must_use]
    pub fn keyspace(&self, database: u32) -> Option<(u64, u64)> {
        self.text("run_id").or_else(|| self.text("role"))?; // An INFO without its usual parts says nothing.
        let name = format!("db{database}");
        if self.text(&name).is_none() {
            return Some((0, 0));
        }
        Some((self.part(&name, "keys")?.parse().ok()?, self.part(&name, "expires")?.parse().ok()?))
    }

    /// Keys and keys with a TTL of every logical database that has some, by its number.
    #[must_use]
    pub fn databases(&self) -> Option<BTreeMap<u32, (u64, u64)>> {
        self.text("run_id").or_else(|| self.text("role"))?; // An INFO without its usual parts says nothing.
        let numbers = self.fields.keys().filter_map(|name| name.strip_prefix("db")?.parse::<u32>().ok());
        numbers.map(|number| Some((number, self.keyspace(number)?))).collect()
    }

    /// Calls and time of every command, subcommands under `config|get`.
    pub fn commands(&self) -> impl Iterator<Item = (&str, CommandStat)> {
        self.fields.keys().filter_map(|name| {
            let command = name.strip_prefix("cmdstat_")?;
            let calls = self.part(name, "calls")?.parse().ok()?;
            let usec = self.part(name, "usec")?.parse().ok()?;
            Some((command, CommandStat { calls, usec }))
        })
    }

    /// How often the server answered with this error since the last reset; zero where it counts errors but not this one.
    #[must_use]
    pub fn errors(&self, code: &str) -> Option<u64> {
        match self.part(&format!("errorstat_{code}"), "count") {
            Some(count) => count.parse().ok(),
            None => self.text("total_error_replies").map(|_| 0),
        }
    }

    /// `Redis 7.0.15`, `Valkey 8.0.1`.
    #[must_use]
    pub fn server(&self) -> String {
        match (self.text("valkey_version"), self.text("redis_version")) {
            (Some(version), _) => format!("Valkey {version}"),
            (None, Some(version)) => format!("Redis {version}"),
            (None, None) => "unknown server".to_owned(),
        }
    }

    /// The version that decides which commands exist: of Valkey the Redis version that it is compatible with.
    #[must_use]
    pub fn compatible_version(&self) -> Option<(u32, u32)> {
        let mut parts = self.text("redis_version")?.split('.');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::CommandStat;
    use super::Info;

    #[test]
    fn reads_what_servers_say() {
        let info = Info::parse(
            "# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\nrun_id:ab\r\n\r\n# Stats\r\n\
             total_error_replies:3\r\nexpired_stale_perc:0.25\r\nused_memory_peak_perc:102.51%\r\nweird line\r\n\
             cmdstat_get:calls=10,usec=25,usec_per_call=2.50,rejected_calls=0,failed_calls=0\r\n\
             cmdstat_config|get:calls=1,usec=9,usec_per_call=9.00\r\nerrorstat_OOM:count=2\r\n\
             db0:keys=7,expires=3,avg_ttl=0,subexpiry=0\r\nslave0:ip=10.0.0.1,port=6379,state=online,offset=5,lag=1\r\n",
        );
        assert_eq!(info.server(), "Valkey 8.0.1");
        assert_eq!(info.compatible_version(), Some((7, 2)));
        assert_eq!(info.number("expired_stale_perc"), Some(0.25));
        assert_eq!(info.number("used_memory_peak_perc"), Some(102.51));
        assert_eq!(info.keyspace(0), Some((7, 3)));
        assert_eq!(info.keyspace(1), Some((0, 0)));
        assert_eq!(info.databases(), Some([(0, (7, 3))].into()));
        assert_eq!(info.errors("OOM"), Some(2));
        assert_eq!(info.errors("WRONGPASS"), Some(0));
        assert_eq!(info.part("slave0", "lag"), Some("1"));
        let mut commands: Vec<_> = info.commands().collect();
        commands.sort_by_key(|(name, _)| *name);
        assert_eq!(
            commands,
            [("config|get", CommandStat { calls: 1, usec: 9 }), ("get", CommandStat { calls: 10, usec: 25 })]
        );
    }

    #[test]
    fn missing_is_not_zero() {
        let info = Info::parse("");
        assert_eq!(info.count("used_memory"), None);
        assert_eq!(info.keyspace(0), None);
        assert_eq!(info.databases(), None);
        assert_eq!(info.errors("OOM"), None);
        assert_eq!(info.server(), "unknown server");
        assert_eq!(
            Info::parse("used_memory:18446744073709551616").count("used_memory"),
            None,
            "over 64 bits"
        );
        assert_eq!(Info::parse("x:inf").number("x"), None);
    }
}
