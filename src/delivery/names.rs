//! The path of a source -> the names its cutout may have, best first; pure bytes, no disk.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// Bytes that a file name may have on every common Linux file system.
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

/// Returns `a.jpg`, `a-2.jpg`, `a-3.jpg`, … for a file that may not replace another. Never ends.
pub fn moved_names(name: &OsStr) -> impl Iterator<Item = OsString> {
    let stem = Path::new(name).file_stem().unwrap_or_default().to_owned();
    let ending = match Path::new(name).extension() {
        Some(ending) => format!(".{}", ending.to_string_lossy()),
        None => String::new(),
    };
    let plain = name.to_owned();
    (1_u32..).map(move |turn| match turn {
        1 => plain.clone(),
        _ => fitted(&stem, &format!("-{turn}{ending}")),
    })
}

/// Returns `name` as a case-insensitive file system would compare it.
pub fn fold_case(name: &Path) -> Vec<u8> {
    match name.to_str() {
        Some(text) => text.to_lowercase().into_bytes(),
        None => name.as_os_str().as_bytes().to_ascii_lowercase(),
    }
}

/// Joins both; a stem that is too long is cut, and made unique again by eight digits of its hash.
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
        let names: Vec<_> = moved_names(OsStr::new("a.jpg")).take(2).collect();
        assert_eq!(names, ["a.jpg", "a-2.jpg"]);
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
