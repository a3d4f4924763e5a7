//! A configuration -> a daemon with its ledger recovered and its scouts on their way; serves nothing yet.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, OFlags};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::announce::Announcer;
use super::folder::HotFolder;
use super::forget::Forgetting;
use super::live::Live;
use super::turns::Turns;
use super::upkeep::CHECKPOINT_INTERVAL;
use super::{
    Channels, Daemon, EVENTS_MAX, FIRST_LOOK_LIMIT, FatalError, REPORTS_MAX, Readiness, Reception,
    log,
};
use crate::config::{Config, Folder};
use crate::delivery::{
    Book, Destination, Found, Ledger, lock_state_dir, open_whole, put_back_stray, rebuild,
    sweep_uploads,
};
use crate::intake::{Assignment, Filter, FolderId, Root, Scout};
use crate::job::{Desk, hidden_name};
use crate::mount;
use crate::path_error::{AtPath as _, PathError};
use crate::pool::{Pool, StartError, Worker, WorkerSpec};

/// Starts a worker and, if asked, sends the trial picture through it.
pub(super) async fn worker(spec: Arc<WorkerSpec>, prove: bool) -> Result<Worker, StartError> {
    let mut worker = Worker::start(spec).await?;
    if prove {
        worker.prove().await?;
    }
    Ok(worker)
}

impl Daemon {
    pub(super) async fn start(
        config_file: PathBuf,
        config: Config,
        reception: Reception,
    ) -> Result<Self, FatalError> {
        let now = Instant::now();
        let state_dir = &config.daemon.state_dir;
        let lock = lock_state_dir(state_dir)?;
        let mut book = open_ledger(&config)?;
        let left_running = book.recover()?;
        let ledger_version = book.foreign_changes()?;
        let ledger_id = book.id().to_owned();
        remove_temps(&ledger_id, &left_running);
        let desk = Desk::new(&config, Ledger::start(book)?, ledger_id);
        let (reports, report_inbox) = mpsc::channel(REPORTS_MAX);
        let (sightings, sighting_inbox) = mpsc::channel(EVENTS_MAX);
        let (stalls, stall_inbox) = mpsc::unbounded_channel();
        let mut daemon = Self {
            config_file,
            pool: Pool::new(WorkerSpec::of(&config), config.daemon.workers, now),
            live: Live::new(state_dir),
            desk,
            folders: BTreeMap::new(),
            next_id: 0,
            turn: FolderId(0),
            channels: Channels {
                reports,
                report_inbox,
                sightings,
                sighting_inbox,
                stalls,
                stall_inbox,
            },
            reception,
            errands: VecDeque::new(),
            running_errands: JoinSet::new(),
            turns: Turns::default(),
            jobs: JoinSet::new(),
            starts: JoinSet::new(),
            reloads: JoinSet::new(),
            reload_again: false,
            readiness: Readiness::Untried,
            drain_until: None,
            tick_at: now,
            ledger_version,
            announcer: Announcer::new(),
            forgetting: Forgetting::default(),
            checkpoint_at: now + CHECKPOINT_INTERVAL,
            config: Arc::new(config),
            lock,
        };
        // Before anybody is shown that the loop is there.
        daemon.reception.grant_places(daemon.config.daemon.workers);
        let rescan = daemon.config.daemon.rescan;
        for folder in daemon.config.folders.clone() {
            let begun = Instant::now();
            daemon.sweep_uploads(&folder).await;
            let opened = daemon.open_folder(folder, rescan).await?;
            daemon.folders.extend([opened]);
            if begun.elapsed() >= FIRST_LOOK_LIMIT {
                Announcer::still_starting();
            }
        }
        Ok(daemon)
    }

    /// Makes a folder ready to be served; its scout does nothing before it is.
    pub(super) async fn open_folder(
        &mut self,
        config: Arc<Folder>,
        rescan: Duration,
    ) -> Result<(FolderId, HotFolder), FatalError> {
        let id = FolderId(self.next_id);
        self.next_id += 1;
        let (input, output) = (config.input.clone(), config.output.clone());
        let mounts = self
            .desk
            .ledger
            .call(move |book| Ok((book.mount_of(&input)?, book.mount_of(&output)?)));
        let (mount_point, output_mount) = mounts.await?;
        let output_mount = self.prepare_output(&config, output_mount).await?;
        self.put_back_strays(&config).await?;
        let assignment = Assignment {
            id,
            input: config.input.clone(),
            filter: Filter::new(Arc::clone(&config)),
            mount_point,
            canary: self.live.make_canary(&config.name)?,
            reports: self.channels.reports.clone(),
            sightings: self.channels.sightings.clone(),
        };
        let scout = Scout::start(assignment)?;
        self.reception.tally.begin_folder(&config.name);
        let mut folder = HotFolder::new(config, scout, rescan, Instant::now());
        folder.output_mount = output_mount;
        Ok((id, folder))
    }

    /// Gives back their names to sources that a crash has left half moved or half deleted; they are then dealt with again.
    /// Where the folder is away, the next start does it.
    async fn put_back_strays(&self, config: &Folder) -> Result<(), FatalError> {
        let name = config.name.clone();
        let rows = self
            .desk
            .ledger
            .call(move |book| book.half_retired(&name))
            .await?;
        let (input, desk) = (config.input.clone(), self.desk.clone());
        first_look("half moved photos", move || {
            let root = Root::open(&input, None)?;
            for (id, source) in rows {
                let parent = source.parent().unwrap_or(Path::new(""));
                let Ok(directory) = root.open_below(parent, OFlags::RDONLY | OFlags::DIRECTORY)
                else {
                    continue;
                };
                let folder = Destination::from_directory(directory, root.join(parent));
                let aside = desk.hidden_name(id, "source");
                put_back_stray(
                    &folder,
                    aside.as_ref(),
                    source.file_name().unwrap_or_default(),
                )?;
            }
            Ok(())
        })
        .await;
        Ok(())
    }

    /// Removes photos that a crash has left half brought into the folder. Where it is away, the next start does it.
    async fn sweep_uploads(&self, config: &Folder) {
        let (input, ledger_id) = (config.input.clone(), self.desk.ledger_id.clone());
        first_look("half brought photos", move || {
            let directory = Root::open(&input, None)?.directory()?;
            sweep_uploads(&Destination::from_directory(directory, input), &ledger_id)
        })
        .await;
    }

    /// Remembers a mount that has come to lie over the output folder since it was opened, so that its going is noticed.
    pub(super) async fn notice_deeper_mount(&mut self, id: FolderId) -> Result<(), FatalError> {
        let Some(folder) = self.folders.get_mut(&id) else {
            return Ok(());
        };
        let output = folder.config.output.clone();
        // By the words of the path alone: looking at the folder could hang with its disk.
        let Ok(actual) = mount::point_of(&output) else {
            return Ok(());
        };
        let known = folder.output_mount.clone().unwrap_or_default();
        if actual != known && actual.starts_with(&known) {
            folder.output_mount = Some(actual.clone());
            log::mounted_over(&folder.config, &actual);
            self.desk
                .ledger
                .call(move |book| book.remember_mount(&output, &actual))
                .await?;
        }
        Ok(())
    }

    /// Makes the output folder and remembers the mount that it lies on before anything is placed, so that its absence is
    /// noticed. Where that fails, the first photo pauses the folder and says why.
    async fn prepare_output(
        &self,
        config: &Folder,
        remembered: Option<PathBuf>,
    ) -> Result<Option<PathBuf>, FatalError> {
        let (output, expected) = (config.output.clone(), remembered.clone());
        let make = tokio::task::spawn_blocking(move || {
            Destination::open(&output, expected.as_deref())?;
            mount::point_of(&output.canonicalize().at(&output)?)
        });
        let Ok(Ok(Ok(actual))) = tokio::time::timeout(FIRST_LOOK_LIMIT, make).await else {
            return Ok(remembered);
        };
        if remembered.as_ref() != Some(&actual) {
            let (output, actual) = (config.output.clone(), actual.clone());
            self.desk
                .ledger
                .call(move |book| book.remember_mount(&output, &actual))
                .await?;
        }
        Ok(Some(actual))
    }
}

/// Looks for `what` in a folder, whose disk may not answer.
async fn first_look(what: &str, look: impl FnOnce() -> Result<(), PathError> + Send + 'static) {
    let look = tokio::task::spawn_blocking(look);
    if let Ok(Ok(Err(error))) = tokio::time::timeout(FIRST_LOOK_LIMIT, look).await {
        tracing::debug!(%error, "{what} could not be looked for");
    }
}

/// Opens the ledger; what one that was lost, damaged or restored does not know is learned from the output folders.
fn open_ledger(config: &Config) -> Result<Book, FatalError> {
    let (mut book, found) = open_whole(&config.daemon.state_dir, &mut |step| {
        // Each step of a large ledger takes its time.
        Announcer::still_starting();
        log::ledger_step(&step);
    })?;
    match &found {
        Found::Damaged(aside) => log::damaged(aside),
        Found::Restored => log::restored(),
        Found::Whole | Found::Missing => {}
    }
    if found != Found::Whole {
        let rebuilt = rebuild(&mut book, &config.folders, &mut Announcer::still_starting)?;
        log::rebuilt(&rebuilt, !Live::has_served(&config.daemon.state_dir));
    }
    Ok(book)
}

/// Removes the hidden files of attempts that a crash has cut short. One that is out of reach now is removed when its
/// photo is tried again.
fn remove_temps(ledger_id: &str, left_running: &[(i64, PathBuf)]) {
    for (id, output) in left_running {
        let folder = output.parent().unwrap_or(Path::new("/"));
        let temp = folder.join(hidden_name(ledger_id, *id, "tmp"));
        rustix::fs::unlinkat(CWD, &temp, AtFlags::empty()).ok();
    }
}
