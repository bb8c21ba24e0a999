//! What the user may do, tried without doing it.

use redis::RedisResult;
use redis::Value;
use redis::aio::MultiplexedConnection;
use tokio::time::timeout;
use watchpost_model::diagnosis::AclLine;
use watchpost_model::diagnosis::StepState;

use super::STEP_TIMEOUT;
use super::Trial;
use crate::keys::Keys;
use crate::reply;
use crate::rights;
use crate::rights::Group;
use crate::rights::Server;
use crate::target::Login;
use crate::target::RedisTarget;

/// The lines that make a user for `target`, in the words of its server where that answers.
pub async fn acl_lines(target: &RedisTarget) -> Vec<AclLine> {
    let ask = async {
        let client = target.client(Login::Yes).await.ok()?;
        let mut connection = client.get_multiplexed_async_connection().await.ok()?;
        server(&mut connection).await
    };
    let server = timeout(STEP_TIMEOUT, ask).await.ok().flatten();
    rights::lines(target, server)
}

/// What the server says to everybody who is logged in: `HELLO` is never denied.
async fn server(connection: &mut MultiplexedConnection) -> Option<Server> {
    let hello: Value = redis::cmd("HELLO").query_async(connection).await.ok()?;
    let hello = reply::list(hello);
    let text = |name| reply::text(reply::field(&hello, name)?);
    let version = text("version")?;
    let mut parts = version.split('.').map(str::parse);
    Some(Server {
        version: (parts.next()?.ok()?, parts.next()?.ok()?),
        is_valkey: text("server").as_deref() == Some("valkey"),
    })
}

/// What the server says to a command that is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Granted,
    /// The command is granted, and a key of the prefix is not.
    NoKey,
    Denied,
    /// There is no such command: it was renamed or switched off, or the server is older than it.
    Unknown,
}

impl Answer {
    fn of(result: &RedisResult<Value>) -> Self {
        let Err(error) = result else { return Self::Granted };
        let detail = error.detail().unwrap_or_default();
        let is_denied = error.code() == Some("NOPERM") || detail.contains("NOPERM");
        // Names of commands and users stand in the text as well; what it begins to say about keys does not vary.
        if is_denied && detail.contains("permissions to run") {
            return Self::Denied;
        }
        if is_denied {
            return if detail.contains("permissions to access") { Self::NoKey } else { Self::Denied };
        }
        if detail.to_lowercase().contains("unknown command")
            || detail.to_lowercase().contains("unknown subcommand")
        {
            return Self::Unknown;
        }
        // Of the key's slot, of a full or read-only server: said after the rights were found good.
        Self::Granted
    }
}

/// What was found out about one group.
struct Lack {
    group: Group,
    denied: Vec<String>,
    unknown: Vec<String>,
}

impl Trial<'_> {
    /// Queues every command inside `MULTI` and discards: the server checks the rights and runs nothing.
    pub(super) async fn rights(&mut self, connection: &mut MultiplexedConnection, user: &str) -> Option<()> {
        let observes = self.target.observe;
        let groups: &[Group] = if observes { &rights::OBSERVE } else { &rights::ALL };
        let server = server(connection).await;
        let unqueued = if observes { Vec::new() } else { self.asked(connection, self.unqueued()).await? };
        let mut begin = redis::pipe();
        begin.cmd("MULTI").ignore_errors();
        // Alone: where it is refused, nothing that follows may be sent, for it would be done.
        if let Some(Err(error)) = self.asked(connection, begin).await?.pop() {
            let hint = match Answer::of(&Err(error.clone())) {
                Answer::Unknown => {
                    "MULTI was renamed or switched off on this server, so nothing can be tried.".to_owned()
                }
                _ => format!("Allow it: ACL SETUSER {user} +multi +discard"),
            };
            let words =
                format!("the rights cannot be checked without MULTI: {}", error.detail().unwrap_or_default());
            self.push(StepState::Warning, words, Some(hint));
            return Some(());
        }
        let mut queued = self.asked(connection, self.queue(groups)).await?;
        if let Some(Err(error)) = queued.pop() {
            let words = format!("what was tried cannot be discarded: {}", error.detail().unwrap_or_default());
            self.fail(words, &format!("Allow it: ACL SETUSER {user} +discard"));
            return None; // The connection is of no use now.
        }
        let (lacks, keys_denied) = found(groups, &queued, &unqueued, server);
        self.told(&lacks, keys_denied, user)
    }

    /// Each answer of a pipeline; a connection that breaks is a failed step.
    async fn asked(
        &mut self,
        connection: &mut MultiplexedConnection,
        pipe: redis::Pipeline,
    ) -> Option<Vec<RedisResult<Value>>> {
        let replies: RedisResult<Vec<RedisResult<Value>>> = pipe.query_async(connection).await;
        match replies {
            Ok(replies) => Some(replies),
            Err(error) => {
                let hint = "The connection broke while the rights were checked; try again.";
                self.fail(error.to_string(), hint);
                None
            }
        }
    }

    /// `EXEC` has nothing to run: it is refused for that, or for the right.
    fn unqueued(&self) -> redis::Pipeline {
        let mut pipe = redis::pipe();
        pipe.cmd("WATCH").arg(Keys::new(&self.target.prefix).stream()).cmd("EXEC").ignore_errors();
        pipe
    }

    fn queue(&self, groups: &[Group]) -> redis::Pipeline {
        let key = Keys::new(&self.target.prefix).stream();
        let mut pipe = redis::pipe();
        for words in groups.iter().flat_map(|group| group.commands) {
            for (idx, word) in words.iter().enumerate() {
                match (idx, *word) {
                    (0, name) => pipe.cmd(name),
                    (_, "{k}") => pipe.arg(key.as_str()),
                    (_, word) => pipe.arg(word),
                };
            }
        }
        pipe.cmd("DISCARD").ignore_errors();
        pipe
    }

    fn told(&mut self, lacks: &[Lack], keys_denied: bool, user: &str) -> Option<()> {
        let is_good = lacks.is_empty() && !keys_denied;
        if is_good && self.target.observe {
            self.ok("all that is needed to observe; nothing will be written");
            return Some(());
        }
        if is_good {
            self.ok("all that Watchpost needs");
            return Some(());
        }
        let (mut details, mut rules, mut hints) = (Vec::new(), Vec::new(), Vec::new());
        if keys_denied {
            details.push(format!("the user may not use the keys {}*", self.target.prefix));
            rules.push(format!("~{}*", self.target.prefix));
        }
        for lack in lacks {
            if !lack.denied.is_empty() {
                details.push(format!("to {} it lacks {}", lack.group.purpose, lack.denied.join(" ")));
                rules.extend(lack.denied.iter().cloned());
            }
            if !lack.unknown.is_empty() {
                let names: Vec<&str> = lack.unknown.iter().map(|name| name.trim_start_matches('+')).collect();
                details.push(format!("to {} the server has no {}", lack.group.purpose, names.join(", ")));
            }
        }
        if !rules.is_empty() {
            hints.push(format!("Grant it on the server: {}", rights::line(user, rules)));
        }
        if lacks.iter().any(|lack| !lack.unknown.is_empty()) {
            hints.push(
                "What the server does not have was renamed or switched off there (rename-command), and no ACL brings \
                 it back; what depends on it reads n/a."
                    .to_owned(),
            );
        }
        let essential = keys_denied || lacks.iter().any(|lack| lack.group.essential);
        let state = if essential { StepState::Failed } else { StepState::Warning };
        self.push(state, details.join("; "), Some(hints.join(" ")));
        (!essential).then_some(())
    }
}

/// What is lacking, by group, and whether a key was.
fn found(
    groups: &[Group],
    queued: &[RedisResult<Value>],
    unqueued: &[RedisResult<Value>],
    server: Option<Server>,
) -> (Vec<Lack>, bool) {
    let (mut lacks, mut keys_denied, mut results) = (Vec::new(), false, queued.iter());
    for group in groups {
        let mut lack = Lack { group: *group, denied: Vec::new(), unknown: Vec::new() };
        let mut note = |right: String, answer: Answer| {
            keys_denied |= answer == Answer::NoKey;
            let list = match answer {
                Answer::Granted | Answer::NoKey => return,
                Answer::Denied => &mut lack.denied,
                Answer::Unknown => &mut lack.unknown,
            };
            if !list.contains(&right) {
                list.push(right);
            }
        };
        for (words, result) in group.commands.iter().zip(&mut results) {
            let answer = Answer::of(result);
            if is_newer(words, answer, server) {
                continue;
            }
            note(rights::right_of(words), answer);
        }
        if group.purpose == rights::MAINTAIN.purpose {
            for (name, result) in rights::UNQUEUED.iter().zip(unqueued) {
                note(format!("+{}", name.to_lowercase()), Answer::of(result));
            }
        }
        if !lack.denied.is_empty() || !lack.unknown.is_empty() {
            lacks.push(lack);
        }
    }
    (lacks, keys_denied)
}

/// Not a lack: the server is older than the command, or another one, and there is another way or nothing to ask.
fn is_newer(words: &[&str], answer: Answer, server: Option<Server>) -> bool {
    let is_of_all = rights::since(words) == Server::OLDEST;
    match answer {
        Answer::Unknown => !is_of_all && server.is_none_or(|server| !server.knows(words)),
        // Of a part of a command that it does not know an older server says that the user may not use it.
        Answer::Denied => server.is_some_and(|server| !server.knows(words)),
        Answer::Granted | Answer::NoKey => false,
    }
}
