//! Following a job: a progress bar on a terminal, silence elsewhere; Ctrl+C cancels the job, not the process.

use std::pin::Pin;
use std::sync::LazyLock;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use watchpost_model::audit::AuditVerification;
use watchpost_model::ids::JobId;
use watchpost_model::job::{JobKind, JobRun};
use watchpost_model::report::ReportRecord;
use watchpost_ops::contract::{
    AuditExport, AuditExported, AuditVerify, BacktestReport, DatabaseCopy, DatabaseExported, ERASURE, JobRef,
    PrivacyErase, PrivacyErased, ReportGenerate, ReportProgress, ReportTicket, RuleBacktest,
};
use watchpost_ops::door::{Operation, operation};
use watchpost_ops::error::OpError;

use crate::session::Session;

/// How often a running job is asked how far it is.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// How the step begins of a job that was cancelled and has not ended yet.
const STOPPING: &str = "stopping";

/// What sends a signal to a program and then to its group sends it twice: within this it is one.
const SAME_PRESS: Duration = Duration::from_millis(300);

/// A check that was cancelled stops within this, and is recorded where the database answers.
const STOPS_WITHIN: Duration = Duration::from_secs(1);

/// What a shell tells of a program that Ctrl+C ended.
pub(crate) const INTERRUPTED: u8 = 130;

/// How often Ctrl+C was pressed, for whoever does something about it.
static PRESSES: LazyLock<watch::Sender<u64>> = LazyLock::new(|| watch::Sender::new(0));

/// Hears each Ctrl+C: one that somebody waits for is handed on, any other one ends the process as the signal by itself does,
/// with a word.
pub(crate) async fn hear_keyboard() {
    // Without a handler of ours Ctrl+C ends the process.
    let Ok(mut signals) = signal(SignalKind::interrupt()) else { return };
    while signals.recv().await.is_some() {
        if PRESSES.receiver_count() == 0 {
            leave("cancelled");
        }
        PRESSES.send_modify(|presses| *presses += 1);
    }
}

/// Every Ctrl+C from now on; while this is there none of them ends the process.
pub(crate) fn presses() -> watch::Receiver<u64> {
    PRESSES.subscribe()
}

/// Ends the process with a word, and waits for nothing.
#[expect(
    clippy::disallowed_methods,
    reason = "somebody wants to leave at once: what waits for a database or a terminal would keep the process"
)]
fn leave(word: &str) -> ! {
    say(word);
    std::process::exit(INTERRUPTED.into())
}

/// Follows a job to its end; Ctrl+C cancels it, and what came of it is told all the same. A second one leaves at once.
pub(crate) async fn follow(session: &Session, run: JobRun) -> Result<JobRun, OpError> {
    let bar = ProgressBar::new_spinner();
    let ending = Box::pin(ended(session, run.id, &bar));
    let cancel = || Box::pin(cancelled(session, run.id));
    let told = beside(ending, left(&bar, run.kind), stopped(cancel)).await;
    bar.finish_and_clear();
    told
}

/// Leaves at the second Ctrl+C: the first one has the job cancelled, and the record of its end is waited for until then.
async fn left(bar: &ProgressBar, kind: JobKind) -> OpError {
    let mut presses = presses();
    if presses.changed().await.is_ok() {
        // What one press sends twice is over by then; only what comes later is a second one.
        tokio::time::sleep(SAME_PRESS).await;
        presses.mark_unchanged();
    }
    if presses.changed().await.is_err() {
        return std::future::pending().await;
    }
    bar.finish_and_clear();
    leave(&format!(
        "left at once: how this {kind} job ended is not recorded; what it did stays done, and the next command on this \
         database notes that its process is gone"
    ))
}

/// Asks again and again how far a job is, until it has ended.
async fn ended(session: &Session, id: JobId, bar: &ProgressBar) -> Result<JobRun, OpError> {
    let (mut sized, mut said) = (false, String::new());
    let mut timer = tokio::time::interval(ASK_EVERY);
    loop {
        timer.tick().await;
        let now = session.ask::<operation::job_get>(JobRef { id }).await?;
        if let (Some(total), false) = (now.progress.total, sized) {
            bar.set_length(total);
            bar.set_style(style(&now.progress.unit));
            sized = true;
        }
        bar.set_position(now.progress.done);
        bar.set_message(now.progress.step.clone());
        if now.ended_at.is_some() {
            return Ok(now);
        }
        if now.progress.step.starts_with(STOPPING) && now.progress.step != said {
            said = now.progress.step;
            bar.suspend(|| say(&said));
        }
    }
}

/// Says what a job waits for that was cancelled, also where there is no progress bar, or that a look was.
#[expect(clippy::print_stderr, reason = "standard output holds results only")]
fn say(step: &str) {
    eprintln!("watchpost: {step}");
}

/// Cancels a job; nothing is wrong with one that has ended meanwhile, or that is stopping though that is not in the trail.
async fn cancelled(session: &Session, id: JobId) -> Result<(), OpError> {
    let Err(refused) = session.ask::<operation::job_cancel>(JobRef { id }).await else { return Ok(()) };
    let now = session.ask::<operation::job_get>(JobRef { id }).await?;
    let is_stopping = now.ended_at.is_some() || now.progress.step.starts_with(STOPPING);
    if is_stopping { Ok(()) } else { Err(refused) }
}

/// Makes a report with a progress bar; Ctrl+C stops it, and no file is left.
pub(crate) async fn of_report(session: &Session, request: ReportGenerate) -> Result<ReportRecord, OpError> {
    let ticket = ReportTicket { ticket: request.ticket.clone().unwrap_or_default() };
    let work = Box::pin(session.ask::<operation::report_generate>(request));
    with_steps::<operation::report_progress, operation::report_cancel, _>(session, ticket, "steps", work)
        .await
}

/// Replays archived events with a progress bar; Ctrl+C stops it, and what was replayed is told.
pub(crate) async fn of_backtest(session: &Session, request: RuleBacktest) -> Result<BacktestReport, OpError> {
    let ticket = ReportTicket { ticket: request.ticket.clone().unwrap_or_default() };
    let work = Box::pin(session.ask::<operation::rule_backtest>(request));
    with_steps::<operation::rule_backtest_progress, operation::rule_backtest_cancel, _>(
        session, ticket, "events", work,
    )
    .await
}

/// Checks the audit trail with a progress bar; Ctrl+C stops it, and what waits for the database after that is left.
pub(crate) async fn of_verification(
    session: &Session,
    request: AuditVerify,
) -> Result<AuditVerification, OpError> {
    let ticket = ReportTicket { ticket: request.ticket.clone().unwrap_or_default() };
    let bar = ProgressBar::new(1);
    let work = Box::pin(session.ask::<operation::audit_verify>(request));
    let checking = Box::pin(followed_on(&bar, session, ticket, work));
    beside(checking, left_unnoted(&bar), std::future::pending()).await
}

/// Leaves soon after Ctrl+C: a check stops within that and changes nothing, but its record may wait for a database that
/// confirms nothing.
async fn left_unnoted(bar: &ProgressBar) -> OpError {
    let mut signals = Signals::listen();
    signals.next().await;
    // A limit, and no wait: a check that stops and is recorded ends this.
    tokio::time::sleep(STOPS_WITHIN).await;
    bar.finish_and_clear();
    leave("cancelled; the database did not confirm the record of the check in time")
}

/// Exports the audit trail with a progress bar; Ctrl+C stops it, and nothing is left.
pub(crate) async fn of_export(session: &Session, request: AuditExport) -> Result<AuditExported, OpError> {
    let ticket = ReportTicket { ticket: request.ticket.clone().unwrap_or_default() };
    followed(session, ticket, Box::pin(session.ask::<operation::audit_export>(request))).await
}

/// Erases somebody and shows how far the look for what is left is; Ctrl+C stops it until it begins to write.
pub(crate) async fn of_erasure(session: &Session, request: PrivacyErase) -> Result<PrivacyErased, OpError> {
    let ticket = ReportTicket { ticket: ERASURE.to_owned() };
    followed(session, ticket, Box::pin(session.ask::<operation::privacy_erase>(request))).await
}

/// Makes or checks a copy of the audit database with a progress bar; Ctrl+C stops it.
pub(crate) async fn of_copy(
    session: &Session,
    ticket: Option<String>,
    work: Pin<Box<impl Future<Output = Result<DatabaseCopy, OpError>>>>,
) -> Result<DatabaseCopy, OpError> {
    followed(session, ReportTicket { ticket: ticket.unwrap_or_default() }, work).await
}

/// Writes the tables of the audit database with a progress bar; Ctrl+C stops it, and nothing is left.
pub(crate) async fn of_tables(
    session: &Session,
    ticket: Option<String>,
    work: Pin<Box<impl Future<Output = Result<DatabaseExported, OpError>>>>,
) -> Result<DatabaseExported, OpError> {
    followed(session, ReportTicket { ticket: ticket.unwrap_or_default() }, work).await
}

/// Shows how far a check or an export of the audit trail is until it has ended.
async fn followed<T>(
    session: &Session,
    ticket: ReportTicket,
    work: Pin<Box<impl Future<Output = Result<T, OpError>>>>,
) -> Result<T, OpError> {
    followed_on(&ProgressBar::new(1), session, ticket, work).await
}

/// The same on a bar of the caller's.
async fn followed_on<T>(
    bar: &ProgressBar,
    session: &Session,
    ticket: ReportTicket,
    work: Pin<Box<impl Future<Output = Result<T, OpError>>>>,
) -> Result<T, OpError> {
    let mut shown = None;
    bar.set_style(words_only());
    let paint = |now| show(bar, &mut shown, now);
    let ask = || Box::pin(session.ask::<operation::audit_verify_progress>(ticket.clone()));
    let cancel = || Box::pin(session.ask::<operation::audit_verify_cancel>(ticket.clone()));
    let told = beside(work, asked(ask, paint), stopped(cancel)).await;
    bar.finish_and_clear();
    told
}

/// Shows a share of `unit` that `Ask` tells of `work` until that has ended; Ctrl+C has `Cancel` stop it.
async fn with_steps<Ask, Cancel, T>(
    session: &Session,
    ticket: ReportTicket,
    unit: &str,
    work: Pin<Box<impl Future<Output = Result<T, OpError>>>>,
) -> Result<T, OpError>
where
    Ask: Operation<Request = ReportTicket, Reply = ReportProgress>,
    Cancel: Operation<Request = ReportTicket, Reply = ReportProgress>,
{
    let bar = ProgressBar::new(1);
    bar.set_style(style(unit));
    let paint = |now: ReportProgress| {
        bar.set_length(u64::from(now.total.max(1)));
        bar.set_position(u64::from(now.done));
        bar.set_message(now.step);
    };
    let ask = || Box::pin(session.ask::<Ask>(ticket.clone()));
    let cancel = || Box::pin(session.ask::<Cancel>(ticket.clone()));
    let told = beside(work, asked(ask, paint), stopped(cancel)).await;
    bar.finish_and_clear();
    told
}

/// What comes of `work`, or the problem that the others end with. All three go on together: `work` may hold a lock of the
/// database that one of the others waits for, and would hold it for ever if it had to wait for them.
async fn beside<T>(
    work: impl Future<Output = Result<T, OpError>>,
    asking: impl Future<Output = OpError>,
    stopping: impl Future<Output = OpError>,
) -> Result<T, OpError> {
    tokio::select! {
        biased;
        told = work => told,
        problem = asking => Err(problem),
        problem = stopping => Err(problem),
    }
}

/// Asks again and again how far it is, and paints it; never ends, for what cannot be told of the way is no reason not to
/// arrive.
async fn asked<P, A>(ask: impl Fn() -> A, mut paint: impl FnMut(P)) -> OpError
where
    A: Future<Output = Result<P, OpError>>,
{
    let mut timer = tokio::time::interval(ASK_EVERY);
    loop {
        timer.tick().await;
        if let Ok(now) = ask().await {
            paint(now);
        }
    }
}

/// Stops it at each Ctrl+C, and when the terminal or the session ends; ends when that is refused.
async fn stopped<P, C>(cancel: impl Fn() -> C) -> OpError
where
    C: Future<Output = Result<P, OpError>>,
{
    let mut signals = Signals::listen();
    loop {
        signals.next().await;
        if let Err(problem) = cancel().await {
            return problem;
        }
    }
}

/// What ends the work at hand.
struct Signals {
    presses: watch::Receiver<u64>,
    ends: Option<Signal>,
    hangs_up: Option<Signal>,
}

impl Signals {
    fn listen() -> Self {
        Self {
            presses: presses(),
            ends: signal(SignalKind::terminate()).ok(),
            hangs_up: signal(SignalKind::hangup()).ok(),
        }
    }

    /// Ends at Ctrl+C, and when the terminal or the session ends.
    async fn next(&mut self) {
        tokio::select! {
            Ok(()) = self.presses.changed() => {}
            () = heard(self.ends.as_mut()) => {}
            () = heard(self.hangs_up.as_mut()) => {}
            else => std::future::pending().await,
        }
    }
}

/// What comes of `work`, which changes nothing; `None`, and a word about it, where Ctrl+C ends it before.
pub(crate) async fn looked<T>(work: impl Future<Output = Result<T, OpError>>) -> Result<Option<T>, OpError> {
    let mut signals = Signals::listen();
    tokio::select! {
        biased;
        told = work => told.map(Some),
        () = signals.next() => {
            say("cancelled");
            Ok(None)
        }
    }
}

/// Waits for a signal; for ever without a handler of ours, for then it ends the process.
async fn heard(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Paints how far it is, if that changed. Of what is one step there is no share to show.
fn show(bar: &ProgressBar, shown: &mut Option<ReportProgress>, now: ReportProgress) {
    if shown.as_ref() == Some(&now) {
        return;
    }
    let has_share = |progress: &ReportProgress| progress.total > 1;
    if shown.as_ref().is_some_and(has_share) != has_share(&now) {
        bar.set_style(if has_share(&now) { style("records") } else { words_only() });
    }
    bar.set_length(u64::from(now.total.max(1)));
    bar.set_position(u64::from(now.done));
    bar.set_message(now.step.clone());
    *shown = Some(now);
}

fn words_only() -> ProgressStyle {
    ProgressStyle::with_template("{msg}").expect("the template is a constant that indicatif accepts")
}

fn style(unit: &str) -> ProgressStyle {
    let template = if unit == "bytes" {
        "{bar:30} {bytes}/{total_bytes} {eta} {msg}"
    } else {
        "{bar:30} {human_pos}/{human_len} {eta} {msg}"
    };
    ProgressStyle::with_template(template).expect("the template is a constant that indicatif accepts")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::Mutex;
    use watchpost_ops::error::OpError;

    use super::{asked, beside};

    /// As a refused check and a refused question about it did: both write a record, and one row of the database is locked by
    /// whoever writes.
    #[tokio::test]
    async fn what_is_followed_goes_on_while_it_is_asked_how_far_it_is() {
        let (row, (asks, mut begun)) = (Mutex::new(()), tokio::sync::mpsc::unbounded_channel());
        let (row, asks) = (&row, &asks);
        let work = async {
            let held = row.lock().await;
            // Not before somebody waits for what is held.
            begun.recv().await;
            tokio::task::yield_now().await;
            drop(held);
            Ok::<_, OpError>("done")
        };
        let ask = || async move {
            // Whoever follows has gone when it is over.
            let _ = asks.send(());
            drop(row.lock().await);
            Ok(())
        };
        let followed = beside(work, asked(ask, |()| {}), std::future::pending());
        let told = tokio::time::timeout(Duration::from_secs(30), followed).await;
        assert_eq!(told.expect("it does not hang"), Ok("done"));
    }
}
