//! Rebuilds a lost ledger from the provenance in the cutouts of the output folders. Must not open photos or write files.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::destination::read_provenance;
use super::names::fold_case;
use crate::config::Folder;
use crate::fs::disk;
use crate::fs::path_error::{AtPath as _, PathError};
use crate::ledger::{FoundCutout, LedgerError, LedgerStore, RebuildExtent};
use crate::percent;
use crate::provenance::Provenance;

/// How long a disk may not respond before its output folder is skipped.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    first: Duration,
    later: Duration,
}

impl Patience {
    /// For callers that delay other work.
    pub const SHORT: Self = Self {
        first: Duration::from_secs(1),
        later: disk::ANSWER_LIMIT,
    };

    /// For callers that delay no other work.
    pub const LONG: Self = Self {
        first: Duration::from_secs(30),
        later: Duration::from_secs(30),
    };
}

/// How often progress is reported.
const ALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// The result of a rebuild.
#[derive(Debug, Default)]
pub struct Rebuilt {
    /// Cutouts of hotcut that were found.
    pub cutouts: usize,
    /// Names that were new to the ledger.
    pub names: usize,
    /// Cutouts that two hot folders may have made; they are assigned to neither.
    pub unclear: usize,
    /// Folders that could not be read.
    pub unreadable: Vec<PathError>,
}

/// Adds the cutouts in the output folders of `folders` to `ledger`. `folders` are all folders or, with [`RebuildExtent::Part`],
/// some of them. Calls `alive` every ten seconds. When a disk does not respond, the next start begins again.
pub fn rebuild(
    ledger: &mut dyn LedgerStore,
    folders: &[Arc<Folder>],
    extent: RebuildExtent,
    patience: Patience,
    alive: &mut impl FnMut(),
) -> Result<Rebuilt, LedgerError> {
    let mut rebuilt = Rebuilt::default();
    let mut outputs: Vec<&Path> = folders
        .iter()
        .flat_map(|folder| folder.output_paths())
        .collect();
    outputs.sort();
    outputs.dedup();
    ledger.begin_relearning()?;
    let late_at = Instant::now() + patience.first;
    let mut listings = Vec::new();
    for output in outputs {
        let makers: Vec<Arc<Folder>> = folders
            .iter()
            .filter(|folder| folder.output_paths().any(|path| path == output))
            .map(Arc::clone)
            .collect();
        let (sender, signs) = sync_channel(64);
        let top = output.to_owned();
        // On a separate thread: an unresponsive disk must not block the start.
        std::thread::Builder::new()
            .name("rebuild".to_owned())
            .spawn(move || list(&top, &makers, &sender))
            .at(output)?;
        listings.push((output, signs));
    }
    // All threads are already running, so unresponsive disks are waited for in parallel.
    for (output, signs) in listings {
        let listing = OutputListing {
            output,
            signs,
            late_at,
            patience,
        };
        rebuilt.learn(ledger, listing, alive)?;
    }
    let is_silent = rebuilt.unreadable.iter().any(disk::is_silent);
    let extent = if is_silent {
        RebuildExtent::Part
    } else {
        extent
    };
    rebuilt.names = ledger.end_relearning(extent)?;
    Ok(rebuilt)
}

impl Rebuilt {
    /// Records the reports on one output folder until there are no more or its disk does not respond.
    fn learn(
        &mut self,
        ledger: &mut dyn LedgerStore,
        mut listing: OutputListing<'_>,
        alive: &mut impl FnMut(),
    ) -> Result<(), LedgerError> {
        let mut told_at = Instant::now();
        loop {
            if told_at.elapsed() >= ALIVE_INTERVAL {
                alive();
                told_at = Instant::now();
            }
            match listing.next() {
                Ok(Sign::Cutout(found)) => {
                    self.cutouts += 1;
                    ledger.note_found(&found)?;
                }
                Ok(Sign::Unclear) => self.unclear += 1,
                Ok(Sign::Unreadable(error)) => self.unreadable.push(error),
                Ok(Sign::Alive) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {
                    self.unreadable.push(disk::silent(listing.output));
                    return Ok(());
                }
            }
        }
    }
}

/// The reports on an output folder.
struct OutputListing<'a> {
    output: &'a Path,
    signs: Receiver<Sign>,
    late_at: Instant,
    patience: Patience,
}

impl OutputListing<'_> {
    fn next(&mut self) -> Result<Sign, RecvTimeoutError> {
        let left = self.late_at.saturating_duration_since(Instant::now());
        let sign = self.signs.recv_timeout(left);
        self.late_at = Instant::now() + self.patience.later;
        sign
    }
}

/// The report on a name in an output folder.
enum Sign {
    Cutout(Box<FoundCutout>),
    Unclear,
    Unreadable(PathError),
    /// Not a cutout, but the disk responds.
    Alive,
}

/// Walks `output` and reports each cutout. Stops when the receiver is gone.
fn list(output: &Path, makers: &[Arc<Folder>], signs: &SyncSender<Sign>) {
    let mut folders = vec![PathBuf::new()];
    if output.symlink_metadata().is_ok() && signs.send(Sign::Alive).is_err() {
        return;
    }
    while let Some(folder) = folders.pop() {
        let mut tell = |sign| signs.send(sign).is_ok();
        if let Err(error) = read(output, &folder, makers, &mut folders, &mut tell)
            && !tell(Sign::Unreadable(error))
        {
            return;
        }
    }
}

fn read(
    output: &Path,
    folder: &Path,
    makers: &[Arc<Folder>],
    folders: &mut Vec<PathBuf>,
    tell: &mut impl FnMut(Sign) -> bool,
) -> Result<(), PathError> {
    let path = output.join(folder);
    for entry in path.read_dir().at(&path)? {
        let entry = entry.at(&path)?;
        let name = folder.join(entry.file_name());
        let kind = entry.file_type().at(&entry.path())?;
        let found = if kind.is_dir() {
            folders.push(name);
            Sign::Alive
        } else {
            match kind.is_file().then(|| marked(&entry.path())).flatten() {
                Some((provenance, written_at_ms)) => {
                    sign(output, name, &provenance, written_at_ms, makers)
                }
                None => Sign::Alive,
            }
        };
        if !tell(found) {
            break;
        }
    }
    Ok(())
}

/// The provenance of a cutout and its modification time; `None` if it cannot be read.
fn marked(path: &Path) -> Option<(Provenance, i64)> {
    let is_png = path
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("png"));
    if !is_png {
        return None;
    }
    let mut file = File::open(path).ok()?;
    let provenance = read_provenance(&mut file).ok()??;
    let written = file.metadata().ok()?;
    Some((
        provenance,
        written.mtime() * 1_000 + written.mtime_nsec() / 1_000_000,
    ))
}

/// The provenance contains the source but not the hot folder. When several hot folders share an output, the owner is the one that
/// has the source.
fn sign(
    output: &Path,
    name: PathBuf,
    provenance: &Provenance,
    written_at_ms: i64,
    makers: &[Arc<Folder>],
) -> Sign {
    let source = percent::decode(&provenance.source);
    let has_source = |folder: &&Arc<Folder>| folder.input.join(&source).symlink_metadata().is_ok();
    let holders: Vec<&Arc<Folder>> = makers.iter().filter(has_source).collect();
    let maker = match (makers, &holders[..]) {
        ([only], _) => only,
        (_, [only]) => *only,
        _ => return Sign::Unclear,
    };
    Sign::Cutout(Box::new(FoundCutout {
        folder: maker.name.clone(),
        folded: fold_case(&name),
        output: output.to_owned(),
        name,
        written_at_ms,
        sha256: provenance.sha256,
        model: provenance.model.clone(),
        is_source_gone: holders.is_empty(),
        source,
    }))
}
