//! Classifies a file by its first bytes. Must not use its name: a PNG named `.jpg` is a PNG.

use super::registry::Format;
use super::unsupported::{self, Lookalike, Unsupported};

/// How much of a file is searched for a byte other than zero. Some programs set a file's length before its content.
const ZEROS_LOOKED_AT: usize = 64 * 1024;

/// The longest signature, in bytes.
const SIGNATURE_MAX: usize = 32;

/// The classification of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sniffed {
    Picture(Format),
    Unsupported(Unsupported),
    Unknown(Option<Lookalike>),
    /// Too short to classify, or only zeros.
    Unfinished,
}

pub(super) fn sniff(bytes: &[u8]) -> Sniffed {
    let head = bytes
        .get(..ZEROS_LOOKED_AT.min(bytes.len()))
        .unwrap_or_default();
    if head.iter().all(|&b| b == 0) {
        return Sniffed::Unfinished;
    }
    let mut formats = Format::ALL.iter();
    let found = formats
        .find_map(|format| (format.descriptor().sniff)(bytes))
        .unwrap_or_else(|| unsupported::sniff(bytes));
    // Possibly only half of a signature is written yet.
    let is_half = found == Sniffed::Unknown(None)
        && head.len() > SIGNATURE_MAX
        && head.iter().skip(SIGNATURE_MAX).all(|&b| b == 0);
    if is_half { Sniffed::Unfinished } else { found }
}

/// Classifies a format by its signatures alone: `Unfinished` when the file ends within one.
pub(super) fn by_signature(bytes: &[u8], signatures: &[&[u8]], format: Format) -> Option<Sniffed> {
    if signatures.iter().any(|s| bytes.starts_with(s)) {
        return Some(Sniffed::Picture(format));
    }
    let is_part = signatures.iter().any(|s| s.starts_with(bytes));
    is_part.then_some(Sniffed::Unfinished)
}

#[cfg(test)]
mod tests {
    use super::{Format, Lookalike, Sniffed, Unsupported, sniff};

    #[test]
    fn content_decides() {
        let cases: [(&[u8], Sniffed); 12] = [
            (b"\xff\xd8\xff\xe0", Sniffed::Picture(Format::Jpeg)),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Sniffed::Picture(Format::Webp)),
            (b"MM\0*\0\0\0\x08", Sniffed::Picture(Format::Tiff)),
            (
                b"II*\0\x10\0\0\0CR\x02\0",
                Sniffed::Unsupported(Unsupported::Raw),
            ),
            (
                b"BM\0\0\0\0\0\0\0\0\0\0\0\0\x28\0\0\0",
                Sniffed::Picture(Format::Bmp),
            ),
            (b"BM is also how a letter may begin", Sniffed::Unknown(None)),
            (
                b"\0\0\0\x18ftypheic",
                Sniffed::Unsupported(Unsupported::Heif),
            ),
            (
                b"\0\0\0\x18ftypqt  ",
                Sniffed::Unknown(Some(Lookalike::Video)),
            ),
            (
                b"\r\n <!DOCTYPE HTML><title>404",
                Sniffed::Unknown(Some(Lookalike::Html)),
            ),
            (
                b"\xef\xbb\xbf<?xml version",
                Sniffed::Unknown(Some(Lookalike::Xml)),
            ),
            (b"%PDF-1.7", Sniffed::Unknown(Some(Lookalike::Pdf))),
            (b"PK\x03\x04docx", Sniffed::Unknown(Some(Lookalike::Zip))),
        ];
        for (bytes, expected) in cases {
            assert_eq!(sniff(bytes), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn nothing_zeros_and_half_a_signature_are_unfinished() {
        for bytes in [
            &b""[..],
            &[0; 1000],
            b"\x89PN",
            b"GI",
            b"RIFF\0\0\0\0WE",
            b"BM\0\0",
        ] {
            assert_eq!(sniff(bytes), Sniffed::Unfinished);
        }
    }
}
