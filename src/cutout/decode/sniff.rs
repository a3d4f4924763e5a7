//! First bytes -> what a file is. Extensions are not asked: a PNG named `.jpg` is a PNG.

use super::{Format, Lookalike, Unsupported};

/// Files that are all zeros so far were given their length before their contents.
const ZEROS_LOOKED_AT: usize = 64 * 1024;

/// No signature is longer.
const SIGNATURE_MAX: usize = 32;

/// What the first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sniffed {
    Picture(Format),
    Unsupported(Unsupported),
    Unknown(Option<Lookalike>),
    /// Too short to tell, or only zeros.
    Unfinished,
}

const PICTURES: [(&[u8], Format); 7] = [
    (b"\xff\xd8\xff", Format::Jpeg),
    (b"\x89PNG\r\n\x1a\n", Format::Png),
    (b"II*\0", Format::Tiff),
    (b"MM\0*", Format::Tiff),
    (b"GIF87a", Format::Gif),
    (b"GIF89a", Format::Gif),
    (b"RIFF", Format::Webp),
];

pub(super) fn sniff(bytes: &[u8]) -> Sniffed {
    let head = bytes
        .get(..ZEROS_LOOKED_AT.min(bytes.len()))
        .unwrap_or_default();
    if head.iter().all(|&b| b == 0) {
        return Sniffed::Unfinished;
    }
    let found = recognise(bytes);
    // Half a signature may be all that is written yet.
    let is_half = found == Sniffed::Unknown(None)
        && head.len() > SIGNATURE_MAX
        && head.iter().skip(SIGNATURE_MAX).all(|&b| b == 0);
    if is_half { Sniffed::Unfinished } else { found }
}

fn recognise(bytes: &[u8]) -> Sniffed {
    if bytes.starts_with(b"RIFF") {
        return riff(bytes);
    }
    for (signature, format) in PICTURES {
        if bytes.starts_with(signature) {
            let raw = format == Format::Tiff && is_raw(bytes);
            return if raw {
                Sniffed::Unsupported(Unsupported::Raw)
            } else {
                Sniffed::Picture(format)
            };
        }
        if signature.starts_with(bytes) {
            return Sniffed::Unfinished;
        }
    }
    if bytes.starts_with(b"BM") || bytes == b"B" {
        return bitmap(bytes);
    }
    if bytes.starts_with(b"8BPS") {
        return Sniffed::Unsupported(Unsupported::Photoshop);
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return iso_media(bytes.get(8..12).unwrap_or_default());
    }
    if [&b"IIRO"[..], b"IIRS", b"IIU\0", b"FUJIFILMCCD-RAW"]
        .iter()
        .any(|s| bytes.starts_with(s))
    {
        return Sniffed::Unsupported(Unsupported::Raw);
    }
    Sniffed::Unknown(lookalike(bytes))
}

fn riff(bytes: &[u8]) -> Sniffed {
    match bytes.get(8..12) {
        Some(b"WEBP") => Sniffed::Picture(Format::Webp),
        Some(b"AVI ") => Sniffed::Unknown(Some(Lookalike::Video)),
        Some(_) => Sniffed::Unknown(None),
        None => Sniffed::Unfinished,
    }
}

/// Two letters are a weak signature, so the size of the header behind them must be a known one.
fn bitmap(bytes: &[u8]) -> Sniffed {
    match bytes.get(14..18) {
        Some(&[12 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0]) => Sniffed::Picture(Format::Bmp),
        Some(_) => Sniffed::Unknown(None),
        None => Sniffed::Unfinished,
    }
}

/// Canon's CR2 says so in a TIFF's ninth byte; other raw files show in their directory.
fn is_raw(bytes: &[u8]) -> bool {
    bytes.get(8..10) == Some(b"CR")
}

fn iso_media(brand: &[u8]) -> Sniffed {
    match brand {
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"mif1" | b"msf1" | b"avif" | b"avis" => {
            Sniffed::Unsupported(Unsupported::Heif)
        }
        b"crx " => Sniffed::Unsupported(Unsupported::Raw),
        _ => Sniffed::Unknown(Some(Lookalike::Video)),
    }
}

fn lookalike(bytes: &[u8]) -> Option<Lookalike> {
    if bytes.starts_with(b"%PDF-") {
        return Some(Lookalike::Pdf);
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Some(Lookalike::Zip);
    }
    let text = bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .trim_ascii_start();
    let starts = |word: &[u8]| {
        text.get(..word.len())
            .is_some_and(|t| t.eq_ignore_ascii_case(word))
    };
    if starts(b"<!doctype html") || starts(b"<html") || starts(b"<head") {
        return Some(Lookalike::Html);
    }
    (starts(b"<?xml") || starts(b"<svg")).then_some(Lookalike::Xml)
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
