//! What can be typed.

pub(crate) mod incident;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::audit::Audit;
use crate::report_args::{Register, Report};
pub(crate) use crate::rules::Rules;

/// Security operations for teams whose applications report to Redis.
///
/// Exit codes: 0 done; 1 found something, or a check failed; 2 wrong usage; 3 Redis, the database or a file cannot be
/// reached; 4 refused: not permitted, not without a second person or a confirmation, or not as things stand.
#[derive(Debug, Parser)]
#[command(name = "watchpost", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    /// Connection to work on: `local`, or a name from `watchpost connect list`. If absent, the one chosen by
    /// `watchpost connect use` or opened in the window last.
    #[arg(
        long,
        short = 'c',
        alias = "profile",
        global = true,
        env = "WATCHPOST_CONNECTION",
        hide_env_values = true
    )]
    pub(crate) connection: Option<String>,
    /// How to print results.
    #[arg(long, short = 'o', global = true, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
    /// Confirms a change on a connection marked production: its name.
    #[arg(long, global = true, value_name = "CONNECTION")]
    pub(crate) confirm: Option<String>,
    /// Say more on standard error; twice for everything.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How to print results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Table,
    /// For programs: the operation's reply as it is.
    Json,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Saved connections: list, add, test, remove.
    #[command(subcommand)]
    Connect(Connect),
    /// Bring log files in: written to Redis as an application would.
    Import(Import),
    /// Make seeded synthetic traffic with attack campaigns inside.
    Simulate(Simulate),
    /// Say of single requests whether they are attacks: one JSON object a line in, one a line out.
    Detect(Detect),
    /// Run every rule over a log file and print the incidents that it would open, source by source. Needs no Redis and
    /// keeps nothing.
    ///
    /// Exit code 1 when there are any.
    Analyze(Analyze),
    /// The detection rules.
    #[command(subcommand)]
    Rules(Rules),
    /// Run the detection engine, the housekeeping and the HTTP interface until stopped.
    Serve(Serve),
    /// Tell how Redis, the database and the engine are.
    Status,
    /// Check this machine and the connection, step by step.
    Doctor,
    /// Health of Redis: memory, latency, backlog, expiry, slow commands. Or its keys, by pattern.
    Stats(crate::patterns::Stats),
    /// Archive events past their days in Redis and remove them there.
    Retention(Retention),
    /// Compress payloads, give missing TTLs, trim indexes, return memory. `--revert` is the way back.
    Optimize(crate::maintain::Optimize),
    /// Write events in Redis, or every key, to a file.
    ///
    /// Without `--file` the file is made in this folder, named by what is in it and when it was made. Nothing is left
    /// of an export that fails or is stopped.
    Export(crate::maintain::Export),
    /// Write the keys of Redis to a backup: compressed, with checksums, values and expiries as they are.
    Backup(crate::maintain::Backup),
    /// Rehearse a backup on a scratch server, and put its keys back.
    ///
    /// The file is checked first; then all of it goes into a private redis-server, where every value and expiry is
    /// compared; only then are keys written. A key that is there with another value stays, for it may be newer.
    /// Blocks and containments are left to the engine, which puts them back from the database.
    Restore(crate::maintain::Restore),
    /// Measure how fast Redis answers: write, read, pipelines, scan.
    ///
    /// Works on keys of its own, which expire after a minute and are removed at the end, also when it is stopped. It
    /// tells percentiles of the latency, the server's own time, and whether the server or this client had no more to
    /// give. It stops by itself when another client has to wait for 50 ms.
    Benchmark(crate::maintain::Benchmark),
    /// The daily chores: retention by the policy, index entries without an event, old entries of the quarantine.
    ///
    /// `retention` archives and removes events past their days; this does the same, by the same rules, and then removes
    /// what is left over: names in indexes whose event has run out, and entries of the quarantine that are older than
    /// 30 days and whose key is gone. A key that cannot be read is never removed.
    Cleanup(DryRun),
    /// Compare the counts of events by type with the archive, and add what they lack.
    ///
    /// Events are counted by five minutes, category, severity and outcome in the transaction that archives them, so
    /// there is no aggregation to wait for. This checks that every archived event of the period is counted, adds those
    /// that are not, and tells how many events of each type there were.
    Aggregate(crate::maintain::Aggregate),
    /// Runs of jobs, newest first.
    Jobs,
    /// Maintenance that runs by itself: in which hours, which jobs, how often.
    ///
    /// `watchpost serve`, or the open window, runs what is on: one job at a time, in the off-peak hours only. What was missed
    /// runs once, in the next off-peak hours. `show` exits with 1 when something was missed.
    #[command(subcommand)]
    Schedule(crate::plan::Schedule),
    /// Figures of a period: threat level, events, failures, incidents, sources.
    Overview(Last),
    /// List archived events, newest first.
    Events(Events),
    /// One archived event: show what was sealed of it.
    #[command(subcommand)]
    Event(crate::sealing::Event),
    /// Work on incidents.
    #[command(subcommand)]
    Incident(incident::Incident),
    /// Suppressions: findings that nobody wants to be told of for some time.
    #[command(subcommand)]
    Suppression(incident::Suppression),
    /// Block addresses and ranges.
    #[command(subcommand)]
    Block(Block),
    /// What is usual for users and endpoints, and what changed since.
    #[command(subcommand)]
    Baseline(crate::baseline::BaselineVerb),
    /// Revoke sessions, restrict users, isolate services, limit rates.
    #[command(subcommand)]
    Contain(crate::respond::Contain),
    /// What the engine does by itself: its policy, and what came of it.
    #[command(subcommand)]
    Response(crate::respond::Response),
    /// Threat lists: import, list, show, remove, check a value.
    #[command(subcommand)]
    Threat(crate::enrich::Threat),
    /// Say what matters more or less: endpoints, users, networks.
    #[command(subcommand)]
    Asset(crate::enrich::Asset),
    /// Rank suspicious addresses and users, and show why.
    #[command(subcommand)]
    Risk(crate::enrich::Risk),
    /// Compliance reports, and the other kinds.
    #[command(subcommand)]
    Report(Report),
    /// The register of what people do and no event shows: reviews, requests, breaches, approvals.
    #[command(subcommand)]
    Register(Register),
    /// The audit trail.
    #[command(subcommand)]
    Audit(Audit),
    /// The audit database: back it up, check a backup, put it to a new place, have it copied, rehearse a copy, maintain it, export its tables.
    #[command(subcommand)]
    Database(crate::database::Database),
    /// What is kept about a person: tell it, erase it, or keep it for a court.
    #[command(subcommand)]
    Privacy(crate::privacy::Privacy),
    /// Four eyes: what waits for a second person, and what one person may do alone.
    #[command(subcommand)]
    Approval(crate::approval::Approvals),
    /// Who may do what: the roles of people.
    #[command(subcommand)]
    Role(crate::role::Roles),
    /// Settings of the workspace.
    #[command(subcommand)]
    Config(Config),
    /// Call any operation with JSON in and out.
    Call(Call),
    /// List every operation of the product.
    Operations,
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// Saved connections.
#[derive(Debug, Subcommand)]
pub(crate) enum Connect {
    /// List them.
    List,
    /// Save one; passwords are asked for, or read from the files named.
    Add(Box<ConnectAdd>),
    /// Print the lines of the ACL that make a Redis user for one: to observe, and for each further use. To paste into
    /// redis-cli, or behind it in a shell; a new user also needs `on` and a password. Where the server does not tell its
    /// version, names that later ones know follow apart.
    Acl {
        /// Its name.
        name: String,
    },
    /// Try one and say which step fails.
    Test {
        /// Its name.
        name: String,
    },
    /// Choose the one that commands use when none is named.
    Use {
        /// Its name.
        name: String,
    },
    /// Forget one and its passwords.
    Remove {
        /// Its name.
        name: String,
    },
}

/// A connection to save.
#[derive(Debug, Args)]
pub(crate) struct ConnectAdd {
    /// Its name.
    pub(crate) name: String,
    /// `redis://`, `rediss://` (TLS), `unix://`, `redis+cluster://HOST:6379,HOST:6379` or
    /// `redis+sentinel://HOST:26379,HOST:26379/MASTER` URL (`rediss+` with TLS). Passwords in it go to the keychain; that of the Sentinels is `?sentinel_password=`.
    /// The number of the database is the path, or `?db=3`, as for a socket; what else such a URL says is refused.
    #[arg(long)]
    pub(crate) redis: String,
    /// SQLite file (also as `sqlite:///FILE`), or `postgres://` URL. Without it a file in the data folder. A PostgreSQL on
    /// another machine is reached over TLS, its name and authority checked, unless the URL says `sslmode=disable`.
    #[arg(long)]
    pub(crate) database: Option<String>,
    /// File that holds the Redis password.
    #[arg(long, value_name = "FILE")]
    pub(crate) redis_password_file: Option<PathBuf>,
    /// File that holds the password of the Sentinels.
    #[arg(long, value_name = "FILE")]
    pub(crate) sentinel_password_file: Option<PathBuf>,
    /// File that holds the database password.
    #[arg(long, value_name = "FILE")]
    pub(crate) database_password_file: Option<PathBuf>,
    /// Private certificate authority for Redis over TLS (PEM).
    #[arg(long, value_name = "FILE")]
    pub(crate) redis_ca: Option<String>,
    /// Client certificate for Redis over TLS (PEM).
    #[arg(long, value_name = "FILE", requires = "redis_key")]
    pub(crate) redis_cert: Option<String>,
    /// Client key for Redis over TLS (PEM).
    #[arg(long, value_name = "FILE", requires = "redis_cert")]
    pub(crate) redis_key: Option<String>,
    /// Private certificate authority for PostgreSQL over TLS (PEM), like `sslrootcert` in the URL.
    #[arg(long, value_name = "FILE")]
    pub(crate) database_ca: Option<PathBuf>,
    /// Client certificate for PostgreSQL over TLS (PEM), like `sslcert` in the URL.
    #[arg(long, value_name = "FILE", requires = "database_key")]
    pub(crate) database_cert: Option<PathBuf>,
    /// Client key for PostgreSQL over TLS (PEM), like `sslkey` in the URL.
    #[arg(long, value_name = "FILE", requires = "database_cert")]
    pub(crate) database_key: Option<PathBuf>,
    /// Prefix of the event keys.
    #[arg(long, default_value = "security:")]
    pub(crate) prefix: String,
    /// Ask for a confirmation of every change.
    #[arg(long)]
    pub(crate) production: bool,
    /// Write nothing to this Redis: events are read without the consumer group, jobs and blocks that would write are
    /// refused. `connect acl` prints the user that suffices.
    #[arg(long)]
    pub(crate) observe: bool,
}

/// Log files to bring in.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Format of the lines.
    #[arg(long, short, value_parser = ["combined", "common", "sshd", "jsonl", "ecs"])]
    pub(crate) format: String,
    /// The files; `.gz` is unpacked.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Begin anew instead of where an interrupted import of the same file stopped.
    #[arg(long)]
    pub(crate) restart: bool,
    /// Why; it stands in the audit trail.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

/// Synthetic traffic.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// With the same end (`--until`), the same seed makes the same events.
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// Days of traffic.
    #[arg(long, default_value_t = 7)]
    pub(crate) days: u32,
    /// End of the traffic: a day, or an instant (RFC 3339). Now if absent.
    #[arg(long, value_parser = crate::period::parse_instant)]
    pub(crate) until: Option<chrono::DateTime<chrono::Utc>>,
    /// Ordinary events per day.
    #[arg(long, default_value_t = 3_000)]
    pub(crate) events_per_day: u32,
    /// Users of the simulated application.
    #[arg(long, default_value_t = 120)]
    pub(crate) users: u32,
    /// File for the ground truth (JSON).
    #[arg(long, value_name = "FILE")]
    pub(crate) truth: Option<PathBuf>,
    /// Why; it stands in the audit trail.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

/// Detection on single requests.
#[derive(Debug, Args)]
pub(crate) struct Detect {
    /// Read requests from standard input: `{"id", "method", "uri", "headers", "body"}` a line. A line that cannot be read
    /// (no JSON, nested deeper than 127 levels, longer than 8 MiB) is answered with an `error`.
    #[arg(long, required = true)]
    pub(crate) stdin: bool,
    /// Answer with the findings too: the rule, and what matched in each decoded layer.
    #[arg(long)]
    pub(crate) explain: bool,
    /// Directory of rules to add to those that ship.
    #[arg(long, value_name = "DIR")]
    pub(crate) rules: Option<PathBuf>,
    /// File with a key that checks the signatures of tokens: a public key in PEM, else a shared secret. Repeatable.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_key: Vec<PathBuf>,
}

/// A log file to look through.
#[derive(Debug, Args)]
pub(crate) struct Analyze {
    /// Format of the lines.
    #[arg(long, short, value_parser = ["combined", "common", "sshd", "jsonl", "ecs"])]
    pub(crate) format: String,
    /// Leave the workspace out: what ships is used, and what the other flags name. Without it the rules, thresholds,
    /// suppressions, lists, assets and earlier incidents of the connection are used, if it has a database.
    /// Not with `--connection`; the connection that the environment names is left out too.
    #[arg(long)]
    pub(crate) defaults: bool,
    /// Directory of rules to add to those that ship, instead of the rules of the workspace.
    #[arg(long, value_name = "DIR")]
    pub(crate) rules: Option<PathBuf>,
    /// File with a key that checks the signatures of tokens: a public key in PEM, else a shared secret. Repeatable. As
    /// with `--rules`, those of the workspace are not used then.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_key: Vec<PathBuf>,
    /// Location file with countries or cities (MaxMind DB format): says where sources are.
    #[arg(long, value_name = "FILE")]
    pub(crate) city: Option<PathBuf>,
    /// Location file with autonomous systems.
    #[arg(long, value_name = "FILE")]
    pub(crate) asn: Option<PathBuf>,
    /// Threat list: text, CSV or STIX 2.1. Repeatable.
    #[arg(long, value_name = "FILE")]
    pub(crate) threats: Vec<PathBuf>,
    /// How much a match of these lists means, 0 to 100; from 75 on it is a finding of its own.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) confidence: u8,
    /// What matters more or less: `endpoint:/admin=1.5`, `user:svc-*=0.5`, `ip:10.0.0.0/8=2`. Repeatable.
    #[arg(long, value_name = "KIND:PATTERN=WEIGHT", value_parser = crate::detect::asset)]
    pub(crate) asset: Vec<watchpost_model::enrichment::AssetRule>,
    /// The file; `.gz` is unpacked.
    pub(crate) file: PathBuf,
}

/// The daemon.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Address of the HTTP interface: operations, metrics, health.
    #[arg(long, default_value = "127.0.0.1:7722")]
    pub(crate) listen: std::net::SocketAddr,
    /// File that holds the bearer token of the HTTP interface. Required off the loopback; made for the run otherwise, in a
    /// file that only this account reads and that the log names.
    #[arg(long, value_name = "FILE", env = "WATCHPOST_TOKEN_FILE", hide_env_values = true)]
    pub(crate) token_file: Option<PathBuf>,
    /// Process what waits, then end. No HTTP interface.
    #[arg(long)]
    pub(crate) until_idle: bool,
}

/// Retention.
#[derive(Debug, Args)]
pub(crate) struct Retention {
    /// Instead of the policy: everything older than this many days; 0 for everything that has been processed.
    #[arg(long)]
    pub(crate) days: Option<u32>,
    /// Begin at the beginning. Otherwise a run goes on where one with the same days was interrupted in the last 24 hours.
    #[arg(long)]
    pub(crate) restart: bool,
    #[command(flatten)]
    pub(crate) dry: DryRun,
}

/// Preview instead of doing, or why it is done.
#[derive(Debug, Args)]
pub(crate) struct DryRun {
    /// Count what would be done; change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Why; it stands in the audit trail.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

/// A period that ends now.
#[derive(Debug, Args)]
pub(crate) struct Last {
    /// How far back: `90m`, `24h`, `7d`, or `all`.
    #[arg(long, default_value = "24h", value_parser = crate::period::parse_last)]
    pub(crate) last: crate::period::LastPeriod,
}

/// Which events.
#[derive(Debug, Args)]
pub(crate) struct Events {
    /// What to look for: words, or `ip:203.0.113.0/24 severity:>=high -user:anna` (docs/search.md).
    ///
    /// A query that begins with a minus comes after `--`.
    pub(crate) query: Option<String>,
    /// Zone of times without an offset in the query, and of the times in a file that is exported: `Europe/Berlin`.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) time_zone: Option<String>,
    /// How far back: `90m`, `24h`, `7d`, or `all`.
    #[arg(long, default_value = "all", value_parser = crate::period::parse_last)]
    pub(crate) last: crate::period::LastPeriod,
    /// Only about this entity: `ip:203.0.113.7`, `ip:203.0.113.0/24`, `user:anna`.
    #[arg(long, conflicts_with_all = ["figures", "export"])]
    pub(crate) entity: Option<String>,
    /// Rows.
    #[arg(long, short = 'n', default_value_t = 50)]
    pub(crate) limit: u32,
    /// Say when they happened and which values are frequent among them.
    #[arg(long)]
    pub(crate) figures: bool,
    /// Write all of them to this file: a table for `.csv`, else one JSON object a line.
    #[arg(long, value_name = "FILE", conflicts_with = "figures")]
    pub(crate) export: Option<std::path::PathBuf>,
    /// Columns of the table.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "at,severity,category,type,outcome,ip,user,endpoint,method,path,query,status",
        requires = "export"
    )]
    pub(crate) columns: Vec<String>,
    /// List the fields that can be asked for.
    #[arg(long, exclusive = true)]
    pub(crate) fields: bool,
}

/// Blocks.
#[derive(Debug, Subcommand)]
pub(crate) enum Block {
    /// List them, and the allowlist.
    List {
        /// Only those in this state; one past its end is expired, whether or not an engine has marked it so. Repeatable.
        #[arg(long, value_parser = ["pending", "active", "failed", "expired", "removed"])]
        state: Vec<String>,
        /// Only those that were in force at this instant, also where they are over by now, as the overview counts active
        /// blocks.
        #[arg(long, value_name = "INSTANT", value_parser = crate::period::parse_instant)]
        in_force_at: Option<chrono::DateTime<chrono::Utc>>,
    },
    /// Say whether an address is blocked, allowlisted or an own one, and by what. Exit code 1 when all of it is blocked;
    /// of a range the blocks that lie inside are named.
    Check {
        /// Address or CIDR range.
        target: String,
    },
    /// Block.
    Add {
        /// Address or CIDR range.
        target: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// For how long: `30m`, `24h`, `7d`.
        #[arg(long, default_value = "24h", value_parser = crate::period::parse_length)]
        ttl: chrono::Duration,
        /// Number of the incident that this contains.
        #[arg(long)]
        incident: Option<i64>,
        /// Show what it would do; change nothing. It says so where the block would be refused, with exit code 1.
        #[arg(long)]
        dry_run: bool,
    },
    /// Take a block back.
    Remove {
        /// Address or CIDR range.
        target: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// Show what is in force; change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Add to the list of what must never be blocked.
    Allow {
        /// Address or CIDR range.
        target: String,
        /// Why.
        #[arg(long, alias = "reason")]
        note: String,
    },
    /// Remove from that list.
    Disallow {
        /// Address or CIDR range.
        target: String,
    },
}

/// Settings.
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Show them.
    Show,
    /// Set the location files (MaxMind DB format); without one, show what is set and how old it is.
    Location(crate::enrich::Location),
    /// Show where context comes from: location files, threat lists, assets, and how fast risk decays.
    Context,
    /// The keys that check the signatures of JSON Web Tokens.
    #[command(subcommand)]
    TokenKey(crate::token_keys::TokenKey),
    /// The file that keeps secrets where there is no keychain, locked with a passphrase.
    #[command(subcommand)]
    SecretsFile(crate::secrets_file::SecretsFile),
    /// What is sealed of events before they are stored: passwords, tokens, keys, card numbers; e-mail, names, addresses and
    /// fields of your own where you say so.
    Sealing(crate::sealing::Sealing),
    /// Where the lines of the health of Redis are, when crossing one is an alert, and how long its history is kept.
    Health(crate::health::Health),
    /// Set how fast the risk of entities decays.
    Risk {
        /// Hours after which half of it is left, 1 to 8,760.
        #[arg(long, value_name = "HOURS")]
        half_life: u32,
        /// Why; it stands in the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Set the name that is printed on reports.
    Organisation {
        /// The name.
        name: String,
        /// Why; it stands in the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Show for how many years the content of audit records is kept, by class; with a class and years, set that.
    AuditRetention(crate::audit_purge::Years),
    /// Set retention of one category.
    Retention {
        /// Which category.
        #[arg(value_parser = ["authentication", "authorization", "data_access", "configuration", "api_usage"])]
        category: String,
        /// Days in Redis.
        #[arg(long)]
        redis_days: u32,
        /// Days in the database.
        #[arg(long)]
        archive_days: u32,
        /// Why; it stands in the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
}

/// Any operation.
#[derive(Debug, Args)]
pub(crate) struct Call {
    /// Its name; `watchpost operations` lists them.
    pub(crate) operation: String,
    /// The request as JSON; `-` reads it from standard input.
    #[arg(default_value = "{}")]
    pub(crate) request: String,
    /// Why, for changes whose request asks for no reason; it stands in the audit trail.
    #[arg(long)]
    pub(crate) reason: Option<String>,
}
