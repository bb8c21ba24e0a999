//! Bringing events in: log files and synthetic traffic, written to Redis as an application would.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use watchpost_ingest::{ImportOptions, Importer, LogFormat, Parsed, Simulation, SimulationConfig};
use watchpost_model::event::Event;
use watchpost_model::job::{Figure, JobKind, JobProgress, JobReport, JobRun};

use crate::console::Workspace;
use crate::contract::{ImportRequest, SimulateRequest};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};
use crate::jobs::{Ended, Ticket};

/// Events a pipeline.
const BATCH: usize = 500;
/// Reasons for bad lines that are shown one by one; the rest is counted.
const REASONS: usize = 20;
