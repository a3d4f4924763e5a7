//! Moves, deletes, annotates or leaves the original of a finished version, as configured. Must not touch the output.

use std::path::Path;
use std::sync::Arc;

use super::{Job, JobContext, JobError};
use crate::blocking::blocking;
use crate::config::{FailedPolicy, Folder, SourcePolicy};
use crate::delivery::{
    Destination, PlaceError, Retired, RetiringSource, number_of, remove_note, write_note,
};
use crate::fs::disk_space::MinFree;
use crate::fs::root::Root;
use crate::intake::SourceError;
use crate::ledger::{HalfRetired, Unexplained, Version};

/// Where the reason was left for an original that failed for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Explained {
    /// Beside the original.
    Beside,
    /// In the `failed` folder, to which the original was moved.
    Moved,
    /// Nowhere: the folder wants no reason, the original is gone, another task explains it, or this failure is a repetition.
    NothingNew,
}

/// Leaves a reason with its original that a crash or an unwritable folder has prevented before.
pub async fn explain_late(
    folder: Arc<Folder>,
    context: &JobContext,
    late: Unexplained,
) -> Result<Explained, JobError> {
    let id = late.id;
    let begin = context
        .ledger
        .call(move |ledger| ledger.begin_explaining(id));
    if !begin.await? {
        return Ok(Explained::NothingNew);
    }
    let source = Source {
        folder,
        version: late.version,
    };
    source.explain(context, late.id, late.reason).await
}

/// Moves or deletes, as configured, an original whose cutout is in place and which a crash has left under its hidden name. Returns
/// whether it is gone. Blocks.
pub fn retire_late(
    folder: Arc<Folder>,
    context: &JobContext,
    half: &HalfRetired,
) -> Result<bool, JobError> {
    let Some(output) = &half.output else {
        return Ok(false);
    };
    let source = Source {
        folder,
        version: half.version.clone(),
    };
    source.take_away(
        context.hidden_name(half.id, "source"),
        output,
        context.min_free,
    )
}

/// One version of a source.
#[derive(Clone, Debug)]
pub(super) struct Source {
    folder: Arc<Folder>,
    pub(super) version: Version,
}

impl Source {
    pub(super) fn of(job: &Job) -> Self {
        Self {
            folder: Arc::clone(&job.folder),
            version: Version {
                folder: job.folder.name.clone(),
                source: job.file.relative().to_owned(),
                stamp: job.file.stamp(),
            },
        }
    }

    /// Moves or deletes the original of a placed cutout, as configured, and removes an earlier note. Returns whether it is gone
    /// from its name. A moved original gets the number that its cutout, `output`, has among photos of the same name.
    pub(super) async fn retire(
        self,
        context: &JobContext,
        id: i64,
        output: &Path,
    ) -> Result<bool, JobError> {
        let (aside, min_free) = (context.hidden_name(id, "source"), context.min_free);
        let output = output.to_owned();
        blocking(move || self.take_away(aside, &output, min_free)).await
    }

    fn take_away(&self, aside: String, output: &Path, min_free: MinFree) -> Result<bool, JobError> {
        let retiring = self.retiring(aside, number_of(&self.version.source, output))?;
        remove_note(&retiring.folder, &retiring.name)?;
        let retired = match &self.folder.source {
            SourcePolicy::Keep => return Ok(false),
            SourcePolicy::Delete => retiring.delete()?,
            SourcePolicy::Move(done) => {
                let done = self.mirror_for(done, &retiring, min_free)?;
                retiring.move_to(done)?
            }
        };
        Ok(retired != Retired::Superseded)
    }

    /// Leaves the original of a placed cutout where it is, and removes an earlier note.
    pub(super) async fn keep(self, context: &JobContext, id: i64) -> Result<(), JobError> {
        let aside = context.hidden_name(id, "source");
        blocking(move || {
            let retiring = self.retiring(aside, 1)?;
            Ok(remove_note(&retiring.folder, &retiring.name)?)
        })
        .await
    }

    /// Leaves the reason for the photographer and records that in the ledger, where the explanation was begun before. A failed
    /// explanation is repeated, so each step checks what an earlier try has left.
    pub(super) async fn explain(
        self,
        context: &JobContext,
        id: i64,
        reason: String,
    ) -> Result<Explained, JobError> {
        let aside = context.hidden_name(id, "source");
        let (note, min_free) = (context.hidden_name(id, "note"), context.min_free);
        let leave = move || self.leave_reason(aside, note, &reason, min_free);
        let left = blocking(leave).await;
        let explained = left.as_ref().ok().copied();
        let record = context.ledger.call(move |ledger| {
            let Some(explained) = explained else {
                return Ok(ledger.fail_explaining(id));
            };
            if explained == Explained::Moved {
                ledger.explained_and_moved(id)?;
            } else {
                ledger.explained(id)?;
            }
            Ok(true)
        });
        let is_new = record.await?;
        left.or_else(|error| {
            if is_new {
                Err(error)
            } else {
                Ok(Explained::NothingNew)
            }
        })
    }

    /// Leaves a note beside the original, or moves both to the `failed` folder.
    fn leave_reason(
        &self,
        aside: String,
        note: String,
        reason: &str,
        min_free: MinFree,
    ) -> Result<Explained, JobError> {
        let retiring = self.retiring(aside, 1)?;
        let failed = match &self.folder.failed {
            FailedPolicy::Leave => return Ok(Explained::NothingNew),
            FailedPolicy::Note => {
                let name = retiring.name.clone();
                write_note(retiring.folder, &name, note.into(), &reason)?;
                return Ok(Explained::Beside);
            }
            FailedPolicy::Move(failed) => failed,
        };
        let target = self.mirror_for(failed, &retiring, min_free)?;
        let Retired::Moved(path) = retiring.move_to(target)? else {
            return Ok(Explained::NothingNew);
        };
        let name = path.file_name().unwrap_or_default();
        write_note(self.mirror(failed)?, name, note.into(), &reason)?;
        Ok(Explained::Moved)
    }

    fn retiring(&self, aside: String, number: u32) -> Result<RetiringSource, JobError> {
        let parent = self.parent();
        let root = Root::open(&self.folder.input, None).map_err(SourceError::from)?;
        let directory = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY;
        let folder = root
            .open_below(parent, directory)
            .map_err(SourceError::from)?;
        Ok(RetiringSource {
            folder: Destination::from_directory(folder, root.join(parent)),
            name: self
                .version
                .source
                .file_name()
                .unwrap_or_default()
                .to_owned(),
            stamp: self.version.stamp,
            aside: aside.into(),
            number,
        })
    }

    /// Opens the folder below `root` that `retiring` is moved to. If it is on another disk, the move is a copy, so it must have
    /// free space.
    fn mirror_for(
        &self,
        root: &Path,
        retiring: &RetiringSource,
        min_free: MinFree,
    ) -> Result<Destination, JobError> {
        let target = self.mirror(root)?;
        if !target.shares_disk_with(&retiring.folder)? {
            target.check_space(min_free)?;
        }
        Ok(target)
    }

    fn mirror(&self, root: &Path) -> Result<Destination, PlaceError> {
        Ok(Destination::open(root, None)?.subfolder(self.parent())?)
    }

    fn parent(&self) -> &Path {
        self.version.source.parent().unwrap_or(Path::new(""))
    }
}
