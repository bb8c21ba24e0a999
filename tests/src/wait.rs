//! Waiting for a condition, never for a time.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use tokio::time::{Instant, sleep, timeout_at};

/// Between two looks at a condition. Short, because every look is cheap and local.
const PAUSE: Duration = Duration::from_millis(40);

/// A reason why a condition can no longer come to hold: waiting on would be in vain.
#[derive(Debug)]
pub(crate) struct Hopeless(pub(crate) String);

impl fmt::Display for Hopeless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Hopeless {}

/// Looks at a condition until it holds, and returns what it yields.
///
/// `look` answers `Ok(value)` when the condition holds and `Err(why_not)` while it does not; the last reason is
/// part of the error, so that a failed wait says what was seen instead. One look that hangs is cut off too.
///
/// # Errors
/// When `patience` has passed without the condition holding.
pub async fn until<T, F, Fut>(what: &str, patience: Duration, mut look: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T>>,
{
    let deadline = Instant::now() + patience;
    let mut reason = anyhow!("it was never looked at");
    loop {
        match timeout_at(deadline, look()).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) if error.is::<Hopeless>() => {
                return Err(error.context(format!("no use waiting for {what}")));
            }
            Ok(Err(error)) => reason = error,
            Err(_) => {
                bail!("no answer within {patience:?} while waiting for {what}; before that: {reason:#}")
            }
        }
        if Instant::now() + PAUSE >= deadline {
            bail!("waited {patience:?} for {what}: {reason:#}");
        }
        sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::{Duration, Hopeless, Result, anyhow, until};

    #[tokio::test]
    async fn yields_as_soon_as_the_condition_holds() {
        let looks = Cell::new(0);
        let seen: Result<u32> = until("three looks", Duration::from_secs(5), || async {
            looks.set(looks.get() + 1);
            if looks.get() == 3 { Ok(looks.get()) } else { Err(anyhow!("only {}", looks.get())) }
        })
        .await;
        assert_eq!(seen.unwrap(), 3);
    }

    #[tokio::test]
    async fn gives_up_with_the_last_reason() {
        let seen: Result<()> = until("the impossible", Duration::from_millis(100), || async {
            Err(anyhow!("the door is shut"))
        })
        .await;
        let message = format!("{:#}", seen.unwrap_err());
        assert!(message.contains("the impossible") && message.contains("the door is shut"), "{message}");
    }

    #[tokio::test]
    async fn gives_up_at_once_when_there_is_no_hope() {
        let looks = Cell::new(0);
        let seen: Result<()> = until("a dead server", Duration::from_secs(60), || async {
            looks.set(looks.get() + 1);
            Err(Hopeless("it has ended".to_owned()).into())
        })
        .await;
        assert_eq!(looks.get(), 1);
        assert!(format!("{:#}", seen.unwrap_err()).contains("it has ended"));
    }

    #[tokio::test]
    async fn cuts_off_a_look_that_hangs() {
        let seen: Result<()> = until("a hung look", Duration::from_millis(100), std::future::pending).await;
        assert!(seen.unwrap_err().to_string().contains("a hung look"));
    }
}
