//! JPEG bytes -> `Photo`, strictly: a picture that decodes only partly is an error. Byte for byte
//! the pixels of libjpeg-turbo, which is what cameras' owners see in every other program.

use image::metadata::Orientation;
use libjpeg_turbo_rs::{ComponentInfo, DecodeLimits, Decoder, JpegError, PixelFormat};

use super::super::{probe, zeroed};
use super::{
    Channels, Colour, CutoutError, Density, Format, Limit, Photo, Stored, Unsupported, colour,
    structure,
};

/// More scans than any encoder writes; each costs a pass over the whole picture.
const SCANS_MAX: usize = 64;

/// Bytes a decoder of a picture in many scans collects for each sample of the picture.
const COEFFICIENT_BYTES: usize = 2;

pub(super) fn decode(bytes: &[u8], limit: Limit) -> Result<Photo, CutoutError> {
    let limits = DecodeLimits {
        max_width: usize::from(u16::MAX),
        max_height: usize::from(u16::MAX),
        max_scans: SCANS_MAX,
        ..DecodeLimits::default()
    };
    let structure = structure::jpeg(bytes);
    let fault = |error: JpegError| {
        if let JpegError::Unsupported(_) = error {
            CutoutError::Unsupported(Unsupported::JpegProcess)
        } else if let JpegError::AllocationFailed { .. } = error {
            CutoutError::OutOfMemory
        } else if structure.ended {
            CutoutError::Damaged(Format::Jpeg)
        } else {
            CutoutError::Truncated
        }
    };
    let mut decoder = Decoder::new_with_limits(bytes, limits).map_err(fault)?;
    let frame = decoder.header();
    let (width, height) = (u32::from(frame.width), u32::from(frame.height));
    let pixels = limit.check(width, height)?;
    if !structure.ended {
        return Err(CutoutError::Truncated);
    }
    // A height of 0 stands behind the first scan, which nobody writes; the decoder may divide by it.
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
        if structure.adobe {
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
    photo(stored, tag, structure.density, decoder.exif_data())
        .ok_or(CutoutError::Damaged(Format::Jpeg))
}

/// Whether the first and the last of four components are the finest and the two between them alike: the
/// decoder takes that for granted, and beyond it panics or mixes rows up.
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

#[cfg(test)]
mod tests {
    use super::super::Limit;
    use super::decode;
    use sha2::{Digest as _, Sha256};

    /// The network magnifies what decoders disagree about; most do where chroma is subsampled, as
    /// it is in both photos. The hashes are of what Pillow (libjpeg-turbo 3.2) makes of them.
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
