//! Converts a configuration to the command line of its workers. Must not start workers.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use super::protocol::Task;
use crate::config::Config;
use crate::model::ModelManifest;

/// The parameters of workers. Workers with equal specifications are interchangeable.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerSpec {
    models_dir: PathBuf,
    models: Vec<ModelManifest>,
    threads: usize,
    megapixels_max: u32,
    memory_bytes: u64,
}

impl WorkerSpec {
    /// The specification for `config`.
    pub fn of(config: &Config) -> Self {
        Self {
            models_dir: config.daemon.models_dir.clone(),
            models: config.models.values().cloned().collect(),
            threads: config.daemon.threads_per_worker,
            megapixels_max: config.daemon.megapixels_max,
            memory_bytes: config.daemon.worker_memory_bytes,
        }
    }

    /// The longest photo file, in bytes: a worker cannot hold more.
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    /// The names of the models that each worker loads.
    pub(crate) fn model_names(&self) -> Vec<String> {
        self.models
            .iter()
            .map(|manifest| manifest.name.clone())
            .collect()
    }

    /// Whether such a worker can do `task`.
    pub fn can_do(&self, task: &Task) -> bool {
        match task {
            Task::Cut { model, .. } => self.models.iter().any(|manifest| manifest.name == *model),
            Task::Shrink { .. } => true,
        }
    }

    /// The command that starts such a worker.
    pub(crate) fn command(&self) -> io::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("worker")
            .args(["--parent", &std::process::id().to_string()])
            .args(["--threads", &self.threads.to_string()])
            .args(["--megapixels-max", &self.megapixels_max.to_string()])
            .args(["--memory-bytes", &self.memory_bytes.to_string()])
            .arg("--models-dir")
            .arg(&self.models_dir);
        for manifest in &self.models {
            command.arg("--model").arg(&manifest.name);
        }
        command
            .env("ORT_DISABLE_TELEMETRY", "1")
            // By default glibc raises both thresholds when large blocks are freed, and the heap then fragments and keeps twice the
            // memory: 460 instead of 210 MiB for a worker with U²-Net after a photo of 24 megapixels. Fixed at its lowest, each
            // block of a matte is mapped anew, and the page faults take a tenth of a small photo's time. These values cost 10 MiB
            // for the student and 35 MiB for U²-Net.
            .env("MALLOC_MMAP_THRESHOLD_", "1048576")
            .env("MALLOC_TRIM_THRESHOLD_", "8388608")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C on a terminal signals the whole process group; the daemon decides when its workers end.
            .process_group(0)
            .kill_on_drop(true);
        Ok(command)
    }
}
