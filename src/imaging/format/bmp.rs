//! Converts Windows bitmap bytes to a `Photo`. The format has no end mark.

use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;

use super::super::error::CutoutError;
use super::super::photo::Photo;
use super::end::{EndCheck, Pixels};
use super::image_crate::Reader;
use super::limit::Limit;
use super::registry::{Descriptor, Format};
use super::sniff::Sniffed;

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "BMP",
    endings: &["bmp", "dib"],
    sniff,
    decode,
    end: EndCheck::Pixels(pixels),
};

/// Two letters are a weak signature, so the header size after them must also be known.
fn sniff(bytes: &[u8]) -> Option<Sniffed> {
    if !bytes.starts_with(b"BM") && bytes != b"B" {
        return None;
    }
    Some(match bytes.get(14..18) {
        Some(&[12 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0]) => Sniffed::Picture(Format::Bmp),
        Some(_) => Sniffed::Unknown(None),
        None => Sniffed::Unfinished,
    })
}

fn decode(bytes: &[u8], limit: Limit) -> Result<Photo, CutoutError> {
    let reader = Reader {
        format: Format::Bmp,
        limit,
        structure: None,
    };
    reader.read(BmpDecoder::new(Cursor::new(bytes)))
}

/// The pixel data: from the offset in the file header, with the length given by the bitmap header, or to the end of the file when
/// the length is unknown.
fn pixels(bytes: &[u8]) -> Option<Pixels<'_>> {
    let long = |at: usize| {
        let bytes = bytes.get(at..)?.first_chunk()?;
        usize::try_from(u32::from_le_bytes(*bytes)).ok()
    };
    let short = |at: usize| {
        Some(usize::from(u16::from_le_bytes(
            *bytes.get(at..)?.first_chunk()?,
        )))
    };
    let after = bytes.get(long(10)?..)?;
    let is_old = long(14)? == 12;
    let (width, height, bits, compression) = if is_old {
        (short(18)?, short(20)?, short(24)?, 0)
    } else {
        // A negative height means that the first row comes first.
        let height = u32::try_from(long(22)?).ok()?.cast_signed().unsigned_abs();
        (
            long(18)?,
            usize::try_from(height).ok()?,
            short(28)?,
            long(30)?,
        )
    };
    // Run-length data (1 and 2) ends at its own mark; other data has rows of whole 32-bit words.
    let is_coded = matches!(compression, 1 | 2);
    let row = width.checked_mul(bits)?.div_ceil(32).checked_mul(4)?;
    let size = if is_coded {
        after.len()
    } else {
        row.checked_mul(height)?
    };
    Some(Pixels {
        pieces: vec![after.get(..size.min(after.len()))?],
        is_coded,
    })
}
