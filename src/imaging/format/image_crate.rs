//! Converts the result of an `image` crate decoder to a `Photo`, within the limits. Shared by PNG, WebP, BMP and GIF; must not
//! depend on one format.

use std::io::ErrorKind;

use image::error::{ImageError, LimitErrorKind};
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, Limits};

use super::super::colour;
use super::super::error::CutoutError;
use super::super::photo::{Channels, Density, Photo, Stored};
use super::super::{probe, zeroed};
use super::limit::Limit;
use super::registry::Format;
use super::unsupported::Unsupported;

/// Memory that a decoder may allocate besides the samples: palettes, profiles, frames of 1 MP.
const SPARE_BYTES: u64 = 64 << 20;

/// Facts from a file's structure that its decoder does not report. Decoders accept files without their end, and copies in progress
/// are such files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Structure {
    /// The file is complete.
    pub(super) ended: bool,
    /// Pixels per metre along the stored width and height.
    pub(super) density: Option<Density>,
    /// Width and height of the coded picture, which may differ from the file's header.
    pub(super) coded: Option<(u32, u32)>,
}

/// The limits of a decoder whose samples need `samples` bytes.
pub(super) fn limits(samples: u64) -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(samples.saturating_mul(2).saturating_add(SPARE_BYTES));
    limits
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Reader {
    pub(super) format: Format,
    pub(super) limit: Limit,
    /// `None` for a format whose structure does not show its end; the decoder then reports a missing end.
    pub(super) structure: Option<Structure>,
}

impl Reader {
    pub(super) fn read(
        self,
        decoder: Result<impl ImageDecoder, ImageError>,
    ) -> Result<Photo, CutoutError> {
        let fault = |error: ImageError| self.fault(&error);
        // A decoder allocates for the coded picture, whatever the file's header says.
        if let Some((width, height)) = self.structure.and_then(|found| found.coded) {
            self.limit.check(width, height)?;
        }
        // Before the pixels, a valid file never needs `SPARE_BYTES`; a larger worker would not help.
        let mut decoder = decoder.map_err(|error| {
            Some(fault(error))
                .filter(|fault| *fault != CutoutError::OutOfMemory)
                .unwrap_or(CutoutError::Damaged(self.format))
        })?;
        let (width, height) = decoder.dimensions();
        let pixels = self.limit.check(width, height)?;
        if self.structure.is_some_and(|found| !found.ended) {
            return Err(CutoutError::Truncated);
        }
        let (channels, sixteen) = layout(decoder.color_type())
            .ok_or(CutoutError::Unsupported(Unsupported::FloatSamples))?;
        // The decoders assert that the buffer has exactly their length.
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
        probe(len)?;
        decoder.read_image(&mut samples).map_err(fault)?;
        if sixteen {
            colour::narrow_all(&mut samples);
        }
        let tag = colour::settle(icc, channels, &mut samples);
        let stored = Stored {
            samples,
            channels,
            width,
            height,
        };
        Photo::new(
            stored,
            orientation,
            tag,
            self.structure.and_then(|found| found.density),
        )
        .ok_or(CutoutError::Damaged(self.format))
    }

    fn fault(self, error: &ImageError) -> CutoutError {
        let ends_early = match self.structure {
            Some(found) => !found.ended,
            None => is_eof(error),
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

/// Whether the root cause of the error is the end of the file.
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

/// The channels of 8-bit and 16-bit samples, and whether the samples are 16-bit.
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
        ColorType::Rgb32F | ColorType::Rgba32F | _ => None,
    }
}
