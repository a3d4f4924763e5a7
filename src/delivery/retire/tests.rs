//! Originals that are moved or deleted, and originals that must not be, in real folders.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::*;

fn retiring(dir: &Path, name: &str) -> RetiringSource {
    let stat = rustix::fs::stat(dir.join(name)).unwrap();
    RetiringSource {
        folder: Destination::open(dir, None).unwrap(),
        name: name.into(),
        stamp: Stamp::of(&stat),
        aside: ".hotcut-x-1.source".into(),
        number: 1,
    }
}

fn write(path: &Path, text: &str) {
    let mut file = std::fs::OpenOptions::new();
    let file = file.write(true).create(true).truncate(true).open(path);
    io::Write::write_all(&mut file.unwrap(), text.as_bytes()).unwrap();
}

#[test]
fn a_source_that_changed_is_neither_deleted_nor_moved() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jpg");
    write(&path, "processed");
    let (one, two) = (retiring(dir.path(), "a.jpg"), retiring(dir.path(), "a.jpg"));
    write(&path, "corrected since");
    assert_eq!(one.delete().unwrap(), Retired::Superseded);
    let done = Destination::open(&dir.path().join("done"), None).unwrap();
    assert_eq!(two.move_to(done).unwrap(), Retired::Superseded);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "corrected since");
}

#[test]
fn a_moved_source_never_replaces_an_earlier_one() {
    let dir = tempfile::tempdir().unwrap();
    for text in ["first", "second"] {
        write(&dir.path().join("a.jpg"), text);
        let done = Destination::open(&dir.path().join("done"), None).unwrap();
        retiring(dir.path(), "a.jpg").move_to(done).unwrap();
    }
    let read = |name: &str| std::fs::read_to_string(dir.path().join("done").join(name)).unwrap();
    assert_eq!(
        (read("a.jpg"), read("a-2.jpg")),
        ("first".into(), "second".into())
    );
}

/// P4: fails when a move to another file system changes the time of a photo, or makes a private photo public.
#[test]
fn a_copied_source_keeps_its_mode_and_times() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jpg");
    write(&path, "processed");
    std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let taken = std::time::UNIX_EPOCH + std::time::Duration::new(1_000_000_000, 123_456_789);
    let file = File::options().write(true).open(&path).unwrap();
    file.set_modified(taken).unwrap();
    let retiring = retiring(dir.path(), "a.jpg");
    assert!(retiring.set_aside().unwrap());
    let done = Destination::open(&dir.path().join("done"), None).unwrap();
    let moved = dir.path().join("done/a.jpg");
    let beside = done.try_clone().unwrap();
    let sidecars = Sidecars::new(&retiring, &beside);
    let result = retiring.copy_aside_to(done, &sidecars).unwrap();
    assert_eq!(result, Retired::Moved(moved.clone()));
    let data = std::fs::metadata(&moved).unwrap();
    assert_eq!(data.permissions().mode() & 0o7777, 0o600);
    assert_eq!(data.modified().unwrap(), taken);
    assert_eq!(std::fs::read_to_string(&moved).unwrap(), "processed");
    assert!(!dir.path().join(&retiring.aside).exists());
}

/// P4: fails when a source that changes while it is copied to another file system is removed, or its copy is kept.
#[test]
fn a_source_that_changes_while_it_is_copied_stays() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jpg");
    write(&path, "processed");
    let mut writer = File::options().append(true).open(&path).unwrap();
    let retiring = retiring(dir.path(), "a.jpg");
    assert!(retiring.set_aside().unwrap());
    io::Write::write_all(&mut writer, b" and more").unwrap();
    let done = Destination::open(&dir.path().join("done"), None).unwrap();
    let beside = done.try_clone().unwrap();
    let sidecars = Sidecars::new(&retiring, &beside);
    let result = retiring.copy_aside_to(done, &sidecars).unwrap();
    assert_eq!(result, Retired::Superseded);
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "processed and more"
    );
    let done = std::fs::read_dir(dir.path().join("done")).unwrap();
    assert_eq!(done.count(), 0);
}

#[test]
fn a_delete_that_was_cut_short_is_finished() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("a.jpg"), "processed");
    let retiring = retiring(dir.path(), "a.jpg");
    rustix::fs::rename(dir.path().join("a.jpg"), dir.path().join(&retiring.aside)).unwrap();
    assert_eq!(retiring.delete().unwrap(), Retired::Deleted);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

/// P4: fails when a sidecar that is moved back replaces one that was saved in the meantime.
#[test]
fn a_sidecar_that_comes_back_replaces_none() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("a.jpg"), "processed");
    write(&dir.path().join("a.xmp"), "moved");
    let retiring = retiring(dir.path(), "a.jpg");
    assert!(retiring.set_aside().unwrap());
    let done = Destination::open(&dir.path().join("done"), None).unwrap();
    let mut sidecars = Sidecars::new(&retiring, &done);
    sidecars.bring("a.jpg".as_ref()).unwrap();
    write(&dir.path().join("a.xmp"), "saved since");
    sidecars.take_back().unwrap();
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!(["a.xmp", "a.xmp-2"].map(read), ["saved since", "moved"]);
}

/// P4: the original of a sidecar was removed before the move of the photo failed. Fails when the copy is removed as well.
#[test]
fn the_only_copy_of_a_sidecar_stays() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("a.jpg"), "processed");
    let home = dir.path().join("a.xmp");
    for is_home in [true, false] {
        write(&home, "mine");
        let retiring = retiring(dir.path(), "a.jpg");
        let done = Destination::open(&dir.path().join("done"), None).unwrap();
        let mut sidecars = Sidecars::new(&retiring, &done);
        sidecars.copy_one("a.xmp".into(), "a.xmp".as_ref()).unwrap();
        if !is_home {
            sidecars.remove_copied().unwrap();
        }
        sidecars.take_back().unwrap();
        let copy = dir.path().join("done/a.xmp");
        assert_eq!((home.exists(), copy.exists()), (is_home, !is_home));
    }
}

/// P2: fails when a case-insensitive folder moves its one sidecar twice.
#[test]
fn a_sidecar_under_two_names_is_copied_once() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("a.jpg"), "processed");
    write(&dir.path().join("a.xmp"), "mine");
    std::fs::hard_link(dir.path().join("a.xmp"), dir.path().join("a.XMP")).unwrap();
    let retiring = retiring(dir.path(), "a.jpg");
    let done = Destination::open(&dir.path().join("done"), None).unwrap();
    let mut sidecars = Sidecars::new(&retiring, &done);
    for name in ["a.xmp", "a.XMP"] {
        sidecars.copy_one(name.into(), name.as_ref()).unwrap();
    }
    let copied = std::fs::read_dir(dir.path().join("done")).unwrap();
    assert_eq!(copied.count(), 1);
}

/// P4: fails when a copy stays in `done` although the original sidecar was saved again: the newer one would get a number.
#[test]
fn the_copy_of_a_sidecar_that_was_saved_since_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("a.jpg"), "processed");
    write(&dir.path().join("a.xmp"), "mine");
    let retiring = retiring(dir.path(), "a.jpg");
    let done = Destination::open(&dir.path().join("done"), None).unwrap();
    let mut sidecars = Sidecars::new(&retiring, &done);
    sidecars.copy_one("a.xmp".into(), "a.xmp".as_ref()).unwrap();
    write(&dir.path().join("a.xmp"), "saved since");
    sidecars.take_back().unwrap();
    assert!(!dir.path().join("done/a.xmp").exists());
}
