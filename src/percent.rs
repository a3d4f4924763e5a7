//! Converts bytes of file names to printable ASCII and back, for provenance, JSON and logs. Must not depend on their origin.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

/// Returns `path` as printable ASCII without blanks. Every other byte, and `%` itself, becomes `%XX`.
pub fn encode(path: &Path) -> String {
    encode_unless(path.as_os_str().as_bytes(), |byte| byte.is_ascii_graphic())
}

/// Returns `path` as text for people: unchanged if it is printable UTF-8, otherwise percent-encoded.
pub fn display(path: &Path) -> String {
    match path.to_str() {
        Some(text) if !text.chars().any(|c| c.is_control() || c == '%') => text.to_owned(),
        _ => encode_unless(path.as_os_str().as_bytes(), |byte| {
            byte == b' ' || byte.is_ascii_graphic()
        }),
    }
}

/// Formats several paths for a person, separated by commas.
pub fn display_all(paths: &[impl AsRef<Path>]) -> String {
    let paths = paths.iter().map(|path| display(path.as_ref()));
    paths.collect::<Vec<_>>().join(", ")
}

/// Returns the path that [`encode`] or [`display`] encoded. Bytes that are not a `%XX` are unchanged.
pub fn decode(text: &str) -> PathBuf {
    let bytes = text.as_bytes();
    let mut path = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = (byte == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match hex.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(value) => {
                path.push(value);
                at += 3;
            }
            None => {
                path.push(byte);
                at += 1;
            }
        }
    }
    PathBuf::from(OsString::from_vec(path))
}

fn encode_unless(bytes: &[u8], plain: impl Fn(u8) -> bool) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if plain(byte) && byte != b'%' {
            text.push(char::from(byte));
        } else {
            text.push('%');
            for digit in [byte >> 4, byte & 0xF] {
                text.extend(char::from_digit(digit.into(), 16).map(|c| c.to_ascii_uppercase()));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_name_survives_the_round_trip(bytes in proptest::collection::vec(1_u8.., 0..64)) {
            let path = PathBuf::from(OsString::from_vec(bytes));
            let encoded = encode(&path);
            prop_assert!(encoded.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(decode(&encoded), path.clone());
            prop_assert_eq!(decode(&display(&path)), path);
        }
    }

    #[test]
    fn a_readable_name_stays_readable() {
        assert_eq!(display(Path::new("Möbel 1/a b.jpg")), "Möbel 1/a b.jpg");
        assert_eq!(display(Path::new("a\nb.jpg")), "a%0Ab.jpg");
    }
}
