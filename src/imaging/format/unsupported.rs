//! Names files that hotcut recognises but cannot decode, so that the message can say what they are. Must not decode.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::registry::Format;
use super::sniff::Sniffed;

/// A kind of file that users drop into hot folders by mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Error)]
pub enum Lookalike {
    /// Often an error page saved under a picture's name.
    #[error("an HTML page")]
    Html,
    /// SVG, or another XML document.
    #[error("an XML or SVG document")]
    Xml,
    /// PDF.
    #[error("a PDF document")]
    Pdf,
    /// ZIP, including office documents.
    #[error("a ZIP archive")]
    Zip,
    /// MP4 and similar formats.
    #[error("a video")]
    Video,
}

/// A complete picture of a kind that hotcut does not support.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Error)]
pub enum Unsupported {
    /// HEIC, HEIF, AVIF.
    #[error("HEIC and AVIF pictures are")]
    Heif,
    /// CR2, NEF, ARW, DNG and similar formats.
    #[error("camera raw files are")]
    Raw,
    /// Photoshop documents.
    #[error("Photoshop documents are")]
    Photoshop,
    /// A JPEG with arithmetic coding, lossless prediction or 12 bits.
    #[error("this rare kind of JPEG is")]
    JpegProcess,
    /// Floating-point samples, whose appearance on a screen is not defined.
    #[error("floating-point samples are")]
    FloatSamples,
    /// An unsupported colour space or storage layout.
    #[error("this kind of {0} is")]
    Layout(Format),
}

/// Endings of unsupported pictures, in lower case.
const ENDINGS: &[&str] = &[
    "3fr", "ai", "arw", "avif", "cr2", "cr3", "dng", "eps", "fff", "heic", "heif", "iiq", "jp2",
    "jxl", "nef", "nrw", "orf", "pdf", "pef", "psb", "psd", "raf", "raw", "rw2", "srw", "svg",
    "x3f",
];

/// Signatures of raw files that are not TIFFs: Olympus, Panasonic, Fujifilm.
const RAW: [&[u8]; 4] = [b"IIRO", b"IIRS", b"IIU\0", b"FUJIFILMCCD-RAW"];

/// Whether `ending` (lower case, without a dot) is a usual ending of an unsupported picture.
pub fn is_unsupported_ending(ending: &str) -> bool {
    ENDINGS.contains(&ending)
}

pub(super) fn sniff(bytes: &[u8]) -> Sniffed {
    if bytes.starts_with(b"8BPS") {
        return Sniffed::Unsupported(Unsupported::Photoshop);
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return iso_media(bytes.get(8..12).unwrap_or_default());
    }
    if RAW.iter().any(|s| bytes.starts_with(s)) {
        return Sniffed::Unsupported(Unsupported::Raw);
    }
    Sniffed::Unknown(lookalike(bytes))
}

/// A RIFF file of another form than WebP.
pub(super) fn sniff_riff(form: &[u8]) -> Sniffed {
    Sniffed::Unknown((form == b"AVI ").then_some(Lookalike::Video))
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
