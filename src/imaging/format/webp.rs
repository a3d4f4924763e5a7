//! Converts WebP bytes to a `Photo`: the first frame. Must refuse a file that ends in zeros.

use std::io::Cursor;

use image::codecs::webp::WebPDecoder;

use super::super::error::CutoutError;
use super::super::photo::Photo;
use super::end::EndCheck;
use super::image_crate::{Reader, Structure};
use super::limit::Limit;
use super::registry::{Descriptor, Format};
use super::sniff::Sniffed;
use super::unsupported;

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "WebP",
    endings: &["webp"],
    sniff,
    decode,
    end: EndCheck::Decoder,
};

/// The first bytes of every RIFF file; the form follows at byte 8.
const SIGNATURE: &[u8] = b"RIFF";

fn sniff(bytes: &[u8]) -> Option<Sniffed> {
    if !bytes.starts_with(SIGNATURE) && !SIGNATURE.starts_with(bytes) {
        return None;
    }
    Some(match bytes.get(8..12) {
        Some(b"WEBP") => Sniffed::Picture(Format::Webp),
        Some(form) => unsupported::sniff_riff(form),
        None => Sniffed::Unfinished,
    })
}

fn decode(bytes: &[u8], limit: Limit) -> Result<Photo, CutoutError> {
    let reader = Reader {
        format: Format::Webp,
        limit,
        structure: Some(structure(bytes)),
    };
    reader.read(WebPDecoder::new(Cursor::new(bytes)))
}

/// Walks a WebP (RFC 9649, section 2) to the end of its first picture, and at least to the length in its header. A lossy picture
/// whose end is zeros would decode to smears.
fn structure(bytes: &[u8]) -> Structure {
    let mut found = Structure::default();
    let Some(size) = bytes.get(4..).and_then(|b| b.first_chunk()) else {
        return found;
    };
    let mut at = 12;
    while let Some((kind, body)) = chunk(bytes, at) {
        let skipped = match kind {
            // The header of a frame; the chunks of its picture follow.
            b"ANMF" => 16,
            b"VP8 " | b"VP8L" => {
                let content = bytes.get(at + 8..at + 8 + body);
                found.coded = content.and_then(|content| sides(*kind, content));
                at += 8 + body;
                let end = at.max(8 + u32::from_le_bytes(*size) as usize);
                let whole = bytes.get(..end);
                found.ended = whole.is_some_and(|w| w.iter().rev().take(64).any(|&b| b != 0));
                return found;
            }
            _ => body + body % 2,
        };
        at += 8 + skipped;
    }
    // A file without a picture is damaged, not short, unless announced bytes are missing.
    found.ended = at.max(8 + u32::from_le_bytes(*size) as usize) <= bytes.len();
    found
}

/// The kind of the chunk at `at`, and the length of its content.
fn chunk(bytes: &[u8], at: usize) -> Option<(&[u8; 4], usize)> {
    let (kind, rest) = bytes.get(at..)?.split_first_chunk::<4>()?;
    Some((kind, u32::from_le_bytes(*rest.first_chunk()?) as usize))
}

/// RFC 6386, 9.1, and RFC 9649, 3.4: 14 bits a side.
fn sides(kind: [u8; 4], content: &[u8]) -> Option<(u32, u32)> {
    if kind == *b"VP8L" {
        let bits = u32::from_le_bytes(*content.get(1..)?.first_chunk()?);
        return Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1));
    }
    let &[w0, w1, h0, h1] = content.get(6..)?.first_chunk()?;
    let side = |bytes| u32::from(u16::from_le_bytes(bytes) & 0x3fff);
    Some((side([w0, w1]), side([h0, h1])))
}
