//! Copies the outputs of a photo that was renamed inside its hot folder to its new name. Must not choose the name.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::CWD;

use super::attempt::{Attempt, OpenOutput, ReceivedOutput, place_all, sync_outputs};
use super::output_name::ChosenOutput;
use super::output_place::OutputPlace;
use super::placed::Placed;
use super::source::Source;
use super::{Job, JobError, Origin};
use crate::blocking::blocking;
use crate::delivery::{Destination, Occupant, copy_with_provenance, remove_cutout};
use crate::fs::detached::Detached;
use crate::fs::stamp::Stamp;
use crate::intake::{SourceError, SourceFile};
use crate::ledger::{Begun, FormerName, Ledger};
use crate::percent;
use crate::provenance::Provenance;

/// The earlier name of a photo.
#[derive(Clone, Debug)]
pub(super) struct Renamed {
    /// Its row in the ledger.
    pub(super) id: i64,
    /// The path that it had below the hot folder.
    pub(super) from: PathBuf,
    /// The SHA-256 of its content.
    pub(super) sha256: [u8; 32],
    /// The outputs under the earlier name that are still as hotcut made them.
    cutouts: Vec<FormerCutout>,
}

/// An output under the earlier name of its photo.
#[derive(Clone, Debug)]
struct FormerCutout {
    /// The output folder that it is below.
    output: PathBuf,
    /// The folder that contains it.
    folder: PathBuf,
    name: OsString,
    provenance: Provenance,
}

/// Finds the earlier name of a photo whose outputs were placed under that name and which no longer has it.
pub(super) async fn find(
    job: &Job,
    source: &Arc<SourceFile>,
    ledger: &Ledger,
) -> Result<Option<Renamed>, JobError> {
    let version = Source::of(job).version;
    let former = ledger
        .call(move |ledger| ledger.former_name(&version))
        .await?;
    let Some(former) = former else {
        return Ok(None);
    };
    let ino = job.file.stamp().ino;
    let (input, source) = (job.folder.input.clone(), Arc::clone(source));
    let places = job.outputs.clone();
    blocking(move || {
        // A second hard link to the file is another photo.
        let at_former = Stamp::read(CWD, input.join(&former.source).as_os_str());
        let is_link = at_former.is_ok_and(|(found, _)| found.ino == ino);
        if is_link || source.hash()? != former.sha256 {
            return Ok(None);
        }
        let mut cutouts = Vec::new();
        for place in &places {
            cutouts.extend(find_cutout(place, &former)?);
        }
        Ok(Some(Renamed {
            id: former.id,
            from: former.source,
            sha256: former.sha256,
            cutouts,
        }))
    })
    .await
}

/// Returns `None` if the output lies elsewhere, is gone, or is not the one that hotcut made of this photo.
fn find_cutout(place: &OutputPlace, former: &FormerName) -> Result<Option<FormerCutout>, JobError> {
    let folder = place.open()?;
    let mut outputs = former.outputs.iter();
    let found = outputs.find_map(|path| Some((path, path.strip_prefix(&place.folder).ok()?)));
    let Some((path, below)) = found else {
        return Ok(None);
    };
    // Must come before its folder is opened, which would create the folder.
    if path.symlink_metadata().is_err() {
        return Ok(None);
    }
    let (Some(parent), Some(name)) = (below.parent(), below.file_name()) else {
        return Ok(None);
    };
    let Ok(folder) = folder.subfolder(parent) else {
        return Ok(None);
    };
    let Ok(Occupant::Ours(provenance)) = folder.occupant(name) else {
        return Ok(None);
    };
    let is_its_own =
        provenance.sha256 == former.sha256 && provenance.source == percent::encode(&former.source);
    Ok(is_its_own.then(|| FormerCutout {
        output: place.folder.clone(),
        folder: folder.path().to_owned(),
        name: name.to_owned(),
        provenance,
    }))
}

impl Renamed {
    /// Returns whether each output that is missing under the new name exists under the earlier one.
    fn has_all(&self, chosen: &[ChosenOutput]) -> bool {
        let is_there = |output: &ChosenOutput| {
            output.already.is_some() || self.cutout_in(&output.place).is_some()
        };
        chosen.iter().all(is_there)
    }

    fn cutout_in(&self, place: &OutputPlace) -> Option<&FormerCutout> {
        let mut cutouts = self.cutouts.iter();
        cutouts.find(|cutout| cutout.output == place.folder)
    }

    /// The model of the outputs, if they can be copied.
    pub(super) fn model(&self, chosen: &[ChosenOutput]) -> Option<&str> {
        let first = self.cutouts.first().filter(|_| self.has_all(chosen))?;
        Some(&first.provenance.model)
    }
}

impl Attempt<'_> {
    /// Gives a renamed photo its outputs under the new name. `None` if not all can be copied.
    pub(super) async fn take_over(
        &self,
        renamed: Renamed,
        source: &Detached<Arc<SourceFile>>,
        chosen: &[ChosenOutput],
        begun: Begun,
    ) -> Result<Option<Placed>, JobError> {
        if !renamed.has_all(chosen) {
            return Ok(None);
        }
        let wanted = self.open_temps(chosen, begun).await?;
        let mut copied = Vec::with_capacity(wanted.len());
        for open in wanted {
            if let Some(cutout) = renamed.cutout_in(&open.chosen.place) {
                copied.push(cutout.copy(self.job, open).await?);
            }
        }
        if copied.is_empty() {
            // An attempt that a crash interrupted has placed them.
            sync_outputs(chosen).await?;
        } else {
            place_all(Arc::clone(source), copied).await?;
        }
        for cutout in &renamed.cutouts {
            cutout.remove().await?;
        }
        let name = self.job.file.relative().to_owned();
        let recorded = self
            .context
            .ledger
            .call(move |ledger| ledger.renamed(renamed.id, &name));
        recorded.await?;
        let former = renamed.cutouts.iter().map(|it| it.provenance.is_doubtful);
        let existing = chosen.iter().filter_map(|output| output.already.as_ref());
        let mut doubts = former.chain(existing.map(|already| already.is_doubtful));
        Ok(Some(Placed {
            outputs: chosen.iter().map(ChosenOutput::path).collect(),
            sha256: renamed.sha256,
            is_doubtful: doubts.any(|is_doubtful| is_doubtful),
            origin: Origin::Renamed { from: renamed.from },
        }))
    }
}

impl FormerCutout {
    /// Copies the output to the temporary file of `open`; the provenance of the copy has the current name of the photo.
    async fn copy(&self, job: &Job, open: OpenOutput) -> Result<ReceivedOutput, JobError> {
        let former = self.clone();
        let wanted = Provenance {
            source: percent::encode(job.file.relative()),
            ..self.provenance.clone()
        };
        blocking(move || {
            let folder = Destination::open(&former.folder, None)?;
            let (name, found) = (&former.name, &former.provenance);
            let copied = copy_with_provenance(&folder, name, found, &wanted, &open.temp)?;
            // The output was changed a moment ago: the photo is looked at again and cut out.
            let len = copied.ok_or(JobError::Source(SourceError::Changed))?;
            Ok(ReceivedOutput { open, len })
        })
        .await
    }

    /// Removes the output under the earlier name, after the new one is in place.
    async fn remove(&self) -> Result<(), JobError> {
        let Self {
            folder,
            name,
            provenance,
            ..
        } = self.clone();
        blocking(move || {
            let folder = Destination::open(&folder, None)?;
            Ok(remove_cutout(&folder, &name, &provenance)?)
        })
        .await
    }
}
