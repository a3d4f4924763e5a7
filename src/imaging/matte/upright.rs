//! Converts a photo to upright rows, composited over grey where the photo is transparent.

use std::ops::Range;

use super::super::compose::scale;
use super::super::error::CutoutError;
use super::super::photo::Photo;
use super::super::zeroed;

/// Rows per strip. A rotated photo read row by row would use one pixel of each cache line.
const STRIP_ROWS: u32 = 16;

/// The colour behind transparent pixels. The colour stored in a transparent pixel is not visible and must not count.
const NEUTRAL: u8 = 128;

/// Calls `take` with each of the upright `rows`. Pixels that are not opaque are composited over [`NEUTRAL`]; their alpha is kept.
pub(super) fn each_row(
    photo: &Photo,
    rows: Range<usize>,
    mut take: impl FnMut(&mut [[u8; 4]]),
) -> Result<(), CutoutError> {
    let as_row = |row: usize| u32::try_from(row).unwrap_or(u32::MAX);
    let rows = as_row(rows.start)..as_row(rows.end);
    let width = photo.width() as usize;
    let count = STRIP_ROWS.min(rows.end - rows.start);
    let mut strip = zeroed::<[u8; 4]>(width * count as usize)?;
    for first in rows.clone().step_by(STRIP_ROWS as usize) {
        let count = STRIP_ROWS.min(rows.end - first);
        let strip = &mut strip[..width * count as usize];
        photo.strip(first, strip);
        if photo.has_alpha() {
            for pixel in strip.iter_mut() {
                *pixel = over_neutral(*pixel);
            }
        }
        for row in strip.chunks_exact_mut(width) {
            take(row);
        }
    }
    Ok(())
}

/// Composites the pixel over [`NEUTRAL`]; its alpha is kept.
pub(super) fn over_neutral([r, g, b, a]: [u8; 4]) -> [u8; 4] {
    let mix = |sample| scale(sample, a).saturating_add(scale(NEUTRAL, 255 - a));
    [mix(r), mix(g), mix(b), a]
}

/// The nearest sample (0..=255) to a value of 0..=1.
pub(super) fn sample(value: f32) -> u8 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates; half a step more rounds"
    )]
    let sample = (value * 255.0 + 0.5) as u8;
    sample
}

/// Converts a sample to 0..=1.
#[inline]
pub(super) fn unit(sample: u8) -> f32 {
    const STEP: f32 = 1.0 / 255.0;
    f32::from(sample) * STEP
}
