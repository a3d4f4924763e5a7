//! Finds folders that have been empty and unchanged for a time, and removes them. Must not know who made them.

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::{AtFlags, Dir, OFlags, StatxFlags};
use rustix::io::Errno;
use tokio::time::Instant;

use crate::fs::path_error::{AtPath as _, PathError};
use crate::fs::root::Root;
use crate::fs::stamp::nanos;

/// The most empty folders that are remembered; further ones wait until these are gone.
pub(super) const FOLDERS_MAX: usize = 10_000;

/// Files that macOS and Windows write into every folder that a user opens, in lower case. A folder with only these counts as empty.
const SYSTEM_FILES: [&[u8]; 2] = [b".ds_store", b"thumbs.db"];

/// Returns whether an operating system writes files of this name by itself.
pub(super) fn is_system_file(name: &[u8]) -> bool {
    SYSTEM_FILES.contains(&name.to_ascii_lowercase().as_slice())
}

/// A folder without files and subfolders, as a listing found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmptyFolder {
    /// Its path below the hot folder.
    pub relative: PathBuf,
    /// When an entry was last created or removed in it, by the clock of its file system.
    pub mtime_ns: i64,
    /// When it was created, in milliseconds since the epoch of the same clock, if known.
    pub born_ms: Option<i64>,
}

impl EmptyFolder {
    /// Describes the open folder `directory`, which lies at `relative`.
    pub(super) fn of(relative: PathBuf, directory: impl AsFd) -> rustix::io::Result<Self> {
        let mask = StatxFlags::MTIME | StatxFlags::BTIME;
        let stat = rustix::fs::statx(directory, "", AtFlags::EMPTY_PATH, mask)?;
        let (changed, born) = (stat.stx_mtime, stat.stx_btime);
        let is_known = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
        let born_ms = nanos(born.tv_sec, born.tv_nsec.into()) / 1_000_000;
        Ok(Self {
            relative,
            mtime_ns: nanos(changed.tv_sec, changed.tv_nsec.into()),
            born_ms: is_known.then_some(born_ms),
        })
    }
}

/// The empty folders of one hot folder.
#[derive(Debug, Default)]
pub(super) struct EmptyFolders {
    /// For each path the modification time, and since when hotcut has known it.
    known: HashMap<PathBuf, (i64, Instant)>,
}

impl EmptyFolders {
    /// Takes the empty folders that a listing of the whole hot folder has found, and returns those unchanged for `quiet`. Measures
    /// the time itself, because the clock of a file server may be wrong.
    pub(super) fn note(
        &mut self,
        met: Vec<EmptyFolder>,
        quiet: Duration,
        now: Instant,
    ) -> Vec<EmptyFolder> {
        let mut known = HashMap::new();
        let mut due = Vec::new();
        for folder in met.into_iter().take(FOLDERS_MAX) {
            let before = self.known.get(&folder.relative);
            let since = before.filter(|(mtime_ns, _)| *mtime_ns == folder.mtime_ns);
            let since = since.map_or(now, |(_, since)| *since);
            known.insert(folder.relative.clone(), (folder.mtime_ns, since));
            if now.duration_since(since) >= quiet {
                due.push(folder);
            }
        }
        self.known = known;
        due
    }
}

/// Removes the folder if it is empty and unchanged; returns whether it did. Removes the files that operating systems write by
/// themselves along with it.
pub(super) fn remove(root: &Root, folder: &EmptyFolder) -> Result<bool, PathError> {
    let relative = folder.relative.as_path();
    let path = root.join(relative);
    let (Some(parent), Some(name)) = (relative.parent(), relative.file_name()) else {
        return Ok(false);
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let Ok(directory) = root.open_below(relative, flags) else {
        return Ok(false);
    };
    if EmptyFolder::of(relative.to_owned(), &directory).at(&path)? != *folder {
        return Ok(false);
    }
    let mut system_files = Vec::new();
    for entry in Dir::read_from(&directory).at(&path)? {
        let entry = entry.at(&path)?;
        match entry.file_name().to_bytes() {
            b"." | b".." => {}
            name if is_system_file(name) => system_files.push(entry.file_name().to_owned()),
            _ => return Ok(false),
        }
    }
    for file in system_files {
        match rustix::fs::unlinkat(&directory, &file, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno).at(&path),
        }
    }
    let parent = root.open_below(parent, flags)?;
    match rustix::fs::unlinkat(&parent, name, AtFlags::REMOVEDIR) {
        Ok(()) => Ok(true),
        // Another program has just put something there, or has removed the folder.
        Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOENT) => Ok(false),
        Err(errno) => Err(errno).at(&path),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    fn met(name: &str, mtime_ns: i64) -> EmptyFolder {
        EmptyFolder {
            relative: name.into(),
            mtime_ns,
            born_ms: Some(0),
        }
    }

    /// Fails when a folder is removed that a copying program has just made, or that was in use in between.
    #[test]
    fn only_what_has_been_quiet_for_the_time_is_due() {
        let (mut folders, quiet) = (EmptyFolders::default(), Duration::from_mins(1));
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(
            folders.note(vec![met("a", 1), met("b", 1)], quiet, start),
            []
        );
        let both = vec![met("a", 1), met("b", 2)];
        assert_eq!(folders.note(both.clone(), quiet, after(59)), []);
        assert_eq!(folders.note(both.clone(), quiet, after(61)), [met("a", 1)]);
        // It held something in between.
        assert_eq!(
            folders.note(vec![met("a", 1)], quiet, after(62)),
            [met("a", 1)]
        );
        assert_eq!(folders.note(both, quiet, after(120)), [met("a", 1)]);
    }

    /// P4: fails when anything but a system file is removed with its folder.
    #[test]
    fn a_folder_with_anything_in_it_stays() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path(), None).unwrap();
        for (name, file, goes) in [
            ("empty", "", true),
            ("of a system", ".DS_Store", true),
            ("in use", "a.jpg.part", false),
            ("hidden", ".hidden", false),
            ("nested", "sub/", false),
        ] {
            let folder = dir.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            match file.strip_suffix('/') {
                Some(sub) => std::fs::create_dir(folder.join(sub)).unwrap(),
                None if file.is_empty() => {}
                None => drop(std::fs::File::create_new(folder.join(file)).unwrap()),
            }
            let found = EmptyFolder::of(name.into(), File::open(&folder).unwrap()).unwrap();
            let changed = EmptyFolder {
                mtime_ns: found.mtime_ns - 1,
                ..found.clone()
            };
            assert!(!remove(&root, &changed).unwrap(), "in use since");
            assert_eq!(remove(&root, &found).unwrap(), goes, "{name}");
            assert_eq!(folder.exists(), !goes, "{name}");
        }
        let found = EmptyFolder::of("".into(), File::open(dir.path()).unwrap()).unwrap();
        assert!(!remove(&root, &found).unwrap());
    }
}
