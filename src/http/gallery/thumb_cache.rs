//! Keeps thumbnails as files, which may be deleted at any time, up to a limit on their total size. Must not depend on the ledger or
//! on pixels.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::delivery::replace_file;
use crate::fs::disk_space::MinFree;
use crate::fs::path_error::{AtPath as _, PathError};
use crate::fs::stamp::Stamp;

/// The limit on the size of all thumbnails together, in bytes.
const BYTES_MAX: u64 = 256 << 20;

/// The suffix of a thumbnail that a crash left half-written; see [`replace_file`].
const HALF: &str = ".tmp";

/// What a thumbnail shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ThumbKind {
    /// The photo.
    Source,
    /// Its cutout.
    Cutout,
}

/// Identifies a thumbnail. A changed file has another key, even under the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ThumbKey {
    /// The version's row in the ledger.
    pub version: i64,
    /// What is shown.
    pub kind: ThumbKind,
    /// The longest side asked for, in pixels.
    pub side: u32,
    /// The file that is shown, by length, modification time and inode.
    pub stamp: Stamp,
}

impl fmt::Display for ThumbKey {
    /// Writes the thumbnail's file name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ThumbKind::Source => "source",
            ThumbKind::Cutout => "cutout",
        };
        let Stamp {
            len, mtime_ns, ino, ..
        } = self.stamp;
        let (version, side) = (self.version, self.side);
        write!(
            f,
            "{version}-{kind}-{side}-{len:x}-{mtime_ns:x}-{ino:x}.png"
        )
    }
}

/// The thumbnails in a state directory. Its methods block on the disk.
#[derive(Debug)]
pub(crate) struct Thumbs {
    dir: PathBuf,
    bytes_max: u64,
    min_free: MinFree,
    /// Their total size. Locked while one is written: two of the same name would share a temporary file.
    bytes: Mutex<u64>,
}

#[derive(Debug)]
struct CacheEntry {
    used: SystemTime,
    path: PathBuf,
    len: u64,
}

impl Thumbs {
    /// Creates the folder `thumbs` in `state_dir`, or takes over its files and removes those that a crash left half-written.
    /// Ignores files with other names.
    pub(crate) fn open(state_dir: &Path, min_free: MinFree) -> Result<Self, PathError> {
        let thumbs = Self::with_limit(state_dir, BYTES_MAX)?;
        Ok(Self { min_free, ..thumbs })
    }

    fn with_limit(state_dir: &Path, bytes_max: u64) -> Result<Self, PathError> {
        let dir = state_dir.join("thumbs");
        fs::create_dir_all(&dir).at(&dir)?;
        for path in files(&dir)? {
            if name(&path)
                .and_then(|name| name.strip_suffix(HALF))
                .is_some_and(is_ours)
            {
                gone(fs::remove_file(&path)).at(&path)?;
            }
        }
        let bytes = evict(entries(&dir)?, bytes_max)?;
        Ok(Self {
            dir,
            bytes_max,
            min_free: MinFree::Default,
            bytes: Mutex::new(bytes),
        })
    }

    /// Returns a thumbnail and its length, if it is cached, and updates its time of use.
    pub(crate) fn get(&self, key: &ThumbKey) -> Result<Option<(File, u64)>, PathError> {
        let path = self.path(key);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.at(&path)?,
        };
        // Best effort: at worst the thumbnail is evicted earlier and made again.
        file.set_modified(SystemTime::now()).ok();
        let len = file.metadata().at(&path)?.len();
        Ok(Some((file, len)))
    }

    /// Caches a thumbnail, complete or not at all. Evicts the least recently used ones when the limit is reached. Does not cache
    /// one that exceeds the limit by itself.
    pub(crate) fn put(
        &self,
        key: &ThumbKey,
        png: &mut impl Read,
        len: u64,
    ) -> Result<(), PathError> {
        if len > self.bytes_max {
            return Ok(());
        }
        let mut total = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.path(key);
        let replaced = || path.metadata().map_or(0, |file| file.len());
        if total.saturating_add(len).saturating_sub(replaced()) > self.bytes_max {
            *total = evict(entries(&self.dir)?, room_for(len, self.bytes_max))?;
        }
        let replaced = replaced();
        let written = fs::create_dir_all(&self.dir)
            .and_then(|()| self.min_free.ensure_free(File::open(&self.dir)?, len))
            .at(&self.dir)
            .and_then(|()| replace_file(&path, png));
        if written.is_err() {
            let mut half = path.into_os_string();
            half.push(HALF);
            // A partial file is of no use on a full disk. If removing it fails, the next start removes it.
            fs::remove_file(half).ok();
            return written;
        }
        *total = total.saturating_add(len).saturating_sub(replaced);
        Ok(())
    }

    fn path(&self, key: &ThumbKey) -> PathBuf {
        self.dir.join(key.to_string())
    }
}

/// The target size for an eviction that makes space for `len` bytes. It is a sixteenth below the limit, so that not every write
/// lists the folder.
fn room_for(len: u64, bytes_max: u64) -> u64 {
    (bytes_max - len).saturating_sub(bytes_max / 16)
}

/// Removes the least recently used thumbnails until the others have at most `bytes_max` bytes in total; returns that total.
fn evict(mut entries: Vec<CacheEntry>, bytes_max: u64) -> Result<u64, PathError> {
    let mut total = entries.iter().map(|entry| entry.len).sum::<u64>();
    entries.sort_by(|a, b| (a.used, &a.path).cmp(&(b.used, &b.path)));
    for entry in entries {
        if total <= bytes_max {
            break;
        }
        gone(fs::remove_file(&entry.path)).at(&entry.path)?;
        total -= entry.len;
    }
    Ok(total)
}

/// Lists the thumbnails.
fn entries(dir: &Path) -> Result<Vec<CacheEntry>, PathError> {
    let mut entries = Vec::new();
    for path in files(dir)? {
        if !name(&path).is_some_and(is_ours) {
            continue;
        }
        let file = match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            found => found.at(&path)?,
        };
        if file.is_file() {
            let used = file.modified().at(&path)?;
            let len = file.len();
            entries.push(CacheEntry { used, path, len });
        }
    }
    Ok(entries)
}

fn files(dir: &Path) -> Result<Vec<PathBuf>, PathError> {
    let listed = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed.at(dir)?,
    };
    let paths: io::Result<_> = listed.map(|entry| Ok(entry?.path())).collect();
    paths.at(dir)
}

fn name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

/// Whether [`ThumbKey`] writes file names of this form.
fn is_ours(name: &str) -> bool {
    let Some(stem) = name.strip_suffix(".png") else {
        return false;
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
    match stem.split('-').collect::<Vec<_>>()[..] {
        [version, "source" | "cutout", side, len, mtime, ino] => {
            [version, side, len, mtime, ino].into_iter().all(is_number)
        }
        _ => false,
    }
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests;
