//! Builds the first work of a folder's scanner: make the output folders ready and clear up after a crash. Does nothing itself.

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
use crate::intake::{Preparation, PrepareOutput};
use crate::job::{JobContext, OutputPlace, temp_name};
use crate::ledger::{HalfRetired, Interrupted, LedgerError, RebuildExtent, open_existing};

/// How long it may take to read the next cutouts of an output folder whose disk answers.
const LEARN_LIMIT: Duration = Duration::from_mins(1);

/// What the ledger knows of a folder before it is served.
pub(super) struct KnownFolder {
    /// Its outputs, with the mount points that their folders had when last seen.
    pub(super) outputs: Vec<OutputPlace>,
    /// Sources that a crash may have left half moved or half deleted.
    pub(super) half_retired: Vec<HalfRetired>,
    /// Whether to remove half-written uploads: true when no upload can be running yet.
    pub(super) sweeps_uploads: bool,
    pub(super) left: Left,
}

/// The work that an earlier daemon has left.
#[derive(Default)]
pub(super) struct Left {
    /// Outputs of attempts that a crash interrupted.
    pub(super) interrupted: Vec<Interrupted>,
    /// The output folders whose cutouts the ledger does not know yet, since it was lost.
    pub(super) unlearned: Vec<PathBuf>,
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
        outputs,
        half_retired,
        sweeps_uploads,
        left,
    } = known;
    let outputs = outputs
        .into_iter()
        .map(|place| prepare_output(config, context, place, &left))
        .collect();
    let (context, input_folder) = (context.clone(), Arc::clone(folder));
    let prepare_input = move |root: &Root, pulse: &Pulse| {
        if sweeps_uploads && let Err(error) = sweep(root, &context.ledger_id) {
            tracing::debug!(%error, "could not search for partial uploads");
        }
        strays::deal_with(root, &input_folder, &context, &half_retired, pulse);
    };
    Preparation {
        outputs,
        input: Box::new(prepare_input),
    }
}

/// Builds the work to do in one output folder.
fn prepare_output(
    config: &Config,
    context: &JobContext,
    place: OutputPlace,
    left: &Left,
) -> PrepareOutput {
    let ledger_id = context.ledger_id.clone();
    let state_dir = config.daemon.state_dir.clone();
    let interrupted = left.interrupted.iter();
    let interrupted: Vec<_> = interrupted
        .filter(|attempt| attempt.output.starts_with(&place.folder))
        .cloned()
        .collect();
    let is_unlearned = left.unlearned.contains(&place.folder);
    let shares = |one: &&Arc<Folder>| one.output_paths().any(|path| path == place.folder);
    let sharing: Vec<Arc<Folder>> = config
        .folders
        .iter()
        .filter(shares)
        .map(Arc::clone)
        .collect();
    Box::new(move |pulse: &Pulse| {
        for attempt in &interrupted {
            pulse.step();
            remove_temp(&ledger_id, attempt);
        }
        pulse.step();
        let mount_point = open_output(&place).ok();
        if is_unlearned && let Err(error) = learn(&state_dir, &sharing, pulse) {
            tracing::error!(%error, "an output folder could not be searched for cutouts; stop hotcut and run `hotcut rebuild`");
        }
        mount_point
    })
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

/// Removes the temporary file of an interrupted output. A file that cannot be reached now is removed when its photo is tried again.
fn remove_temp(ledger_id: &str, attempt: &Interrupted) {
    let folder = attempt.output.parent().unwrap_or(Path::new("/"));
    let temp = folder.join(temp_name(ledger_id, attempt.id, attempt.number));
    rustix::fs::unlinkat(CWD, &temp, AtFlags::empty()).ok();
}

/// Reads the cutouts in the output folder that `folders` share into the ledger, because its disk did not answer at the start.
fn learn(state_dir: &Path, folders: &[Arc<Folder>], pulse: &Pulse) -> Result<(), LedgerError> {
    let mut alive = || pulse.long_step(LEARN_LIMIT);
    alive();
    if let Some(mut ledger) = open_existing(state_dir)? {
        log::rebuilt(
            &rebuild(
                &mut *ledger,
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
fn open_output(place: &OutputPlace) -> Result<PathBuf, PathError> {
    let folder = &place.folder;
    Destination::open(folder, place.mount_point.as_deref())?;
    mount::point_of(&folder.canonicalize().at(folder)?)
}

/// Removes uploads that a crash has left half written in the folder.
fn sweep(root: &Root, ledger_id: &str) -> Result<(), PathError> {
    let folder = Destination::from_directory(root.directory()?, root.join(Path::new("")));
    sweep_uploads(&folder, ledger_id)
}
