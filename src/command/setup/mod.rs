//! `hotcut setup`: makes a folder a hot folder of the service, with rights, configuration and drop-in. Shows each step, and carries
//! the steps out only on request.

mod error;
mod plan;
mod rights;
mod status_group;
mod step;

use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use tokio::time::Instant;

pub use error::SetupError;

use self::plan::SetupPlan;
use super::{CommandError, block_on};
use crate::daemon::LiveStatus;
use crate::percent;

/// The configuration file of the service.
const CONFIG_FILE: &str = "/etc/hotcut/hotcut.toml";

/// How long a started service may take to serve the folder.
const SERVE_LIMIT: Duration = Duration::from_mins(1);

/// The interval between two checks of the service's state.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// What is to be set up.
#[derive(Debug, clap::Args)]
pub struct SetupArguments {
    /// The hot folder. It is created if it does not exist.
    dir: PathBuf,
    /// The folder for the cutouts. Default: a folder beside the hot folder, with `-cutouts` after its name.
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// The group whose members may drop photos and take cutouts. It is created if it does not exist.
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Carries out the steps.
    #[arg(long)]
    yes: bool,
}

/// Shows the steps; carries them out with `--yes`.
pub fn run(order: &SetupArguments) -> Result<ExitCode, CommandError> {
    if !rustix::process::geteuid().is_root() {
        return Err(SetupError::NotRoot.into());
    }
    if !Path::new("/run/systemd/system").is_dir() {
        return Err(SetupError::NoSystemd(order.dir.clone()).into());
    }
    let plan = SetupPlan::of(order, Path::new(CONFIG_FILE))?;
    let mut out = stdout().lock();
    if plan.steps.is_empty() {
        writeln!(out, "nothing is left to do")?;
    } else if !order.yes {
        writeln!(out, "this would be done; add --yes to do it:")?;
        for step in &plan.steps {
            writeln!(out, "  {step}")?;
        }
        writeln!(out, "  wait until the service serves the folder")?;
        return Ok(ExitCode::SUCCESS);
    }
    // New parent folders must be passable for all users, whatever the shell's umask.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    for (done, step) in plan.steps.iter().enumerate() {
        writeln!(out, "  {step}")?;
        if let Err(error) = step.take() {
            tell_undo(&plan, done)?;
            return Err(error);
        }
    }
    if let Err(error) = block_on(served(&plan))? {
        tell_undo(&plan, plan.steps.len())?;
        return Err(error.into());
    }
    writeln!(
        out,
        "ready: photos that arrive in the folder \"{}\" are cut out into {}",
        plan.name,
        percent::display_all(&plan.outputs)
    )?;
    tell_undo(&plan, plan.steps.len())
        .map(|()| ExitCode::SUCCESS)
        .map_err(CommandError::from)
}

/// Prints how to undo the first `done` steps.
fn tell_undo(plan: &SetupPlan, done: usize) -> std::io::Result<()> {
    let undo = plan.undo(done);
    let mut out = stdout().lock();
    if !undo.is_empty() {
        writeln!(out, "to undo this, as root (a folder with photos stays):")?;
    }
    for line in undo {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

/// Waits until the running service serves the folder.
async fn served(plan: &SetupPlan) -> Result<(), SetupError> {
    let deadline = Instant::now() + SERVE_LIMIT;
    let state_dir = &plan.config.daemon.state_dir;
    loop {
        let live = LiveStatus::read(state_dir).filter(|_| LiveStatus::is_fresh(state_dir));
        let folders = live.into_iter().flat_map(|live| live.folders);
        let folder = folders.into_iter().find(|folder| folder.name == plan.name);
        match folder {
            Some(folder) if folder.state.is_served() => return Ok(()),
            _ if Instant::now() < deadline => tokio::time::sleep(LOOK_INTERVAL).await,
            folder => {
                let state = folder.map_or("not known to it".to_owned(), |folder| {
                    folder.state.to_string()
                });
                return Err(SetupError::NotServed { state });
            }
        }
    }
}
