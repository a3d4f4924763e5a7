//! Copies the cutout of a photo that was renamed inside its hot folder to its new name. Must not choose the name.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::CWD;

use super::attempt::Attempt;
use super::output_name::ChosenName;
use super::placed::Placed;
use super::source::Source;
use super::{Job, JobError, Origin};
use crate::blocking::blocking;
use crate::delivery::{Destination, Occupant, Temp, copy_with_provenance, remove_cutout};
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
    /// The cutout under the earlier name, if it is still as hotcut made it.
    pub(super) cutout: Option<FormerCutout>,
}

/// A cutout under the earlier name of its photo.
#[derive(Clone, Debug)]
pub(super) struct FormerCutout {
    folder: PathBuf,
    name: OsString,
    provenance: Provenance,
}

/// Finds the earlier name of a photo whose cutout was placed under that name and which no longer has it.
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
    let (output, mount) = (job.folder.output.clone(), job.output_mount.clone());
    blocking(move || {
        // A second hard link to the file is another photo.
        let at_former = Stamp::read(CWD, input.join(&former.source).as_os_str());
        let is_link = at_former.is_ok_and(|(found, _)| found.ino == ino);
        if is_link || source.hash()? != former.sha256 {
            return Ok(None);
        }
        let folder = Destination::open(&output, mount.as_deref())?;
        let cutout = find_cutout(&output, folder, &former);
        Ok(Some(Renamed {
            id: former.id,
            from: former.source,
            sha256: former.sha256,
            cutout,
        }))
    })
    .await
}

/// Returns `None` if the cutout lies elsewhere, is gone, or is not the one that hotcut made of this photo.
fn find_cutout(output: &Path, folder: Destination, former: &FormerName) -> Option<FormerCutout> {
    let below = former.output.strip_prefix(output).ok()?;
    // Must come before its folder is opened, which would create the folder.
    former.output.symlink_metadata().ok()?;
    let folder = folder.subfolder(below.parent()?).ok()?;
    let name = below.file_name()?;
    let Ok(Occupant::Ours(provenance)) = folder.occupant(name) else {
        return None;
    };
    let is_its_own =
        provenance.sha256 == former.sha256 && provenance.source == percent::encode(&former.source);
    is_its_own.then(|| FormerCutout {
        folder: folder.path().to_owned(),
        name: name.to_owned(),
        provenance,
    })
}

impl Attempt<'_> {
    /// Gives a renamed photo its cutout under the new name. `None` if there is no such cutout.
    pub(super) async fn take_over(
        &self,
        renamed: Renamed,
        source: &Arc<SourceFile>,
        chosen: &ChosenName,
        begun: Begun,
    ) -> Result<Option<Placed>, JobError> {
        match (&chosen.already, &renamed.cutout) {
            // An attempt that a crash interrupted has placed it.
            (Some(_), _) => self.sync_output(chosen).await?,
            (None, Some(cutout)) => {
                let temp = self.open_temp(chosen, begun).await?;
                let source = Arc::clone(source);
                cutout.place_copy(self.job, source, chosen, temp).await?;
            }
            (None, None) => return Ok(None),
        }
        if let Some(cutout) = &renamed.cutout {
            cutout.remove().await?;
        }
        let name = self.job.file.relative().to_owned();
        let is_doubtful = match (&renamed.cutout, &chosen.already) {
            (Some(cutout), _) => cutout.is_doubtful(),
            (None, already) => already.as_ref().is_some_and(|it| it.is_doubtful),
        };
        let recorded = self
            .context
            .ledger
            .call(move |ledger| ledger.renamed(renamed.id, &name));
        recorded.await?;
        Ok(Some(Placed {
            output: self.job.folder.output.join(&chosen.name),
            sha256: renamed.sha256,
            origin: Origin::Renamed { from: renamed.from },
            is_doubtful,
        }))
    }
}

impl FormerCutout {
    /// Places a copy of the cutout whose provenance has the current name of the photo.
    pub(super) async fn place_copy(
        &self,
        job: &Job,
        source: Arc<SourceFile>,
        chosen: &ChosenName,
        temp: Detached<Temp>,
    ) -> Result<(), JobError> {
        let (former, name, replace) = (self.clone(), chosen.name.clone(), chosen.replace);
        let wanted = Provenance {
            source: percent::encode(job.file.relative()),
            ..self.provenance.clone()
        };
        blocking(move || {
            let folder = Destination::open(&former.folder, None)?;
            let copied =
                copy_with_provenance(&folder, &former.name, &former.provenance, &wanted, &temp)?;
            // The cutout was changed a moment ago: the photo is looked at again and cut out.
            let length = copied.ok_or(JobError::Source(SourceError::Changed))?;
            source.verify()?;
            let name = name.file_name().unwrap_or_default();
            temp.check_replaceable(name, replace)?;
            Ok(temp.into_inner().place(name, replace, length)?)
        })
        .await
    }

    /// Removes the cutout under the earlier name, after the new one is in place.
    pub(super) async fn remove(&self) -> Result<(), JobError> {
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

    /// Whether the photo may have been incomplete.
    pub(super) fn is_doubtful(&self) -> bool {
        self.provenance.is_doubtful
    }

    /// The model that made the cutout.
    pub(super) fn model(&self) -> &str {
        &self.provenance.model
    }
}
