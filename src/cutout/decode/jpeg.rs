//! JPEG bytes -> `Photo`, strictly: a picture that decodes only partly is an error.

use image::metadata::Orientation;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use super::super::{probe, zeroed};
use super::{
    Channels, Colour, CutoutError, Density, Format, Limit, Photo, Stored, Unsupported, colour,
    structure,
};

/// More scans than any encoder writes; each costs a pass over the whole picture.
const SCANS_MAX: usize = 64;

pub(super) fn decode(bytes: &[u8], limit: Limit) -> Result<Photo, CutoutError> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_max_scans(SCANS_MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let headers = decoder.decode_headers();
    let structure = structure::jpeg(bytes);
    let fault = |error: &DecodeErrors| {
        if matches!(error, DecodeErrors::Unsupported(_)) {
            CutoutError::Unsupported(Unsupported::JpegProcess)
        } else if structure.ended {
            CutoutError::Damaged(Format::Jpeg)
        } else {
            CutoutError::Truncated
        }
    };
    headers.map_err(|error| fault(&error))?;
    let damaged = CutoutError::Damaged(Format::Jpeg);
    let info = decoder.info().ok_or_else(|| damaged.clone())?;
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    let pixels = limit.check(width, height)?;
    if !structure.ended {
        return Err(CutoutError::Truncated);
    }
    let inks = info.components == 4;
    let (space, channels) = match decoder.input_colorspace() {
        Some(space @ (ColorSpace::CMYK | ColorSpace::YCCK)) if inks => (space, Channels::Rgb),
        Some(ColorSpace::Luma) => (ColorSpace::Luma, Channels::Grey),
        _ => (ColorSpace::RGB, Channels::Rgb),
    };
    decoder.set_options(decoder.options().jpeg_set_out_colorspace(space));
    let mut samples = zeroed(pixels * space.num_components())?;
    // A progressive picture is collected as 16-bit coefficients first.
    probe(samples.len() * 2)?;
    decoder
        .decode_into(&mut samples)
        .map_err(|error| fault(&error))?;

    let icc = decoder.icc_profile();
    let tag = if channels == Channels::Rgb && inks {
        to_cmyk(&mut samples, space, structure.adobe);
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
    photo(
        stored,
        tag,
        structure.density,
        decoder.exif().map(Vec::as_slice),
    )
    .ok_or(damaged)
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

/// Four-channel samples as stored -> CMYK with 0 = no ink. Adobe's programs store inks inverted
/// (Adobe Technical Note 5116); YCCK is the YCbCr transform of inverted C, M, Y.
fn to_cmyk(samples: &mut [u8], space: ColorSpace, adobe: bool) {
    let (pixels, _) = samples.as_chunks_mut::<4>();
    for pixel in pixels {
        if space == ColorSpace::YCCK {
            let [ycc @ .., black] = *pixel;
            let [cyan, magenta, yellow] = ycc_to_rgb(ycc).map(|light| 255 - light);
            *pixel = [cyan, magenta, yellow, black];
        }
        if adobe {
            *pixel = pixel.map(|ink| 255 - ink);
        }
    }
}

/// JFIF 1.02, "Color space".
fn ycc_to_rgb([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let y = i32::from(y) << 16;
    let (cb, cr) = (i32::from(cb) - 128, i32::from(cr) - 128);
    let round = |v: i32| u8::try_from(((v + (1 << 15)) >> 16).clamp(0, 255)).unwrap_or(u8::MAX);
    [
        round(y + 91_881 * cr),
        round(y - 22_554 * cb - 46_802 * cr),
        round(y + 116_130 * cb),
    ]
}
