//! One step of a setup: its text, its execution, and the commands that undo it. Must not decide anything.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::super::CommandError;
use super::super::config_file::{self, backup_of};
use super::SetupError;

/// Where administration programs are, whatever the shell's `PATH`.
const ROOT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A step, and how to undo it.
#[derive(Debug)]
pub(super) struct SetupStep {
    act: Act,
    /// Command lines that undo the step, in order.
    pub(super) undo: Vec<String>,
}

#[derive(Debug)]
enum Act {
    Run(Vec<OsString>),
    Write {
        what: String,
        file: PathBuf,
        text: String,
    },
}

impl SetupStep {
    /// A step that runs a command and shows it as run.
    pub(super) fn run<W: AsRef<OsStr>>(words: &[W], undo: Vec<String>) -> Self {
        let words = words.iter().map(|word| word.as_ref().to_owned());
        Self {
            act: Act::Run(words.collect()),
            undo,
        }
    }

    /// A step that writes `text` to a file; `what` describes the change.
    pub(super) fn write(what: String, file: &Path, text: String, then: &[&str]) -> Self {
        let mut undo = vec![if file.exists() {
            line(&[
                OsStr::new("mv"),
                backup_of(file).as_os_str(),
                file.as_os_str(),
            ])
        } else {
            line(&[OsStr::new("rm"), file.as_os_str()])
        }];
        undo.extend(then.iter().map(ToString::to_string));
        let file = file.to_owned();
        Self {
            act: Act::Write { what, file, text },
            undo,
        }
    }

    /// Carries the step out.
    pub(super) fn take(&self) -> Result<(), CommandError> {
        match &self.act {
            Act::Run(words) => {
                let reason = match command(words).status() {
                    Ok(status) if status.success() => return Ok(()),
                    Ok(status) => format!(" ({status})"),
                    Err(error) => format!(": {error}"),
                };
                let command = line(words);
                Err(SetupError::Command { command, reason }.into())
            }
            Act::Write { file, text, .. } => {
                config_file::replace(file, text)?;
                Ok(())
            }
        }
    }
}

impl fmt::Display for SetupStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.act {
            Act::Run(words) => f.write_str(&line(words)),
            Act::Write { what, file, .. } if file.exists() => {
                let backup = backup_of(file);
                write!(
                    f,
                    "{what}; what is there now is kept as {}",
                    backup.display()
                )
            }
            Act::Write { what, .. } => f.write_str(what),
        }
    }
}

fn command<W: AsRef<OsStr>>(words: &[W]) -> Command {
    let mut words = words.iter();
    let mut command = Command::new(words.next().map_or(OsStr::new(""), AsRef::as_ref));
    command
        .args(words)
        .env("PATH", ROOT_PATH)
        .stdin(Stdio::null());
    command
}

/// Runs a command that changes nothing. Returns its output; `None` when it fails.
pub(super) fn ask<W: AsRef<OsStr>>(words: &[W]) -> Result<Option<String>, SetupError> {
    let output = command(words).stderr(Stdio::null()).output();
    let output = output.map_err(|error| SetupError::Command {
        command: line(words),
        reason: format!(": {error}"),
    })?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(output.status.success().then_some(text))
}

/// The command line as typed into a shell.
pub(super) fn line<W: AsRef<OsStr>>(words: &[W]) -> String {
    let words = words.iter().map(|word| {
        let word = word.as_ref().to_string_lossy();
        let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c);
        if !word.is_empty() && word.chars().all(is_plain) {
            word.into_owned()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when a shown command does something else when it is typed.
    #[test]
    fn a_line_can_be_typed() {
        let words = ["rmdir", "/srv/a b", "it's", "$HOME", "/srv/Möbel", ""];
        let echoed = Command::new("sh")
            .args(["-c", &format!("printf '%s\\n' {}", line(&words))])
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8(echoed.stdout).unwrap(),
            words.join("\n") + "\n"
        );
    }
}
