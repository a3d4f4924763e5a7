//! Computes the steps that give the users of the folders access. Must not change anything.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::SetupError;
use super::plan::{USER, group_id};
use super::step::{SetupStep, ask, line};

/// The options with which `setpriv` runs a command as the service.
const AS_SERVICE: &[&str] = &["--reuid", USER, "--regid", USER, "--init-groups"];

/// The users of the folders: the service and, if given, the group.
pub(super) struct Rights<'a> {
    group: Option<&'a str>,
    /// The group's number, if the group exists.
    group_id: Option<String>,
}

impl<'a> Rights<'a> {
    pub(super) fn new(group: Option<&'a str>) -> Result<Self, SetupError> {
        let row = group.map(|group| ask(&["getent", "group", "--", group]));
        let row = row.transpose()?.flatten();
        let group_id = row.as_deref().and_then(group_id).map(str::to_owned);
        Ok(Self { group, group_id })
    }

    /// Adds the steps that create `folder` and open it to its users. `made` are the folders that the steps create.
    pub(super) fn of_folder(
        &self,
        folder: &Path,
        made: &mut BTreeSet<PathBuf>,
        steps: &mut Vec<SetupStep>,
    ) -> Result<(), SetupError> {
        let there = folder.ancestors().find(|path| path.exists());
        let there = there.unwrap_or(Path::new("/"));
        if !there.is_dir() {
            return Err(SetupError::NoFolder(there.to_owned()));
        }
        let mut way: Vec<&Path> = there.ancestors().filter(|path| *path != folder).collect();
        way.reverse();
        for part in way {
            if !allows(AS_SERVICE, "-x", part)? {
                return Err(SetupError::Closed(part.to_owned()));
            }
        }
        if there == folder {
            steps.extend(self.of_existing(folder)?);
            return Ok(());
        }
        let missing = folder.ancestors().take_while(|path| *path != there);
        let new = missing.filter(|path| made.insert((*path).to_owned()));
        let undo: Vec<&OsStr> = std::iter::once(OsStr::new("rmdir"))
            .chain(new.map(Path::as_os_str))
            .collect();
        let group = self.group.unwrap_or(USER);
        let install = ["install", "-d", "-o", USER, "-g", group, "-m", "2770", "--"];
        steps.push(SetupStep::run(&on(&install, folder), vec![line(&undo)]));
        Ok(())
    }

    /// The step that opens an existing folder to users who lack access; `None` when all have access.
    fn of_existing(&self, folder: &Path) -> Result<Option<SetupStep>, SetupError> {
        let mut lacking = Vec::new();
        if !may_use(AS_SERVICE, folder)? {
            lacking.push(format!("u:{USER}"));
        }
        if let Some(group) = self.group {
            let is_open = match &self.group_id {
                Some(id) => {
                    let member = ["--reuid", "nobody", "--regid", id, "--clear-groups"];
                    may_use(&member, folder)?
                }
                None => false,
            };
            if !is_open {
                lacking.push(format!("g:{group}"));
            }
        }
        if lacking.is_empty() {
            return Ok(None);
        }
        needs_acl()?;
        let entries = |rights: &str| {
            let both = lacking
                .iter()
                .flat_map(|who| [who.clone(), format!("d:{who}")]);
            let entries = both.map(|who| format!("{who}{rights}"));
            entries.collect::<Vec<_>>().join(",")
        };
        let undo = on(&["setfacl", "-R", "-x", &entries(""), "--"], folder);
        let act = on(&["setfacl", "-R", "-m", &entries(":rwX"), "--"], folder);
        Ok(Some(SetupStep::run(&act, vec![line(&undo)])))
    }

    /// The step that opens subfolders created later in `input` to the group, whatever the creator's umask.
    pub(super) fn of_newcomers(&self, input: &Path) -> Result<Option<SetupStep>, SetupError> {
        if self.group.is_none() {
            return Ok(None);
        }
        needs_acl()?;
        let is_there = input.exists();
        let get = on(&["getfacl", "--default", "--absolute-names", "--"], input);
        let defaults = if is_there { ask(&get)? } else { None };
        let defaults = defaults.unwrap_or_default();
        let former = defaults
            .lines()
            .find_map(|line| line.strip_prefix("group::"));
        let undo = match former {
            Some("rwx") => return Ok(None),
            Some(rights) => on(
                &["setfacl", "-d", "-m", &format!("g::{rights}"), "--"],
                input,
            ),
            None => on(&["setfacl", "-k", "--"], input),
        };
        let undo = if is_there {
            vec![line(&undo)]
        } else {
            Vec::new()
        };
        let set = on(&["setfacl", "-d", "-m", "g::rwx", "--"], input);
        Ok(Some(SetupStep::run(&set, undo)))
    }
}

/// A command line that ends with `path`.
fn on(words: &[&str], path: &Path) -> Vec<OsString> {
    let words = words.iter().map(OsString::from);
    words.chain([path.as_os_str().to_owned()]).collect()
}

fn needs_acl() -> Result<(), SetupError> {
    match ask(&["setfacl", "--version"]) {
        Ok(Some(_)) => Ok(()),
        Ok(None) | Err(_) => Err(SetupError::NoAcl),
    }
}

/// Whether a process with this user and group may list `folder`, enter it and write to it.
fn may_use(who: &[&str], folder: &Path) -> Result<bool, SetupError> {
    for right in ["-r", "-w", "-x"] {
        if !allows(who, right, folder)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn allows(who: &[&str], right: &str, path: &Path) -> Result<bool, SetupError> {
    let words = [&["setpriv"], who, &["--", "test", right]].concat();
    Ok(ask(&on(&words, path))?.is_some())
}
