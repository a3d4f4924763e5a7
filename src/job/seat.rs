//! A source -> the name of its cutout, never one that belongs to anything else; writes nothing to the output folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Job, JobError, blocking};
use crate::delivery::{Destination, Ledger, Occupant, Replace, Seat, cutout_names, fold_case};
use crate::intake::SourceFile;
use crate::mark::Mark;
use crate::percent;

/// Where a cutout goes.
#[derive(Debug)]
pub(super) struct Place {
    /// The path below the output folder.
    pub(super) name: PathBuf,
    /// Whether what is there may be replaced.
    pub(super) replace: Replace,
    /// Set if a cutout of this very version is there already.
    pub(super) already: Option<Already>,
}

/// A cutout that need not be made.
#[derive(Debug)]
pub(super) struct Already {
    /// The SHA-256 of the source.
    pub(super) sha256: [u8; 32],
    /// The model that has made it.
    pub(super) model: String,
}

/// Finds the name: the one that the source has had before, else the first that is free.
pub(super) async fn choose(
    job: &Job,
    source: &Arc<SourceFile>,
    ledger: &Ledger,
) -> Result<Place, JobError> {
    let mark_source = percent::encode(job.file.relative());
    let (folder, relative) = (job.folder.name.clone(), job.file.relative().to_owned());
    let output = job.folder.output.clone();
    let owned = ledger.call({
        let (folder, relative, output) = (folder.clone(), relative.clone(), output.clone());
        move |book| book.name_of(&folder, &relative, &output)
    });
    if let Some(name) = owned.await? {
        match occupant(job, &name).await? {
            Occupant::Free => {
                return Ok(Place {
                    name,
                    replace: Replace::Never,
                    already: None,
                });
            }
            Occupant::Ours(mark) if mark.source == mark_source => {
                let already = same_content(source, mark).await?;
                return Ok(Place {
                    name,
                    replace: Replace::Own,
                    already,
                });
            }
            // Somebody has put another file under the name, a retouched cutout perhaps: it is not ours to replace.
            Occupant::Ours(_) | Occupant::Foreign => {}
        }
    }
    for name in cutout_names(&relative) {
        let already = match occupant(job, &name).await? {
            Occupant::Free => None,
            // Without a record of it, only a cutout of the same content is known to be of the same source.
            Occupant::Ours(mark) if mark.source == mark_source => {
                match same_content(source, mark).await? {
                    Some(already) => Some(already),
                    None => continue,
                }
            }
            Occupant::Ours(_) | Occupant::Foreign => continue,
        };
        let seat = Seat {
            output: output.clone(),
            folded: fold_case(&name),
            name: name.clone(),
        };
        let (folder, relative) = (folder.clone(), relative.clone());
        if ledger
            .call(move |book| book.reserve(&folder, &relative, &seat))
            .await?
        {
            return Ok(Place {
                name,
                replace: Replace::Never,
                already,
            });
        }
    }
    unreachable!("there is always another number")
}

async fn same_content(source: &Arc<SourceFile>, mark: Mark) -> Result<Option<Already>, JobError> {
    let source = Arc::clone(source);
    let found = blocking(move || source.hash()).await?;
    let Mark { sha256, model, .. } = mark;
    Ok((found == sha256).then_some(Already { sha256, model }))
}

async fn occupant(job: &Job, name: &Path) -> Result<Occupant, JobError> {
    let (output, mount) = (job.folder.output.clone(), job.output_mount.clone());
    let name = name.to_owned();
    blocking(move || {
        let folder = Destination::open(&output, mount.as_deref())?;
        folder
            .subfolder(name.parent().unwrap_or(Path::new("")))
            .and_then(|folder| folder.occupant(name.file_name().unwrap_or_default()))
            .map_err(JobError::below_output)
    })
    .await
}
