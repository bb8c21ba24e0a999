//! What a server tells beside `INFO`: how long commands took, its logs, its view of the cluster. Collected here, judged in
//! [`crate::health`].
//!
//! What the user may not ask, or the server does not know, is not asked, and not tried again for a while: the server counts
//! and logs every refusal, and ours would look like somebody else's. A script finds out beforehand where the server can tell.

use std::collections::BTreeMap;

use redis::Pipeline;
use redis::RedisResult;
use redis::Value;

use crate::info::Info;
use crate::link::Call;
use crate::reply;
use crate::slow_log::is_own;

/// Entries of a log that are read: as many as servers keep unless configured otherwise.
pub(crate) const ENTRIES: usize = 128;
/// Samples after which what was refused is asked again.
const AGAIN: u32 = 60;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// The user lacks the right.
    Forbidden,
    /// The server does not know the command.
    Lacking,
    /// It was not asked, or not understood.
    Silent,
}

impl Why {
    /// For people.
    pub(crate) fn words(self, command: &str) -> String {
        match self {
            Self::Forbidden => format!("the user may not ask: {command}"),
            Self::Lacking => format!("this server has no {command}"),
            Self::Silent => format!("not answered: {command}"),
        }
    }
}

pub(crate) type Answer<T> = Result<T, Why>;

/// An event of the latency monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LatencyEvent {
    pub(crate) name: String,
    /// Unix time.
    pub(crate) at_s: i64,
    pub(crate) latest_ms: u64,
}

/// An entry of a log of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Logged {
    /// Unix time.
    pub(crate) at_s: i64,
    /// Issued by Watchpost itself?
    pub(crate) own: bool,
}

/// All answers of one sample.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Calls of all commands by the microseconds that they took at most.
    pub(crate) took: Answer<BTreeMap<u64, u64>>,
    pub(crate) events: Answer<Vec<LatencyEvent>>,
    /// From how many milliseconds on there are events; 0 is off.
    pub(crate) event_threshold: Answer<String>,
    pub(crate) slow: Answer<Vec<Logged>>,
    pub(crate) large_requests: Answer<Vec<Logged>>,
    pub(crate) large_replies: Answer<Vec<Logged>>,
    pub(crate) cluster: Answer<Info>,
    /// When the server saves by itself; empty is never.
    pub(crate) save: Answer<String>,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            took: Err(Why::Silent),
            events: Err(Why::Silent),
            event_threshold: Err(Why::Silent),
            slow: Err(Why::Silent),
            large_requests: Err(Why::Silent),
            large_replies: Err(Why::Silent),
            cluster: Err(Why::Silent),
            save: Err(Why::Silent),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    Took,
    Events,
    EventThreshold,
    Slow,
    LargeRequests,
    LargeReplies,
    Cluster,
    Save,
}

impl Question {
    const ALL: [Self; 8] = [
        Self::Took,
        Self::Events,
        Self::EventThreshold,
        Self::Slow,
        Self::LargeRequests,
        Self::LargeReplies,
        Self::Cluster,
        Self::Save,
    ];

    const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Took => &["LATENCY", "HISTOGRAM"],
            Self::Events => &["LATENCY", "LATEST"],
            Self::EventThreshold => &["CONFIG", "GET", "latency-monitor-threshold"],
            Self::Slow => &["SLOWLOG", "GET", "128"],
            Self::LargeRequests => &["COMMANDLOG", "GET", "128", "large-request"],
            Self::LargeReplies => &["COMMANDLOG", "GET", "128", "large-reply"],
            Self::Cluster => &["CLUSTER", "INFO"],
            Self::Save => &["CONFIG", "GET", "save"],
        }
    }
}

/// What one server is asked in each sample.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    refused: BTreeMap<Question, Why>,
    samples: u32,
    observes: bool,
}

impl Questions {
    /// An observer's: the server's configuration, which holds its passwords, is none of its business.
    pub(crate) fn of(observes: bool) -> Self {
        Self { observes, ..Self::default() }
    }

    /// What [`scripts::MAY`](crate::scripts::MAY) is to be asked before the next sample, if anything.
    pub(crate) fn before(&self) -> Option<Call> {
        let call = || Question::ALL.iter().fold(Call::new(&[]), |call, one| call.arg(one.words().join(" ")));
        self.samples.is_multiple_of(AGAIN).then(call)
    }

    /// The commands of the next sample, perhaps none; `told` answers what was asked before it.
    pub(crate) fn pipe(&mut self, told: Option<Value>) -> Pipeline {
        if self.samples.is_multiple_of(AGAIN) {
            self.refused.clear();
            let told = told.map(reply::list).unwrap_or_default();
            for (question, may) in Question::ALL.into_iter().zip(&told) {
                match reply::int(may) {
                    Some(0) => self.refused.insert(question, Why::Forbidden),
                    Some(-1) => self.refused.insert(question, Why::Lacking),
                    _ => None,
                };
            }
            if self.observes {
                self.refused
                    .extend([Question::EventThreshold, Question::Save].map(|one| (one, Why::Forbidden)));
            }
        }
        self.samples = self.samples.wrapping_add(1);
        let mut pipe = redis::pipe();
        for question in self.open() {
            let words = question.words();
            let Some((first, rest)) = words.split_first() else { continue };
            let mut cmd = redis::cmd(first);
            for word in rest {
                cmd.arg(*word);
            }
            pipe.add_command(cmd);
        }
        pipe
    }

    /// The answers to the last [`Questions::pipe`], in its order.
    pub(crate) fn read(&mut self, replies: Vec<RedisResult<Value>>) -> Asked {
        let mut asked = Asked::default();
        for (question, answer) in self.open().into_iter().zip(replies) {
            let answer = answer.map_err(|error| match error.code() {
                Some("NOPERM") => Why::Forbidden,
                Some("ERR") => Why::Lacking,
                _ => Why::Silent,
            });
            if let Err(why @ (Why::Forbidden | Why::Lacking)) = &answer {
                self.refused.insert(question, *why);
            }
            asked.set(question, answer);
        }
        for (question, why) in &self.refused {
            asked.set(*question, Err(*why));
        }
        asked
    }

    fn open(&self) -> Vec<Question> {
        Question::ALL.into_iter().filter(|question| !self.refused.contains_key(question)).collect()
    }
}

impl Asked {
    fn set(&mut self, question: Question, answer: Answer<Value>) {
        match question {
            Question::Took => self.took = answer.map(histogram),
            Question::Events => self.events = answer.map(events),
            Question::EventThreshold => self.event_threshold = answer.and_then(setting),
            Question::Slow => self.slow = answer.map(logged),
            Question::LargeRequests => self.large_requests = answer.map(logged),
            Question::LargeReplies => self.large_replies = answer.map(logged),
            Question::Cluster => {
                self.cluster = answer
                    .and_then(|value| reply::text(value).ok_or(Why::Silent))
                    .map(|text| Info::parse(&text));
            }
            Question::Save => self.save = answer.and_then(setting),
        }
    }
}

/// For each command the number of calls up to a time, each with those before it; here of all commands, each by itself.
fn histogram(value: Value) -> BTreeMap<u64, u64> {
    let mut buckets: BTreeMap<u64, u64> = BTreeMap::new();
    for command in reply::list(value).into_iter().skip(1).step_by(2) {
        let counts =
            reply::field(&reply::list(command), "histogram_usec").map(reply::list).unwrap_or_default();
        let mut before = 0;
        for pair in counts.chunks_exact(2) {
            let [upto, calls] = pair else { continue };
            let (Some(upto), Some(calls)) = (reply::count(upto), reply::count(calls)) else { continue };
            *buckets.entry(upto).or_default() += calls.saturating_sub(before);
            before = calls;
        }
    }
    buckets
}

/// Entry: name, Unix time, milliseconds of the latest, of the highest.
fn events(value: Value) -> Vec<LatencyEvent> {
    let event = |entry| {
        let mut parts = reply::list(entry).into_iter();
        Some(LatencyEvent {
            name: reply::text(parts.next()?)?,
            at_s: reply::int(&parts.next()?)?,
            latest_ms: reply::count(&parts.next()?)?,
        })
    };
    reply::list(value).into_iter().filter_map(event).collect()
}

/// Entries, the newest first: id, Unix time, microseconds or bytes, arguments, client address, client name.
fn logged(value: Value) -> Vec<Logged> {
    let mut own = false;
    let entry = |entry| {
        let mut parts = reply::list(entry).into_iter().skip(1);
        let at_s = reply::int(&parts.next()?)?;
        let (address, name) = (parts.nth(2).and_then(reply::text), parts.next().and_then(reply::text));
        own = is_own(address.as_deref(), name.as_deref(), own);
        Some(Logged { at_s, own })
    };
    reply::list(value).into_iter().filter_map(entry).collect()
}

fn setting(value: Value) -> Answer<String> {
    let value = reply::list(value).into_iter().nth(1).and_then(reply::text);
    value.ok_or(Why::Silent)
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::Questions;
    use super::Why;

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn refusal(kind: redis::ServerErrorKind, detail: &'static str) -> redis::RedisError {
        redis::RedisError::from((redis::ErrorKind::Server(kind), "refused", detail.to_owned()))
    }

    #[test]
    fn what_is_refused_is_not_asked_again_for_a_while() {
        let mut questions = Questions::default();
        assert_eq!(questions.pipe(None).cmd_iter().count(), 8);
        let refused = |_| Err(refusal(redis::ServerErrorKind::NoPerm, "this user has no permissions"));
        let asked = questions.read((0..8).map(refused).collect());
        assert_eq!(asked.slow, Err(Why::Forbidden));
        assert_eq!(questions.pipe(None).cmd_iter().count(), 0);
        assert_eq!(questions.read(Vec::new()).cluster.err(), Some(Why::Forbidden), "the reason stays");
        let again = (0..60).find(|_| questions.pipe(None).cmd_iter().count() > 0);
        assert!(again.is_some(), "rights may have been granted meanwhile");
    }

    #[test]
    fn what_would_be_refused_is_not_asked_where_the_server_can_tell() {
        let mut questions = Questions::default();
        assert_eq!(questions.before().map(|call| call.args.len()), Some(8));
        let told = Value::Array([1, 1, 0, 1, -1, -1, 1, 0].map(Value::Int).to_vec());
        assert_eq!(questions.pipe(Some(told)).cmd_iter().count(), 4);
        assert!(questions.before().is_none(), "not for each sample");
        let asked = questions.read(Vec::new());
        assert_eq!((asked.save, asked.event_threshold), (Err(Why::Forbidden), Err(Why::Forbidden)));
        assert_eq!(asked.large_requests, Err(Why::Lacking));
        // A server before 7.0 tells nothing.
        let mut questions = Questions::default();
        assert_eq!(questions.pipe(Some(Value::Array(Vec::new()))).cmd_iter().count(), 8);
    }

    #[test]
    fn what_a_script_calls_is_whose_script_it_is() {
        let entry = |address: &str, name: &str| {
            let command = Value::Array(vec![text("HEXISTS")]);
            Value::Array(vec![
                Value::Int(7),
                Value::Int(1_000),
                Value::Int(12),
                command,
                text(address),
                text(name),
            ])
        };
        let newest_first = vec![
            entry("127.0.0.1:1", ""),
            entry("?:0", ""),
            entry("127.0.0.1:2", "watchpost-engine"),
            entry("?:0", ""),
            entry("?:0", ""),
            entry("127.0.0.1:3", "shop"),
        ];
        let own: Vec<bool> =
            super::logged(Value::Array(newest_first)).iter().map(|entry| entry.own).collect();
        assert_eq!(own, [false, false, true, true, true, false]);
    }

    #[test]
    fn answers_are_understood() {
        let entry = |parts: Vec<Value>| Value::Array(parts);
        let command = |counts: Vec<i64>| {
            let counts = counts.into_iter().map(Value::Int).collect();
            entry(vec![text("calls"), Value::Int(9), text("histogram_usec"), Value::Array(counts)])
        };
        let took = entry(vec![text("get"), command(vec![1, 4, 2, 9]), text("set"), command(vec![2, 3])]);
        let event = entry(vec![text("fork"), Value::Int(100), Value::Int(250), Value::Int(300)]);
        let slow = entry(vec![
            Value::Int(7),
            Value::Int(1_000),
            Value::Int(12),
            entry(vec![text("GET")]),
            text("127.0.0.1:1"),
            text("watchpost-jobs"),
        ]);
        let mut questions = Questions::default();
        let _ = questions.pipe(None);
        let asked = questions.read(vec![
            Ok(took),
            Ok(entry(vec![event])),
            Ok(entry(vec![text("latency-monitor-threshold"), text("0")])),
            Ok(entry(vec![slow])),
            Err(refusal(redis::ServerErrorKind::ResponseError, "unknown command 'COMMANDLOG'")),
            Err(refusal(redis::ServerErrorKind::ResponseError, "unknown command 'COMMANDLOG'")),
            Ok(text("cluster_state:ok\r\ncluster_slots_pfail:3\r\n")),
            Ok(entry(vec![text("save"), text("")])),
        ]);
        assert_eq!(asked.took, Ok([(1, 4), (2, 8)].into()), "each bucket by itself, of all commands");
        assert_eq!(asked.events.as_ref().map(|events| events[0].latest_ms), Ok(250));
        assert_eq!(asked.event_threshold.as_deref(), Ok("0"));
        assert!(asked.slow.as_ref().is_ok_and(|slow| slow[0].own && slow[0].at_s == 1_000));
        assert_eq!(asked.large_requests, Err(Why::Lacking));
        assert_eq!(asked.cluster.as_ref().map(|info| info.count("cluster_slots_pfail")), Ok(Some(3)));
        assert_eq!(asked.save.as_deref(), Ok(""), "saving is off, which is known");
    }
}
