//! Converts a photo and its matte to the bytes of one output. Must not refine the matte.

mod cutout;

use super::error::CutoutError;
use super::matte::Matte;
use super::photo::Photo;
use crate::config::{OutputFormat, OutputSpec};
use crate::provenance::Provenance;

/// Makes the file that `spec` describes.
///
/// # Errors
/// `NoSubject` if nothing of the photo is left; `OutOfMemory`.
pub(super) fn render(
    photo: &Photo,
    matte: &Matte,
    provenance: &Provenance,
    spec: OutputSpec,
) -> Result<Vec<u8>, CutoutError> {
    match spec.format {
        OutputFormat::Png => cutout::png(photo, matte, provenance),
    }
}
