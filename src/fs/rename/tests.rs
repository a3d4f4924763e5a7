//! Renames on a real file system, including operations whose reply was lost.

use std::fs::{self, File};
use std::os::fd::AsFd as _;
use std::path::Path;

use super::*;

struct Folder {
    dir: tempfile::TempDir,
    open: File,
}

impl Folder {
    fn with(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            write(&dir.path().join(name), text);
        }
        let open = File::open(dir.path()).unwrap();
        Self { dir, open }
    }

    fn entry<'a>(&'a self, name: &'a str) -> DirectoryEntry<'a> {
        DirectoryEntry {
            directory: self.open.as_fd(),
            name: OsStr::new(name),
        }
    }

    fn link(&self, from: &str, to: &str) {
        fs::hard_link(self.dir.path().join(from), self.dir.path().join(to)).unwrap();
    }

    fn files(&self) -> Vec<(String, String)> {
        let mut files: Vec<_> = fs::read_dir(self.dir.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let text = fs::read_to_string(entry.path()).unwrap();
                (entry.file_name().into_string().unwrap(), text)
            })
            .collect();
        files.sort();
        files
    }
}

fn write(path: &Path, text: &str) {
    let mut options = File::options();
    let file = options.write(true).create(true).truncate(true).open(path);
    std::io::Write::write_all(&mut file.unwrap(), text.as_bytes()).unwrap();
}

fn of(files: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = files.iter();
    owned
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect()
}

/// P4: fails when an existing file is replaced.
#[test]
fn a_name_that_is_taken_is_left_alone() {
    let folder = Folder::with(&[("from", "ours"), ("to", "somebody's")]);
    for rename in [to_free, to_hidden] {
        let result = rename(folder.entry("from"), folder.entry("to"));
        assert_eq!(result, Err(RenameError::Taken));
    }
    assert_eq!(
        folder.files(),
        of(&[("from", "ours"), ("to", "somebody's")])
    );
    to_free(folder.entry("from"), folder.entry("free")).unwrap();
    assert_eq!(
        folder.files(),
        of(&[("free", "ours"), ("to", "somebody's")])
    );
}

/// P2, P4: the link was made but the reply was lost, or a crash prevented the removal of the other name. Fails when the file keeps
/// two names, or gets a third one.
#[test]
fn a_link_whose_answer_was_lost_is_finished() {
    let folder = Folder::with(&[("from", "ours")]);
    folder.link("from", "to");
    to_free(folder.entry("from"), folder.entry("to")).unwrap();
    assert_eq!(folder.files(), of(&[("to", "ours")]));
    let folder = Folder::with(&[("from", "ours")]);
    let file = Identity::of(folder.entry("from")).unwrap();
    folder.link("from", "to");
    let (from, to) = (folder.entry("from"), folder.entry("to"));
    finish_link(from, to, &file, Err(Errno::IO)).unwrap();
    assert_eq!(folder.files(), of(&[("to", "ours")]));
}

/// P4: fails when an error counts as a lost reply although the name belongs to another file, even one of the same length and time.
#[test]
fn an_error_stays_one_while_another_file_has_the_name() {
    let folder = Folder::with(&[("from", "one"), ("to", "two")]);
    for name in ["from", "to"] {
        let file = File::options()
            .write(true)
            .open(folder.dir.path().join(name))
            .unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
    }
    let (from, to) = (folder.entry("from"), folder.entry("to"));
    let file = Identity::of(from).unwrap();
    let linked = finish_link(from, to, &file, Err(Errno::IO));
    assert_eq!(linked, Err(RenameError::Failed(Errno::IO)));
    assert_eq!(confirm(from, to, &file, Err(Errno::IO)), Err(Errno::IO));
    assert_eq!(folder.files(), of(&[("from", "one"), ("to", "two")]));
    fs::remove_file(folder.dir.path().join("from")).unwrap();
    assert_eq!(
        confirm(from, to, &file, Err(Errno::NOENT)),
        Err(Errno::NOENT)
    );
}

/// P2: the rename was done but the reply was lost, and the repeated request found nothing. Fails when that is an error.
#[test]
fn a_rename_whose_answer_was_lost_is_done() {
    let folder = Folder::with(&[("from", "ours")]);
    let (from, to) = (folder.entry("from"), folder.entry("to"));
    let file = Identity::of(from).unwrap();
    rustix::fs::rename(folder.dir.path().join("from"), folder.dir.path().join("to")).unwrap();
    for errno in [Errno::NOENT, Errno::IO, Errno::EXIST] {
        assert_eq!(confirm(from, to, &file, Err(errno)), Ok(()));
    }
}

/// P10: fails when the message does not contain the file system and the remedy.
#[test]
fn the_refusal_says_what_to_do() {
    let refusal = RenameError::Unsafe {
        kind: "fuse".to_owned(),
        rename: Errno::INVAL,
        link: Errno::PERM,
    };
    let text = io::Error::from(refusal).to_string();
    for part in ["(fuse)", "another file system", "`source = \"keep\"`"] {
        assert!(text.contains(part), "{text}");
    }
}
