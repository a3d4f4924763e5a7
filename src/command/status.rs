//! `hotcut status`: the ledger and what the daemon wrote last -> a table, or JSON.

use std::io::{Write as _, stdout};
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::CommandError;
use super::unit_limits::UnitLimits;
use crate::daemon::{LiveFolder, LiveStatus, Waiting};
use crate::delivery::{Book, Counts, Quarantined, is_in_use};
use crate::local_time::rfc3339;
use crate::percent;
use crate::pool::Confinement;

/// What is printed with `--json`.
#[derive(Serialize)]
struct Status {
    /// What holds the workers in, as far as it is known: only while hotcut runs.
    confinement: Option<Confinement>,
    /// How the way in over HTTP stands, if there is one and hotcut runs.
    http: Option<String>,
    folders: Vec<FolderStatus>,
}

#[derive(Serialize)]
struct FolderStatus {
    name: String,
    state: String,
    queued: usize,
    running: usize,
    done: u32,
    waiting: Vec<Waiting>,
    quarantined: Vec<QuarantinedStatus>,
    /// RFC 3339, UTC.
    last_done: Option<String>,
    photos_per_minute: u32,
}

#[derive(Serialize)]
struct QuarantinedStatus {
    path: String,
    reason: String,
    attempts: u32,
}

/// Prints the state of every configured folder, whether the daemon runs or not. With `check`, the exit code tells whether
/// it runs and serves them all.
pub fn run(config_file: &Path, json: bool, check: bool) -> Result<ExitCode, CommandError> {
    let config = super::read_leniently(config_file)?;
    let state_dir = &config.daemon.state_dir;
    let mut book = Book::open_existing(state_dir)?;
    let live = is_in_use(state_dir)?
        .then(|| LiveStatus::read(state_dir))
        .flatten();
    let mut folders = Vec::new();
    for folder in &config.folders {
        let (counts, quarantined) = match &mut book {
            Some(book) => (book.counts(&folder.name)?, book.quarantined(&folder.name)?),
            None => (Counts::default(), Vec::new()),
        };
        let live = live
            .as_ref()
            .and_then(|live| live.folders.iter().find(|one| one.name == folder.name));
        folders.push(folder_status(&folder.name, counts, quarantined, live));
    }
    let is_alive = live.is_some() && LiveStatus::is_fresh(state_dir);
    let is_well = is_alive && folders.iter().all(FolderStatus::is_served);
    let LiveStatus {
        confinement, http, ..
    } = live.unwrap_or_default();
    let status = Status {
        confinement,
        http,
        folders,
    };
    let mut out = stdout().lock();
    if json {
        serde_json::to_writer(&mut out, &status).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        print(&mut out, &status)?;
        let limits = UnitLimits::of(config_file)?;
        if let Some(forbidden) = limits.and_then(|limits| limits.forbidden(config_file, &config)) {
            writeln!(out, "{forbidden}")?;
        }
    }
    Ok(if check && !is_well {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

impl FolderStatus {
    fn is_served(&self) -> bool {
        ["online", "polling"].contains(&self.state.as_str())
    }
}

fn folder_status(
    name: &str,
    counts: Counts,
    quarantined: Vec<Quarantined>,
    live: Option<&LiveFolder>,
) -> FolderStatus {
    let quarantined = quarantined.into_iter().map(|file| QuarantinedStatus {
        path: percent::display(&file.source),
        reason: file.reason,
        attempts: file.attempts,
    });
    FolderStatus {
        name: name.to_owned(),
        state: live.map_or("offline: hotcut is not running".to_owned(), |live| {
            live.state.clone()
        }),
        queued: live.map_or(counts.waiting as usize, |live| live.queued),
        running: live.map_or(0, |live| live.running),
        done: counts.done,
        waiting: live.map_or_else(Vec::new, |live| live.waiting.clone()),
        quarantined: quarantined.collect(),
        last_done: counts.last_done_ms.map(rfc3339),
        photos_per_minute: counts.photos_per_minute,
    }
}

fn print(out: &mut impl std::io::Write, status: &Status) -> std::io::Result<()> {
    if let Some(Confinement { landlock, seccomp }) = status.confinement
        && !(landlock && seccomp)
    {
        let held = |is_held| if is_held { "yes" } else { "no" };
        writeln!(
            out,
            "workers are not held in completely: Landlock {}, seccomp {}; a newer kernel would do it",
            held(landlock),
            held(seccomp)
        )?;
    }
    if let Some(http) = &status.http {
        writeln!(out, "http: {http}")?;
    }
    if status.folders.is_empty() {
        writeln!(out, "no folder is configured yet")?;
    }
    for folder in &status.folders {
        writeln!(out, "{}: {}", folder.name, folder.state)?;
        writeln!(
            out,
            "  queued {}, running {}, done {} ({} in the last minute), quarantined {}",
            folder.queued,
            folder.running,
            folder.done,
            folder.photos_per_minute,
            folder.quarantined.len()
        )?;
        if let Some(last) = &folder.last_done {
            writeln!(out, "  last done {last}")?;
        }
        for file in &folder.waiting {
            writeln!(out, "  waits {}: {}", file.path, file.reason)?;
        }
        for file in &folder.quarantined {
            writeln!(
                out,
                "  quarantined {}: {} (attempts: {})",
                file.path, file.reason, file.attempts
            )?;
        }
    }
    Ok(())
}
