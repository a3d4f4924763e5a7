//! Converts a source to the name of its cutout. Must not return a name that belongs to anything else, or write to the output
//! folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::source::Source;
use super::{Job, JobError};
use crate::blocking::blocking;
use crate::config::{Edges, OnSameName, SourcePolicy};
use crate::delivery::{
    Destination, Occupant, Replace, cutout_names, fold_case, moved_names, number_of,
    numbered_cutout_names,
};
use crate::intake::SourceFile;
use crate::ledger::{Continued, Ledger, OutputName, OwnedName};
use crate::percent;
use crate::provenance::Provenance;

/// The chosen name of a cutout.
#[derive(Debug)]
pub(super) struct ChosenName {
    /// The path below the output folder.
    pub(super) name: PathBuf,
    /// Whether an existing file may be replaced.
    pub(super) replace: Replace,
    /// Whether the name has the cutout of an earlier photo of the same name, which must be replaced.
    pub(super) has_earlier: bool,
    /// Set if a cutout of this very version exists already.
    pub(super) already: Option<ExistingCutout>,
}

/// An existing cutout that can be reused.
#[derive(Debug)]
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

/// Finds the name: a name that the source owns, if this version may use it; otherwise a new one.
///
/// If photos of the same name are numbered, each name is for one photo only, even after its cutout has been fetched.
pub(super) async fn choose(
    job: &Job,
    source: &Arc<SourceFile>,
    ledger: &Ledger,
) -> Result<ChosenName, JobError> {
    if let Some(name) = job.fixed_name() {
        return fixed(job, source, name).await;
    }
    let version = Source::of(job).version;
    let (output, born_ns) = (job.folder.output.clone(), source.born_ns());
    let owned = ledger
        .call(move |ledger| ledger.names_of(&version, born_ns, &output))
        .await?;
    let numbers = job.folder.on_same_name == OnSameName::Number;
    let mut is_numbered = numbers && owned.iter().any(|name| name.is_used);
    // The name of an earlier attempt at this version, otherwise the last name reserved for the source.
    let own = owned.iter().find(|name| name.is_own).or(owned.first());
    if let Some(OwnedName {
        name,
        is_used,
        continued,
        ..
    }) = own
    {
        match occupant(job, name).await? {
            Occupant::Free if numbers && *is_used => {}
            Occupant::Free => return Ok(ChosenName::new(name.clone(), None)),
            Occupant::Ours(provenance) if is_of(&provenance, job) => {
                let already = same_content(source, provenance).await?;
                let is_same_photo = !is_used
                    && match continued {
                        Some(Continued::Unretired) => true,
                        // If photos are kept, `number` gives each correction a number.
                        Some(Continued::Left) => job.folder.source != SourcePolicy::Keep,
                        None => false,
                    };
                if already.is_some() || !numbers || is_same_photo {
                    return Ok(ChosenName {
                        name: name.clone(),
                        replace: Replace::Own,
                        has_earlier: already.is_none(),
                        already,
                    });
                }
                is_numbered = true;
            }
            // Another file has the name, perhaps a retouched cutout; it must not be replaced.
            Occupant::Ours(_) | Occupant::Sheet | Occupant::Foreign => {}
        }
    }
    if is_numbered {
        numbered(job, &owned, ledger).await
    } else {
        unnumbered(job, source, ledger).await
    }
}

impl ChosenName {
    /// A name that is free, or that has the cutout of this very version.
    fn new(name: PathBuf, already: Option<ExistingCutout>) -> Self {
        Self {
            name,
            replace: Replace::Never,
            has_earlier: false,
            already,
        }
    }
}

/// Takes `name`, unless a file other than a cutout of this very photo has it. The person who waits for the cutout would not find
/// another name.
async fn fixed(job: &Job, source: &Arc<SourceFile>, name: &Path) -> Result<ChosenName, JobError> {
    let already = match occupant(job, name).await? {
        Occupant::Free => return Ok(ChosenName::new(name.to_owned(), None)),
        // The content decides, since the photo may have been renamed and another photo may have its name.
        Occupant::Ours(provenance) => same_content(source, provenance).await?,
        Occupant::Sheet | Occupant::Foreign => None,
    };
    if already.is_none() {
        return Err(JobError::NameTaken(job.folder.output.join(name)));
    }
    Ok(ChosenName::new(name.to_owned(), already))
}

/// Reserves the first free name for the first photo of its name. If photos are numbered, the number must also be free for the
/// original.
async fn unnumbered(
    job: &Job,
    source: &Arc<SourceFile>,
    ledger: &Ledger,
) -> Result<ChosenName, JobError> {
    let numbers = job.folder.on_same_name == OnSameName::Number;
    for name in cutout_names(job.file.relative()) {
        let already = match occupant(job, &name).await? {
            // The cutout and the original get the same number.
            Occupant::Free if numbers && is_taken_in_done(job, 1).await => {
                return numbered(job, &[], ledger).await;
            }
            Occupant::Free => None,
            // Without a record, only a cutout of the same content is known to be from the same source.
            Occupant::Ours(provenance) if is_of(&provenance, job) => {
                match same_content(source, provenance).await? {
                    Some(already) => Some(already),
                    None => continue,
                }
            }
            Occupant::Ours(_) | Occupant::Sheet | Occupant::Foreign => continue,
        };
        if reserve(job, &name, ledger).await? {
            return Ok(ChosenName::new(name, already));
        }
    }
    unreachable!("there is always another number")
}

/// Reserves the first free number after those of earlier photos of the same name. It must be free for the cutout, and for the
/// original if that is moved.
async fn numbered(job: &Job, owned: &[OwnedName], ledger: &Ledger) -> Result<ChosenName, JobError> {
    let relative = job.file.relative();
    let numbers = owned.iter().map(|owned| number_of(relative, &owned.name));
    let first = numbers.max().unwrap_or(1).saturating_add(1);
    for (name, number) in numbered_cutout_names(relative, first) {
        let is_free = occupant(job, &name).await? == Occupant::Free
            && !is_taken_in_done(job, number).await
            && reserve(job, &name, ledger).await?;
        if is_free {
            return Ok(ChosenName::new(name, None));
        }
    }
    unreachable!("there is always another number")
}

pub(super) fn is_of(provenance: &Provenance, job: &Job) -> bool {
    provenance.source == percent::encode(job.file.relative())
}

async fn reserve(job: &Job, name: &Path, ledger: &Ledger) -> Result<bool, JobError> {
    let output_name = OutputName {
        output: job.folder.output.clone(),
        folded: fold_case(name),
        name: name.to_owned(),
    };
    let (folder, relative) = (job.folder.name.clone(), job.file.relative().to_owned());
    Ok(ledger
        .call(move |ledger| ledger.reserve(&folder, &relative, &output_name))
        .await?)
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

pub(super) async fn occupant(job: &Job, name: &Path) -> Result<Occupant, JobError> {
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

/// Returns whether a file in the `done` folder has the name that the original would get there. If that folder cannot be read, the
/// later move fails and reports that.
async fn is_taken_in_done(job: &Job, number: u32) -> bool {
    let SourcePolicy::Move(done) = job.folder.source.clone() else {
        return false;
    };
    let relative = job.file.relative().to_owned();
    blocking(move || {
        let parent = relative.parent().unwrap_or(Path::new(""));
        let name = relative.file_name().unwrap_or_default();
        let numbered = moved_names(name, number).next().unwrap_or_default();
        let folder = Destination::open(&done, None).and_then(|done| done.subfolder(parent));
        folder
            .and_then(|folder| folder.has(&numbered))
            .unwrap_or(false)
    })
    .await
}
