//! Converts JPEG bytes to a `Photo` with exactly the pixels of libjpeg-turbo, which most other programs show. Must refuse a picture
//! that decodes only partly.

use image::metadata::Orientation;
use libjpeg_turbo_rs::{ComponentInfo, DecodeLimits, Decoder, JpegError, PixelFormat};

use super::super::colour;
use super::super::error::CutoutError;
use super::super::photo::{Channels, Colour, Density, Photo, Stored};
use super::super::{probe, zeroed};
use super::end::EndCheck;
use super::limit::Limit;
use super::registry::{Descriptor, Format};
use super::sniff;
use super::unsupported::Unsupported;

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "JPEG",
    endings: &["jfif", "jpe", "jpeg", "jpg"],
    sniff: |bytes| sniff::by_signature(bytes, &[b"\xff\xd8\xff"], Format::Jpeg),
    decode,
    end: EndCheck::Mark,
};

/// More scans than any encoder writes. Each scan costs a pass over the whole picture.
const SCANS_MAX: usize = 64;

/// Bytes per sample that the decoder collects for a picture in many scans.
const COEFFICIENT_BYTES: usize = 2;

fn decode(bytes: &[u8], limit: Limit) -> Result<Photo, CutoutError> {
    let limits = DecodeLimits {
        max_width: usize::from(u16::MAX),
        max_height: usize::from(u16::MAX),
        max_scans: SCANS_MAX,
        ..DecodeLimits::default()
    };
    let segments = segments(bytes);
    let fault = |error: JpegError| {
        if let JpegError::Unsupported(_) = error {
            CutoutError::Unsupported(Unsupported::JpegProcess)
        } else if let JpegError::AllocationFailed { .. } = error {
            CutoutError::OutOfMemory
        } else if segments.ended {
            CutoutError::Damaged(Format::Jpeg)
        } else {
            CutoutError::Truncated
        }
    };
    let mut decoder = Decoder::new_with_limits(bytes, limits).map_err(fault)?;
    let frame = decoder.header();
    let (width, height) = (u32::from(frame.width), u32::from(frame.height));
    let pixels = limit.check(width, height)?;
    if !segments.ended {
        return Err(CutoutError::Truncated);
    }
    // A height of 0 means that the height follows the first scan. No encoder writes this, and the decoder may divide by the height.
    if pixels == 0 {
        return Err(CutoutError::Damaged(Format::Jpeg));
    }
    let (format, channels) = match frame.components.len() {
        1 => (PixelFormat::Grayscale, Channels::Grey),
        3 => (PixelFormat::Rgb, Channels::Rgb),
        4 if has_plain_inks(&frame.components) => (PixelFormat::Cmyk, Channels::Rgb),
        _ => return Err(CutoutError::Unsupported(Unsupported::JpegProcess)),
    };
    let mut samples = zeroed(pixels * format.bytes_per_pixel())?;
    if decoder.has_multiple_scans() {
        probe(samples.len() * COEFFICIENT_BYTES)?;
    }
    decoder.set_output_format(format);
    decoder.decode_image_into(&mut samples).map_err(fault)?;

    let icc = decoder.icc_profile().map_err(fault)?;
    let tag = if format == PixelFormat::Cmyk {
        if segments.is_adobe {
            // Adobe's programs store inks inverted (Adobe Technical Note 5116).
            for ink in &mut samples {
                *ink = 255 - *ink;
            }
        }
        colour::cmyk_to_rgb(&mut samples, icc.as_deref())
    } else {
        colour::settle(icc, channels, &mut samples)
    };
    let stored = Stored {
        samples,
        channels,
        width,
        height,
    };
    photo(stored, tag, segments.density, decoder.exif_data())
        .ok_or(CutoutError::Damaged(Format::Jpeg))
}

/// Whether the first and last of four components have the finest sampling and the two between them equal sampling. The decoder
/// assumes this; otherwise it panics or mixes up rows.
fn has_plain_inks(components: &[ComponentInfo]) -> bool {
    let sampling = |i: usize| {
        let component = components.get(i)?;
        Some((component.horizontal_sampling, component.vertical_sampling))
    };
    let (full, coarse) = (sampling(0), sampling(1));
    let divides = full.zip(coarse).is_some_and(|(full, coarse)| {
        full.0.is_multiple_of(coarse.0) && full.1.is_multiple_of(coarse.1)
    });
    divides && full == sampling(3) && coarse == sampling(2)
}

fn photo(
    stored: Stored,
    tag: Colour,
    density: Option<Density>,
    exif: Option<&[u8]>,
) -> Option<Photo> {
    let orientation = exif
        .and_then(Orientation::from_exif_chunk)
        .unwrap_or(Orientation::NoTransforms);
    Photo::new(stored, orientation, tag, density)
}

/// Facts from the segments that the decoder does not report: it accepts a picture without its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Segments {
    /// The end marker was reached.
    pub(super) ended: bool,
    /// There is an Adobe segment before the first scan: four-channel samples are inverted.
    is_adobe: bool,
    /// Pixels per metre along the stored width and height.
    density: Option<Density>,
    /// Width and height of the coded picture.
    pub(super) coded: Option<(u32, u32)>,
}

/// Walks a JPEG from SOI to EOI (ITU-T T.81, B.1). Entropy-coded data contains no markers other than `RSTn`, and segments are
/// skipped, so the EOI of a thumbnail inside a segment is never taken for the end.
pub(super) fn segments(bytes: &[u8]) -> Segments {
    let mut found = Segments::default();
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
                found.coded = frame_sides(segment);
            }
            0xee if segment.starts_with(b"Adobe") => found.is_adobe = true,
            0xe0 if segment.starts_with(b"JFIF\0") => found.density = jfif_density(segment),
            _ => {}
        }
        at += length.max(2);
    }
    found
}

/// The second byte of the next marker; moves `at` behind the marker. Skips entropy-coded data and fill bytes.
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

/// Reads precision, height and width of a frame header (B.2.2).
fn frame_sides(segment: &[u8]) -> Option<(u32, u32)> {
    let &[_, yh, yl, xh, xl] = segment.first_chunk()?;
    let side = |bytes| u32::from(u16::from_be_bytes(bytes));
    Some((side([xh, xl]), side([yh, yl])))
}

/// JFIF 1.02: version (2 bytes), unit (1 = per inch, 2 = per centimetre), horizontal and vertical density.
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

#[cfg(test)]
mod tests {
    use super::{Density, Limit, decode, jfif_density, segments};
    use sha2::{Digest as _, Sha256};

    #[test]
    fn end_marker_inside_a_thumbnail_is_not_the_end() {
        let thumbnail = [0xff, 0xe1, 0, 6, 0xff, 0xd9, 0xff, 0xda];
        let scan = [0xff, 0xda, 0, 2, 1, 2, 0xff, 0x00, 3, 0xff, 0xd0, 4];
        let mut bytes = [&[0xff, 0xd8][..], &thumbnail, &scan].concat();
        assert!(!segments(&bytes).ended);
        bytes.extend([0xff, 0xff, 0xd9, 0, 0]);
        assert!(segments(&bytes).ended);
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
    }

    /// The network amplifies differences between decoders. Most decoders differ where chroma is subsampled, as in both photos. The
    /// hashes are from Pillow (libjpeg-turbo 3.2).
    #[test]
    fn pixels_are_those_of_libjpeg() {
        for (name, expected) in [
            (
                "astronaut",
                "79c6b8cb9e9cafd9da3f50d4e1c660c9a92fc2a22657d6de379ccd097655c15b",
            ),
            (
                "cat",
                "bd6807c0ee435c0bc72b94795d919fae227df82468906682375e0fcc71086160",
            ),
        ] {
            let file = std::fs::read(format!("src/command/demo/{name}.jpg")).unwrap();
            let photo = decode(&file, Limit { megapixels: 1 }).unwrap();
            let mut rgba = vec![[0; 4]; photo.width() as usize * photo.height() as usize];
            photo.strip(0, &mut rgba);
            let hash: Vec<String> = Sha256::digest(rgba.as_flattened())
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            assert_eq!(hash.concat(), expected, "{name}");
        }
    }
}
