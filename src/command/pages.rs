//! `hotcut pages`: converts the clap definition to man pages and shell completions. Must not name a command.

use std::path::Path;
use std::process::ExitCode;

use clap_complete::Shell;

use super::CommandError;
use crate::fs::path_error::AtPath as _;

/// Writes `man` and `completions` below `dir`, with a man page for `program` and for each visible command.
pub fn run(program: &clap::Command, dir: &Path) -> Result<ExitCode, CommandError> {
    let mut program = without_hidden(program);
    let (man, completions) = (dir.join("man"), dir.join("completions"));
    for folder in [&man, &completions] {
        std::fs::create_dir_all(folder).at(folder)?;
    }
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let name = program.get_name().to_owned();
        clap_complete::generate_to(shell, &mut program, name, &completions).at(&completions)?;
    }
    clap_mangen::generate_to(program, &man).at(&man)?;
    Ok(ExitCode::SUCCESS)
}

/// The program without hidden commands and without `help COMMAND`: shells would offer the former, and the latter would get pages.
fn without_hidden(program: &clap::Command) -> clap::Command {
    let commands = program.get_subcommands();
    clap::Command::new(program.get_name().to_owned())
        .version(program.get_version().unwrap_or_default().to_owned())
        .about(program.get_about().cloned().unwrap_or_default())
        .long_about(program.get_long_about().cloned().unwrap_or_default())
        .disable_help_subcommand(true)
        .args(program.get_arguments().cloned())
        .subcommands(commands.filter(|command| !command.is_hide_set()).cloned())
}
