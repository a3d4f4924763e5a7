//! Converts GIF bytes to a `Photo`: the first frame. Must refuse a file without its trailer.

use std::io::Cursor;

use image::codecs::gif::GifDecoder;

use super::super::error::CutoutError;
use super::super::photo::Photo;
use super::end::EndCheck;
use super::image_crate::{Reader, Structure};
use super::limit::Limit;
use super::registry::{Descriptor, Format};
use super::sniff;

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "GIF",
    endings: &["gif"],
    sniff: |bytes| sniff::by_signature(bytes, &[b"GIF87a", b"GIF89a"], Format::Gif),
    decode,
    end: EndCheck::Mark,
};

fn decode(bytes: &[u8], limit: Limit) -> Result<Photo, CutoutError> {
    let reader = Reader {
        format: Format::Gif,
        limit,
        structure: Some(structure(bytes)),
    };
    reader.read(GifDecoder::new(Cursor::new(bytes)))
}

/// Walks a GIF's blocks to its trailer (`GIF89a` specification, sections 18 to 27).
fn structure(bytes: &[u8]) -> Structure {
    let mut found = Structure::default();
    found.ended = trailer(bytes, &mut found.coded).is_some();
    found
}

fn trailer(bytes: &[u8], first_frame: &mut Option<(u32, u32)>) -> Option<()> {
    let table = |flags: u8| {
        if flags & 0x80 == 0 {
            0
        } else {
            3 << ((flags & 7) + 1)
        }
    };
    let mut at = 13 + table(*bytes.get(10)?);
    loop {
        match *bytes.get(at)? {
            0x3b => return Some(()),
            0x21 => at += 2,
            0x2c => {
                let &[wl, wh, hl, hh, flags] = bytes.get(at + 5..)?.first_chunk()?;
                let side = |bytes| u32::from(u16::from_le_bytes(bytes));
                first_frame.get_or_insert((side([wl, wh]), side([hl, hh])));
                at += 11 + table(flags);
            }
            // Not a block: the file is damaged, not short, unless only zeros follow.
            _ => return bytes.get(at..)?.iter().any(|&b| b != 0).then_some(()),
        }
        while let length @ 1.. = usize::from(*bytes.get(at)?) {
            at += length + 1;
        }
        at += 1;
    }
}
