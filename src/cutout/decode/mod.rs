//! File bytes -> `Photo`: sniff by content, limits before any allocation, structure before contents.
//! Knows no model.

mod colour;
mod end;
mod jpeg;
mod raster;
mod sniff;
mod structure;
mod tiff;

use std::panic::{UnwindSafe, catch_unwind};

pub use end::{FileEnd, ZeroEnd};

use super::error::{CutoutError, Format, Lookalike, Unsupported};
use super::photo::{Channels, Colour, Density, Photo, Stored};
use crate::provenance;
use sniff::Sniffed;

/// Decodes the first picture of a file, and tells how the file ends.
///
/// # Errors
/// Whatever can be wrong with a file; `Truncated` wherever it looks unfinished, and `ZeroEnd` where it may be and is not
/// to be accepted so.
pub(super) fn decode(
    bytes: &[u8],
    megapixels_max: u32,
    zeros: ZeroEnd,
) -> Result<(Photo, FileEnd), CutoutError> {
    let format = format(bytes)?;
    contain(format, || {
        let result = contain(format, || read(format, bytes, megapixels_max));
        match (result, zeros) {
            (Ok(photo), _) => match (end::of_picture(format, bytes), zeros) {
                (FileEnd::Zeros, ZeroEnd::Refuse) => Err(CutoutError::ZeroEnd),
                (end, _) => Ok((photo, end)),
            },
            (
                Err(CutoutError::Damaged(_) | CutoutError::Unsupported(Unsupported::Layout(_))),
                ZeroEnd::Refuse,
            ) if end::may_be_unfinished(format, bytes) => Err(CutoutError::ZeroEnd),
            (Err(error), _) => Err(error),
        }
    })
}

/// [`decode()`] for outputs of ours as well, as they are.
pub(super) fn decode_any(
    bytes: &[u8],
    megapixels_max: u32,
) -> Result<(Photo, FileEnd), CutoutError> {
    let format = any_format(bytes)?;
    contain(format, || {
        let photo = read(format, bytes, megapixels_max)?;
        Ok((photo, end::of_picture(format, bytes)))
    })
}

/// What kind of picture a file is, if it is one to be cut out.
pub(super) fn format(bytes: &[u8]) -> Result<Format, CutoutError> {
    let format = any_format(bytes)?;
    if format == Format::Png && (provenance::read(bytes).is_some() || provenance::is_sheet(bytes)) {
        return Err(CutoutError::OwnOutput);
    }
    Ok(format)
}

fn any_format(bytes: &[u8]) -> Result<Format, CutoutError> {
    match sniff::sniff(bytes) {
        Sniffed::Picture(format) => Ok(format),
        Sniffed::Unsupported(kind) => Err(CutoutError::Unsupported(kind)),
        Sniffed::Unknown(lookalike) => Err(CutoutError::NotAnImage(lookalike)),
        Sniffed::Unfinished => Err(CutoutError::Truncated),
    }
}

/// [`decode()`] without containment: a decoder's panic is one.
pub(super) fn read(
    format: Format,
    bytes: &[u8],
    megapixels_max: u32,
) -> Result<Photo, CutoutError> {
    let limit = Limit {
        megapixels: megapixels_max,
    };
    match format {
        Format::Jpeg => jpeg::decode(bytes, limit),
        Format::Tiff => tiff::decode(bytes, limit),
        Format::Png => raster::png(bytes, limit),
        Format::Webp => raster::webp(bytes, limit),
        Format::Bmp => raster::bmp(bytes, limit),
        Format::Gif => raster::gif(bytes, limit),
    }
}

/// Decoders are other people's, and what they panic at is no picture: that is said of the file, and
/// does not cost the worker. All that they change is dropped with them.
fn contain<T>(
    format: Format,
    read: impl FnOnce() -> Result<T, CutoutError> + UnwindSafe,
) -> Result<T, CutoutError> {
    catch_unwind(read).unwrap_or(Err(CutoutError::Damaged(format)))
}

/// The most pixels a photo may have.
#[derive(Debug, Clone, Copy)]
struct Limit {
    megapixels: u32,
}

impl Limit {
    /// The number of pixels, if it is allowed.
    fn check(self, width: u32, height: u32) -> Result<usize, CutoutError> {
        let pixels = u64::from(width) * u64::from(height);
        if pixels > u64::from(self.megapixels) * 1_000_000 {
            return Err(CutoutError::TooLarge {
                pixels,
                max: self.megapixels,
            });
        }
        usize::try_from(pixels).map_err(|_| CutoutError::OutOfMemory)
    }
}

/// A 16-bit sample as an 8-bit one, rounded: v * 255 / 65535.
fn narrow(wide: u16) -> u8 {
    u8::try_from((u32::from(wide) + 128) / 257).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::{CutoutError, Format, contain, narrow};

    /// Fails when a decoder that panics takes the worker with it.
    #[test]
    fn panic_of_a_decoder_is_a_damaged_file() {
        let result = contain::<()>(Format::Gif, || panic!("index out of bounds"));
        assert!(matches!(result, Err(CutoutError::Damaged(Format::Gif))));
    }

    #[test]
    fn sixteen_bits_are_rounded_to_eight() {
        for wide in 0..=u16::MAX {
            let exact = (f64::from(wide) * 255.0 / 65535.0).round();
            assert!((f64::from(narrow(wide)) - exact).abs() < 0.1, "{wide}");
        }
    }
}
