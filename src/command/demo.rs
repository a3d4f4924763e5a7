//! `hotcut demo`: runs a real daemon with sample photos in a real hot folder and prints the paths of the cutouts.

use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::{CommandError, block_on};
use crate::config;
use crate::fs::path_error::{AtPath as _, PathError};
use crate::model::shipped_models_dir;

/// Photos that may be distributed; their licences are in demo/SOURCES.md.
const SAMPLES: &[(&str, &[u8])] = &[
    ("astronaut", include_bytes!("demo/astronaut.jpg")),
    ("cat", include_bytes!("demo/cat.jpg")),
    ("coffee", include_bytes!("demo/coffee.jpg")),
    ("raccoon", include_bytes!("demo/raccoon.jpg")),
];

/// Time limit for all samples together, on a slow machine.
const PATIENCE: Duration = Duration::from_mins(5);

const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// Runs the demonstration in `dir`, or in a new folder of the system's temporary folder.
pub fn run(dir: Option<PathBuf>) -> Result<ExitCode, CommandError> {
    let dir = dir.unwrap_or_else(|| {
        std::env::temp_dir().join(format!("hotcut-demo-{}", std::process::id()))
    });
    let dir = std::path::absolute(&dir)?;
    block_on(demonstrate(&DemoStage::new(&dir)?))?
}

struct DemoStage {
    config: PathBuf,
    hot: PathBuf,
    cutouts: PathBuf,
}

impl DemoStage {
    fn new(dir: &Path) -> Result<Self, PathError> {
        let stage = Self {
            config: dir.join("hotcut.toml"),
            hot: dir.join("hot"),
            cutouts: dir.join("cutouts"),
        };
        std::fs::create_dir_all(&stage.hot).at(&stage.hot)?;
        let quoted = |path: &Path| config::quoted(&path.display().to_string());
        let text = format!(
            "[daemon]\nstate_dir = {}\nmodels_dir = {}\n\n\
             [[folder]]\nname = \"demo\"\ninput = {}\noutput = {}\nsettle = \"500ms\"\n",
            quoted(&dir.join("state")),
            quoted(&shipped_models_dir()),
            quoted(&stage.hot),
            quoted(&stage.cutouts),
        );
        copy_in(&stage.config, text.as_bytes())?;
        Ok(stage)
    }
}

async fn demonstrate(stage: &DemoStage) -> Result<ExitCode, CommandError> {
    let mut daemon = Command::new(std::env::current_exe()?);
    let mut daemon = daemon
        .arg("run")
        .arg("--config")
        .arg(&stage.config)
        .kill_on_drop(true)
        .spawn()?;
    for (name, bytes) in SAMPLES {
        copy_in(&stage.hot.join(name).with_extension("jpg"), bytes)?;
    }
    let deadline = Instant::now() + PATIENCE;
    for (name, _) in SAMPLES {
        let cutout = stage.cutouts.join(name).with_extension("png");
        while !cutout.exists() {
            if let Some(status) = daemon.try_wait()? {
                return Err(CommandError::Demo(format!(
                    "{} (the daemon ended: {status})",
                    cutout.display()
                )));
            }
            if Instant::now() > deadline {
                return Err(CommandError::Demo(cutout.display().to_string()));
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }
    stop(&mut daemon).await?;
    let mut out = stdout().lock();
    writeln!(out, "Dropped into {}; cut out:", stage.hot.display())?;
    for (name, _) in SAMPLES {
        writeln!(
            out,
            "  {}",
            stage.cutouts.join(name).with_extension("png").display()
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn stop(daemon: &mut Child) -> Result<(), CommandError> {
    let pid = daemon
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw);
    if let Some(pid) = pid {
        rustix::process::kill_process(pid, Signal::TERM).map_err(std::io::Error::from)?;
    }
    let status = daemon.wait().await?;
    if status.success() {
        Ok(())
    } else {
        Err(CommandError::Demo(format!("a clean stop ({status})")))
    }
}

/// Writes a file without precautions, as any program would; the daemon must handle it.
fn copy_in(path: &Path, bytes: &[u8]) -> Result<(), PathError> {
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).open(path);
    file.and_then(|mut file| file.write_all(bytes)).at(path)
}
