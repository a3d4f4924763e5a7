//! Resizes a `Photo`, a band of rows at a time, with Pillow's filters on 8-bit samples: first horizontally, then vertically,
//! rounded in between. Holds only the rows that a band needs. Must not depend on networks or files.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::error::CutoutError;
use super::photo::Photo;
use super::zeroed;

/// Upright rows read at a time. Each strip computes the filter's weights again, so strips must not be small.
const STRIP_ROWS: u32 = 128;

/// Rows computed at a time. Each band needs rows of its neighbours, so bands must not be small.
const BAND_ROWS: u32 = 128;

/// Radius of the widest filter, in rows of the coarser picture.
const REACH: f64 = 3.0;

/// The weights of neighbouring pixels; both filters are those of Pillow.
#[derive(Debug, Clone, Copy)]
pub(super) enum Filter {
    /// Lanczos with 3 lobes: sharp, but overshoots at edges.
    Sharp,
    /// Hamming: slightly softer; a mix of two pixels never lies outside their range.
    Even,
}

/// Resizes `photo` to `width` by `height` pixels, each at least 1. Calls `take` with bands of whole rows, from top to bottom, and
/// `prepare` with the photo's rows before they are resized.
///
/// Samples are mixed as `prepare` leaves them. For correct colours, `prepare` must premultiply them.
///
/// # Errors
/// `OutOfMemory`, and the errors of `take`.
pub(super) fn resample(
    photo: &Photo,
    (width, height): (u32, u32),
    filter: Filter,
    prepare: impl Fn(&mut [[u8; 4]]),
    mut take: impl FnMut(&mut [[u8; 4]]) -> Result<(), CutoutError>,
) -> Result<(), CutoutError> {
    let mut window = Window {
        photo,
        prepare,
        width,
        options: by(filter),
        rows: Vec::new(),
        first: 0,
        strip: zeroed(photo.width() as usize * STRIP_ROWS.min(photo.height()) as usize)?,
        resizer: Resizer::new(),
    };
    let mut resizer = Resizer::new();
    let mut band = zeroed::<[u8; 4]>(width as usize * BAND_ROWS.min(height) as usize)?;
    let above = |row: u32| {
        let exact = f64::from(row) * f64::from(photo.height()) / f64::from(height);
        // Rounded to few enough binary places that differences of such numbers are exact.
        (exact * 1_048_576.0).round() / 1_048_576.0
    };
    let reach = REACH * f64::max(1.0, f64::from(photo.height()) / f64::from(height));
    for first in (0..height).step_by(BAND_ROWS as usize) {
        let rows = BAND_ROWS.min(height - first);
        let (top, bottom) = (above(first), above(first + rows));
        window.slide(row_at(top - reach), row_at(bottom + reach + 1.0))?;
        let band = &mut band[..width as usize * rows as usize];
        let crop = window.options.crop(
            0.0,
            top - f64::from(window.first),
            f64::from(width),
            bottom - top,
        );
        resize(&mut resizer, (&window.rows, width), (band, width), &crop);
        take(band)?;
    }
    Ok(())
}

/// Some upright rows of a photo, prepared and resized to the target width.
struct Window<'a, P> {
    photo: &'a Photo,
    prepare: P,
    width: u32,
    options: ResizeOptions,
    rows: Vec<[u8; 4]>,
    /// The photo's row at the start of `rows`.
    first: u32,
    strip: Vec<[u8; 4]>,
    resizer: Resizer,
}

impl<P: Fn(&mut [[u8; 4]])> Window<'_, P> {
    /// Makes the rows `first..end` available, and perhaps more below. Neither bound may decrease.
    fn slide(&mut self, first: u32, end: u32) -> Result<(), CutoutError> {
        let width = self.width as usize;
        let gone = (first - self.first) as usize * width;
        self.rows.drain(..gone.min(self.rows.len()));
        self.first = first;
        let end = end.min(self.photo.height());
        loop {
            let held = u32::try_from(self.rows.len() / width).unwrap_or(u32::MAX);
            let next = first + held;
            if next >= end {
                return Ok(());
            }
            let count = STRIP_ROWS.min(self.photo.height() - next);
            let strip = &mut self.strip[..self.photo.width() as usize * count as usize];
            self.photo.strip(next, strip);
            (self.prepare)(strip);
            let (old, new) = (self.rows.len(), width * count as usize);
            self.rows
                .try_reserve(new)
                .map_err(|_| CutoutError::OutOfMemory)?;
            self.rows.resize(old + new, [0; 4]);
            let target = (&mut self.rows[old..], self.width);
            resize(
                &mut self.resizer,
                (strip, self.photo.width()),
                target,
                &self.options,
            );
        }
    }
}

fn by(filter: Filter) -> ResizeOptions {
    let filter = match filter {
        Filter::Sharp => FilterType::Lanczos3,
        Filter::Even => FilterType::Hamming,
    };
    ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(filter))
        .use_alpha(false)
}

/// Resizes whole rows to whole rows.
fn resize(
    resizer: &mut Resizer,
    (source, source_width): (&[[u8; 4]], u32),
    (target, target_width): (&mut [[u8; 4]], u32),
    options: &ResizeOptions,
) {
    let height = |pixels: usize, width: u32| {
        u32::try_from(pixels / width as usize).expect("no more rows than the picture has")
    };
    let (source_height, target_height) = (
        height(source.len(), source_width),
        height(target.len(), target_width),
    );
    let kind = PixelType::U8x4;
    let source = ImageRef::new(source_width, source_height, source.as_flattened(), kind)
        .expect("whole rows");
    let target = target.as_flattened_mut();
    let mut target =
        Image::from_slice_u8(target_width, target_height, target, kind).expect("whole rows");
    resizer
        .resize(&source, &mut target, options)
        .expect("both are U8x4, and the crop lies inside");
}

/// The row that contains `y`; the first row when `y` lies above it.
fn row_at(y: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, and a picture ends before that"
    )]
    let row = y.max(0.0) as u32;
    row
}

#[cfg(test)]
mod tests {
    use super::{Filter, by, resample, resize};
    use crate::imaging::photo::{Channels, Colour, Photo, Stored};
    use fast_image_resize::Resizer;
    use image::metadata::Orientation;

    /// Fails when a band has a wrong boundary, or lacks rows of its neighbours: the bands together must equal the picture resized
    /// in one piece.
    #[test]
    fn bands_are_the_picture_in_one_piece() {
        for (width, height) in [(90, 900), (3, 700), (200, 7), (1, 1), (40, 300)] {
            let samples: Vec<u8> = (0..width * height)
                .flat_map(|i: u32| i.wrapping_mul(2_654_435_761).to_le_bytes())
                .collect();
            let stored = Stored {
                samples: samples.clone(),
                channels: Channels::Rgba,
                width,
                height,
            };
            let photo =
                Photo::new(stored, Orientation::NoTransforms, Colour::Untagged, None).unwrap();
            let (source, _) = samples.as_chunks();
            for size in [(50, 301), (100, 100), (2, 500), (1, 1)] {
                for filter in [Filter::Sharp, Filter::Even] {
                    let mut found = Vec::new();
                    let take = |band: &mut [[u8; 4]]| {
                        found.extend_from_slice(band);
                        Ok(())
                    };
                    resample(&photo, size, filter, |_| (), take).unwrap();
                    let whole = in_one_piece((source, width), size, filter);
                    assert_eq!(found.len(), whole.len());
                    let samples = found.as_flattened().iter().zip(whole.as_flattened());
                    let off = samples.map(|(a, b)| a.abs_diff(*b)).max();
                    // Rounding in the last binary places may decide between two levels.
                    assert!(
                        off <= Some(1),
                        "{width} x {height} to {size:?}: off by {off:?}"
                    );
                }
            }
        }
    }

    fn in_one_piece(
        (source, width): (&[[u8; 4]], u32),
        size: (u32, u32),
        filter: Filter,
    ) -> Vec<[u8; 4]> {
        let height = source.len() / width as usize;
        let mut narrow = vec![[0; 4]; size.0 as usize * height];
        let mut whole = vec![[0; 4]; (size.0 * size.1) as usize];
        let (mut resizer, options) = (Resizer::new(), by(filter));
        resize(
            &mut resizer,
            (source, width),
            (&mut narrow, size.0),
            &options,
        );
        resize(
            &mut resizer,
            (&narrow, size.0),
            (&mut whole, size.0),
            &options,
        );
        whole
    }
}
