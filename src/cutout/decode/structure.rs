//! File bytes -> whether the file is there to its end, and what stands between the pixels that the
//! decoders do not tell. Decoders accept files that lack their tail; copies in progress do too.

use super::Density;

/// What a walk over a file's segments found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Structure {
    /// The end marker was reached.
    pub(super) ended: bool,
    /// An Adobe segment stands before the first scan: four-channel samples are inverted.
    pub(super) adobe: bool,
    /// As the file has it: pixels per metre along the stored width and height.
    pub(super) density: Option<Density>,
    /// A palette ends within a colour, which the decoder of PNGs panics at.
    pub(super) odd_palette: bool,
    /// Width and height of the coded picture, which the file's header need not agree with.
    pub(super) coded: Option<(u32, u32)>,
}

/// Walks a JPEG from SOI to EOI (ITU-T T.81, B.1). Entropy-coded data cannot contain a marker
/// other than `RSTn`, so EOI is found for certain, and not in a thumbnail inside a segment.
pub(super) fn jpeg(bytes: &[u8]) -> Structure {
    let mut found = Structure::default();
    let mut scan_seen = false;
    let mut at = 2;
    while let Some(marker) = next_marker(bytes, &mut at) {
        match marker {
            0xd9 => {
                found.ended = scan_seen;
                return found;
            }
            // No segment follows: TEM, RSTn, SOI.
            0x01 | 0xd0..=0xd8 => continue,
            _ => {}
        }
        let Some(&[high, low]) = bytes.get(at..at + 2) else {
            return found;
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let segment = bytes.get(at + 2..at + length.max(2)).unwrap_or_default();
        match marker {
            0xda => scan_seen = true,
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                found.coded = jpeg_sides(segment);
            }
            0xee if segment.starts_with(b"Adobe") => found.adobe = true,
            0xe0 if segment.starts_with(b"JFIF\0") => found.density = jfif_density(segment),
            _ => {}
        }
        at += length.max(2);
    }
    found
}

/// The next marker's second byte; `at` ends up behind it. Skips entropy-coded data and fill bytes.
fn next_marker(bytes: &[u8], at: &mut usize) -> Option<u8> {
    loop {
        *at += bytes.get(*at..)?.iter().position(|&b| b == 0xff)?;
        let code = *bytes.get(*at + 1)?;
        if code == 0xff {
            *at += 1;
            continue;
        }
        *at += 2;
        if code != 0x00 {
            return Some(code);
        }
    }
}

/// A frame header: precision, height, width (B.2.2).
fn jpeg_sides(segment: &[u8]) -> Option<(u32, u32)> {
    let &[_, yh, yl, xh, xl] = segment.first_chunk()?;
    let side = |bytes| u32::from(u16::from_be_bytes(bytes));
    Some((side([xh, xl]), side([yh, yl])))
}

/// JFIF 1.02: version (2), unit (1 = per inch, 2 = per centimetre), horizontal, vertical.
fn jfif_density(segment: &[u8]) -> Option<Density> {
    let &[_, _, unit, xh, xl, yh, yl] = segment.get(5..12)?.first_chunk::<7>()?;
    let per_metre = |count: [u8; 2]| {
        let count = u32::from(u16::from_be_bytes(count));
        match unit {
            1 => Some((count * 10_000 + 127) / 254),
            2 => Some(count * 100),
            _ => None,
        }
    };
    Some(Density {
        x: per_metre([xh, xl])?,
        y: per_metre([yh, yl])?,
    })
}

/// Walks a PNG to its IEND. `ended` is also set for a chunk that cannot be one: that file is not
/// short but damaged, and the decoder says so.
pub(super) fn png(bytes: &[u8]) -> Structure {
    let mut found = Structure::default();
    let mut rest = bytes.get(8..).unwrap_or_default();
    while let Some((&[l0, l1, l2, l3, kind @ ..], _)) = rest.split_first_chunk::<8>() {
        let length = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
        if !kind.iter().all(u8::is_ascii_alphabetic) {
            found.ended = rest.iter().any(|&b| b != 0);
            return found;
        }
        let Some(body) = rest.get(8..8 + length) else {
            return found;
        };
        let Some(after) = rest.get(8 + length + 4..) else {
            return found;
        };
        match &kind {
            b"IEND" => {
                found.ended = true;
                return found;
            }
            b"pHYs" => found.density = png_density(body),
            b"IHDR" => found.coded = png_sides(body),
            b"PLTE" => found.odd_palette |= !body.len().is_multiple_of(3),
            _ => {}
        }
        rest = after;
    }
    found
}

fn png_sides(body: &[u8]) -> Option<(u32, u32)> {
    let (width, body) = body.split_first_chunk::<4>()?;
    let height = body.first_chunk::<4>()?;
    Some((u32::from_be_bytes(*width), u32::from_be_bytes(*height)))
}

fn png_density(body: &[u8]) -> Option<Density> {
    let (x, body) = body.split_first_chunk::<4>()?;
    let (y, unit) = body.split_first_chunk::<4>()?;
    let per_metre = unit == [1];
    per_metre.then(|| Density {
        x: u32::from_be_bytes(*x),
        y: u32::from_be_bytes(*y),
    })
}

/// Walks a WebP (RFC 9649, section 2) to the end of its first picture, and no less far than its header says that it
/// goes. A lossy one whose tail is zeros would decode to smears.
pub(super) fn webp(bytes: &[u8]) -> Structure {
    let mut found = Structure::default();
    let Some(size) = bytes.get(4..).and_then(|b| b.first_chunk()) else {
        return found;
    };
    let mut at = 12;
    while let Some((kind, body)) = riff_chunk(bytes, at) {
        let skipped = match kind {
            // The head of a frame; its picture's chunks follow.
            b"ANMF" => 16,
            b"VP8 " | b"VP8L" => {
                let content = bytes.get(at + 8..at + 8 + body);
                found.coded = content.and_then(|content| webp_sides(*kind, content));
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
    // Without a picture it is not short but damaged, unless what should be there is not.
    found.ended = at.max(8 + u32::from_le_bytes(*size) as usize) <= bytes.len();
    found
}

/// The kind of the chunk at `at` and the length of what is in it.
fn riff_chunk(bytes: &[u8], at: usize) -> Option<(&[u8; 4], usize)> {
    let (kind, rest) = bytes.get(at..)?.split_first_chunk::<4>()?;
    Some((kind, u32::from_le_bytes(*rest.first_chunk()?) as usize))
}

/// RFC 6386, 9.1, and RFC 9649, 3.4: 14 bits a side.
fn webp_sides(kind: [u8; 4], content: &[u8]) -> Option<(u32, u32)> {
    if kind == *b"VP8L" {
        let bits = u32::from_le_bytes(*content.get(1..)?.first_chunk()?);
        return Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1));
    }
    let &[w0, w1, h0, h1] = content.get(6..)?.first_chunk()?;
    let side = |bytes| u32::from(u16::from_le_bytes(bytes) & 0x3fff);
    Some((side([w0, w1]), side([h0, h1])))
}

/// Walks a GIF's blocks to its trailer (`GIF89a` specification, sections 18 to 27).
pub(super) fn gif(bytes: &[u8]) -> Structure {
    let mut found = Structure::default();
    found.ended = gif_trailer(bytes, &mut found.coded).is_some();
    found
}

fn gif_trailer(bytes: &[u8], first_frame: &mut Option<(u32, u32)>) -> Option<()> {
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
            // Not a block: damaged rather than short, unless only zeros follow.
            _ => return bytes.get(at..)?.iter().any(|&b| b != 0).then_some(()),
        }
        while let length @ 1.. = usize::from(*bytes.get(at)?) {
            at += length + 1;
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{Density, jfif_density, jpeg, png_density};

    #[test]
    fn end_marker_inside_a_thumbnail_is_not_the_end() {
        let thumbnail = [0xff, 0xe1, 0, 6, 0xff, 0xd9, 0xff, 0xda];
        let scan = [0xff, 0xda, 0, 2, 1, 2, 0xff, 0x00, 3, 0xff, 0xd0, 4];
        let mut bytes = [&[0xff, 0xd8][..], &thumbnail, &scan].concat();
        assert!(!jpeg(&bytes).ended);
        bytes.extend([0xff, 0xff, 0xd9, 0, 0]);
        assert!(jpeg(&bytes).ended);
    }

    #[test]
    fn density_is_per_metre_whatever_its_unit() {
        let jfif = |unit, x: u16| {
            let [h, l] = x.to_be_bytes();
            jfif_density(&[b'J', b'F', b'I', b'F', 0, 1, 2, unit, h, l, h, l])
        };
        assert_eq!(jfif(1, 300), Some(Density { x: 11811, y: 11811 }));
        assert_eq!(jfif(2, 118), Some(Density { x: 11800, y: 11800 }));
        assert_eq!(jfif(0, 1), None);
        assert_eq!(
            png_density(&[0, 0, 1, 0, 0, 0, 2, 0, 1]),
            Some(Density { x: 256, y: 512 })
        );
        assert_eq!(png_density(&[0, 0, 1, 0, 0, 0, 2, 0, 0]), None);
    }
}
