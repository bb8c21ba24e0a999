//! The rules of a workspace through the door: a directory that changes, switches with a record, Sigma brought in.

use std::sync::Arc;

use watchpost_model::access::{Caller, Origin, Role};
use watchpost_model::clock::SystemClock;
use watchpost_model::event::{Category, Event};
use watchpost_model::ids::EventId;
use watchpost_ops::Paths;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::{ASK_EVERY, Console, ConsoleOptions, REDIS_WAIT, Tenure};
use watchpost_ops::contract::{
    AuditPageRequest, BacktestAgainst, Nothing, ReportTicket, RuleBacktest, RuleChange, RuleImportOutcome,
    RuleImportSigma, RuleProblemKind, RuleRef, RuleTest,
};
use watchpost_ops::door::{Call, Operation, operation};
use watchpost_ops::error::{ErrorCode, OpError};

struct Desk(Console, Call);

impl Desk {
    async fn ask<O: Operation>(&self, request: O::Request) -> Result<O::Reply, OpError> {
        self.0.call::<O>(&self.1, request).await
    }
}

const SIGMA: &str = "title: Probe\nid: own.probe\nstatus: test\nlogsource: { category: webserver }\nlevel: high\n\
                     detection:\n  sel:\n    c-uri|contains: probe\n  condition: sel\n";

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_followed_switched_and_brought_in() {
    let home = tempfile::Builder::new().prefix("wp-").tempdir().expect("a temporary folder can be made");
    let console = Console::start(ConsoleOptions {
        paths: Paths::below(home.path()).expect("the folder is ours"),
        clock: Arc::new(SystemClock),
        tenure: Tenure::Guest,
        offer_demo: false,
        remember: false,
        ask_every: ASK_EVERY,
        redis_wait: REDIS_WAIT,
    })
    .expect("starts");
    console.open(local_connection()).await.expect("opens");
    let caller =
        Caller { name: "dana".to_owned(), role: Role::Admin, origin: Origin::Cli, host: "test".to_owned() };
    let desk = Desk(console, Call { caller, confirmation: None, reason: None });
    let shipped = desk.ask::<operation::rule_list>(Nothing {}).await.expect("listed");
    assert!(shipped.problems.is_empty() && shipped.rules.iter().all(|rule| rule.embedded));

    // A file appears, and a broken one beside it.
    let directory = std::path::PathBuf::from(&shipped.directory);
    std::fs::create_dir_all(&directory).expect("made");
    std::fs::write(directory.join("own.yml"), SIGMA).expect("written");
    std::fs::write(directory.join("bad.yml"), "title: [x\n").expect("written");
    let list = desk.ask::<operation::rule_list>(Nothing {}).await.expect("listed");
    assert_eq!(list.rules.len(), shipped.rules.len() + 1);
    assert!(
        matches!(list.problems.as_slice(), [told] if told.file == "bad.yml" && told.line > 0),
        "{:?}",
        list.problems
    );

    // Links are followed, as in a mounted configuration; one that leads nowhere is told of.
    let outside = home.path().join("linked.yml");
    std::fs::write(&outside, SIGMA.replace("own.probe", "own.linked")).expect("written");
    std::os::unix::fs::symlink(&outside, directory.join("linked.yml")).expect("linked");
    std::os::unix::fs::symlink(home.path().join("gone"), directory.join("gone.yml")).expect("linked");
    let linked = desk.ask::<operation::rule_list>(Nothing {}).await.expect("listed");
    assert!(linked.rules.iter().any(|rule| rule.id == "own.linked"));
    assert!(linked.problems.iter().any(|told| told.file == "gone.yml"), "{:?}", linked.problems);
    std::fs::remove_file(directory.join("gone.yml")).expect("ours");

    // What is no file is named and not waited for, and links that lead in circles are walked once.
    let pipe = directory.join("pipe.yml");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("coreutils");
    assert!(made.success());
    let socket = std::os::unix::net::UnixListener::bind(directory.join("socket.yml")).expect("bound");
    std::os::unix::fs::symlink("/dev/zero", directory.join("zero.yml")).expect("linked");
    std::os::unix::fs::symlink("self.yml", directory.join("self.yml")).expect("linked");
    let below = directory.join("below");
    std::fs::create_dir(&below).expect("made");
    std::fs::write(below.join("own.yml"), SIGMA.replace("own.probe", "own.below")).expect("written");
    for n in 0..20 {
        std::os::unix::fs::symlink(&directory, below.join(format!("up-{n}"))).expect("linked");
    }
    let odd = desk.ask::<operation::rule_list>(Nothing {}).await.expect("listed");
    for name in ["pipe.yml", "socket.yml", "zero.yml", "self.yml"] {
        let told: Vec<_> = odd.problems.iter().filter(|told| told.file == name).collect();
        assert!(matches!(told.as_slice(), [told] if told.kind == RuleProblemKind::File), "{name}: {told:?}");
    }
    assert_eq!(odd.problems.len(), 5, "and the broken one, once: {:?}", odd.problems);
    assert!(odd.rules.iter().any(|rule| rule.id == "own.below" && rule.file == "below/own.yml"));
    let path = pipe.to_string_lossy().into_owned();
    let refused = desk.ask::<operation::rule_import_sigma>(RuleImportSigma { path }).await;
    assert!(refused.expect_err("nobody writes to it").message.contains("a pipe"));
    drop(socket);
    for name in ["pipe.yml", "socket.yml", "zero.yml", "self.yml"] {
        std::fs::remove_file(directory.join(name)).expect("ours");
    }
    std::fs::remove_dir_all(&below).expect("ours");

    // What is no text is named with the line that shows it; of very many problems the first are told, and how many.
    std::fs::write(directory.join("binary.yml"), b"title: a\n# \xff\xfe\n").expect("written");
    let binary = desk.ask::<operation::rule_list>(Nothing {}).await.expect("listed");
    let told = binary.problems.iter().find(|told| told.file == "binary.yml").expect("it is told of");
    assert_eq!((told.line, told.kind), (2, RuleProblemKind::File), "{told:?}");
    for n in 0..300 {
        std::fs::write(directory.join(format!("many-{n}.yml")), "title: [x\n").expect("written");
    }
    let many = desk.ask::<operation::rule_list>(Nothing {}).await.expect("listed");
    assert_eq!((many.problems.len(), many.problems_total), (200, 302));
    std::fs::remove_file(directory.join("binary.yml")).expect("ours");
    for n in 0..300 {
        std::fs::remove_file(directory.join(format!("many-{n}.yml"))).expect("ours");
    }

    // A switch and a threshold are settings with a record.
    let change = |id: &str, enabled, threshold| RuleChange {
        id: id.to_owned(),
        enabled,
        threshold,
        window_s: None,
        reason: Some("too loud".to_owned()),
    };
    let off = desk.ask::<operation::rule_set>(change("own.probe", Some(false), None)).await.expect("set");
    assert!(!off.row.enabled && off.row.adjusted);
    let set = desk.ask::<operation::rule_set>(change("wp.brute.source", None, Some(9))).await.expect("set");
    assert_eq!(set.row.threshold, Some(9));
    let wrong = desk
        .ask::<operation::rule_set>(change("own.probe", None, Some(9)))
        .await
        .expect_err("counts nothing");
    assert_eq!(wrong.code, ErrorCode::Validation);
    let trail = desk.ask::<operation::audit_page>(AuditPageRequest::default()).await.expect("the trail");
    assert!(
        trail.rows.iter().any(|row| row.action == "rule_set" && row.reason.as_deref() == Some("too loud"))
    );
    let missing = desk.ask::<operation::rule_show>(RuleRef { id: "no.such".to_owned() }).await;
    assert_eq!(missing.expect_err("not there").code, ErrorCode::NotFound);

    // Sigma from elsewhere: what brings a rule is copied, the rest is told.
    let other = home.path().join("sigma");
    std::fs::create_dir_all(&other).expect("made");
    std::fs::write(other.join("good.yml"), SIGMA.replace("own.probe", "own.other")).expect("written");
    std::fs::write(
        other.join("odd.yml"),
        SIGMA.replace("own.probe", "own.odd").replace("contains", "containz"),
    )
    .expect("written");
    let path = other.to_string_lossy().into_owned();
    let report = desk.ask::<operation::rule_import_sigma>(RuleImportSigma { path }).await.expect("imported");
    assert_eq!((report.copied, report.rules, report.files.len()), (1, 1, 2), "{report:?}");
    let odd = report.files.iter().find(|file| file.file == "odd.yml").expect("it is told of");
    assert!(
        matches!(&odd.problems[..], [told] if told.file == "odd.yml" && told.line > 1 && told.kind == RuleProblemKind::Selection
            && told.reason.contains("`|containz`")),
        "{odd:?}"
    );
    assert_eq!((odd.rules, odd.outcome), (0, RuleImportOutcome::NotSupported));
    let good = report.files.iter().find(|file| file.file == "good.yml").expect("it is told of");
    assert_eq!((good.rules, good.outcome), (1, RuleImportOutcome::Imported));
    let shown =
        desk.ask::<operation::rule_show>(RuleRef { id: "own.other".to_owned() }).await.expect("there");
    assert!(shown.row.enabled && !shown.row.embedded);

    // Samples and a replay over an empty archive.
    let tested = desk.ask::<operation::rule_test>(RuleTest { id: Some("wp.sqli.union".to_owned()) }).await;
    assert!(tested.expect("tested").failures.is_empty());
    let replay =
        RuleBacktest { period: None, directory: Some(shipped.directory.clone()), change: None, ticket: None };
    let replay = desk.ask::<operation::rule_backtest>(replay).await.expect("replayed");
    assert_eq!((replay.events, replay.against), (0, BacktestAgainst::Present));
    desk.0.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_takes_every_event_tells_how_far_it_is_and_can_be_stopped() {
    const EVENTS: i64 = 11_000;
    let home = crate::door::folder();
    let desk = crate::door::desk(&home, Tenure::Owner, local_connection()).await;
    let now = desk.console.now();
    let events: Vec<Event> = (0..EVENTS)
        .map(|n| {
            let at = now - chrono::Duration::milliseconds((EVENTS - n) * 10);
            let mut event = Event::new(EventId::at(at), at, Category::ApiUsage, "request");
            event.source_ip = Some(format!("198.51.100.{}", n % 200));
            event
        })
        .collect();
    crate::response::report(&desk, &events).await;
    let replay = |ticket: &str| RuleBacktest {
        period: None,
        directory: None,
        change: None,
        ticket: Some(ticket.to_owned()),
    };
    let whole = desk.ask::<operation::rule_backtest>(replay("whole")).await.expect("replayed");
    assert_eq!((i64::try_from(whole.events), whole.truncated), (Ok(EVENTS), false), "over three pages");

    // Stopped as soon as it can be asked for: it tells of the page that it had begun.
    let ticket = ReportTicket { ticket: "stopped".to_owned() };
    let stop = async {
        loop {
            let seen = desk.ask::<operation::rule_backtest_progress>(ticket.clone()).await.expect("told");
            if seen.running {
                return desk.ask::<operation::rule_backtest_cancel>(ticket.clone()).await.expect("told");
            }
            tokio::task::yield_now().await;
        }
    };
    let (stopped, _) = tokio::join!(desk.ask::<operation::rule_backtest>(replay("stopped")), stop);
    let stopped = stopped.expect("what was replayed is told");
    assert!(stopped.truncated && i64::try_from(stopped.events).is_ok_and(|n| n < EVENTS), "{stopped:?}");
    let over = desk.ask::<operation::rule_backtest_progress>(ticket).await.expect("told");
    assert!(!over.running, "nothing is under way any more");
    desk.console.close().await;
}
