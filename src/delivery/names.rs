//! Computes the names that the cutout of a source may have, best first. Must not access the disk.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// The longest file name on every common Linux file system, in bytes.
const NAME_MAX: usize = 255;

/// Returns `a.png`, `a.jpg.png`, `a.jpg-2.png`, … for `sub/a.jpg`, each below the same subfolder. Never ends.
pub fn cutout_names(source: &Path) -> impl Iterator<Item = PathBuf> {
    let folder = source.parent().unwrap_or(Path::new("")).to_owned();
    let stem = source.file_stem().unwrap_or_default().to_owned();
    let name = source.file_name().unwrap_or_default().to_owned();
    (0_u32..).map(move |turn| {
        folder.join(match turn {
            0 => fitted(&stem, ".png"),
            1 => fitted(&name, ".png"),
            _ => fitted(&name, &format!("-{turn}.png")),
        })
    })
}

/// Returns `a-2.png` and 2, `a-3.png` and 3, … for `sub/a.jpg`, from `first` on, each below the same subfolder. These are the
/// cutouts of later photos of the same name. Never ends.
pub fn numbered_cutout_names(source: &Path, first: u32) -> impl Iterator<Item = (PathBuf, u32)> {
    let folder = source.parent().unwrap_or(Path::new("")).to_owned();
    let stem = source.file_stem().unwrap_or_default().to_owned();
    (first.max(2)..).map(move |number| (folder.join(numbered_png(&stem, number)), number))
}

/// Returns the number in `cutout`, a cutout name of `source`: 2 for `a-2.png` of `a.jpg`, and 1 for a name without an added number.
pub fn number_of(source: &Path, cutout: &Path) -> u32 {
    let stem = source.file_stem().unwrap_or_default();
    let name = cutout.file_name().unwrap_or_default();
    let digits = cutout
        .file_stem()
        .and_then(OsStr::to_str)
        .and_then(|text| text.rsplit_once('-'))
        .and_then(|(_, digits)| digits.parse().ok());
    digits
        .filter(|number| *number >= 2 && numbered_png(stem, *number) == name)
        .unwrap_or(1)
}

fn numbered_png(stem: &OsStr, number: u32) -> OsString {
    fitted(stem, &format!("-{number}.png"))
}

/// Returns `a.jpg`, `a-2.jpg`, `a-3.jpg`, … from number `first` on, for a file that must not replace another. Never ends.
pub fn moved_names(name: &OsStr, first: u32) -> impl Iterator<Item = OsString> {
    let stem = Path::new(name).file_stem().unwrap_or_default().to_owned();
    let ending = match Path::new(name).extension() {
        Some(ending) => format!(".{}", ending.to_string_lossy()),
        None => String::new(),
    };
    let plain = name.to_owned();
    (first.max(1)..).map(move |number| match number {
        1 => plain.clone(),
        _ => fitted(&stem, &format!("-{number}{ending}")),
    })
}

/// Returns `name` as a case-insensitive file system would compare it.
pub fn fold_case(name: &Path) -> Vec<u8> {
    match name.to_str() {
        Some(text) => text.to_lowercase().into_bytes(),
        None => name.as_os_str().as_bytes().to_ascii_lowercase(),
    }
}

/// Joins stem and ending. Truncates a stem that is too long, and adds eight digits of its hash to keep it unique.
pub(super) fn fitted(stem: &OsStr, ending: &str) -> OsString {
    let mut name = stem.as_bytes().to_vec();
    if name.len() + ending.len() > NAME_MAX {
        let hash: [u8; 32] = Sha256::digest(&name).into();
        let [one, two, three, four, ..] = hash;
        let digits = format!("{:08x}", u32::from_be_bytes([one, two, three, four]));
        let mut room = NAME_MAX.saturating_sub(ending.len() + digits.len() + 1);
        // Do not cut a UTF-8 character in two: its continuation bytes are 0b10xx_xxxx.
        while name.get(room).is_some_and(|byte| byte & 0xC0 == 0x80) {
            room -= 1;
        }
        name.truncate(room);
        name.push(b'-');
        name.extend(digits.bytes());
    }
    name.extend(ending.bytes());
    OsString::from_vec(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(source: &str, count: usize) -> Vec<PathBuf> {
        cutout_names(Path::new(source)).take(count).collect()
    }

    #[test]
    fn the_plain_name_comes_first_then_the_whole_one() {
        let expected = ["sub/a.png", "sub/a.jpg.png", "sub/a.jpg-2.png"].map(PathBuf::from);
        assert_eq!(first("sub/a.jpg", 3), expected);
    }

    #[test]
    fn a_moved_file_keeps_its_ending() {
        let names: Vec<_> = moved_names(OsStr::new("a.jpg"), 1).take(2).collect();
        assert_eq!(names, ["a.jpg", "a-2.jpg"]);
        let later: Vec<_> = moved_names(OsStr::new("a.jpg"), 4).take(2).collect();
        assert_eq!(later, ["a-4.jpg", "a-5.jpg"]);
    }

    /// P2: fails when an original gets another number than its cutout.
    #[test]
    fn the_number_of_a_cutout_is_read_back_from_its_name() {
        let long = format!("sub/{}.jpg", "ü".repeat(125));
        for source in ["sub/a.jpg", "a-2.jpg", &long] {
            let source = Path::new(source);
            for (name, number) in numbered_cutout_names(source, 2).take(3) {
                assert_eq!(number_of(source, &name), number, "{}", name.display());
            }
            for name in cutout_names(source).take(3) {
                assert_eq!(number_of(source, &name), 1, "{}", name.display());
            }
        }
        let foreign = number_of(Path::new("a.jpg"), Path::new("b-2.png"));
        assert_eq!(foreign, 1);
    }

    #[test]
    fn long_names_fit_and_stay_apart() {
        let one = format!("{}a.jpg", "ü".repeat(125));
        let two = format!("{}b.jpg", "ü".repeat(125));
        for (one, two) in first(&one, 3).into_iter().zip(first(&two, 3)) {
            assert_ne!(one, two);
            assert!(one.as_os_str().len() <= NAME_MAX);
            assert!(one.to_str().is_some());
        }
        let whole = format!("{}.jpg", "x".repeat(251));
        assert_eq!(
            first(&whole, 1),
            [PathBuf::from(format!("{}.png", "x".repeat(251)))]
        );
    }

    #[test]
    fn names_that_differ_only_in_case_are_one() {
        assert_eq!(
            fold_case(Path::new("Sub/Ä.PNG")),
            fold_case(Path::new("sub/ä.png"))
        );
    }
}
