//! Converts the bytes of a file to a `Photo`. Recognises the format by content, checks limits before allocating and structure
//! before content. Must not depend on a model. Knowledge of a format belongs only in that format's file.

mod bmp;
mod end;
mod gif;
mod image_crate;
mod jpeg;
mod limit;
pub(super) mod png;
mod registry;
mod sniff;
mod tiff;
mod unsupported;
mod webp;

use std::panic::{UnwindSafe, catch_unwind};

pub use end::{FileEnd, ZeroEnd};
pub use registry::{Format, is_read_ending};
pub use unsupported::{Lookalike, Unsupported, is_unsupported_ending};

use super::error::CutoutError;
use super::photo::Photo;
use crate::provenance;
use limit::Limit;
use sniff::Sniffed;

/// Decodes the first picture of a file, and reports how the file ends.
///
/// # Errors
/// The faults of a file; `Truncated` when it looks incomplete, `ZeroEnd` when it may be incomplete and `zeros` is `Refuse`.
pub(super) fn decode(
    bytes: &[u8],
    megapixels_max: u32,
    zeros: ZeroEnd,
) -> Result<(Photo, FileEnd), CutoutError> {
    let format = recognise(bytes)?;
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

/// As [`decode()`], but also accepts outputs of hotcut.
pub(super) fn decode_any(
    bytes: &[u8],
    megapixels_max: u32,
) -> Result<(Photo, FileEnd), CutoutError> {
    let format = recognise_any(bytes)?;
    contain(format, || {
        let photo = read(format, bytes, megapixels_max)?;
        Ok((photo, end::of_picture(format, bytes)))
    })
}

/// The format of a file; refuses outputs of hotcut.
pub(super) fn recognise(bytes: &[u8]) -> Result<Format, CutoutError> {
    let format = recognise_any(bytes)?;
    if format == Format::Png && (provenance::read(bytes).is_some() || provenance::is_sheet(bytes)) {
        return Err(CutoutError::OwnOutput);
    }
    Ok(format)
}

fn recognise_any(bytes: &[u8]) -> Result<Format, CutoutError> {
    match sniff::sniff(bytes) {
        Sniffed::Picture(format) => Ok(format),
        Sniffed::Unsupported(kind) => Err(CutoutError::Unsupported(kind)),
        Sniffed::Unknown(lookalike) => Err(CutoutError::NotAnImage(lookalike)),
        Sniffed::Unfinished => Err(CutoutError::Truncated),
    }
}

/// As [`decode()`], but does not catch a decoder's panic.
pub(super) fn read(
    format: Format,
    bytes: &[u8],
    megapixels_max: u32,
) -> Result<Photo, CutoutError> {
    let limit = Limit {
        megapixels: megapixels_max,
    };
    (format.descriptor().decode)(bytes, limit)
}

/// Catches panics of third-party decoders. A panic counts as a damaged file and does not cost the worker. The decoder's state is
/// dropped.
fn contain<T>(
    format: Format,
    read: impl FnOnce() -> Result<T, CutoutError> + UnwindSafe,
) -> Result<T, CutoutError> {
    catch_unwind(read).unwrap_or(Err(CutoutError::Damaged(format)))
}

#[cfg(test)]
mod tests {
    use super::{CutoutError, Format, contain};

    /// Fails when a decoder's panic ends the worker.
    #[test]
    fn panic_of_a_decoder_is_a_damaged_file() {
        let result = contain::<()>(Format::Gif, || panic!("index out of bounds"));
        assert!(matches!(result, Err(CutoutError::Damaged(Format::Gif))));
    }
}
