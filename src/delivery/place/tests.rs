//! Files that are placed on a real file system, and files that must not be replaced.

use std::io::Write as _;

use super::*;

fn temp(dir: &Path, bytes: &[u8]) -> Temp {
    let destination = Destination::open(dir, None).unwrap();
    let temp = Temp::create(destination, ".hotcut-x-1.tmp".into()).unwrap();
    temp.writer().unwrap().write_all(bytes).unwrap();
    temp
}

fn names(dir: &Path) -> Vec<OsString> {
    std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect()
}

#[test]
fn a_dropped_temp_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    drop(temp(dir.path(), b"half"));
    assert!(names(dir.path()).is_empty());
}

#[test]
fn a_taken_name_is_never_replaced_unless_that_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let name = OsStr::new("a.png");
    temp(dir.path(), b"first")
        .place(name, Replace::Never, 5)
        .unwrap();
    let second = temp(dir.path(), b"second").place(name, Replace::Never, 6);
    assert!(matches!(second, Err(PlaceError::Taken(_))));
    assert_eq!(std::fs::read(dir.path().join("a.png")).unwrap(), b"first");
    temp(dir.path(), b"third")
        .place(name, Replace::Any, 5)
        .unwrap();
    assert_eq!(std::fs::read(dir.path().join("a.png")).unwrap(), b"third");
    assert_eq!(names(dir.path()), ["a.png"]);
}

/// P2, P4: another program creates a file under the name after the check. Fails when that file is replaced, or when a cutout is
/// not.
#[test]
fn only_a_cutout_makes_way_for_another() {
    let dir = tempfile::tempdir().unwrap();
    let name = OsStr::new("a.png");
    let place =
        |bytes: &[u8]| temp(dir.path(), bytes).place(name, Replace::Own, bytes.len() as u64);
    let seeds = crate::fuzzing::seeds();
    let (.., cutout) = seeds
        .iter()
        .find(|(_, name, _)| *name == "marked.png")
        .unwrap();
    place(cutout).unwrap();
    place(b"retouched").unwrap();
    assert!(matches!(place(cutout), Err(PlaceError::Taken(_))));
    let found = std::fs::read(dir.path().join("a.png")).unwrap();
    assert_eq!(found, b"retouched");
    assert_eq!(names(dir.path()), ["a.png"]);
}

#[test]
fn a_file_of_the_wrong_length_is_not_placed() {
    let dir = tempfile::tempdir().unwrap();
    let short = temp(dir.path(), b"half").place(OsStr::new("a.png"), Replace::Never, 8);
    assert!(matches!(short, Err(PlaceError::Short { found: 4, .. })));
    assert!(names(dir.path()).is_empty());
}

#[test]
fn a_left_over_of_a_crash_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = temp(dir.path(), b"crashed half way");
    first.is_placed = true;
    drop(first);
    temp(dir.path(), b"whole")
        .place(OsStr::new("a.png"), Replace::Never, 5)
        .unwrap();
    assert_eq!(std::fs::read(dir.path().join("a.png")).unwrap(), b"whole");
}

/// Fails when a sheet replaces anything but a sheet, or when a cutout replaces a sheet.
#[test]
fn only_a_sheet_makes_way_for_a_sheet() {
    let dir = tempfile::tempdir().unwrap();
    let name = OsStr::new("sheet.png");
    let place = |bytes: &[u8], replace| temp(dir.path(), bytes).place(name, replace, len(bytes));
    let sheets = [1, 2].map(sheet);
    let seeds = crate::fuzzing::seeds();
    let (.., cutout) = seeds
        .iter()
        .find(|(_, name, _)| *name == "marked.png")
        .unwrap();
    place(&sheets[0], Replace::Sheet).unwrap();
    place(&sheets[1], Replace::Sheet).unwrap();
    let taken = place(cutout, Replace::Own);
    assert!(matches!(taken, Err(PlaceError::Taken(_))));
    let found = std::fs::read(dir.path().join(name)).unwrap();
    assert_eq!(found, sheets[1]);
    for other in [cutout, &b"somebody's".to_vec()] {
        place(other, Replace::Any).unwrap();
        let taken = place(&sheets[0], Replace::Sheet);
        assert!(matches!(taken, Err(PlaceError::Taken(_))));
        assert_eq!(std::fs::read(dir.path().join(name)).unwrap(), *other);
    }
    assert_eq!(names(dir.path()), ["sheet.png"]);
}

/// A sheet of one pixel.
fn sheet(grey: u8) -> Vec<u8> {
    let mut sheet = Vec::new();
    let mut encoder = png::Encoder::new(&mut sheet, 1, 1);
    let keyword = crate::provenance::SHEET_KEYWORD.to_owned();
    encoder.add_text_chunk(keyword, "1".to_owned()).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[grey]).unwrap();
    writer.finish().unwrap();
    sheet
}

fn len(bytes: &[u8]) -> u64 {
    bytes.len() as u64
}
