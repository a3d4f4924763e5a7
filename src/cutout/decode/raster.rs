//! PNG, WebP, BMP, GIF and TIFF bytes -> `Photo`, by the decoders of the `image` crate.

use std::io::{Cursor, ErrorKind};

use image::codecs::tiff::TiffDecoder;
use image::codecs::{bmp::BmpDecoder, gif::GifDecoder, png::PngDecoder, webp::WebPDecoder};
use image::error::{ImageError, LimitErrorKind};
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, Limits};

use super::super::zeroed;
use super::structure::{self, Structure};
use super::{Channels, CutoutError, Format, Limit, Photo, Stored, Unsupported, colour};

/// What a decoder may allocate besides the samples: palettes, profiles, frames of 1 MP.
const SPARE_BYTES: u64 = 64 << 20;

pub(super) fn decode(format: Format, bytes: &[u8], limit: Limit) -> Result<Photo, CutoutError> {
    let structure = match format {
        Format::Png => structure::png(bytes),
        Format::Webp => structure::webp(bytes),
        Format::Gif => structure::gif(bytes),
        // Neither says where it ends; their decoders run into the end of the file.
        Format::Bmp | Format::Tiff | Format::Jpeg => Structure::default(),
    };
    let source = Cursor::new(bytes);
    let reader = Reader {
        format,
        limit,
        structure,
    };
    match format {
        Format::Png => reader.read(PngDecoder::with_limits(source, limits(0))),
        Format::Webp => reader.read(WebPDecoder::new(source)),
        Format::Gif => reader.read(GifDecoder::new(source)),
        Format::Bmp => reader.read(BmpDecoder::new(source)),
        Format::Tiff | Format::Jpeg => reader.read(TiffDecoder::new(source)),
    }
}

fn limits(samples: u64) -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(samples.saturating_mul(2).saturating_add(SPARE_BYTES));
    limits
}

#[derive(Debug, Clone, Copy)]
struct Reader {
    format: Format,
    limit: Limit,
    structure: Structure,
}

impl Reader {
    fn read(self, decoder: Result<impl ImageDecoder, ImageError>) -> Result<Photo, CutoutError> {
        let fault = |error: ImageError| self.fault(&error);
        let mut decoder = decoder.map_err(fault)?;
        let (width, height) = decoder.dimensions();
        let pixels = self.limit.check(width, height)?;
        if !self.has_end() {
            return Err(CutoutError::Truncated);
        }
        let (channels, sixteen) = layout(decoder.color_type())
            .ok_or(CutoutError::Unsupported(Unsupported::FloatSamples))?;
        // The decoders assert that the buffer has the length they name.
        let len = usize::try_from(decoder.total_bytes()).map_err(|_| CutoutError::OutOfMemory)?;
        if len != pixels * channels.count() * (1 + usize::from(sixteen)) {
            return Err(CutoutError::Damaged(self.format));
        }
        let icc = decoder.icc_profile().ok().flatten();
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        decoder
            .set_limits(limits(decoder.total_bytes()))
            .map_err(fault)?;
        let mut samples = zeroed(len)?;
        decoder.read_image(&mut samples).map_err(fault)?;
        if sixteen {
            narrow(&mut samples);
        }
        let tag = colour::settle(icc, channels, &mut samples);
        let stored = Stored {
            samples,
            channels,
            width,
            height,
        };
        Photo::new(stored, orientation, tag, self.structure.density)
            .ok_or(CutoutError::Damaged(self.format))
    }

    fn has_end(self) -> bool {
        match self.format {
            Format::Png | Format::Webp | Format::Gif => self.structure.ended,
            Format::Bmp | Format::Tiff | Format::Jpeg => true,
        }
    }

    fn fault(self, error: &ImageError) -> CutoutError {
        let ends_early = match self.format {
            Format::Png | Format::Webp | Format::Gif => !self.structure.ended,
            Format::Bmp | Format::Tiff | Format::Jpeg => is_eof(error),
        };
        match error {
            _ if ends_early => CutoutError::Truncated,
            ImageError::Unsupported(_) => {
                CutoutError::Unsupported(Unsupported::Layout(self.format))
            }
            ImageError::Limits(limit)
                if matches!(limit.kind(), LimitErrorKind::InsufficientMemory) =>
            {
                CutoutError::OutOfMemory
            }
            ImageError::Limits(_)
            | ImageError::Decoding(_)
            | ImageError::Encoding(_)
            | ImageError::Parameter(_)
            | ImageError::IoError(_) => CutoutError::Damaged(self.format),
        }
    }
}

/// Whether the file's end is at the bottom of the error.
fn is_eof(error: &ImageError) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == ErrorKind::UnexpectedEof) {
            return true;
        }
        cause = error.source();
    }
    matches!(error, ImageError::IoError(io) if io.kind() == ErrorKind::UnexpectedEof)
}

/// The channels of 8-bit and 16-bit samples, and whether they are 16-bit.
fn layout(colour: ColorType) -> Option<(Channels, bool)> {
    match colour {
        ColorType::L8 => Some((Channels::Grey, false)),
        ColorType::La8 => Some((Channels::GreyAlpha, false)),
        ColorType::Rgb8 => Some((Channels::Rgb, false)),
        ColorType::Rgba8 => Some((Channels::Rgba, false)),
        ColorType::L16 => Some((Channels::Grey, true)),
        ColorType::La16 => Some((Channels::GreyAlpha, true)),
        ColorType::Rgb16 => Some((Channels::Rgb, true)),
        ColorType::Rgba16 => Some((Channels::Rgba, true)),
        _ => None,
    }
}

/// 16-bit samples in native byte order -> 8-bit in place, rounded: v * 255 / 65535.
fn narrow(samples: &mut Vec<u8>) {
    let len = samples.len() / 2;
    for i in 0..len {
        let wide = u32::from(u16::from_ne_bytes([samples[2 * i], samples[2 * i + 1]]));
        samples[i] = u8::try_from((wide + 128) / 257).unwrap_or(u8::MAX);
    }
    samples.truncate(len);
    samples.shrink_to_fit();
}

#[cfg(test)]
mod tests {
    use super::narrow;

    #[test]
    fn sixteen_bits_are_rounded_to_eight() {
        let wide: [u16; 6] = [0, 128, 129, 257, 65406, 65535];
        let mut samples: Vec<u8> = wide.iter().flat_map(|v| v.to_ne_bytes()).collect();
        narrow(&mut samples);
        assert_eq!(samples, [0, 0, 1, 1, 254, 255]);
    }
}
