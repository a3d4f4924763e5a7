//! Converts the folders' state to a table for a person. Must not read files.

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use super::{FolderReport, StatusReport, WaitingStatus};
use crate::command::not_taken::{Remedy, sentences};
use crate::daemon::WaitingFor;
use crate::worker::Confinement;

/// Prints the table.
pub(super) fn print(out: &mut impl Write, status: &StatusReport) -> io::Result<()> {
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
            folder.rates.photos_per_minute,
            folder.quarantined_count
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
        let more = folder
            .quarantined_count
            .saturating_sub(folder.quarantined.len());
        if more > 0 {
            writeln!(out, "  quarantined: {more} more")?;
        }
    }
    Ok(())
}

/// Prints the age of waiting photos, the rate and the estimated time, if photos wait or some were finished recently.
fn print_pace(out: &mut impl Write, folder: &FolderReport) -> io::Result<()> {
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
        folder.rates.photos_per_minute_over_10,
        folder.rates.photos_per_minute_over_60,
    );
    if sixty > 0.0 {
        write!(
            out,
            "  photos a minute: {ten} over 10 minutes, {sixty} over 60"
        )?;
        if let Some(left_s) = folder.rates.left_s {
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
