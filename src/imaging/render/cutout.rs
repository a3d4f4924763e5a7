//! Converts a `Photo` and its `Matte` to a transparent PNG, a few rows at a time. Must not hold a second picture.

use crate::imaging::error::CutoutError;
use crate::imaging::format::png::{self, PngHeader};
use crate::imaging::matte::Matte;
use crate::imaging::photo::Photo;
use crate::imaging::zeroed;
use crate::provenance::Provenance;

/// Rows held at a time. More rows would not fit into the processor's cache; fewer rows make rotated photos slow.
const STRIP_ROWS: u32 = 16;

/// # Errors
/// `NoSubject` if nothing of the photo is left; `OutOfMemory`.
pub(super) fn png(
    photo: &Photo,
    matte: &Matte,
    provenance: &Provenance,
) -> Result<Vec<u8>, CutoutError> {
    let (width, height) = (photo.width(), photo.height());
    let header = PngHeader {
        size: (width, height),
        has_alpha: true,
        colour: photo.colour(),
        density: photo.density(),
        provenance: Some(provenance),
    };
    let mut greatest = 0;
    let png = png::encode(&header, |write| {
        let mut strip = zeroed::<[u8; 4]>(width as usize * STRIP_ROWS.min(height) as usize)?;
        let mut scratch = matte.scratch()?;
        for first in (0..height).step_by(STRIP_ROWS as usize) {
            let rows = STRIP_ROWS.min(height - first);
            let strip = &mut strip[..width as usize * rows as usize];
            photo.strip(first, strip);
            for (y, row) in (first..).zip(strip.chunks_exact_mut(width as usize)) {
                greatest = greatest.max(matte.apply(y, row, &mut scratch));
            }
            write(strip.as_flattened())?;
        }
        Ok(())
    })?;
    if greatest == 0 {
        Err(CutoutError::NoSubject)
    } else {
        Ok(png)
    }
}
