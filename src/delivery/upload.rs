//! Writes an uploaded photo into a hot folder atomically under a free name. Must not depend on requests or filters.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Seek as _};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Weak;

use rustix::fs::{AtFlags, Dir};

use super::destination::Destination;
use super::place::{PlaceError, Replace, Temp};
use crate::fs::path_error::{AtPath as _, PathError};

/// The end of the hidden name during an upload.
const ENDING: &str = ".upload.tmp";

/// A photo that is being uploaded into a hot folder.
#[derive(Debug)]
pub struct Upload {
    /// The ledger's id.
    pub ledger_id: String,
    /// Distinguishes concurrent uploads.
    pub number: u64,
    /// The content.
    pub photo: File,
    /// The length in bytes.
    pub len: u64,
    /// Alive as long as the client waits. A client that was told of a failure will send the photo again.
    pub waiting: Weak<()>,
}

impl Upload {
    /// Places the photo in `folder` under the first free name of `names`, and returns that name. `None` if no name is free, or if
    /// the client no longer waits.
    pub fn put(
        self,
        folder: &Destination,
        names: impl Iterator<Item = OsString>,
    ) -> Result<Option<OsString>, PlaceError> {
        for name in names {
            // Each try writes the whole photo, so names that are visibly taken are skipped.
            if folder.has(&name)? {
                continue;
            }
            let temp = self.write(folder)?;
            if self.waiting.strong_count() == 0 {
                break;
            }
            match temp.place(&name, Replace::Never, self.len) {
                Ok(()) => return Ok(Some(name)),
                Err(PlaceError::Taken(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn write(&self, folder: &Destination) -> Result<Temp, PathError> {
        let name = format!(".hotcut-{}-{}{ENDING}", self.ledger_id, self.number);
        let temp = Temp::create(folder.try_clone()?, name.into())?;
        let (mut from, mut to) = (&self.photo, temp.writer()?);
        from.rewind().at(folder.path())?;
        io::copy(&mut from, &mut to).at(folder.path())?;
        Ok(temp)
    }
}

/// Removes uploads into `folder` that a crash left. No upload may be running there.
pub fn sweep_uploads(folder: &Destination, ledger_id: &str) -> Result<(), PathError> {
    let begin = format!(".hotcut-{ledger_id}-");
    for entry in Dir::read_from(folder.directory()).at(folder.path())? {
        let entry = entry.at(folder.path())?;
        let name = entry.file_name().to_bytes();
        if name.starts_with(begin.as_bytes()) && name.ends_with(ENDING.as_bytes()) {
            let name = OsStr::from_bytes(name);
            let removed = rustix::fs::unlinkat(folder.directory(), name, AtFlags::empty());
            removed.at(&folder.path().join(name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::path::Path;
    use std::sync::Arc;

    use super::*;

    fn photo(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn put(folder: &Path, bytes: &[u8], names: &[&str]) -> Option<OsString> {
        let caller = Arc::new(());
        put_for(Arc::downgrade(&caller), folder, bytes, names)
    }

    fn put_for(waiting: Weak<()>, folder: &Path, bytes: &[u8], names: &[&str]) -> Option<OsString> {
        let upload = Upload {
            ledger_id: "0123abcd".to_owned(),
            number: 7,
            photo: photo(bytes),
            len: bytes.len() as u64,
            waiting,
        };
        let folder = Destination::open(folder, None).unwrap();
        upload.put(&folder, names.iter().map(Into::into)).unwrap()
    }

    /// P2: fails when a photo appears after its client was told that the upload failed.
    #[test]
    fn photo_that_nobody_waits_for_is_not_put() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(put_for(Weak::new(), dir.path(), b"late", &["a"]), None);
        assert_eq!(names(dir.path()), [] as [&str; 0]);
    }

    fn names(folder: &Path) -> Vec<OsString> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }

    /// P4: fails when an existing file is replaced, or a link is followed.
    #[test]
    fn what_has_a_name_keeps_it() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path();
        assert_eq!(put(folder, b"first", &["a", "b"]), Some("a".into()));
        assert_eq!(put(folder, b"second", &["a", "b"]), Some("b".into()));
        assert_eq!(put(folder, b"third", &["a", "b"]), None);
        std::os::unix::fs::symlink("nowhere", folder.join("link")).unwrap();
        assert_eq!(put(folder, b"fourth", &["link"]), None);
        assert_eq!(std::fs::read(folder.join("a")).unwrap(), b"first");
        assert_eq!(std::fs::read(folder.join("b")).unwrap(), b"second");
        assert_eq!(names(folder), ["a", "b", "link"]);
    }

    /// P6: fails when the photo is written once for each taken name.
    #[test]
    fn nothing_is_written_for_a_name_that_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        put(dir.path(), b"first", &["a"]);
        let mut options = std::fs::OpenOptions::new();
        let unreadable = options.write(true).open("/dev/null").unwrap();
        let upload = Upload {
            ledger_id: "0123abcd".to_owned(),
            number: 8,
            photo: unreadable,
            len: 5,
            waiting: Weak::new(),
        };
        let folder = Destination::open(dir.path(), None).unwrap();
        let names = ["a"; 3].into_iter().map(Into::into);
        assert_eq!(upload.put(&folder, names).unwrap(), None);
    }

    /// P6: fails when a partial photo is never removed, or a file of another program is removed.
    #[test]
    fn what_a_crash_left_is_swept() {
        let dir = tempfile::tempdir().unwrap();
        let half = ".hotcut-0123abcd-7.upload.tmp";
        let others = [".hotcut-0123abcd-7.tmp", ".hotcut-ffffffff-7.upload.tmp"];
        for name in others.iter().chain([&half, &"a.jpg"]) {
            let mut options = std::fs::OpenOptions::new();
            let file = options.write(true).create_new(true);
            file.open(dir.path().join(name)).unwrap();
        }
        let folder = Destination::open(dir.path(), None).unwrap();
        sweep_uploads(&folder, "0123abcd").unwrap();
        assert_eq!(names(dir.path()), [others[0], others[1], "a.jpg"]);
    }
}
