//! Converts a source to the names of its outputs. Must not return a name that belongs to anything else, or write to an output
//! folder.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::existing::{ExistingCutout, is_of, occupant, same_content};
use super::output_place::OutputPlace;
use super::source::Source;
use super::{Job, JobError};
use crate::blocking::blocking;
use crate::config::{OnSameName, SourcePolicy};
use crate::delivery::{
    Destination, Occupant, Replace, cutout_names, fold_case, moved_names, number_of,
    numbered_cutout_names,
};
use crate::intake::SourceFile;
use crate::ledger::{Continued, Ledger, OutputName, OwnedName, PlannedOutput};

/// The chosen name of one output.
#[derive(Clone, Debug)]
pub(super) struct ChosenOutput {
    /// The output.
    pub(super) place: OutputPlace,
    /// The path below its folder.
    pub(super) name: PathBuf,
    /// Whether an existing file may be replaced.
    pub(super) replace: Replace,
    /// Whether the name has the result of an earlier photo of the same name, which must be replaced.
    pub(super) has_earlier: bool,
    /// Set if the result for this very version exists already.
    pub(super) already: Option<ExistingCutout>,
}

/// Which existing files a new name may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Accept {
    /// None: the name must be free.
    Nothing,
    /// Results for this very version.
    Same,
}

/// What the source's own name in one output leads to.
enum OwnName {
    /// The name is used.
    Use(ChosenOutput),
    /// A new number is needed: the name has the result of another photo of this name.
    NeedsNumber,
    /// A new name is needed.
    Absent,
}

/// Finds the name of each output of `job`: a name that the source owns, if this version may use it; otherwise a new one, the same for
/// all outputs that need one.
///
/// If photos of the same name are numbered, each name is for one photo only, even after its results have been fetched.
pub(super) async fn choose(
    job: &Job,
    source: &Arc<SourceFile>,
    ledger: &Ledger,
) -> Result<Vec<ChosenOutput>, JobError> {
    if let Some(name) = job.fixed_name() {
        return fixed(job, source, name).await;
    }
    let owned = owned_names(job, source, ledger).await?;
    let numbers = job.folder.on_same_name == OnSameName::Number;
    let mut is_numbered = numbers && owned.iter().flatten().any(|name| name.is_used);
    let (mut chosen, mut missing) = (Vec::new(), Vec::new());
    for (place, owned) in job.outputs.iter().zip(&owned) {
        match own_name(job, source, place, owned).await? {
            OwnName::Use(output) => chosen.push(output),
            OwnName::NeedsNumber => {
                is_numbered = true;
                missing.push(place);
            }
            OwnName::Absent => missing.push(place),
        }
    }
    if missing.is_empty() {
        return Ok(chosen);
    }
    let search = NameSearch {
        job,
        source,
        ledger,
        places: &missing,
    };
    let new = match chosen.first() {
        // The other outputs of this version have this name.
        Some(other) => search.take(&other.name, Accept::Same).await?,
        None => None,
    };
    let new = match new {
        Some(new) => new,
        None if is_numbered => search.numbered(&owned).await?,
        None => search.unnumbered().await?,
    };
    chosen.extend(new);
    let order = |output: &ChosenOutput| job.outputs.iter().position(|it| *it == output.place);
    chosen.sort_by_key(order);
    Ok(chosen)
}

/// The names that the source owns in each output.
async fn owned_names(
    job: &Job,
    source: &Arc<SourceFile>,
    ledger: &Ledger,
) -> Result<Vec<Vec<OwnedName>>, JobError> {
    let version = Source::of(job).version;
    let (outputs, born_ns) = (job.outputs.clone(), source.born_ns());
    let names = ledger.call(move |ledger| {
        let outputs = outputs.iter();
        outputs
            .map(|output| ledger.names_of(&version, born_ns, &output.folder))
            .collect()
    });
    Ok(names.await?)
}

/// Decides whether this version may use a name that the source owns in the output `place`.
async fn own_name(
    job: &Job,
    source: &Arc<SourceFile>,
    place: &OutputPlace,
    owned: &[OwnedName],
) -> Result<OwnName, JobError> {
    let numbers = job.folder.on_same_name == OnSameName::Number;
    // The name of an earlier attempt at this version, otherwise the last name reserved for the source.
    let own = owned.iter().find(|name| name.is_own).or(owned.first());
    let Some(OwnedName {
        name,
        is_used,
        continued,
        ..
    }) = own
    else {
        return Ok(OwnName::Absent);
    };
    match occupant(place, name).await? {
        Occupant::Free if numbers && *is_used => Ok(OwnName::Absent),
        Occupant::Free => Ok(OwnName::Use(ChosenOutput::new(place, name, None))),
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
                return Ok(OwnName::Use(ChosenOutput {
                    replace: Replace::Own,
                    has_earlier: already.is_none(),
                    ..ChosenOutput::new(place, name, already)
                }));
            }
            Ok(OwnName::NeedsNumber)
        }
        // Another file has the name, perhaps a retouched cutout; it must not be replaced.
        Occupant::Ours(_) | Occupant::Sheet | Occupant::Foreign => Ok(OwnName::Absent),
    }
}

impl ChosenOutput {
    /// A name that is free, or that has the result for this very version.
    fn new(place: &OutputPlace, name: &Path, already: Option<ExistingCutout>) -> Self {
        Self {
            place: place.clone(),
            name: name.to_owned(),
            replace: Replace::Never,
            has_earlier: false,
            already,
        }
    }

    /// The absolute path.
    pub(super) fn path(&self) -> PathBuf {
        self.place.folder.join(&self.name)
    }

    /// The last part of the path.
    pub(super) fn file_name(&self) -> &OsStr {
        self.name.file_name().unwrap_or_default()
    }

    /// Its record in the ledger.
    pub(super) fn planned(&self) -> PlannedOutput {
        PlannedOutput {
            path: self.path(),
            spec: self.place.spec,
        }
    }

    /// Has an existing result made anew.
    pub(super) fn make_anew(&mut self) {
        if self.already.take().is_some() {
            self.replace = Replace::Own;
        }
    }
}

/// Takes `name` in each output, unless a file other than a cutout of this very photo has it. The person who waits for the cutout
/// would not find another name.
async fn fixed(
    job: &Job,
    source: &Arc<SourceFile>,
    name: &Path,
) -> Result<Vec<ChosenOutput>, JobError> {
    let mut chosen = Vec::new();
    for place in &job.outputs {
        let already = match occupant(place, name).await? {
            Occupant::Free => None,
            // The content decides, since the photo may have been renamed and another photo may have its name.
            Occupant::Ours(provenance) => Some(same_content(source, provenance).await?),
            Occupant::Sheet | Occupant::Foreign => Some(None),
        };
        match already {
            Some(None) => return Err(JobError::NameTaken(place.folder.join(name))),
            already => chosen.push(ChosenOutput::new(place, name, already.flatten())),
        }
    }
    Ok(chosen)
}

/// Searches a new name for some outputs of a job.
struct NameSearch<'a> {
    job: &'a Job,
    source: &'a Arc<SourceFile>,
    ledger: &'a Ledger,
    places: &'a [&'a OutputPlace],
}

impl NameSearch<'_> {
    /// Reserves the first free name for the first photo of its name. If photos are numbered, the number must also be free for the
    /// original.
    async fn unnumbered(&self) -> Result<Vec<ChosenOutput>, JobError> {
        let numbers = self.job.folder.on_same_name == OnSameName::Number;
        for name in cutout_names(self.job.file.relative()) {
            let Some(outputs) = self.look(&name, Accept::Same).await? else {
                continue;
            };
            let is_free = outputs.iter().all(|output| output.already.is_none());
            // The cutout and the original get the same number.
            if is_free && numbers && is_taken_in_done(self.job, 1).await {
                return self.numbered(&[]).await;
            }
            if self.reserve(&name).await? {
                return Ok(outputs);
            }
        }
        unreachable!("there is always another number")
    }

    /// Reserves the first free number after those of earlier photos of the same name. It must be free for each output, and for the
    /// original if that is moved.
    async fn numbered(&self, owned: &[Vec<OwnedName>]) -> Result<Vec<ChosenOutput>, JobError> {
        let relative = self.job.file.relative();
        let owned = owned.iter().flatten();
        let numbers = owned.map(|owned| number_of(relative, &owned.name));
        let first = numbers.max().unwrap_or(1).saturating_add(1);
        for (name, number) in numbered_cutout_names(relative, first) {
            let Some(outputs) = self.look(&name, Accept::Nothing).await? else {
                continue;
            };
            if !is_taken_in_done(self.job, number).await && self.reserve(&name).await? {
                return Ok(outputs);
            }
        }
        unreachable!("there is always another number")
    }

    /// Reserves `name` in all places if no other file has it there; `None` if that is not possible.
    async fn take(
        &self,
        name: &Path,
        accept: Accept,
    ) -> Result<Option<Vec<ChosenOutput>>, JobError> {
        match self.look(name, accept).await? {
            Some(outputs) if self.reserve(name).await? => Ok(Some(outputs)),
            _ => Ok(None),
        }
    }

    /// Returns the outputs under `name`; `None` if another file has it in one of the places.
    async fn look(
        &self,
        name: &Path,
        accept: Accept,
    ) -> Result<Option<Vec<ChosenOutput>>, JobError> {
        let mut outputs = Vec::new();
        for place in self.places {
            let already = match occupant(place, name).await? {
                Occupant::Free => None,
                // Without a record, only a cutout of the same content is known to be from the same source.
                Occupant::Ours(provenance)
                    if accept == Accept::Same && is_of(&provenance, self.job) =>
                {
                    match same_content(self.source, provenance).await? {
                        Some(already) => Some(already),
                        None => return Ok(None),
                    }
                }
                Occupant::Ours(_) | Occupant::Sheet | Occupant::Foreign => return Ok(None),
            };
            outputs.push(ChosenOutput::new(place, name, already));
        }
        Ok(Some(outputs))
    }

    /// Reserves `name` in all places; false if another source owns it in one of them.
    async fn reserve(&self, name: &Path) -> Result<bool, JobError> {
        let names = self.places.iter().map(|place| OutputName {
            output: place.folder.clone(),
            folded: fold_case(name),
            name: name.to_owned(),
        });
        let names: Vec<_> = names.collect();
        let (folder, relative) = (
            self.job.folder.name.clone(),
            self.job.file.relative().to_owned(),
        );
        Ok(self
            .ledger
            .call(move |ledger| ledger.reserve(&folder, &relative, &names))
            .await?)
    }
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
