//! `hotcut why FILE`: prints the history of one photo from the ledger, the file and the daemon's last state.

mod find;

use std::io::{Write, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustix::fs::FileType;

use self::find::{find, has_link, look};
use super::{CommandError, not_taken};
use crate::config::Folder;
use crate::daemon::{LiveStatus, WaitingFor};
use crate::fs::stamp::Stamp;
use crate::imaging::CutoutError;
use crate::intake::{FileFilter, PATIENCE, SourceError};
use crate::ledger::{FailedAttempt, PhotoState, VersionHistory, is_in_use, open_existing};
use crate::percent;
use crate::rfc3339;

/// Prints the history of `file`: a photo, its cutout, or a path as `status` prints it.
pub fn run(config_file: &Path, file: &Path) -> Result<ExitCode, CommandError> {
    let config = super::read_leniently(config_file)?;
    let mut ledger = open_existing(&config.daemon.state_dir)?;
    let (folder, source) = find(&config, ledger.as_deref_mut(), file)?
        .ok_or_else(|| CommandError::InNoFolder(percent::display(file)))?;
    let history = match &mut ledger {
        Some(ledger) => ledger.history(&folder.name, &source)?,
        None => Vec::new(),
    };
    let mut out = stdout().lock();
    writeln!(out, "{}: {}", folder.name, percent::display(&source))?;
    for (index, version) in history.iter().enumerate() {
        tell(&mut out, version, &history[..index])?;
    }
    let found = match look(&folder.input.join(&source)).answer() {
        Ok(Some(found)) => found,
        Ok(None) => {
            writeln!(out, "now: the photo is not in the hot folder")?;
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => {
            writeln!(out, "now: {}", error.io())?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    let known = history
        .iter()
        .find(|version| version.stamp.same_version(&found.1));
    let state_dir = &config.daemon.state_dir;
    let live = is_in_use(state_dir)?.then(|| LiveStatus::read(state_dir).unwrap_or_default());
    let now = match known.map(|version| version.state) {
        Some(PhotoState::Done | PhotoState::Quarantined | PhotoState::Ignored) => {
            "this version is in the hot folder; nothing is left to do with it".to_owned()
        }
        _ => waits_for(live.as_ref(), folder, &source, known, found),
    };
    writeln!(out, "now: {now}")?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the history of one version; `earlier` are the versions before it.
fn tell(
    out: &mut impl Write,
    version: &VersionHistory,
    earlier: &[VersionHistory],
) -> std::io::Result<()> {
    let changed = rfc3339::local(version.stamp.mtime_ns / 1_000_000);
    writeln!(out, "version of {changed}, {} bytes", version.stamp.len)?;
    if let Some(ms) = version.seen_at_ms {
        writeln!(out, "  {}  seen", rfc3339::local(ms))?;
    }
    if let Some(ms) = version.settled_at_ms {
        writeln!(
            out,
            "  {}  settled: unchanged since then",
            rfc3339::local(ms)
        )?;
    }
    for failed in &version.failures {
        tell_failure(out, failed)?;
    }
    let at = rfc3339::local(version.ended_at_ms.unwrap_or(version.begun_at_ms));
    let output = percent::display_all(&version.outputs);
    let (attempts, reason) = (version.attempts, version.reason.as_deref().unwrap_or(""));
    match version.state {
        PhotoState::Running => writeln!(
            out,
            "  {}  attempt {attempts} begun; its cutout is to be {output}",
            rfc3339::local(version.begun_at_ms)
        ),
        PhotoState::Waiting => writeln!(out, "  {at}  waits to be tried again"),
        PhotoState::Placed => writeln!(
            out,
            "  {at}  cut out to {output} with model {}{}; the photo itself is to be moved or deleted yet",
            version.model,
            replaced(version, earlier)
        ),
        PhotoState::Done => writeln!(
            out,
            "  {at}  done: cut out to {output} with model {}{}",
            version.model,
            replaced(version, earlier)
        ),
        PhotoState::Quarantined => writeln!(
            out,
            "  {at}  quarantined after {attempts} attempts: {reason}; `hotcut retry` tries it again"
        ),
        PhotoState::Ignored => writeln!(out, "  {at}  ignored: {reason}"),
        PhotoState::Superseded => writeln!(
            out,
            "  {at}  given up: this version was {}",
            version
                .reason
                .as_deref()
                .unwrap_or("taken away or replaced")
        ),
    }
}

/// Whether the cutout replaced that of an earlier version, in words.
fn replaced(version: &VersionHistory, earlier: &[VersionHistory]) -> &'static str {
    let is_placed = |other: &VersionHistory| {
        let mut outputs = other.outputs.iter();
        outputs.any(|output| version.outputs.contains(output))
            && matches!(other.state, PhotoState::Done | PhotoState::Placed)
    };
    if earlier.iter().any(is_placed) {
        "; it replaced the cutout of the version before"
    } else {
        ""
    }
}

fn tell_failure(out: &mut impl Write, failed: &FailedAttempt) -> std::io::Result<()> {
    let seconds =
        Duration::from_millis(u64::try_from(failed.ended_at_ms - failed.begun_at_ms).unwrap_or(0));
    let counted = if failed.is_counted {
        "failed"
    } else {
        "failed at no cost to the photo"
    };
    writeln!(
        out,
        "  {}  {counted} after {:.1} s: {}",
        rfc3339::local(failed.begun_at_ms),
        seconds.as_secs_f32(),
        failed.reason
    )
}

/// What an unfinished version waits for. `live` is the daemon's state, if it runs; `known` is the ledger's record.
fn waits_for(
    live: Option<&LiveStatus>,
    folder: &Arc<Folder>,
    source: &Path,
    known: Option<&VersionHistory>,
    (kind, stamp): (FileType, Stamp),
) -> String {
    if has_link(&folder.input, source) {
        return "it lies below a link, and links in a hot folder are not followed".to_owned();
    }
    if kind != FileType::RegularFile {
        let what = if kind == FileType::Symlink {
            "a link, and links in a hot folder are not followed"
        } else {
            "not a regular file, so it is left alone"
        };
        return format!("it is {what}");
    }
    if let Some(reason) = not_taken::reason(FileFilter::new(Arc::clone(folder)).judge(source)) {
        return reason.to_owned();
    }
    if stamp.len == 0 {
        return "it is empty, so whoever writes it is waited for".to_owned();
    }
    let Some(live) = live else {
        return "hotcut is not running; the photo is looked at when it starts".to_owned();
    };
    let Some(live) = live.folders.iter().find(|live| live.name == folder.name) else {
        return "the running hotcut does not serve this folder; reload it".to_owned();
    };
    if !live.state.is_served() {
        return format!("the folder is {}", live.state);
    }
    let path = percent::display(source);
    let mut waiting = live.waiting.iter();
    let held = waiting.find(|photo| photo.path == path);
    let because = |next| held.filter(|photo| photo.next == next);
    let trouble = because(WaitingFor::Cause).map(|photo| photo.reason.as_str());
    if let Some(told) = known.and_then(|version| goes_on_with(version, trouble)) {
        return told;
    }
    let age = age(stamp);
    if age < folder.settle {
        return format!(
            "it has changed {} ago and must lie still for {}",
            humantime::format_duration(Duration::from_millis(
                u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
            )),
            humantime::format_duration(folder.settle)
        );
    }
    if let Some(reason) = trouble {
        return format!("it is tried again until it works: {reason}");
    }
    if because(WaitingFor::Writer).is_some() {
        return "a program has it open for writing; it is taken once it is closed".to_owned();
    }
    format!(
        "it waits for its turn, or for whoever still holds it open for writing; the folder has {} waiting and {} in work",
        live.queued, live.running
    )
}

/// What happens next with a version that a worker has had; `trouble` is the daemon's reason for the delay.
fn goes_on_with(version: &VersionHistory, trouble: Option<&str>) -> Option<String> {
    match version.state {
        PhotoState::Running => Some("it is in work".to_owned()),
        PhotoState::Placed => Some(format!(
            "its cutout is in place; the photo itself is to be moved or deleted, which is tried until it works{}",
            trouble
                .map(|reason| format!(": {reason}"))
                .unwrap_or_default()
        )),
        PhotoState::Waiting => {
            if let Some(reason) = trouble {
                return Some(format!("it waits to be tried again: {reason}"));
            }
            // An attempt that a shutdown interrupts leaves no failure, and an earlier failure may no longer apply.
            let mut failures = version.failures.iter();
            let failed = failures.rfind(|failed| failed.begun_at_ms == version.begun_at_ms)?;
            let Some((doubt, then)) = missing_part(failed) else {
                return Some(format!("it waits to be tried again: {}", failed.reason));
            };
            let patience_ms = i64::try_from(PATIENCE.as_millis()).unwrap_or(i64::MAX);
            let until = failed.ended_at_ms.saturating_add(patience_ms);
            Some(format!(
                "{doubt}, so the rest of it is waited for until {}; then it is {then}, unless somebody has it open for writing",
                rfc3339::local(until)
            ))
        }
        PhotoState::Done
        | PhotoState::Quarantined
        | PhotoState::Ignored
        | PhotoState::Superseded => None,
    }
}

/// Time since the last change of the file, from its timestamps.
fn age(stamp: Stamp) -> Duration {
    let changed_ns = u64::try_from(stamp.mtime_ns.max(stamp.ctime_ns)).unwrap_or(0);
    let changed = SystemTime::UNIX_EPOCH + Duration::from_nanos(changed_ns);
    SystemTime::now()
        .duration_since(changed)
        .unwrap_or_default()
}

/// What is wrong with a photo that may still be incomplete, and what happens when nothing more arrives. `None` when hotcut does not
/// wait for it.
fn missing_part(failed: &FailedAttempt) -> Option<(&'static str, &'static str)> {
    let reasons = [
        (
            CutoutError::Truncated.to_string(),
            ("it ends early", "quarantined"),
        ),
        (
            CutoutError::ZeroEnd.to_string(),
            ("it ends in zeros", "taken as it is"),
        ),
        (
            SourceError::Unwritten.to_string(),
            ("parts of it were never written", "taken as it is"),
        ),
    ];
    let mut reasons = reasons.into_iter().filter(|_| !failed.is_counted);
    let found = reasons.find(|(reason, _)| *reason == failed.reason);
    found.map(|(_, told)| told)
}
