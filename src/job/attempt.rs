//! Runs one attempt, from the open photo to the placed cutout: the commit order on one screen. Must not touch the source; that is
//! for `finish`.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use super::output_name::ChosenName;
use super::placed::Placed;
use super::renamed::{FormerCutout, Renamed};
use super::source::Source;
use super::worker_lease::WorkerLease;
use super::{Job, JobContext, JobError, Origin, exchange, output_name, renamed};
use crate::blocking::blocking;
use crate::delivery::{Destination, Replace, Temp};
use crate::fs::detached::Detached;
use crate::imaging::FileEnd;
use crate::intake::{SourceError, SourceFile};
use crate::ledger::{Arrival, Begun};
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
    chosen: ChosenName,
    temp: Detached<Temp>,
}

/// The next step after `prepare`.
enum NextStep {
    Cut(Prepared),
    /// The cutout exists already.
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
    /// Runs the attempt until the cutout is in place.
    pub(super) async fn carry_out(&mut self, lease: &mut WorkerLease) -> Result<Placed, JobError> {
        let prepared = match lease.wait(self.prepare()).await? {
            NextStep::Cut(prepared) => prepared,
            NextStep::Conclude(placed) => return Ok(placed),
        };
        let Prepared {
            source,
            photo,
            chosen,
            temp,
        } = prepared;
        let has_hole = photo.has_hole;
        let report = exchange::run(self.job, self.context, lease, photo, &temp).await?;
        let output = self.job.folder.output.join(&chosen.name);
        let has_replaced = chosen.has_earlier;
        let is_doubtful = has_hole || report.end == FileEnd::Zeros;
        let (name, replace, length) = (chosen.name, chosen.replace, report.len);
        let placing = blocking(move || {
            // The bytes read must be of the version that settled; otherwise the cutout shows a mixture of versions.
            source.verify()?;
            let name = name.file_name().unwrap_or_default();
            // The old cutout may have been retouched while the new one was made.
            temp.check_replaceable(name, replace)?;
            Ok::<_, JobError>(temp.into_inner().place(name, replace, length)?)
        });
        lease.wait(placing).await?;
        Ok(Placed {
            output,
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
        if let Some(already) = &chosen.already
            && (self.job.wants_another_than(already) || self.is_redo().await?)
        {
            chosen.already = None;
            chosen.replace = Replace::Own;
        }
        if let Some(already) = &chosen.already
            && let Some(begun) = self.take_touched(&chosen, already.sha256).await?
        {
            self.begun = Some(begun);
            return Ok(NextStep::Conclude(Placed {
                output: self.job.folder.output.join(&chosen.name),
                sha256: already.sha256,
                origin: Origin::Touched,
                is_doubtful: photo.has_hole || already.is_doubtful,
            }));
        }
        if chosen.already.is_none() {
            self.check_space().await?;
        }
        let renamed = renamed::find(self.job, &source, &self.context.ledger).await?;
        // Durable before a worker gets the bytes, so that a photo that kills the daemon cannot do so for ever.
        let begun = self.begin(&chosen, renamed.as_ref(), &source).await?;
        self.begun = Some(begun);
        if let Some(renamed) = renamed
            && let Some(mut placed) = self.take_over(renamed, &source, &chosen, begun).await?
        {
            placed.is_doubtful |= photo.has_hole;
            return Ok(NextStep::Conclude(placed));
        }
        if let Some(already) = &chosen.already {
            self.sync_output(&chosen).await?;
            return Ok(NextStep::Conclude(Placed {
                output: self.job.folder.output.join(&chosen.name),
                sha256: already.sha256,
                origin: Origin::Earlier,
                is_doubtful: photo.has_hole || already.is_doubtful,
            }));
        }
        if begun.attempt > self.context.max_attempts {
            return Err(JobError::WorkerDied(Ending::default()));
        }
        let temp = self.open_temp(&chosen, begun).await?;
        Ok(NextStep::Cut(Prepared {
            source,
            photo,
            chosen,
            temp,
        }))
    }

    /// Makes the name of an earlier cutout durable, in case a crash prevented that.
    pub(super) async fn sync_output(&self, chosen: &ChosenName) -> Result<(), JobError> {
        let (output, mount) = (
            self.job.folder.output.clone(),
            self.job.output_mount.clone(),
        );
        let parent = chosen.name.parent().unwrap_or(Path::new("")).to_owned();
        blocking(move || {
            let folder = Destination::open(&output, mount.as_deref())?;
            Ok(folder.subfolder(&parent)?.sync()?)
        })
        .await
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

    /// Resumes a version whose cutout was placed before, so that only its source is left to do.
    async fn take_unretired(&mut self) -> Result<Option<Placed>, JobError> {
        let version = Source::of(self.job).version;
        let ledger = &self.context.ledger;
        let taken = ledger.call(move |ledger| ledger.take_unretired(&version));
        Ok(taken.await?.map(|taken| {
            self.begun = Some(taken.begun);
            Placed {
                output: taken.output,
                sha256: taken.sha256,
                origin: Origin::Recorded,
                // A doubtful photo never has a row in this state.
                is_doubtful: false,
            }
        }))
    }

    /// Resumes a photo that was touched: its cutout is still valid.
    async fn take_touched(
        &self,
        chosen: &ChosenName,
        sha256: [u8; 32],
    ) -> Result<Option<Begun>, JobError> {
        let version = Source::of(self.job).version;
        let output = self.job.folder.output.join(&chosen.name);
        let ledger = &self.context.ledger;
        let taken = ledger.call(move |ledger| ledger.take_touched(&version, &output, &sha256));
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
        chosen: &ChosenName,
        renamed: Option<&Renamed>,
        source: &SourceFile,
    ) -> Result<Begun, JobError> {
        let version = Source::of(self.job).version;
        let file = &self.job.file;
        let arrival = Arrival {
            born_ns: source.born_ns(),
            ..Arrival::ago(file.seen_at().elapsed(), file.settled_at().elapsed())
        };
        let output = self.job.folder.output.join(&chosen.name);
        let former = renamed.and_then(|renamed| renamed.cutout.as_ref());
        let made_by = chosen
            .already
            .as_ref()
            .map(|already| already.model.as_str())
            .or(former.map(FormerCutout::model));
        let model = made_by.unwrap_or(&self.job.folder.model).to_owned();
        let ledger = &self.context.ledger;
        let begin = ledger.call(move |ledger| ledger.begin(&version, arrival, &model, &output));
        // Another job already works on this version; the file is looked at again when that job ends.
        begin.await?.ok_or(JobError::Source(SourceError::Changed))
    }

    /// Checks the free space before the attempt, not before the placing, so that no finished work is lost.
    async fn check_space(&self) -> Result<(), JobError> {
        let (output, mount) = (
            self.job.folder.output.clone(),
            self.job.output_mount.clone(),
        );
        let min_free = self.context.min_free;
        blocking(move || Ok(Destination::open(&output, mount.as_deref())?.check_space(min_free)?))
            .await
    }

    pub(super) async fn open_temp(
        &self,
        chosen: &ChosenName,
        begun: Begun,
    ) -> Result<Detached<Temp>, JobError> {
        let (output, mount) = (
            self.job.folder.output.clone(),
            self.job.output_mount.clone(),
        );
        let parent = chosen.name.parent().unwrap_or(Path::new("")).to_owned();
        let name = self.context.hidden_name(begun.id, "tmp");
        blocking(move || {
            let folder = Destination::open(&output, mount.as_deref())?;
            let is_open = folder.is_writable();
            let temp = folder
                .subfolder(&parent)
                .and_then(|folder| Temp::create(folder, name.into()));
            temp.map(Detached::new).map_err(|error| {
                // A subfolder without write permission blocks only its own photos.
                if is_open && error.io().kind() == ErrorKind::PermissionDenied {
                    JobError::Unplaceable(error)
                } else {
                    JobError::below_output(error)
                }
            })
        })
        .await
    }
}
