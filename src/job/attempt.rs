//! Runs one attempt, from the open photo to the placed outputs: the commit order on one screen. Must not touch the source; that is
//! for `finish`.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use super::existing::ExistingCutout;
use super::output_name::ChosenOutput;
use super::placed::Placed;
use super::renamed::Renamed;
use super::source::Source;
use super::worker_lease::WorkerLease;
use super::{Job, JobContext, JobError, Origin, exchange, output_name, renamed};
use crate::blocking::blocking;
use crate::delivery::Temp;
use crate::fs::detached::Detached;
use crate::imaging::FileEnd;
use crate::intake::{SourceError, SourceFile};
use crate::ledger::{Arrival, Begun, PlannedOutput};
use crate::worker::Ending;

/// An open photo.
pub(super) struct OpenPhoto {
    pub(super) file: Detached<std::fs::File>,
    /// Whether parts of it were never written.
    pub(super) has_hole: bool,
}

/// A photo that can be given to a worker.
struct Prepared {
    source: Detached<Arc<SourceFile>>,
    photo: OpenPhoto,
    chosen: Vec<ChosenOutput>,
    /// The outputs that do not exist yet.
    wanted: Vec<OpenOutput>,
}

/// An output that is being made.
pub(super) struct OpenOutput {
    pub(super) chosen: ChosenOutput,
    pub(super) temp: Detached<Temp>,
}

/// An output whose bytes were received.
pub(super) struct ReceivedOutput {
    pub(super) open: OpenOutput,
    /// Its length in bytes.
    pub(super) len: u64,
}

/// The next step after `prepare`.
enum NextStep {
    Cut(Prepared),
    /// All outputs exist already.
    Conclude(Placed),
}

/// A running attempt.
pub(super) struct Attempt<'a> {
    pub(super) job: &'a Job,
    pub(super) context: &'a JobContext,
    /// Set once the ledger counts the attempt.
    pub(super) begun: Option<Begun>,
}

impl Attempt<'_> {
    /// Runs the attempt until all outputs are in place.
    pub(super) async fn carry_out(&mut self, lease: &mut WorkerLease) -> Result<Placed, JobError> {
        let prepared = match lease.wait(self.prepare()).await? {
            NextStep::Cut(prepared) => prepared,
            NextStep::Conclude(placed) => return Ok(placed),
        };
        let Prepared {
            source,
            photo,
            chosen,
            wanted,
        } = prepared;
        let has_hole = photo.has_hole;
        let (report, received) =
            exchange::run(self.job, self.context, lease, photo, wanted).await?;
        let has_replaced = chosen.iter().any(|output| output.has_earlier);
        let is_doubtful = has_hole || report.end == FileEnd::Zeros;
        lease.wait(place_all(source.into_inner(), received)).await?;
        Ok(Placed {
            outputs: chosen.iter().map(ChosenOutput::path).collect(),
            sha256: report.sha256,
            origin: Origin::Made {
                has_replaced,
                is_doubtful,
                report,
            },
            is_doubtful,
        })
    }

    /// Does all steps before a worker gets the photo.
    async fn prepare(&mut self) -> Result<NextStep, JobError> {
        let (source, photo) = self.open_source().await?;
        // A cutout placed before may have been fetched since; another one would be a second result.
        if let Some(placed) = self.take_unretired().await? {
            return Ok(NextStep::Conclude(placed));
        }
        let mut chosen = output_name::choose(self.job, &source, &self.context.ledger).await?;
        if self.is_asked_anew(&chosen).await? {
            chosen.iter_mut().for_each(ChosenOutput::make_anew);
        }
        if let Some(already) = &first_existing(&chosen)
            && let Some(begun) = self.take_touched(&chosen, already.sha256).await?
        {
            self.begun = Some(begun);
            let placed = Placed::existing(&chosen, already, Origin::Touched);
            return Ok(NextStep::Conclude(placed.in_doubt(photo.has_hole)));
        }
        // The outputs of an interrupted attempt that others would be added to, made in another way.
        if self.would_mix(&chosen) {
            chosen.iter_mut().for_each(ChosenOutput::make_anew);
        }
        let already = first_existing(&chosen);
        self.check_space(&chosen).await?;
        let renamed = renamed::find(self.job, &source, &self.context.ledger).await?;
        // Durable before a worker gets the bytes, so that a photo that kills the daemon cannot do so for ever.
        let begun = self
            .begin(&chosen, already.as_ref(), renamed.as_ref(), &source)
            .await?;
        self.begun = Some(begun);
        if let Some(renamed) = renamed
            && let Some(placed) = self.take_over(renamed, &source, &chosen, begun).await?
        {
            return Ok(NextStep::Conclude(placed.in_doubt(photo.has_hole)));
        }
        if let Some(already) = &already
            && chosen.iter().all(|output| output.already.is_some())
        {
            sync_outputs(&chosen).await?;
            let placed = Placed::existing(&chosen, already, Origin::Earlier);
            return Ok(NextStep::Conclude(placed.in_doubt(photo.has_hole)));
        }
        if begun.attempt > self.context.max_attempts {
            return Err(JobError::WorkerDied(Ending::default()));
        }
        let wanted = self.open_temps(&chosen, begun).await?;
        Ok(NextStep::Cut(Prepared {
            source,
            photo,
            chosen,
            wanted,
        }))
    }

    /// Returns whether a person wants existing outputs to be replaced: another kind of cutout, or new ones.
    async fn is_asked_anew(&self, chosen: &[ChosenOutput]) -> Result<bool, JobError> {
        if chosen.iter().all(|output| output.already.is_none()) {
            return Ok(false);
        }
        let is_unwanted = self.job.cut_options.is_some() && self.has_different(chosen);
        Ok(is_unwanted || self.is_redo().await?)
    }

    /// Returns whether only some outputs exist, and the others would be made with another model or other edges.
    fn would_mix(&self, chosen: &[ChosenOutput]) -> bool {
        let is_complete = chosen.iter().all(|output| output.already.is_some());
        !is_complete && self.has_different(chosen)
    }

    /// Returns whether an existing output was made with another model or other edges than those of the folder.
    fn has_different(&self, chosen: &[ChosenOutput]) -> bool {
        let mut existing = chosen.iter().filter_map(|output| output.already.as_ref());
        existing.any(|already| already.differs_from(&self.job.folder))
    }

    async fn open_source(&self) -> Result<(Detached<Arc<SourceFile>>, OpenPhoto), JobError> {
        let (input, file) = (self.job.folder.input.clone(), self.job.file.clone());
        blocking(move || {
            let source = SourceFile::open(&input, &file)?;
            let photo = OpenPhoto {
                file: Detached::new(source.reader()?),
                has_hole: source.has_hole(),
            };
            Ok((Detached::new(Arc::new(source)), photo))
        })
        .await
    }

    /// Resumes a version whose outputs were placed before, so that only its source is left to do.
    async fn take_unretired(&mut self) -> Result<Option<Placed>, JobError> {
        let version = Source::of(self.job).version;
        let ledger = &self.context.ledger;
        let taken = ledger.call(move |ledger| ledger.take_unretired(&version));
        Ok(taken.await?.map(|taken| {
            self.begun = Some(taken.begun);
            Placed {
                outputs: taken.outputs,
                sha256: taken.sha256,
                origin: Origin::Recorded,
                // A doubtful photo never has a row in this state.
                is_doubtful: false,
            }
        }))
    }

    /// Resumes a photo that was touched: its outputs are still valid, even if some have been fetched.
    async fn take_touched(
        &self,
        chosen: &[ChosenOutput],
        sha256: [u8; 32],
    ) -> Result<Option<Begun>, JobError> {
        let version = Source::of(self.job).version;
        let existing = chosen.iter().filter(|output| output.already.is_some());
        let outputs: Vec<_> = existing.map(ChosenOutput::planned).collect();
        let ledger = &self.context.ledger;
        let taken = ledger.call(move |ledger| ledger.take_touched(&version, &outputs, &sha256));
        Ok(taken.await?)
    }

    /// Returns whether a user has asked for another cutout of this version.
    async fn is_redo(&self) -> Result<bool, JobError> {
        let version = Source::of(self.job).version;
        let ledger = &self.context.ledger;
        Ok(ledger.call(move |ledger| ledger.is_redo(&version)).await?)
    }

    async fn begin(
        &self,
        chosen: &[ChosenOutput],
        already: Option<&ExistingCutout>,
        renamed: Option<&Renamed>,
        source: &SourceFile,
    ) -> Result<Begun, JobError> {
        let version = Source::of(self.job).version;
        let file = &self.job.file;
        let arrival = Arrival {
            born_ns: source.born_ns(),
            ..Arrival::ago(file.seen_at().elapsed(), file.settled_at().elapsed())
        };
        let former = renamed.and_then(|renamed| renamed.model(chosen));
        let made_by = already.map(|already| already.model.as_str()).or(former);
        let model = made_by.unwrap_or(&self.job.folder.model).to_owned();
        let outputs = planned(chosen);
        let ledger = &self.context.ledger;
        let begin = ledger.call(move |ledger| ledger.begin(&version, arrival, &model, &outputs));
        // Another job already works on this version; the file is looked at again when that job ends.
        begin.await?.ok_or(JobError::Source(SourceError::Changed))
    }

    /// Checks the free space before the attempt, not before the placing, so that no finished work is lost.
    async fn check_space(&self, chosen: &[ChosenOutput]) -> Result<(), JobError> {
        let wanted = chosen.iter().filter(|output| output.already.is_none());
        let places: Vec<_> = wanted.map(|output| output.place.clone()).collect();
        if places.is_empty() {
            return Ok(());
        }
        let min_free = self.context.min_free;
        blocking(move || {
            for place in places {
                place.open()?.check_space(min_free)?;
            }
            Ok(())
        })
        .await
    }

    /// Opens a temporary file for each output that does not exist yet.
    pub(super) async fn open_temps(
        &self,
        chosen: &[ChosenOutput],
        begun: Begun,
    ) -> Result<Vec<OpenOutput>, JobError> {
        let mut wanted = Vec::new();
        for (number, output) in (0..).zip(chosen) {
            if output.already.is_none() {
                let name = self.context.temp_name(begun.hold.id, number);
                wanted.push((output.clone(), OsString::from(name)));
            }
        }
        blocking(move || {
            let wanted = wanted.into_iter();
            let open = |(chosen, name): (ChosenOutput, OsString)| {
                let temp = open_temp(&chosen, name)?;
                Ok(OpenOutput { chosen, temp })
            };
            wanted.map(open).collect()
        })
        .await
    }
}

/// Opens the temporary file `name` of an output. Blocks.
fn open_temp(chosen: &ChosenOutput, name: OsString) -> Result<Detached<Temp>, JobError> {
    let folder = chosen.place.open()?;
    let is_open = folder.is_writable();
    let parent = chosen.name.parent().unwrap_or(Path::new(""));
    let temp = folder
        .subfolder(parent)
        .and_then(|folder| Temp::create(folder, name));
    temp.map(Detached::new).map_err(|error| {
        // A subfolder without write permission blocks only its own photos.
        if is_open && error.io().kind() == ErrorKind::PermissionDenied {
            JobError::Unplaceable(error)
        } else {
            JobError::below_output(error)
        }
    })
}

/// Makes the bytes of all outputs durable, then places one after the other.
pub(super) async fn place_all(
    source: Arc<SourceFile>,
    received: Vec<ReceivedOutput>,
) -> Result<(), JobError> {
    blocking(move || {
        // The bytes read must be of the version that settled; otherwise the outputs show a mixture of versions.
        source.verify()?;
        for ReceivedOutput { open, len } in &received {
            // The old file may have been retouched while the new one was made.
            open.temp
                .check_replaceable(open.chosen.file_name(), open.chosen.replace)?;
            open.temp.sync(*len)?;
        }
        for ReceivedOutput { open, .. } in received {
            let OpenOutput { chosen, temp } = open;
            temp.into_inner()
                .place_synced(chosen.file_name(), chosen.replace)?;
        }
        Ok(())
    })
    .await
}

/// Makes the names of existing outputs durable, in case a crash prevented that.
pub(super) async fn sync_outputs(chosen: &[ChosenOutput]) -> Result<(), JobError> {
    let outputs: Vec<_> = chosen
        .iter()
        .map(|output| (output.place.clone(), output.name.clone()))
        .collect();
    blocking(move || {
        for (place, name) in outputs {
            place.open_parent(&name)?.sync()?;
        }
        Ok(())
    })
    .await
}

fn first_existing(chosen: &[ChosenOutput]) -> Option<ExistingCutout> {
    chosen.iter().find_map(|output| output.already.clone())
}

fn planned(chosen: &[ChosenOutput]) -> Vec<PlannedOutput> {
    chosen.iter().map(ChosenOutput::planned).collect()
}
