//! Finds the cutout that an earlier run has made of a photo, without a ledger. Must not make or change one.

use std::path::PathBuf;
use std::sync::Arc;

use super::output_name::{is_of, occupant, same_content};
use super::{Job, JobError};
use crate::blocking::blocking;
use crate::delivery::{Occupant, cutout_names};
use crate::fs::detached::Detached;
use crate::intake::SourceFile;

/// Returns the path of the existing cutout that an attempt at `job` would reuse: made from the same bytes, with the wanted model
/// and edges.
pub async fn find_done(job: &Job) -> Result<Option<PathBuf>, JobError> {
    let (input, file) = (job.folder.input.clone(), job.file.clone());
    let source = blocking(move || {
        let source = SourceFile::open(&input, &file)?;
        Ok::<_, JobError>(Detached::new(Arc::new(source)))
    })
    .await?;
    let fixed = job.fixed_name();
    let others = if fixed.is_some() { 0 } else { usize::MAX };
    let names = cutout_names(job.file.relative()).take(others);
    for name in fixed.map(PathBuf::from).into_iter().chain(names) {
        let provenance = match occupant(job, &name).await? {
            Occupant::Free => return Ok(None),
            Occupant::Ours(provenance) if fixed.is_some() || is_of(&provenance, job) => provenance,
            Occupant::Ours(_) | Occupant::Sheet | Occupant::Foreign => continue,
        };
        if let Some(already) = same_content(&source, provenance).await? {
            let is_wanted = !job.wants_another_than(&already);
            return Ok(is_wanted.then(|| job.folder.output.join(&name)));
        }
    }
    Ok(None)
}
