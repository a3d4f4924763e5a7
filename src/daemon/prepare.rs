//! Builds the first work of a folder's scanner: make the output folder ready and clear up after a crash. Does nothing itself.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{AtFlags, CWD};

use super::{log, strays};
use crate::config::{Config, Folder};
use crate::delivery::{Destination, Patience, rebuild, sweep_uploads};
use crate::fs::disk::Pulse;
use crate::fs::mount;
use crate::fs::path_error::{AtPath as _, PathError};
use crate::fs::root::Root;
use crate::intake::Preparation;
use crate::job::{JobContext, hidden_name};
use crate::ledger::{HalfRetired, Interrupted, LedgerError, RebuildExtent, SqliteLedger};

/// How long it may take to read the next cutouts of an output folder whose disk answers.
const LEARN_LIMIT: Duration = Duration::from_mins(1);

/// What the ledger knows of a folder before it is served.
pub(super) struct KnownFolder {
    /// The mount point of its output folder when last seen.
    pub(super) output_mount: Option<PathBuf>,
    /// Sources that a crash may have left half moved or half deleted.
    pub(super) half_retired: Vec<HalfRetired>,
    /// Whether to remove half-written uploads: true when no upload can be running yet.
    pub(super) sweeps_uploads: bool,
    pub(super) left: Left,
}

/// The work that an earlier daemon has left.
#[derive(Default)]
pub(super) struct Left {
    /// Attempts that a crash interrupted.
    pub(super) interrupted: Vec<Interrupted>,
    /// The ledger was lost and does not yet know the cutouts in the output folder.
    pub(super) is_unlearned: bool,
}

/// Builds the work to do before `folder` is served. Steps that fail are repeated at the next start, or the first photo reports the
/// cause.
pub(super) fn preparation(
    config: &Config,
    folder: &Arc<Folder>,
    context: &JobContext,
    known: KnownFolder,
) -> Preparation {
    let KnownFolder {
        output_mount,
        half_retired,
        sweeps_uploads,
        left: Left {
            interrupted,
            is_unlearned,
        },
    } = known;
    let (output, ledger_id) = (folder.output.clone(), context.ledger_id.clone());
    let state_dir = config.daemon.state_dir.clone();
    let sharing = config.folders.iter().filter(|one| one.output == output);
    let sharing: Vec<Arc<Folder>> = sharing.map(Arc::clone).collect();
    let prepare_output = move |pulse: &Pulse| {
        for attempt in &interrupted {
            pulse.step();
            remove_temp(&ledger_id, attempt);
        }
        pulse.step();
        let mount_point = open_output(&output, output_mount.as_deref()).ok();
        if is_unlearned && let Err(error) = learn(&state_dir, &sharing, pulse) {
            tracing::error!(%error, "the cutouts in an output folder could not be looked for; stop hotcut and run `hotcut rebuild`");
        }
        mount_point
    };
    let (context, input_folder) = (context.clone(), Arc::clone(folder));
    let prepare_input = move |root: &Root, pulse: &Pulse| {
        if sweeps_uploads && let Err(error) = sweep(root, &context.ledger_id) {
            tracing::debug!(%error, "could not search for partial uploads");
        }
        strays::deal_with(root, &input_folder, &context, &half_retired, pulse);
    };
    Preparation {
        output: Box::new(prepare_output),
        input: Box::new(prepare_input),
    }
}

/// Removes the temporary files of attempts in folders that are no longer configured, on a thread that is not waited for.
pub(super) fn remove_temps_of_nobody(
    ledger_id: String,
    interrupted: Vec<Interrupted>,
) -> io::Result<()> {
    if interrupted.is_empty() {
        return Ok(());
    }
    let thread = std::thread::Builder::new().name("remove-temps".to_owned());
    thread.spawn(move || {
        for attempt in &interrupted {
            remove_temp(&ledger_id, attempt);
        }
    })?;
    Ok(())
}

/// Removes the temporary file of an attempt. A file that cannot be reached now is removed when its photo is tried again.
fn remove_temp(ledger_id: &str, attempt: &Interrupted) {
    let folder = attempt.output.parent().unwrap_or(Path::new("/"));
    let temp = folder.join(hidden_name(ledger_id, attempt.id, "tmp"));
    rustix::fs::unlinkat(CWD, &temp, AtFlags::empty()).ok();
}

/// Reads the cutouts in the output folder that `folders` share into the ledger, because its disk did not answer at the start.
fn learn(state_dir: &Path, folders: &[Arc<Folder>], pulse: &Pulse) -> Result<(), LedgerError> {
    let mut alive = || pulse.long_step(LEARN_LIMIT);
    alive();
    if let Some(mut ledger) = SqliteLedger::open_existing(state_dir)? {
        log::rebuilt(
            &rebuild(
                &mut ledger,
                folders,
                RebuildExtent::Part,
                Patience::LONG,
                &mut alive,
            )?,
            false,
        );
    }
    Ok(())
}

/// Makes the output folder and returns the mount point that it lies under.
fn open_output(output: &Path, expected: Option<&Path>) -> Result<PathBuf, PathError> {
    Destination::open(output, expected)?;
    mount::point_of(&output.canonicalize().at(output)?)
}

/// Removes uploads that a crash has left half written in the folder.
fn sweep(root: &Root, ledger_id: &str) -> Result<(), PathError> {
    let folder = Destination::from_directory(root.directory()?, root.join(Path::new("")));
    sweep_uploads(&folder, ledger_id)
}
