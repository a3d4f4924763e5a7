//! Lists a hot folder. Start-up, lost events and the periodic rescan all take this one path.
//!
//! Each folder has its own thread, the scanner, so that a dead network mount delays no other folder. The scanner must not decide
//! anything: it knows neither which files are settled nor which are done.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self as thread_channel, RecvTimeoutError};
use std::time::Duration;

use rustix::fs::{FileType, OFlags};
use tokio::time::Instant;

use super::emptied::{self, EmptyFolder, EmptyFolders};
use super::lease;
use super::observation::{Found, Observation, Writer};
use super::report::{Online, Polled, Report, ScanRequest};
use super::scanner::{Assignment, Preparation, PrepareInput, PrepareOutput, Signs};
use super::second_look::SecondLook;
use super::source::is_gone;
use super::walk::Walk;
use super::watch::Watch;
use crate::fs::mount;
use crate::fs::root::{Root, RootId};
use crate::fs::stamp::Stamp;

/// How long it may take to watch a folder and everything below it.
const WATCH_LIMIT: Duration = Duration::from_mins(5);

/// The report has no receiver: the loop is gone.
struct Unheard;

/// The thread of one folder.
pub(super) struct ScanThread {
    assignment: Assignment,
    signs: Arc<Signs>,
    /// The work to do before the folder is served.
    prepare_outputs: Vec<PrepareOutput>,
    prepare_input: Option<PrepareInput>,
    /// The mount points of the output folders, as far as known and not reported yet.
    output_mounts: Vec<Option<PathBuf>>,
    known: Option<RootId>,
    watch: Option<Watch>,
    second_look: SecondLook,
    empty_folders: EmptyFolders,
}

impl ScanThread {
    pub(super) fn new(assignment: Assignment, preparation: Preparation, signs: Arc<Signs>) -> Self {
        Self {
            assignment,
            signs,
            prepare_outputs: preparation.outputs,
            prepare_input: Some(preparation.input),
            output_mounts: Vec::new(),
            known: None,
            watch: None,
            second_look: SecondLook::default(),
            empty_folders: EmptyFolders::default(),
        }
    }

    /// Handles requests until no requester is left.
    pub(super) fn serve(&mut self, inbox: &thread_channel::Receiver<ScanRequest>) {
        while let Some(ask) = self.next(inbox) {
            self.signs.pulse.step();
            let end = self.carry_out(ask);
            self.signs.pulse.rest();
            if end.is_err() {
                return;
            }
        }
    }

    /// Waits for the next request; `None` once no requester is left.
    fn next(&mut self, inbox: &thread_channel::Receiver<ScanRequest>) -> Option<ScanRequest> {
        loop {
            if let Some(folder) = self.second_look.take(Instant::now()) {
                return Some(ScanRequest::LookAgain(folder));
            }
            let Some(due) = self.second_look.next() else {
                return inbox.recv().ok();
            };
            match inbox.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(ask) => return Some(ask),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn carry_out(&mut self, ask: ScanRequest) -> Result<(), Unheard> {
        if matches!(ask, ScanRequest::Rewatch) {
            self.known = None;
        }
        self.prepare_outputs();
        let root = match Root::open(
            &self.assignment.input,
            self.assignment.mount_point.as_deref(),
        ) {
            Ok(root) => root,
            Err(error) => {
                self.known = None;
                self.watch = None;
                return self.send(Report::Offline(error));
            }
        };
        self.prepare_input(&root)?;
        if self.signs.is_given_up.swap(false, Ordering::Relaxed) {
            self.known = None;
        }
        let is_known = self.known == Some(root.id());
        if !is_known {
            self.known = Some(root.id());
            self.greet(&root)?;
        }
        if !(is_known
            && matches!(
                ask,
                ScanRequest::Look(_) | ScanRequest::LookAgain(_) | ScanRequest::Remove(_)
            ))
        {
            self.list(&root, Path::new(""), true)?;
        }
        match ask {
            ScanRequest::Look(paths) => self.look(&root, paths),
            ScanRequest::LookAgain(folder) => self.list(&root, &folder, false),
            ScanRequest::Remove(folders) => self.remove(&root, folders),
            ScanRequest::List | ScanRequest::Rewatch => Ok(()),
        }
    }

    /// Runs even while the hot folder is offline, because a person may look for the output folder.
    fn prepare_outputs(&mut self) {
        for (number, prepare) in (1..).zip(std::mem::take(&mut self.prepare_outputs)) {
            self.signs.at_output.store(number, Ordering::Relaxed);
            self.output_mounts.push(prepare(&self.signs.pulse));
            self.signs.at_output.store(0, Ordering::Relaxed);
            self.signs.pulse.step();
        }
    }

    fn prepare_input(&mut self, root: &Root) -> Result<(), Unheard> {
        let Some(prepare) = self.prepare_input.take() else {
            return Ok(());
        };
        // The disk may have stalled this thread until another thread serves the folder, whose photos must not be touched.
        if !self.signs.is_wanted() {
            return Err(Unheard);
        }
        prepare(root, &self.signs.pulse);
        self.signs.pulse.step();
        Ok(())
    }

    /// Watches the folder before it is listed, so that no change in between is missed.
    fn greet(&mut self, root: &Root) -> Result<(), Unheard> {
        self.watch = None;
        let Assignment {
            id,
            input,
            canary,
            sightings,
            ..
        } = &self.assignment;
        let polled = match mount::deaf_kind(input) {
            Ok(Some(kind)) => Some(Polled::Deaf(kind)),
            Ok(None) | Err(_) => {
                self.signs.pulse.long_step(WATCH_LIMIT);
                match Watch::start(*id, input, canary, sightings.clone()) {
                    Ok(watch) => {
                        self.watch = Some(watch);
                        None
                    }
                    Err(error) => Some(Polled::Unwatchable(error)),
                }
            }
        };
        let mount_point = root.mount_point().to_owned();
        // The mount is required from now on: without it the folder is offline. A mount that appears over the folder later is
        // noticed.
        self.assignment.mount_point = Some(mount_point.clone());
        let output_mounts = std::mem::take(&mut self.output_mounts);
        self.send(Report::Online(Online {
            mount_point,
            output_mounts,
            polled,
        }))
    }

    fn look(&mut self, root: &Root, paths: Vec<PathBuf>) -> Result<(), Unheard> {
        let mut seen = Vec::with_capacity(paths.len());
        for relative in paths {
            self.signs.pulse.step();
            let (found, writer, is_directory) = self.inspect(root, &relative);
            seen.push(Observation {
                relative: relative.clone(),
                found,
                writer,
            });
            if is_directory && self.assignment.filter.enters(&relative) {
                self.list(root, &relative, false)?;
                self.second_look.note(relative, Instant::now());
            }
        }
        self.send(Report::Seen(seen))
    }

    fn inspect(&self, root: &Root, relative: &Path) -> (Found, Writer, bool) {
        // O_PATH first: opening a device or a FIFO can have side effects.
        let file = match root.open_below(relative, OFlags::PATH) {
            Ok(file) => file,
            Err(error) if is_gone(&error) => return (Found::Nothing, Writer::Absent, false),
            Err(_) => return (Found::Unknown, Writer::Absent, false),
        };
        let Ok((stamp, kind)) = Stamp::read(&file, OsStr::new("")) else {
            return (Found::Unknown, Writer::Absent, false);
        };
        match kind {
            FileType::Directory => (Found::Nothing, Writer::Absent, true),
            FileType::RegularFile if self.assignment.filter.takes(relative) => {
                let writer = lease::writer_at(root, relative);
                (Found::File(stamp), writer, false)
            }
            FileType::RegularFile
            | FileType::Symlink
            | FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => (Found::Nothing, Writer::Absent, false),
        }
    }

    fn list(&mut self, root: &Root, top: &Path, is_whole: bool) -> Result<(), Unheard> {
        let started = Instant::now();
        let walk = Walk {
            root,
            filter: &self.assignment.filter,
            pulse: &self.signs.pulse,
        };
        let report = if is_whole { Report::Met } else { Report::Seen };
        let mut listing = walk.below(top, &mut |seen| self.send(report(seen)))?;
        if !is_whole {
            return Ok(());
        }
        if let Some(quiet) = self.assignment.filter.removes_empty_after() {
            let met = std::mem::take(&mut listing.empty);
            listing.empty = self.empty_folders.note(met, quiet, Instant::now());
        }
        let took = started.elapsed();
        self.send(Report::Listed { took, listing })
    }

    fn remove(&self, root: &Root, wanted: Vec<EmptyFolder>) -> Result<(), Unheard> {
        // A reload may have ended this scanner.
        if !self.signs.is_wanted() {
            return Err(Unheard);
        }
        let (mut folders, mut error) = (Vec::new(), None);
        for folder in wanted {
            self.signs.pulse.step();
            match emptied::remove(root, &folder) {
                Ok(true) => folders.push(folder.relative),
                Ok(false) => {}
                Err(found) => {
                    error.get_or_insert(found);
                }
            }
        }
        self.send(Report::Removed { folders, error })
    }

    fn send(&self, report: Report) -> Result<(), Unheard> {
        let marked = (self.assignment.id, report);
        // The send may wait for the loop, which must not count as a silent disk.
        self.signs.pulse.rest();
        let sent = self.assignment.reports.blocking_send(marked);
        self.signs.pulse.step();
        sent.map_err(|_| Unheard)
    }
}

#[cfg(test)]
mod tests;
