//! Handles SIGHUP: takes a new configuration as a whole after a trial, or keeps the old one.

use std::path::PathBuf;
use std::sync::Arc;

use super::forget::Forgetting;
use super::systemd::Systemd;
use super::{Daemon, FatalError, Readiness, log, start};
use crate::blocking::blocking;
use crate::config::{Config, ConfigError};
use crate::job::JobContext;
use crate::worker::{StartError, Worker, WorkerSpec};

/// A configuration that has passed its trial.
pub(super) struct Reloaded {
    config: Config,
    /// A self-tested worker of the new kind, if the kind changes.
    first: Option<Worker>,
}

/// Why a configuration is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReloadRefusal {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("no worker starts with it: {0}")]
    Worker(#[from] StartError),
    #[error("`state_dir` cannot change while the daemon runs; restart it")]
    StateDir,
}

impl Daemon {
    /// Reads and tries the configuration while work goes on.
    pub(super) fn begin_reload(&mut self) {
        if self.drain_until.is_some() {
            return;
        }
        if !self.reloads.is_empty() {
            self.reload_again = true;
            return;
        }
        Systemd::reloading();
        let (file, old) = (self.config_file.clone(), Arc::clone(&self.config));
        let spec = Arc::clone(self.pool.spec());
        self.reloads.spawn(prepare(file, old, spec));
    }

    /// Takes the new configuration as a whole, or logs why not.
    pub(super) async fn end_reload(
        &mut self,
        result: Result<Reloaded, ReloadRefusal>,
    ) -> Result<(), FatalError> {
        match result {
            Ok(reloaded) => self.take_config(reloaded).await?,
            Err(error) => log::refused(&error),
        }
        if self.readiness == Readiness::Reported {
            Systemd::ready(&self.config);
        }
        if std::mem::take(&mut self.reload_again) {
            self.begin_reload();
        }
        Ok(())
    }

    async fn take_config(&mut self, reloaded: Reloaded) -> Result<(), FatalError> {
        let Reloaded { config, first } = reloaded;
        if self.drain_until.is_some() {
            return Ok(());
        }
        let (kept, added): (Vec<_>, Vec<_>) = config
            .folders
            .iter()
            .cloned()
            .partition(|new| self.folders.values().any(|old| old.config == *new));
        let mut opened = Vec::with_capacity(added.len());
        // Before any part of the old configuration goes: every step that can fail must leave it whole.
        for folder in added {
            match self.open_folder(folder, config.daemon.rescan, None).await {
                Ok(folder) => opened.push(folder),
                Err(error @ FatalError::Ledger(_)) => return Err(error),
                Err(error) => {
                    log::refused(&error);
                    return Ok(());
                }
            }
        }
        let started = opened.len();
        self.pool.change(config.daemon.workers, first);
        self.context = JobContext::new(
            &config,
            self.context.ledger.clone(),
            self.context.ledger_id.clone(),
        );
        let now = tokio::time::Instant::now();
        // Unchanged folders go on undisturbed; a changed folder starts over, with its files still on disk.
        self.folders
            .retain(|_, folder| kept.contains(&folder.config));
        for folder in self.folders.values_mut() {
            folder.set_rescan(config.daemon.rescan, now);
        }
        self.folders.extend(opened);
        log::no_folder(&config);
        log::unwise(&config);
        self.forgetting = Forgetting::default();
        self.config = Arc::new(config);
        // Before the log line, so that a reader of the log finds the new configuration shown.
        self.show();
        tracing::info!(kept = kept.len(), started, "the configuration is reloaded");
        Ok(())
    }
}

async fn prepare(
    file: PathBuf,
    old: Arc<Config>,
    spec: Arc<WorkerSpec>,
) -> Result<Reloaded, ReloadRefusal> {
    let config = blocking(move || Config::load(&file)).await?;
    if config.daemon.state_dir != old.daemon.state_dir {
        return Err(ReloadRefusal::StateDir);
    }
    let wanted = WorkerSpec::of(&config);
    let first = if wanted == *spec {
        None
    } else {
        Some(start::worker(Arc::new(wanted), true).await?)
    };
    Ok(Reloaded { config, first })
}
