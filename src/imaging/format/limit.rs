//! Checks the number of pixels of a picture against the limit. Must not read files.

use super::super::error::CutoutError;

/// The most pixels a photo may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    /// In units of 1,000,000 pixels.
    pub(super) megapixels: u32,
}

impl Limit {
    /// The number of pixels, or `TooLarge`.
    pub(super) fn check(self, width: u32, height: u32) -> Result<usize, CutoutError> {
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
