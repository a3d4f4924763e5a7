//! Converts a configuration to a daemon with a recovered ledger and started scanners. Serves nothing yet.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::fair_share::FairShare;
use super::folder::{Cutouts, HotFolder};
use super::forget::Forgetting;
use super::prepare::{self, KnownFolder, Left};
use super::quarantine::Explanations;
use super::shared_status::SharedStatusFile;
use super::status_file::StatusFile;
use super::systemd::Systemd;
use super::throttle::Throttle;
use super::tick::CHECKPOINT_INTERVAL;
use super::{
    Daemon, DaemonEndpoint, EVENTS_MAX, FatalError, LoopChannels, REPORTS_MAX, Readiness, log,
};
use crate::config::{Config, Folder};
use crate::delivery::{Patience, rebuild};
use crate::fs::{disk, mount};
use crate::intake::{Assignment, FileFilter, FolderId, Scanner};
use crate::job::{JobContext, OutputPlace};
use crate::ledger::{
    Interrupted, Ledger, LedgerFound, LedgerStore, RebuildExtent, lock_state_dir, open_whole,
};
use crate::worker::{Pool, StartError, Worker, WorkerSpec};

/// Starts a worker and, if asked, runs its self-test.
pub(super) async fn worker(spec: Arc<WorkerSpec>, self_test: bool) -> Result<Worker, StartError> {
    let worker = Worker::start(spec).await?;
    if self_test {
        worker.self_test().await
    } else {
        Ok(worker)
    }
}

impl Daemon {
    pub(super) async fn start(
        config_file: PathBuf,
        config: Config,
        endpoint: DaemonEndpoint,
    ) -> Result<Self, FatalError> {
        let now = Instant::now();
        let state_dir = &config.daemon.state_dir;
        let here = state_dir.clone();
        // The daemon cannot run without the directory, but must report a disk that does not answer.
        disk::ask(state_dir, move |_| drop(here.metadata())).answer()?;
        let lock = lock_state_dir(state_dir)?;
        let (mut ledger, unlearned) = open_ledger(&config)?;
        let interrupted = ledger.recover()?;
        let ledger_version = ledger.foreign_changes()?;
        let ledger_id = ledger.id().to_owned();
        let context = JobContext::new(&config, Ledger::start(ledger)?, ledger_id);
        let (reports, report_inbox) = mpsc::channel(REPORTS_MAX);
        let (sightings, sighting_inbox) = mpsc::channel(EVENTS_MAX);
        let (stalls, stall_inbox) = mpsc::unbounded_channel();
        let mut daemon = Self {
            config_file,
            pool: Pool::new(WorkerSpec::of(&config), config.daemon.workers, now),
            status_file: StatusFile::new(state_dir),
            shared_status_file: SharedStatusFile::new(),
            context,
            folders: BTreeMap::new(),
            next_id: 0,
            turn: FolderId(0),
            channels: LoopChannels {
                reports,
                report_inbox,
                sightings,
                sighting_inbox,
                stalls,
                stall_inbox,
            },
            endpoint,
            requests: VecDeque::new(),
            running_requests: JoinSet::new(),
            fair_share: FairShare::default(),
            throttle: Throttle::default(),
            state_dir_full: None,
            jobs: JoinSet::new(),
            starts: JoinSet::new(),
            reloads: JoinSet::new(),
            reload_again: false,
            readiness: Readiness::Untried,
            drain_until: None,
            tick_at: now,
            ledger_version,
            systemd: Systemd::new(),
            forgetting: Forgetting::default(),
            explanations: Explanations::default(),
            checkpoint_at: now + CHECKPOINT_INTERVAL,
            config: Arc::new(config),
            lock,
        };
        // Before the first snapshot shows other threads that the loop exists.
        daemon.endpoint.grant_slots(daemon.config.daemon.workers);
        daemon.open_folders(interrupted, &unlearned).await?;
        Ok(daemon)
    }

    /// Starts to serve every folder. `interrupted` are the attempts that a crash interrupted; `unlearned` are the output folders
    /// whose cutouts the ledger does not know yet.
    async fn open_folders(
        &mut self,
        mut interrupted: Vec<Interrupted>,
        unlearned: &[PathBuf],
    ) -> Result<(), FatalError> {
        let rescan = self.config.daemon.rescan;
        for folder in self.config.folders.clone() {
            // Outputs in folders that are no longer configured are left for the end.
            let (own, others) = interrupted.into_iter().partition(|attempt| {
                let mut outputs = folder.output_paths();
                attempt.folder == folder.name
                    && outputs.any(|output| attempt.output.starts_with(output))
            });
            interrupted = others;
            let left = Left {
                interrupted: own,
                unlearned: unlearned.to_vec(),
            };
            let opened = self.open_folder(folder, rescan, Some(left)).await?;
            self.folders.extend([opened]);
        }
        prepare::remove_temps_of_nobody(self.context.ledger_id.clone(), interrupted)?;
        Ok(())
    }

    /// Starts to serve a folder. Its scanner does all work that may wait for its disks, before it reports any photo. `left` is the
    /// work that an earlier daemon has left: `None` at a reload.
    pub(super) async fn open_folder(
        &mut self,
        config: Arc<Folder>,
        rescan: Duration,
        left: Option<Left>,
    ) -> Result<(FolderId, HotFolder), FatalError> {
        let id = FolderId(self.next_id);
        self.next_id += 1;
        let (input, mut outputs) = (config.input.clone(), OutputPlace::all_of(&config));
        let name = config.name.clone();
        // A reload must not disturb sources that the old folder is moving now.
        let is_served = self.folders.values().any(|old| old.config.name == name);
        let known = self.context.ledger.call(move |ledger| {
            let half_retired = if is_served {
                Vec::new()
            } else {
                ledger.half_retired(&name)?
            };
            for place in &mut outputs {
                place.mount_point = ledger.mount_of(&place.folder)?;
            }
            Ok((ledger.mount_of(&input)?, outputs, half_retired))
        });
        let (mount_point, outputs, half_retired) = known.await?;
        let known = KnownFolder {
            outputs: outputs.clone(),
            half_retired,
            // At a reload an upload may be running.
            sweeps_uploads: left.is_some(),
            left: left.unwrap_or_else(|| self.left_of_old(&config)),
        };
        let is_unlearned = |output: &Path| known.left.unlearned.iter().any(|path| path == output);
        let cutouts = if config.output_paths().any(is_unlearned) {
            Cutouts::Unknown
        } else {
            Cutouts::Known
        };
        let preparation = prepare::preparation(&self.config, &config, &self.context, known);
        let assignment = Assignment {
            id,
            input: config.input.clone(),
            filter: FileFilter::new(Arc::clone(&config)),
            mount_point,
            canary: self.status_file.make_canary(&config.name)?,
            reports: self.channels.reports.clone(),
            sightings: self.channels.sightings.clone(),
        };
        let scanner = Scanner::start(assignment, preparation)?;
        self.endpoint.metrics.begin_folder(&config.name);
        let mut folder = HotFolder::new(config, scanner, rescan, Instant::now());
        folder.outputs = outputs;
        folder.cutouts = cutouts;
        Ok((id, folder))
    }

    /// The work that a folder replaced by a reload has not done yet.
    fn left_of_old(&self, config: &Folder) -> Left {
        let unknown = self.folders.values();
        let unknown = unknown.filter(|old| old.cutouts == Cutouts::Unknown);
        let unlearned = unknown.flat_map(|old| old.config.output_paths());
        let unlearned = unlearned.filter(|old| config.output_paths().any(|path| path == *old));
        Left {
            interrupted: Vec::new(),
            unlearned: unlearned.map(Path::to_owned).collect(),
        }
    }

    /// Remembers mounts that were mounted over the output folders after they were opened, so that their absence is noticed later.
    pub(super) async fn notice_deeper_mount(&mut self, id: FolderId) -> Result<(), FatalError> {
        let Some(folder) = self.folders.get_mut(&id) else {
            return Ok(());
        };
        let mut deeper = Vec::new();
        for place in &mut folder.outputs {
            // Only from the text of the path: access to the folder could hang with its disk.
            let Ok(actual) = mount::point_of(&place.folder) else {
                continue;
            };
            let known = place.mount_point.clone().unwrap_or_default();
            if actual != known && actual.starts_with(&known) {
                place.mount_point = Some(actual.clone());
                log::mounted_over(&folder.config, &actual);
                deeper.push((place.folder.clone(), actual));
            }
        }
        if deeper.is_empty() {
            return Ok(());
        }
        let remember = self.context.ledger.call(move |ledger| {
            let mut deeper = deeper.iter();
            deeper.try_for_each(|(output, actual)| ledger.remember_mount(output, actual))
        });
        Ok(remember.await?)
    }
}

/// Opens the ledger. If it was lost, damaged or restored, reads the missing records from the output folders. Also returns the
/// output folders whose disks do not answer: their cutouts are read before the folders are used.
fn open_ledger(config: &Config) -> Result<(Box<dyn LedgerStore>, Vec<PathBuf>), FatalError> {
    let (mut ledger, found) = open_whole(&config.daemon.state_dir, &mut |step| {
        // Each step takes long with a large ledger.
        Systemd::still_starting();
        log::ledger_step(&step);
    })?;
    match &found {
        LedgerFound::Damaged(aside) => log::damaged(aside),
        LedgerFound::Restored => log::restored(),
        LedgerFound::Whole | LedgerFound::Missing => {}
    }
    if found == LedgerFound::Whole {
        return Ok((ledger, Vec::new()));
    }
    let alive = &mut Systemd::still_starting;
    let mut rebuilt = rebuild(
        &mut *ledger,
        &config.folders,
        RebuildExtent::Whole,
        Patience::SHORT,
        alive,
    )?;
    let silent = rebuilt
        .unreadable
        .extract_if(.., |error| disk::is_silent(error));
    let silent = silent.map(|error| error.path().to_owned()).collect();
    log::rebuilt(&rebuilt, !StatusFile::has_served(&config.daemon.state_dir));
    Ok((ledger, silent))
}
