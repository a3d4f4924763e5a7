//! Finds out what file has a name in an output folder, and whether it is made from a given source. Must not choose a name.

use std::path::Path;
use std::sync::Arc;

use super::output_place::OutputPlace;
use super::{Job, JobError};
use crate::blocking::blocking;
use crate::config::{Edges, Folder};
use crate::delivery::Occupant;
use crate::intake::SourceFile;
use crate::percent;
use crate::provenance::Provenance;

/// An existing cutout that can be reused.
#[derive(Clone, Debug)]
pub(super) struct ExistingCutout {
    /// The SHA-256 of the source.
    pub(super) sha256: [u8; 32],
    /// The model that made it.
    pub(super) model: String,
    /// Whether the photo may be incomplete.
    pub(super) is_doubtful: bool,
    /// How its edges were made.
    pub(super) edges: Edges,
}

impl ExistingCutout {
    /// Returns whether `folder` would make another cutout of the same photo.
    pub(super) fn differs_from(&self, folder: &Folder) -> bool {
        self.model != folder.model || self.edges != folder.edges
    }
}

pub(super) fn is_of(provenance: &Provenance, job: &Job) -> bool {
    provenance.source == percent::encode(job.file.relative())
}

pub(super) async fn same_content(
    source: &Arc<SourceFile>,
    provenance: Provenance,
) -> Result<Option<ExistingCutout>, JobError> {
    let source = Arc::clone(source);
    let found = blocking(move || source.hash()).await?;
    let Provenance {
        sha256,
        model,
        is_doubtful,
        edges,
        ..
    } = provenance;
    Ok((found == sha256).then_some(ExistingCutout {
        sha256,
        model,
        is_doubtful,
        edges,
    }))
}

pub(super) async fn occupant(place: &OutputPlace, name: &Path) -> Result<Occupant, JobError> {
    let (place, name) = (place.clone(), name.to_owned());
    blocking(move || {
        let folder = place.open()?;
        folder
            .subfolder(name.parent().unwrap_or(Path::new("")))
            .and_then(|folder| folder.occupant(name.file_name().unwrap_or_default()))
            .map_err(JobError::below_output)
    })
    .await
}
