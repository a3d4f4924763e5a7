//! Compares a copy on another disk with its original, and copies mode and times. Must not choose a name.

use std::fs::{File, FileTimes, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use crate::fs::path_error::{AtPath as _, PathError};

/// Bytes compared at a time.
const BLOCK: usize = 1 << 18;

/// Whether the file at `path` has the times and every byte of `original`. Makes the copy durable.
pub(super) fn is_copy(original: &File, path: &Path) -> Result<bool, PathError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(copy) = rustix::fs::open(path, flags, Mode::empty()).map(File::from) else {
        return Ok(false);
    };
    let same_times = |one: &Metadata, two: &Metadata| {
        one.is_file()
            && (one.len(), one.mtime(), one.mtime_nsec())
                == (two.len(), two.mtime(), two.mtime_nsec())
    };
    if !same_times(&copy.metadata().at(path)?, &original.metadata().at(path)?) {
        return Ok(false);
    }
    let (mut one, mut two) = (vec![0; BLOCK], vec![0; BLOCK]);
    let length = copy.metadata().at(path)?.len();
    let mut at = 0;
    while at < length {
        let size = BLOCK.min(usize::try_from(length - at).unwrap_or(BLOCK));
        let (one, two) = (&mut one[..size], &mut two[..size]);
        copy.read_exact_at(one, at).at(path)?;
        original.read_exact_at(two, at).at(path)?;
        if one != two {
            return Ok(false);
        }
        at += size as u64;
    }
    copy.sync_all().at(path)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .at(folder)?;
    Ok(true)
}

/// Copies mode and times from the original.
pub(super) fn keep_mode_and_times(original: &File, copy: &File) -> io::Result<()> {
    let data = original.metadata()?;
    let times = FileTimes::new()
        .set_accessed(data.accessed()?)
        .set_modified(data.modified()?);
    // A file system without modes or times refuses both calls. Only the bytes are essential.
    let mode = Permissions::from_mode(data.permissions().mode() & 0o777);
    copy.set_permissions(mode).ok();
    copy.set_times(times).ok();
    Ok(())
}
