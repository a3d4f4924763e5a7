//! Checks the paths of a configuration and reports what is wrong with them. Must not list folders.

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::fs::Access;
use rustix::io::Errno;

use crate::config::{Config, Folder, SourcePolicy};
use crate::fs::disk::{self, Question};
use crate::fs::mount;
use crate::fs::path_error::{AtPath as _, PathError};
use crate::fs::resolve;
use crate::ledger::{LedgerError, open_existing};

/// The mount points of the folders at their first use.
#[derive(Default)]
pub(super) struct KnownMounts(BTreeMap<PathBuf, PathBuf>);

impl KnownMounts {
    /// Reads the ledger. An unreadable ledger yields no mount points; the daemon reports its fault.
    pub(super) fn read(config: &Config) -> Self {
        let state_dir = config.daemon.state_dir.clone();
        let folders = config.folders.iter();
        let paths =
            folders.flat_map(|folder| folder.output_paths().chain([folder.input.as_path()]));
        let paths: Vec<PathBuf> = paths.map(Path::to_owned).collect();
        let known = disk::ask(&config.daemon.state_dir, move |_| {
            let mut known = BTreeMap::new();
            if let Some(mut ledger) = open_existing(&state_dir)? {
                for path in paths {
                    if let Some(point) = ledger.mount_of(&path)? {
                        known.insert(path, point);
                    }
                }
            }
            Ok::<_, LedgerError>(known)
        });
        Self(known.answer().ok().and_then(Result::ok).unwrap_or_default())
    }
}

/// A check of a path in the configuration.
pub(super) struct Look {
    what: String,
    is_of_folder: bool,
    question: Question<Result<(), PathError>>,
}

/// A fault found by a check.
pub(super) struct Flaw {
    /// The path's key or description in the configuration.
    what: String,
    is_of_folder: bool,
    error: PathError,
}

impl Look {
    fn begin(
        what: String,
        path: &Path,
        look: impl FnOnce(&Path) -> Result<(), PathError> + Send + 'static,
    ) -> Self {
        let asked = path.to_owned();
        Self {
            what,
            is_of_folder: false,
            question: disk::ask(path, move |_| look(&asked)),
        }
    }

    /// Waits for the result.
    pub(super) fn flaw(self) -> Option<Flaw> {
        Some(Flaw {
            error: self.question.answer().flatten().err()?,
            what: self.what,
            is_of_folder: self.is_of_folder,
        })
    }
}

impl Flaw {
    /// Whether the path or its disk is read-only for everybody.
    pub(super) fn is_read_only(&self) -> bool {
        self.error.io().kind() == ErrorKind::ReadOnlyFilesystem
    }

    /// Whether a running hotcut waits until the fault disappears: the folder is absent or its disk fails. Missing permissions do
    /// not disappear by themselves.
    pub(super) fn is_waited_for(&self) -> bool {
        let lasts = [
            Errno::ROFS,
            Errno::ACCESS,
            Errno::PERM,
            Errno::NOTDIR,
            Errno::LOOP,
            Errno::NAMETOOLONG,
        ];
        let found = Errno::from_io_error(self.error.io());
        let lasts = found.is_some_and(|errno| lasts.contains(&errno));
        disk::is_silent(&self.error) || (self.is_of_folder && !lasts)
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.error)
    }
}

/// Starts the checks of all required paths. With `known`, checks the mount points of the folders first.
pub(super) fn looks(config: &Config, known: Option<&KnownMounts>) -> Vec<Look> {
    let state_dir = Look::begin("`state_dir`".to_owned(), &config.daemon.state_dir, writable);
    let folders = config.folders.iter();
    let folders = folders.flat_map(|folder| looks_at(folder, known));
    let notify = config.notify.iter();
    let command = notify.filter_map(|notify| notify.command.as_ref());
    let command = command
        .map(|told| Look::begin("`command` in [notify]".to_owned(), &told.program, runnable));
    let looks = std::iter::once(state_dir).chain(folders).chain(command);
    looks.collect()
}

fn looks_at(folder: &Folder, known: Option<&KnownMounts>) -> Vec<Look> {
    let begin = |key: &str, path: &Path, look: fn(&Path) -> Result<(), PathError>| {
        let expected = known.and_then(|known| known.0.get(path).cloned());
        let what = format!("`{key}` of folder \"{}\"", folder.name);
        let look = Look::begin(what, path, move |path| {
            mounted(path, expected.as_deref())?;
            look(path)
        });
        Look {
            is_of_folder: true,
            ..look
        }
    };
    let takes_away = folder.own_folders().next().is_some() || folder.source == SourcePolicy::Delete;
    let input = if takes_away { emptiable } else { readable };
    let mut looks = vec![begin("input", &folder.input, input)];
    let outputs = folder.output_paths();
    looks.extend(outputs.map(|output| begin("output", output, writable)));
    let own = folder.own_folders();
    // Without known mount points, the existing part of a path may be the empty mount point of an unmounted disk.
    let writable_if_there = if known.is_some() {
        writable_or_absent
    } else {
        writable
    };
    looks.extend(own.map(|own| begin("done` or `failed", own, writable_if_there)));
    looks
}

/// Fails when the folder's mount point is not mounted. An empty mount point may not even be readable.
fn mounted(folder: &Path, expected: Option<&Path>) -> Result<(), PathError> {
    match expected {
        Some(expected) => {
            let actual = mount::point_of(&resolve::path(folder))?;
            mount::check(expected, &actual).at(folder)
        }
        None => Ok(()),
    }
}

fn readable(folder: &Path) -> Result<(), PathError> {
    directory(folder)?;
    allows(folder, Access::READ_OK | Access::EXEC_OK)
}

fn emptiable(folder: &Path) -> Result<(), PathError> {
    readable(folder)?;
    allows(folder, Access::WRITE_OK)
}

/// Checks a folder that hotcut creates on first use: the deepest existing parent must be writable.
fn writable(folder: &Path) -> Result<(), PathError> {
    let existing = folder
        .ancestors()
        .find(|path| path.exists())
        .unwrap_or(folder);
    directory(existing)?;
    allows(existing, Access::WRITE_OK | Access::EXEC_OK)
}

/// As [`writable`], but reports an absent folder as absent.
fn writable_or_absent(folder: &Path) -> Result<(), PathError> {
    let absent = folder.metadata().at(folder).err();
    writable(folder).map_err(|error| absent.unwrap_or(error))
}

fn runnable(program: &Path) -> Result<(), PathError> {
    if program.metadata().at(program)?.is_dir() {
        return Err(Errno::ISDIR).at(program);
    }
    allows(program, Access::EXEC_OK)
}

fn directory(path: &Path) -> Result<(), PathError> {
    if path.metadata().at(path)?.is_dir() {
        Ok(())
    } else {
        Err(Errno::NOTDIR).at(path)
    }
}

fn allows(path: &Path, access: Access) -> Result<(), PathError> {
    rustix::fs::access(path, access).at(path)
}
