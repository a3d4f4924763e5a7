//! Finds the cutouts that an earlier run has made of a photo, without a ledger. Must not make or change one.

use std::path::PathBuf;
use std::sync::Arc;

use super::existing::{is_of, occupant, same_content};
use super::output_place::OutputPlace;
use super::{Job, JobError};
use crate::blocking::blocking;
use crate::delivery::{Occupant, cutout_names};
use crate::fs::detached::Detached;
use crate::intake::SourceFile;

/// Returns the paths of the existing cutouts that an attempt at `job` would reuse: made from the same bytes, with the wanted model and
/// edges. `None` if one is missing.
pub async fn find_done(job: &Job) -> Result<Option<Vec<PathBuf>>, JobError> {
    let (input, file) = (job.folder.input.clone(), job.file.clone());
    let source = blocking(move || {
        let source = SourceFile::open(&input, &file)?;
        Ok::<_, JobError>(Detached::new(Arc::new(source)))
    })
    .await?;
    let mut found = Vec::new();
    for place in &job.outputs {
        match find_in(job, &source, place).await? {
            Some(path) => found.push(path),
            None => return Ok(None),
        }
    }
    Ok(Some(found))
}

async fn find_in(
    job: &Job,
    source: &Arc<SourceFile>,
    place: &OutputPlace,
) -> Result<Option<PathBuf>, JobError> {
    let fixed = job.fixed_name();
    let others = if fixed.is_some() { 0 } else { usize::MAX };
    let names = cutout_names(job.file.relative()).take(others);
    for name in fixed.map(PathBuf::from).into_iter().chain(names) {
        let provenance = match occupant(place, &name).await? {
            Occupant::Free => return Ok(None),
            Occupant::Ours(provenance) if fixed.is_some() || is_of(&provenance, job) => provenance,
            Occupant::Ours(_) | Occupant::Sheet | Occupant::Foreign => continue,
        };
        if let Some(already) = same_content(source, provenance).await? {
            let is_wanted = !already.differs_from(&job.folder);
            return Ok(is_wanted.then(|| place.folder.join(&name)));
        }
    }
    Ok(None)
}
