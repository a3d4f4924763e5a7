//! Runs the configured command once per message, one at a time, with the message on its stdin and in its environment.

use std::convert::Infallible;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

use super::Settings;
use super::inbox::Inbox;
use super::message::Message;
use crate::config::NotifyCommand;
use crate::fs::path_error::{AtPath as _, PathError};

/// The time limit of one run.
const LIMIT: Duration = Duration::from_mins(1);

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
enum ProgramError {
    /// It exceeded the time limit and was killed.
    #[error("it took longer than {} s and was stopped", .0.as_secs())]
    Late(Duration),
    /// It ended with a failure status.
    #[error("it ended with {0}")]
    Failed(ExitStatus),
    /// It does not exist, or must not be run.
    #[error(transparent)]
    NotStarted(PathError),
    /// Waiting for its end failed.
    #[error(transparent)]
    Lost(io::Error),
}

/// Delivers until there are no more messages. Without a command, messages are discarded.
pub(super) async fn deliver(inbox: &mut Inbox, settings: Settings) {
    while let Some(message) = inbox.next().await {
        let command = settings.borrow().clone().and_then(|notify| notify.command);
        if let Some(command) = command
            && let Err(error) = run(&command, &message, LIMIT).await
        {
            let program = command.program.display();
            tracing::warn!(%program, %error, "the command of [notify] failed");
        }
    }
}

async fn run(
    command: &NotifyCommand,
    message: &Message,
    limit: Duration,
) -> Result<(), ProgramError> {
    let child = Command::new(&command.program)
        .args(&command.arguments)
        .envs(message.event.variables())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .at(&command.program)
        .map_err(ProgramError::NotStarted)?;
    let mut group = ProcessGroup(child);
    let stdin = group.0.stdin.take();
    // Neither the program nor a process that inherits its stdin has to read the message.
    let feed = async {
        if let Some(mut stdin) = stdin {
            stdin.write_all(&message.json).await.ok();
        }
        std::future::pending::<Infallible>().await
    };
    let status = tokio::select! {
        status = group.0.wait() => status.map_err(ProgramError::Lost)?,
        () = tokio::time::sleep(limit) => return Err(ProgramError::Late(limit)),
        never = feed => match never {},
    };
    if status.success() {
        Ok(())
    } else {
        Err(ProgramError::Failed(status))
    }
}

/// A program and the processes that it started. They are killed if this is dropped before the program has ended.
struct ProcessGroup(Child);

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        // The process has no id once it has ended: the id may belong to another process by then.
        let number = self.0.id().and_then(|id| i32::try_from(id).ok());
        if let Some(leader) = number.and_then(Pid::from_raw) {
            kill_process_group(leader, Signal::KILL).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use tokio::time::{sleep, timeout};

    use super::*;

    /// P7: fails when a command runs longer than the limit, or when a process started by it survives.
    #[tokio::test]
    async fn command_that_takes_too_long_is_stopped_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let pid_file = folder.path().join("pid");
        let script = "sleep 1000 & echo $! > \"$1.part\"; mv \"$1.part\" \"$1\"; wait";
        let command = NotifyCommand {
            program: "/bin/sh".into(),
            arguments: ["-c", script, "sh", &pid_file.display().to_string()]
                .map(str::to_owned)
                .to_vec(),
        };
        let mut limit = Duration::from_millis(100);
        let patience = Duration::from_mins(1);
        let test = async {
            // A busy machine may need longer to start the command.
            while !pid_file.exists() {
                limit *= 2;
                let run = run(&command, &Message::finished(), limit).await;
                assert!(matches!(run, Err(ProgramError::Late(_))), "{run:?}");
            }
            let pid = fs::read_to_string(&pid_file).unwrap();
            let line = Path::new("/proc").join(pid.trim()).join("cmdline");
            while fs::read(&line).is_ok_and(|line| line.starts_with(b"sleep")) {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(patience, test).await.expect("all are stopped");
    }
}
