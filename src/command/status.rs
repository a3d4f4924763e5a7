//! `hotcut status`: prints the ledger's counts and the daemon's last state as a table or JSON.

mod known;
mod table;

use std::io::{Write as _, stdout};
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::CommandError;
use super::unit_limits::UnitLimits;
use crate::daemon::{FolderState, LiveFolder, Rates, SharedFailure, WaitingFor};
use crate::intake::NotTaken;
use crate::ledger::Counts;
use crate::rfc3339;
use crate::worker::Confinement;
use known::KnownStatus;

/// The output of `--json`.
#[derive(Serialize)]
struct StatusReport {
    /// The confinement of the workers, if known; only while hotcut runs.
    confinement: Option<Confinement>,
    /// The state of the HTTP listener, if configured; only while hotcut runs.
    http: Option<String>,
    /// What the machine is short of, if anything; only while hotcut runs.
    shortage: Option<String>,
    folders: Vec<FolderReport>,
}

#[derive(Serialize)]
struct FolderReport {
    name: String,
    #[serde(flatten)]
    state: FolderState,
    /// All waiting photos: settling, for a worker, and on disk.
    queued: usize,
    /// Of these, photos that stay on disk until memory is free.
    queued_on_disk: usize,
    /// When the oldest waiting photo arrived. RFC 3339.
    oldest: Option<String>,
    running: usize,
    done: u32,
    /// The first few of the photos in `held`.
    waiting: Vec<WaitingStatus>,
    /// The number of photos that cannot proceed at present.
    held: usize,
    /// Files that are not taken.
    not_taken: NotTaken,
    /// Quarantined photos. When only the daemon's status file can be read, the 100 newest.
    quarantined: Vec<SharedFailure>,
    /// The number of quarantined photos.
    quarantined_count: usize,
    /// RFC 3339.
    last_done: Option<String>,
    /// The rate of the last minute is that of the ledger, so that it is known when hotcut does not run.
    #[serde(flatten)]
    rates: Rates,
}

#[derive(Serialize)]
struct WaitingStatus {
    path: String,
    reason: String,
    /// What the photo waits for.
    next: WaitingFor,
    /// When this happens, if known. RFC 3339.
    until: Option<String>,
}

/// Prints the state of every configured folder, whether the daemon runs or not. With `check`, the exit code says whether the daemon
/// runs and serves all folders.
pub fn run(config_file: &Path, json: bool, check: bool) -> Result<ExitCode, CommandError> {
    let config = super::read_leniently(config_file)?;
    let known = KnownStatus::of(&config)?;
    let (is_alive, live) = (known.is_alive, known.live.unwrap_or_default());
    let folders = known
        .folders
        .into_iter()
        .map(|(counts, quarantined, folder)| {
            let live = live.folders.iter().find(|one| one.name == folder.name);
            folder_status(&folder.name, counts, quarantined, live)
        });
    let status = StatusReport {
        confinement: live.confinement,
        http: live.http.clone(),
        shortage: live.shortage.clone(),
        folders: folders.collect(),
    };
    let is_well = is_alive && status.folders.iter().all(FolderReport::is_served);
    let mut out = stdout().lock();
    if json {
        serde_json::to_writer(&mut out, &status).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        table::print(&mut out, &status)?;
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

impl FolderReport {
    fn is_served(&self) -> bool {
        self.state.is_served()
    }
}

fn folder_status(
    name: &str,
    counts: Counts,
    quarantined: Vec<SharedFailure>,
    live: Option<&LiveFolder>,
) -> FolderReport {
    let is_live = live.is_some();
    let live = live.cloned().unwrap_or_default();
    let waiting = live.waiting.into_iter().map(|photo| WaitingStatus {
        path: photo.path,
        reason: photo.reason,
        next: photo.next,
        until: photo.until_ms.map(rfc3339::local),
    });
    FolderReport {
        name: name.to_owned(),
        state: if is_live {
            live.state
        } else {
            FolderState::Offline("hotcut is not running".to_owned())
        },
        queued: if is_live {
            live.queued
        } else {
            counts.waiting as usize
        },
        queued_on_disk: live.queued_on_disk,
        oldest: live.oldest_ms.map(rfc3339::local),
        running: live.running,
        done: counts.done,
        waiting: waiting.collect(),
        held: live.held,
        not_taken: live.not_taken,
        quarantined,
        quarantined_count: counts.quarantined as usize,
        last_done: counts.last_done_ms.map(rfc3339::local),
        rates: Rates {
            photos_per_minute: counts.photos_per_minute,
            ..live.rates
        },
    }
}
