//! `hotcut status`: the ledger and what the daemon wrote last -> a table, or JSON.

use std::fmt;
use std::io::{Write as _, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;

use super::CommandError;
use super::not_taken::{Remedy, sentences};
use super::unit_limits::UnitLimits;
use crate::daemon::{LiveFolder, LiveStatus, WaitingFor};
use crate::delivery::{Book, Counts, Quarantined, is_in_use};
use crate::intake::NotTaken;
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
    /// What the machine is short of, if it is and hotcut runs.
    shortage: Option<String>,
    folders: Vec<FolderStatus>,
}

#[derive(Serialize)]
struct FolderStatus {
    name: String,
    state: String,
    /// All that waits: settling, for a worker, and on disk.
    queued: usize,
    /// Of it, what stays on disk until there is room in memory.
    queued_on_disk: usize,
    /// When the one arrived that waits and arrived first. RFC 3339.
    oldest: Option<String>,
    running: usize,
    done: u32,
    /// Photos that something holds, the first few of them.
    waiting: Vec<WaitingStatus>,
    /// All photos that something holds.
    held: usize,
    /// Files that are not taken.
    not_taken: NotTaken,
    quarantined: Vec<QuarantinedStatus>,
    /// RFC 3339.
    last_done: Option<String>,
    photos_per_minute: u32,
    photos_per_minute_over_10: f64,
    photos_per_minute_over_60: f64,
    /// How long what waits will take, if that can be told.
    left_s: Option<u32>,
}

#[derive(Serialize)]
struct WaitingStatus {
    path: String,
    reason: String,
    /// What comes next.
    next: WaitingFor,
    /// When that comes. RFC 3339.
    until: Option<String>,
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
        confinement,
        http,
        shortage,
        ..
    } = live.unwrap_or_default();
    let status = Status {
        confinement,
        http,
        shortage,
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
    let is_live = live.is_some();
    let live = live.cloned().unwrap_or_default();
    let waiting = live.waiting.into_iter().map(|photo| WaitingStatus {
        path: photo.path,
        reason: photo.reason,
        next: photo.next,
        until: photo.until_ms.map(rfc3339),
    });
    FolderStatus {
        name: name.to_owned(),
        state: if is_live {
            live.state
        } else {
            "offline: hotcut is not running".to_owned()
        },
        queued: if is_live {
            live.queued
        } else {
            counts.waiting as usize
        },
        queued_on_disk: live.queued_on_disk,
        oldest: live.oldest_ms.map(rfc3339),
        running: live.running,
        done: counts.done,
        waiting: waiting.collect(),
        held: live.held,
        not_taken: live.not_taken,
        quarantined: quarantined.collect(),
        last_done: counts.last_done_ms.map(rfc3339),
        photos_per_minute: counts.photos_per_minute,
        photos_per_minute_over_10: live.rates.photos_per_minute_over_10,
        photos_per_minute_over_60: live.rates.photos_per_minute_over_60,
        left_s: live.rates.left_s,
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
    if let Some(shortage) = &status.shortage {
        writeln!(out, "{shortage}")?;
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
        print_pace(out, folder)?;
        if let Some(last) = &folder.last_done {
            writeln!(out, "  last done {last}")?;
        }
        for file in &folder.waiting {
            writeln!(out, "  waits {file}")?;
        }
        let more = folder.held.saturating_sub(folder.waiting.len());
        if more > 0 {
            writeln!(out, "  waits: {more} more")?;
        }
        for sentence in sentences(&folder.not_taken, Remedy::Include) {
            writeln!(out, "  {sentence}")?;
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

/// How old what waits is, how fast it goes and how long it takes, if anything waits or has been done lately.
fn print_pace(out: &mut impl std::io::Write, folder: &FolderStatus) -> std::io::Result<()> {
    if let Some(oldest) = &folder.oldest {
        write!(out, "  the oldest photo that waits arrived at {oldest}")?;
        if folder.queued_on_disk > 0 {
            let on_disk = folder.queued_on_disk;
            write!(
                out,
                "; {on_disk} stay on disk until those before them are done"
            )?;
        }
        writeln!(out)?;
    }
    let (ten, sixty) = (
        folder.photos_per_minute_over_10,
        folder.photos_per_minute_over_60,
    );
    if sixty > 0.0 {
        write!(
            out,
            "  photos a minute: {ten} over 10 minutes, {sixty} over 60"
        )?;
        if let Some(left_s) = folder.left_s {
            let left = humantime::format_duration(Duration::from_secs(left_s.into()));
            write!(out, "; about {left} left")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

impl fmt::Display for WaitingStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)?;
        match (&self.next, &self.until) {
            (WaitingFor::Cause | WaitingFor::Attempt, Some(until)) => {
                write!(f, "; it is tried again at {until}")
            }
            (WaitingFor::Rest, Some(until)) => write!(f, " until {until}; then it is set aside"),
            (WaitingFor::Doubt, Some(until)) => {
                write!(f, " until {until}; then it is taken as it is")
            }
            (WaitingFor::Listing, _) => f.write_str("; it is tried with each listing"),
            (WaitingFor::Writer, _) => f.write_str("; it is taken once it is closed"),
            (
                WaitingFor::Cause | WaitingFor::Attempt | WaitingFor::Rest | WaitingFor::Doubt,
                None,
            ) => Ok(()),
        }
    }
}
