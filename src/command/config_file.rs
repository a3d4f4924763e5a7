//! Writes a configuration file atomically and keeps the former text as a backup. Must not depend on the configuration's keys.

use std::fs::{File, Metadata, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use crate::fs::path_error::{AtPath as _, PathError};

/// Mode of a new file: readable for all users.
const MODE: u32 = 0o644;

/// The former content of a file that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Former {
    /// The file did not exist.
    Nothing,
    /// The same text; nothing was written.
    Same,
    /// Another text, kept in this file.
    Kept(PathBuf),
}

/// The backup file for the former text of `file`.
pub(super) fn backup_of(file: &Path) -> PathBuf {
    let mut backup = file.as_os_str().to_owned();
    backup.push(".bak");
    PathBuf::from(backup)
}

/// Writes `text` to `file` and keeps the owner and mode of an existing file. Saves the former text as `file.bak` first.
pub(super) fn replace(file: &Path, text: &str) -> Result<Former, PathError> {
    // Follows a link, so that it stays a link.
    let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let folder = file.parent().unwrap_or(Path::new("/"));
    let former = match std::fs::read(&file) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).at(&file),
    };
    let Some(former) = former else {
        std::fs::create_dir_all(folder).at(folder)?;
        put(&file, text.as_bytes(), None)?;
        return Ok(Former::Nothing);
    };
    if former == text.as_bytes() {
        return Ok(Former::Same);
    }
    let metadata = file.metadata().at(&file)?;
    let backup = backup_of(&file);
    put(&backup, &former, Some(&metadata))?;
    put(&file, text.as_bytes(), Some(&metadata))?;
    Ok(Former::Kept(backup))
}

/// Writes a temporary file in the same folder and renames it once it is complete and synced.
fn put(file: &Path, bytes: &[u8], like: Option<&Metadata>) -> Result<(), PathError> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    let mut temp = tempfile::Builder::new()
        .prefix(".hotcut-")
        .tempfile_in(folder)
        .at(folder)?;
    let written = temp.write_all(bytes).and_then(|()| {
        if let Some(like) = like {
            fchown(temp.as_file(), Some(like.uid()), Some(like.gid()))?;
        }
        let mode = like.map_or(MODE, |like| like.mode() & 0o7777);
        temp.as_file()
            .set_permissions(Permissions::from_mode(mode))?;
        temp.as_file().sync_all()
    });
    written.at(file)?;
    temp.persist(file).map_err(|error| error.error).at(file)?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .at(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when a configuration is lost or incomplete, when more users may read it than before, or when a link becomes a file.
    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "a file in a folder of the test's own"
    )]
    fn what_was_there_is_kept() {
        let room = tempfile::tempdir().unwrap();
        let (link, file) = (room.path().join("link"), room.path().join("deep/it.toml"));
        assert_eq!(replace(&file, "one").unwrap(), Former::Nothing);
        assert_eq!(file.metadata().unwrap().mode() & 0o7777, 0o644);
        std::os::unix::fs::symlink(&file, &link).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        let backup = backup_of(&file);
        assert_eq!(replace(&link, "one").unwrap(), Former::Same);
        assert!(!backup.exists());
        assert_eq!(
            replace(&link, "two").unwrap(),
            Former::Kept(backup.canonicalize().unwrap())
        );
        assert!(link.is_symlink());
        for (path, text) in [(&file, "two"), (&backup, "one")] {
            assert_eq!(std::fs::read_to_string(path).unwrap(), text);
            assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o640);
        }
        assert_eq!(
            std::fs::read_dir(room.path().join("deep")).unwrap().count(),
            2
        );
        std::fs::write(room.path().join("no folder"), "").unwrap();
        let beneath = room.path().join("no folder/it.toml");
        assert!(replace(&beneath, "three").is_err());
    }
}
