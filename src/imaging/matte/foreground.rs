//! Converts a photo and its matte to the colour of the subject alone, where the background shines through. Must not depend on
//! masks.
//!
//! Solves on a grid of at most half the photo's size ([`multilevel`]), then corrects each pixel at full size by the part of its
//! colour that the solution does not explain (Forte 2021, equation 7).

use std::ops::Range;

use super::super::error::CutoutError;
use super::super::photo::Photo;
use super::super::reserve;
use super::bilinear::Bilinear;
use super::multilevel::{Colours, Samples, separate};
use super::reduce::reduce;
use super::upright::{self, unit};
use super::view::{Grid, OpacityRow};

/// The greatest number of cells of the grid. Bounds the memory: about 40 bytes per cell.
const CELLS_MAX: f64 = 786_432.0;

/// The greatest number of cells along a side.
const SIDE_MAX: f64 = 8_192.0;

/// The colours of subject and background where they mix.
#[derive(Debug)]
pub(super) struct Foreground {
    grid: Grid,
    cells: Vec<Colours>,
    bilinear: Bilinear,
}

impl Foreground {
    /// Separates the colours of `samples`, which lie on `grid`.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn new(grid: Grid, samples: Vec<[u16; 4]>) -> Result<Self, CutoutError> {
        let samples = Samples {
            width: grid.size.0,
            values: samples,
        };
        Ok(Self {
            cells: separate(&samples)?,
            bilinear: Bilinear::new(grid.size, (grid.columns.len(), grid.rows.len()))?,
            grid,
        })
    }

    /// Allocates a buffer for one row of the grid.
    pub(super) fn row_buffer(&self) -> Result<Vec<Colours>, CutoutError> {
        self.bilinear.row_buffer()
    }

    /// Sets the `pixels` in these columns of row `y` to the subject's colour where they are partly transparent.
    pub(super) fn put(
        &self,
        (y, columns): (usize, Range<usize>),
        pixels: &mut [[u8; 4]],
        opacity: &[u8],
        between: &mut Vec<Colours>,
    ) {
        // Outside the grid there is only background.
        let skipped = self.grid.columns.start.saturating_sub(columns.start);
        let start = columns.start + skipped;
        let end = columns.end.min(self.grid.columns.end);
        if !self.grid.rows.contains(&y) || start >= end {
            return;
        }
        let (left, top) = (self.grid.columns.start, self.grid.rows.start);
        let columns = start - left..end - left;
        let cells = self
            .bilinear
            .row(&self.cells, y - top, columns.clone(), between);
        let pixels = pixels[skipped..].iter_mut().zip(&opacity[skipped..]);
        for (x, (pixel, opacity)) in columns.zip(pixels) {
            if matches!(opacity, 1..=254) && pixel[3] == 255 {
                *pixel = corrected(*pixel, unit(*opacity), cells.at(x));
            }
        }
    }
}

/// Forte 2021, equation 7: adds the unexplained part of the pixel's colour to the subject, in proportion to its opacity.
fn corrected([r, g, b, a]: [u8; 4], opacity: f32, colours: Colours) -> [u8; 4] {
    let corrected = |sample: u8, subject: f32, ground: f32| {
        let mixed = opacity * subject + (1.0 - opacity) * ground;
        upright::sample(subject + opacity * (unit(sample) - mixed))
    };
    [
        corrected(r, colours[0], colours[3]),
        corrected(g, colours[1], colours[4]),
        corrected(b, colours[2], colours[5]),
        a,
    ]
}

/// The size of the grid on which the colours of a picture of that width and height are estimated: half the size along both sides,
/// or less to stay within [`CELLS_MAX`].
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "sides of a picture are positive and not that large"
)]
pub(super) fn grid_size((width, height): (usize, usize)) -> (usize, usize) {
    let (width, height) = (width as f64, height as f64);
    let step = f64::max(2.0, (width * height / CELLS_MAX).sqrt());
    let step = step.max(width.max(height) / SIDE_MAX);
    (
        (width / step).ceil() as usize,
        (height / step).ceil() as usize,
    )
}

/// Reduces the `photo` to `grid`. `opacity` writes the opacity of a row of the grid into `line`; it gets the row's number and its
/// cells, whose fourth value is the photo's own alpha, 0..=1.
///
/// # Errors
/// `OutOfMemory`.
pub(super) fn samples(
    photo: &Photo,
    grid: &Grid,
    mut line: OpacityRow,
    mut opacity: impl FnMut(usize, &[[f32; 4]], &mut OpacityRow),
) -> Result<Vec<[u16; 4]>, CutoutError> {
    let mut samples = reserve(grid.size.0 * grid.size.1)?;
    let mut y = 0;
    reduce(photo, grid.on(grid.photo), |cells| {
        opacity(y, cells, &mut line);
        y += 1;
        let both = cells.iter().zip(&line.opacity);
        samples.extend(both.map(|([r, g, b, own], opacity)| {
            // Where the photo itself is not opaque, the neutral grey shows through.
            let own = if photo.has_alpha() { *own } else { 1.0 };
            [*r, *g, *b, own * opacity].map(fixed)
        }));
    })?;
    Ok(samples)
}

/// Converts a sample from 0..=1 to 0..=65535.
fn fixed(sample: f32) -> u16 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates; half a step more rounds"
    )]
    let fixed = (sample * 65535.0 + 0.5) as u16;
    fixed
}
