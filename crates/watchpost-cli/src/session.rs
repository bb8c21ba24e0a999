//! A console for the length of one command.

use std::io::IsTerminal;
use std::sync::Arc;

use watchpost_model::access::Origin;
use watchpost_model::clock::SystemClock;
use watchpost_model::connection::Connection;
use watchpost_ops::console::{ASK_EVERY, Console, ConsoleOptions, REDIS_WAIT, Tenure};
use watchpost_ops::door::{Call, Operation};
use watchpost_ops::error::OpError;
use watchpost_ops::{Paths, os_caller};

use crate::args::Cli;

/// A console, and who calls.
pub(crate) struct Session {
    pub(crate) console: Console,
    pub(crate) call: Call,
}

impl Session {
    /// A console without an open workspace.
    pub(crate) fn closed(cli: &Cli, tenure: Tenure) -> Result<Self, OpError> {
        let console = Console::start(ConsoleOptions {
            paths: Paths::from_environment()?,
            clock: Arc::new(SystemClock),
            tenure,
            offer_demo: false,
            remember: false,
            ask_every: ASK_EVERY,
            redis_wait: REDIS_WAIT,
        })?;
        if std::io::stdin().is_terminal() {
            console.secrets().ask_with(Box::new(crate::secrets_file::ask));
        }
        let origin = if tenure == Tenure::Owner { Origin::Http } else { Origin::Cli };
        Ok(Self {
            console,
            call: Call { caller: os_caller(origin), confirmation: cli.confirm.clone(), reason: None },
        })
    }

    /// A console with the chosen connection open.
    pub(crate) async fn open(cli: &Cli, tenure: Tenure) -> Result<Self, OpError> {
        let session = Self::closed(cli, tenure)?;
        let connection = session.connection(cli)?;
        session.console.open(connection).await?;
        Ok(session)
    }

    /// The connection that the command line chooses.
    pub(crate) fn connection(&self, cli: &Cli) -> Result<Connection, OpError> {
        match &cli.connection {
            Some(name) => self.console.connection_named(name),
            None => Ok(self.console.connection_to_start_with()),
        }
    }

    /// The same, with a reason for the audit trail.
    pub(crate) fn because(&self, reason: Option<String>) -> Self {
        Self { console: self.console.clone(), call: Call { reason, ..self.call.clone() } }
    }

    /// Passes a request through the door.
    pub(crate) async fn ask<O: Operation>(&self, request: O::Request) -> Result<O::Reply, OpError> {
        self.console.call::<O>(&self.call, request).await
    }
}
