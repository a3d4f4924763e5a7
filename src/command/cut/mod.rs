//! `hotcut cut`: cuts files, folders or stdin once, with the same jobs and workers as the daemon.

mod attempt;
mod bar;
mod batch;
mod photo_line;
mod plan;
mod private_folder;
mod report;
mod sheet;
mod stdin;
mod target;

use std::path::PathBuf;
use std::process::ExitCode;

use tokio::sync::mpsc::Receiver;

use super::not_taken::{Remedy, sentences};
use super::{CommandError, block_on};
use crate::blocking::blocking;
use crate::config::{Config, DEFAULT_MEGAPIXELS, Edges};
use crate::job::CutOptions;
use crate::model::{DEFAULT_MODEL, shipped_models_dir};
use crate::shutdown::{self, SignalRequest};
use batch::CutBatch;
use plan::Search;
use private_folder::PrivateFolder;
use report::CutReporter;
pub use sheet::SheetError;
use sheet::{FinishedBatch, SheetPlace};
use target::CutTarget;
pub use target::UsageError;

/// Photos failed or were not found, or the sheet could not be written.
const FAILED: u8 = 1;

/// As shells report a command that was interrupted.
const INTERRUPTED: u8 = 130;

/// What to cut out, and where to.
#[derive(Clone, Debug, clap::Args)]
pub struct CutArguments {
    /// Photos, or folders to search for photos. `-` alone reads one photo from stdin.
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// The folder for the cutouts; subfolders are mirrored. For one photo also FILE.png, or `-` for stdout.
    #[arg(short, long, value_name = "OUTPUT")]
    output: PathBuf,
    /// The model.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_MODEL)]
    model: String,
    /// How the edges of the cutouts are made.
    #[arg(long, value_enum, value_name = "WORD", default_value_t)]
    edges: Edges,
    /// The folder of the models. Default: the models that come with hotcut.
    #[arg(long, value_name = "DIR")]
    models_dir: Option<PathBuf>,
    /// The largest photo that is processed, in millions of pixels.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_MEGAPIXELS, value_parser = clap::value_parser!(u32).range(1..))]
    max_megapixels: u32,
    /// Skips a photo if its cutout exists, made from the same bytes by the same model with the same edges.
    #[arg(long)]
    skip_done: bool,
    /// Also writes a PNG that shows each photo, up to 40, beside its matte and its cutout on checkerboard, white and black.
    #[arg(long, value_name = "FILE.png")]
    sheet: Option<PathBuf>,
}

/// Cuts all inputs. With `json` it prints an object for each photo.
pub fn run(order: &CutArguments, json: bool) -> Result<ExitCode, CommandError> {
    let target = CutTarget::of(&order.inputs, &order.output)?;
    let sheet = order.sheet.as_deref();
    let sheet = sheet.map(|path| target.sheet(path)).transpose()?;
    let signals = shutdown::listen()?;
    let models_dir = order.models_dir.clone().unwrap_or_else(shipped_models_dir);
    let mut config =
        Config::for_one_run(&models_dir, &order.model).map_err(|source| CommandError::Model {
            model: order.model.clone(),
            source,
        })?;
    config.daemon.megapixels_max = order.max_megapixels;
    let is_stdin = target::is_stdin(&order.inputs);
    let run = CutRun {
        order,
        config,
        target,
        sheet,
        stdin: is_stdin.then(PrivateFolder::new).transpose()?,
    };
    let mut reporter = CutReporter::new(json, run.is_to_stdout());
    // The private folders are removed after the threads that write to them have ended.
    block_on(run.until_stopped(signals, &mut reporter))?
}

/// One run and its resources.
struct CutRun<'a> {
    order: &'a CutArguments,
    config: Config,
    target: CutTarget,
    /// The place of the sheet, if one is requested.
    sheet: Option<SheetPlace>,
    /// The folder of the photo from stdin, if there is one.
    stdin: Option<PrivateFolder>,
}

impl CutRun<'_> {
    fn is_to_stdout(&self) -> bool {
        matches!(self.target, CutTarget::Stdout(_))
    }

    async fn until_stopped(
        &self,
        mut signals: Receiver<SignalRequest>,
        reporter: &mut CutReporter,
    ) -> Result<ExitCode, CommandError> {
        let ended = tokio::select! {
            // Dropping the batch kills its workers and removes their partial files.
            () = stopped(&mut signals) => None,
            result = self.carry_out(reporter) => Some(result),
        };
        ended.unwrap_or_else(|| {
            reporter.stopped();
            Ok(ExitCode::from(INTERRUPTED))
        })
    }

    async fn carry_out(&self, reporter: &mut CutReporter) -> Result<ExitCode, CommandError> {
        if let Some(private) = &self.stdin {
            reporter.expect(1);
            // A file on disk of that length is refused as well.
            let len_max = self.config.daemon.worker_memory_bytes;
            if let Err(error) = stdin::keep(private.photo(), len_max).await {
                reporter.failed(stdin::label(), &error, None)?;
                return Ok(exit_code(reporter, true));
            }
        }
        let search = self.search();
        // On a separate thread, because the search may take long or wait for a disk. A stop abandons the thread.
        let planned = blocking(move || plan::plan(&search));
        let plan = planned.await;
        let is_empty = plan.jobs.is_empty() && plan.missing.is_empty();
        if is_empty {
            reporter.say("no photo was found");
        }
        for sentence in sentences(&plan.not_taken, Remedy::Name) {
            reporter.say(&sentence);
        }
        if is_empty {
            return Ok(ExitCode::from(FAILED));
        }
        reporter.expect(plan.jobs.len() + plan.missing.len());
        reporter.show_bar();
        for (path, error) in &plan.missing {
            reporter.failed(path, error.io(), None)?;
        }
        let mut batch = CutBatch::new(self, plan.jobs, reporter)?;
        batch.run().await?;
        let finished_batch = batch.into_finished_batch();
        let has_sheet = self.show(finished_batch, reporter).await;
        Ok(exit_code(reporter, has_sheet))
    }

    /// Writes the sheet, if requested; `false` when that failed.
    async fn show(&self, finished_batch: Option<FinishedBatch>, reporter: &CutReporter) -> bool {
        let (Some(place), Some(finished_batch)) = (&self.sheet, finished_batch) else {
            return true;
        };
        let limit = self.config.daemon.timeout;
        let written = sheet::write(finished_batch, place.clone(), limit, reporter).await;
        if let Err(error) = &written {
            reporter.say(&error.to_string());
        }
        written.is_ok()
    }

    /// What to search for, and the output.
    fn search(&self) -> Search {
        let inputs = match &self.stdin {
            Some(private) => vec![private.photo()],
            None => self.order.inputs.clone(),
        };
        let (output, name) = match &self.target {
            CutTarget::Folder(folder) => (folder.as_path(), None),
            CutTarget::File { folder, name } => (folder.as_path(), Some(name.into())),
            CutTarget::Stdout(private) => (private.path(), Some("cutout.png".into())),
        };
        Search {
            inputs,
            output: output.to_owned(),
            cut_options: CutOptions { name },
            model: self.order.model.clone(),
            edges: self.order.edges,
        }
    }
}

/// Waits for Ctrl-C or SIGTERM.
async fn stopped(signals: &mut Receiver<SignalRequest>) {
    loop {
        match signals.recv().await {
            Some(SignalRequest::Stop) => return,
            Some(SignalRequest::Reload) => {}
            None => std::future::pending().await,
        }
    }
}

fn exit_code(reporter: &mut CutReporter, has_sheet: bool) -> ExitCode {
    match reporter.finish() {
        0 if has_sheet => ExitCode::SUCCESS,
        _ => ExitCode::from(FAILED),
    }
}
