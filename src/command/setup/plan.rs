//! Computes the remaining steps from the arguments and the state of the machine. Must not change anything.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::rights::Rights;
use super::step::{SetupStep, ask, line};
use super::{SetupArguments, SetupError, status_group};
use crate::accounts::Account;
use crate::command::CommandError;
use crate::command::init::{cutouts_beside, name_for, quoted, table};
use crate::command::unit::{DROP_IN, drop_in, target};
use crate::config::Config;
use crate::fs::disk;
use crate::fs::path_error::AtPath as _;

/// The configuration before the first folder.
const MINIMAL: &str = include_str!("../../../config/minimal.toml");

/// The user of the service.
pub(super) const USER: &str = "hotcut";

/// Commands after a change of the configuration or the drop-in.
const START_ANEW: &[&str] = &["systemctl daemon-reload", "systemctl restart hotcut"];

/// The steps, and the result when all are done.
pub(super) struct SetupPlan {
    /// In their order.
    pub(super) steps: Vec<SetupStep>,
    /// The name of the folder in the configuration.
    pub(super) name: String,
    /// Its output folders.
    pub(super) outputs: Vec<PathBuf>,
    /// The configuration after all steps.
    pub(super) config: Config,
}

impl SetupPlan {
    /// Inspects the machine and computes the steps.
    pub(super) fn of(order: &SetupArguments, config_file: &Path) -> Result<Self, CommandError> {
        if Account::find(USER).map_err(SetupError::from)?.is_none() {
            return Err(SetupError::NoUser.into());
        }
        let input = std::path::absolute(&order.dir).at(&order.dir)?;
        let input: PathBuf = input.components().collect();
        let wanted = PlanEntry::of(order, &input, config_file)?;
        let mut steps = Vec::new();
        let group = order.group.as_deref();
        steps.extend(group.map(join).transpose()?.into_iter().flatten());
        steps.extend(group.map(status_group::steps).into_iter().flatten());
        let mut made = BTreeSet::new();
        let rights = Rights::new(group)?;
        for folder in std::iter::once(&input).chain(&wanted.outputs) {
            rights.of_folder(folder, &mut made, &mut steps)?;
        }
        steps.extend(rights.of_newcomers(&input)?);
        let writes_config = wanted.text.is_some();
        if let Some(text) = wanted.text {
            let what = format!(
                "add the folder \"{}\" to {}",
                wanted.name,
                config_file.display()
            );
            steps.push(SetupStep::write(what, config_file, text, START_ANEW));
        }
        let unit = drop_in(config_file, &wanted.config)?;
        let is_there = std::fs::read_to_string(DROP_IN).is_ok_and(|there| there == unit);
        if !is_there {
            let then = if writes_config { &[] } else { START_ANEW };
            let what = format!("write {DROP_IN}, by which the unit lets hotcut use its folders");
            steps.push(SetupStep::write(what, Path::new(DROP_IN), unit, then));
            steps.push(SetupStep::run(&["systemctl", "daemon-reload"], Vec::new()));
        }
        if ask(&["systemctl", "is-enabled", USER])?.is_none() {
            let undo = vec!["systemctl disable hotcut".to_owned()];
            steps.push(SetupStep::run(
                &["systemctl", "enable", "--quiet", USER],
                undo,
            ));
        }
        if !steps.is_empty() || ask(&["systemctl", "is-active", USER])?.is_none() {
            // A running service has no access to a folder created after its start.
            steps.push(SetupStep::run(&["systemctl", "restart", USER], Vec::new()));
        }
        let (name, outputs, config) = (wanted.name, wanted.outputs, wanted.config);
        Ok(Self {
            steps,
            name,
            outputs,
            config,
        })
    }

    /// The commands that undo the first `done` steps.
    pub(super) fn undo(&self, done: usize) -> Vec<&str> {
        let steps = self.steps.iter().take(done).rev();
        steps
            .flat_map(|step| step.undo.iter().map(String::as_str))
            .collect()
    }
}

/// The folder in the configuration.
struct PlanEntry {
    name: String,
    outputs: Vec<PathBuf>,
    config: Config,
    /// The new text of the configuration; `None` if it already contains the folder.
    text: Option<String>,
}

impl PlanEntry {
    fn of(order: &SetupArguments, input: &Path, file: &Path) -> Result<Self, CommandError> {
        let text = match std::fs::read_to_string(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => MINIMAL.to_owned(),
            read => read.at(file)?,
        };
        let config = Config::parse(file, &text)?;
        let output = order.output.as_ref().map(std::path::absolute).transpose()?;
        let output = output.map(|output| output.components().collect::<PathBuf>());
        // The disk of another folder may not respond.
        let folders = config.folders.iter();
        let paths = folders.flat_map(|one| one.output_paths().chain([one.input.as_path()]));
        let paths = paths.chain(output.as_deref()).chain([input]);
        let targets = disk::real_paths(paths);
        let real = |path: &Path| target(&targets, path);
        let known = config
            .folders
            .iter()
            .find(|folder| real(&folder.input) == real(input));
        if let Some(folder) = known {
            let name = folder.name.clone();
            let outputs: Vec<PathBuf> = folder.output_paths().map(Path::to_owned).collect();
            let is_known = |output: PathBuf| outputs.iter().any(|it| real(it) == real(&output));
            if !output.is_none_or(is_known) {
                return Err(SetupError::OtherOutput {
                    input: input.to_owned(),
                    name,
                    outputs,
                    config: file.to_owned(),
                }
                .into());
            }
            let text = None;
            return Ok(Self {
                name,
                outputs,
                config,
                text,
            });
        }
        let output = output.unwrap_or_else(|| cutouts_beside(input));
        let folders = config.folders.iter();
        let mut names: BTreeSet<_> = folders.map(|folder| folder.name.clone()).collect();
        let name = name_for(input, &mut names);
        let text = with_folder(&text, &name, input, &output)?;
        Ok(Self {
            config: Config::parse(file, &text)?,
            name,
            outputs: vec![output],
            text: Some(text),
        })
    }
}

/// Adds one more folder to the configuration `text`.
fn with_folder(
    text: &str,
    name: &str,
    input: &Path,
    output: &Path,
) -> Result<String, CommandError> {
    let end = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    let table = table([
        ("name", &crate::config::quoted(name)),
        ("input", &quoted(input)?),
        ("output", &quoted(output)?),
    ]);
    Ok(format!("{text}{end}\n{table}"))
}

/// The steps that create the group, if necessary, and add hotcut to it.
fn join(group: &str) -> Result<Vec<SetupStep>, SetupError> {
    let mut steps = Vec::new();
    let row = ask(&["getent", "group", "--", group])?;
    if row.is_none() {
        let undo = vec![line(&["groupdel", group])];
        steps.push(SetupStep::run(&["groupadd", "--system", "--", group], undo));
    }
    let of_user = ask(&["id", "-G", USER])?.unwrap_or_default();
    let id = row.as_deref().and_then(group_id).unwrap_or_default();
    if !of_user.split_whitespace().any(|one| one == id) {
        let undo = vec![line(&["gpasswd", "--delete", USER, group])];
        let words = ["usermod", "--append", "--groups", group, USER];
        steps.push(SetupStep::run(&words, undo));
    }
    Ok(steps)
}

/// The group's number in a line of `getent group`.
pub(super) fn group_id(row: &str) -> Option<&str> {
    row.trim_end().split(':').nth(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when a second folder changes existing text or does not get its own table.
    #[test]
    fn a_folder_is_added_at_the_end() {
        for text in ["", "# mine", "[daemon]\nworkers = 1\n"] {
            let added = with_folder(text, "a", Path::new("/srv/a"), Path::new("/srv/b c"));
            let added = added.unwrap();
            let rest = added.strip_prefix(text).unwrap();
            let table = "[[folder]]\nname = \"a\"\ninput = \"/srv/a\"\noutput = \"/srv/b c\"\n";
            assert_eq!(rest.trim_start(), table);
            assert!(rest.starts_with('\n'));
        }
        assert_eq!(group_id("studio:x:500:anna\n"), Some("500"));
    }
}
