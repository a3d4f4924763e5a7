//! Removes from a folder what killed copies of a ledger have left. Must not touch a file with another name.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::fs::path_error::{AtPath as _, PathError};

/// The beginning and the end of the names of incomplete copies.
pub(crate) const NAME: (&str, &str) = (".hotcut-backup-", ".tmp");

/// The number of letters and digits in between.
pub(crate) const RANDOM_LEN: usize = 6;

/// The endings of the files that `SQLite` puts beside a database that it writes.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];

/// Removes copies from `folder`: if `until` is given, only those not written to at or after that time. Continues after an error and
/// returns the first one.
pub(crate) fn sweep(folder: &Path, until: Option<SystemTime>) -> Result<(), PathError> {
    let mut copies = BTreeMap::<OsString, (SystemTime, Vec<PathBuf>)>::new();
    for entry in folder.read_dir().at(folder)? {
        let entry = entry.at(folder)?;
        let (name, path) = (entry.file_name(), entry.path());
        let Some(copy) = copy_of(name.as_bytes()) else {
            continue;
        };
        // For a link this is the metadata of the link itself, which is not a file.
        let Some(data) = entry.metadata().ok().filter(std::fs::Metadata::is_file) else {
            continue;
        };
        let written = data.modified().at(&path)?;
        let (last, files) = copies
            .entry(copy)
            .or_insert((SystemTime::UNIX_EPOCH, Vec::new()));
        *last = written.max(*last);
        files.push(path);
    }
    let old = copies
        .into_values()
        .filter(|(last, _)| until.is_none_or(|until| *last < until));
    let removals = old
        .flat_map(|(_, files)| files)
        .map(|path| std::fs::remove_file(&path).at(&path));
    removals.fold(Ok(()), Result::and)
}

/// The name of the copy that the file `name` belongs to, if any.
fn copy_of(name: &[u8]) -> Option<OsString> {
    let mut endings = BESIDE.iter();
    let name = endings
        .find_map(|ending| name.strip_suffix(ending.as_bytes()))
        .unwrap_or(name);
    let (prefix, suffix) = NAME;
    let random = name.strip_prefix(prefix.as_bytes())?;
    let random = random.strip_suffix(suffix.as_bytes())?;
    let is_ours = random.len() == RANDOM_LEN && random.iter().all(u8::is_ascii_alphanumeric);
    is_ours.then(|| std::ffi::OsStr::from_bytes(name).to_owned())
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::disallowed_methods,
        reason = "tests make files that no ledger made"
    )]

    use std::fs::File;
    use std::time::Duration;

    use super::super::backup::{LEFT_AFTER, Overwrite, copy};
    use super::super::sqlite_ledger::SqliteLedger;
    use super::*;

    /// Makes a file that was last written `ago`.
    fn write(path: &Path, ago: Duration) {
        let file = File::create(path).unwrap();
        file.set_modified(SystemTime::now() - ago).unwrap();
    }

    /// P4: fails when the remains of a killed copy stay for ever, or when the files of others or of a running copy are removed.
    #[test]
    fn what_a_killed_copy_has_left_is_removed_by_the_next_one() {
        let dir = tempfile::tempdir().unwrap();
        let (hour, old) = (Duration::from_hours(1), LEFT_AFTER * 2);
        let at = |name: &str| dir.path().join(name);
        let left = [
            ".hotcut-backup-aB3xYz.tmp",
            ".hotcut-backup-aB3xYz.tmp-journal",
            ".hotcut-backup-123456.tmp-wal",
        ];
        for name in left {
            write(&at(name), old);
        }
        let kept = [
            ".hotcut-backup-abc.tmp",
            ".hotcut-backup-abc-ef.tmp",
            ".hotcut-backup-abcdef.tmp.jpg",
            ".hotcut-backup-abcdef.tmp-other",
            "hotcut-backup-abcdef.tmp",
            "ledger.db",
            // A long copy stops writing to its journal.
            ".hotcut-backup-atwork.tmp-journal",
        ];
        for name in kept {
            write(&at(name), old);
        }
        write(&at(".hotcut-backup-atwork.tmp"), hour);
        std::fs::create_dir(at(".hotcut-backup-folder.tmp")).unwrap();
        std::os::unix::fs::symlink("ledger.db", at(".hotcut-backup-a1link.tmp")).unwrap();
        let ledger = SqliteLedger::in_memory().unwrap();
        copy(&ledger.connection, &at("copy.db"), Overwrite::Never).unwrap();
        assert!(!left.iter().any(|name| at(name).exists()));
        // Including the files made after the lists, and the copy.
        let count = kept.len() + 4;
        assert_eq!(dir.path().read_dir().unwrap().count(), count);
        sweep(dir.path(), None).unwrap();
        assert_eq!(dir.path().read_dir().unwrap().count(), count - 2);
    }
}
