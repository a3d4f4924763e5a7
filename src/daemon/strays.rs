//! Finds originals that a crash has left under hidden names, and moves or deletes them as configured, or restores their names. Must
//! not touch a photo under its own name.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::OFlags;

use crate::config::Folder;
use crate::delivery::{Destination, put_back_stray};
use crate::fs::disk::Pulse;
use crate::fs::path_error::PathError;
use crate::fs::root::Root;
use crate::job::{self, JobContext};
use crate::ledger::{HalfRetired, LedgerError};
use crate::percent;

/// How long a move to another disk may take.
const MOVE_LIMIT: Duration = Duration::from_mins(10);

/// Why an original cannot be dealt with now.
#[derive(Debug, thiserror::Error)]
enum StrayError {
    #[error(transparent)]
    Folder(#[from] PathError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Handles the hidden originals of one folder, before any of its photos is looked at. Blocks.
pub(super) fn deal_with(
    root: &Root,
    folder: &Arc<Folder>,
    context: &JobContext,
    half_retired: &[HalfRetired],
    pulse: &Pulse,
) {
    for half in half_retired {
        pulse.step();
        let source = &half.version.source;
        let parent = source.parent().unwrap_or(Path::new(""));
        let Ok(directory) = root.open_below(parent, OFlags::RDONLY | OFlags::DIRECTORY) else {
            continue;
        };
        let directory = Destination::from_directory(directory, root.join(parent));
        if let Err(error) = finish(&directory, folder, context, half, pulse) {
            // One failure must not leave the other photos hidden.
            let source = percent::display(source);
            tracing::error!(folder = folder.name, %source, %error, "a photo that a crash has left under a hidden name cannot get its name back; it is tried again at the next start");
        }
    }
}

fn finish(
    directory: &Destination,
    folder: &Arc<Folder>,
    context: &JobContext,
    half: &HalfRetired,
    pulse: &Pulse,
) -> Result<(), StrayError> {
    let aside = context.hidden_name(half.id, "source");
    let name = half.version.source.file_name().unwrap_or_default();
    if !directory.has(aside.as_ref())? {
        return Ok(());
    }
    let (id, source) = (half.id, percent::display(&half.version.source));
    // Restored under another name, the original would be a new photo and get a second cutout.
    if half.output.is_some() && directory.has(name)? {
        pulse.long_step(MOVE_LIMIT);
        match job::retire_late(Arc::clone(folder), context, half) {
            Ok(true) => {
                let retired = context
                    .ledger
                    .call_blocking(move |ledger| ledger.retired_late(id));
                if retired? {
                    tracing::info!(folder = folder.name, %source, "a photo that a crash has left under a hidden name was moved or deleted as its folder says");
                }
            }
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(folder = folder.name, %source, %error, "a photo that a crash has left under a hidden name cannot be moved or deleted; as another one has its name, it gets one with a number");
            }
        }
    }
    put_back_stray(directory, aside.as_ref(), name)?;
    Ok(())
}
