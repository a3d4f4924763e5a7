//! Converts a mask to the softness of the subject's outline around each cell. At hair and fur, a network's mask rises over more
//! cells than at a sharp outline, because the network cannot separate subject and background cell by cell.

use super::super::error::CutoutError;
use super::super::reserve;
use super::contour::cells_per_measured;
use super::means::means;
use super::plane::Plane;
use super::style::Stretch;

/// Mean widths of the mask's rise, in cells of a mask of 288 or 320 cells. Narrower rises are hard, wider ones soft, between them
/// in part.
const WIDTHS: Stretch = Stretch::new(3.0, 4.0);

/// The range of opacities that count as the rise.
const RISE: std::ops::Range<f32> = 0.05..0.95;

/// Radius of the window for the mean width, in the same cells.
const RADIUS: f32 = 6.0;

/// Keeps the width 0 where there is no rise.
const LEAST_SLOPE: f32 = 0.002;

/// Softness from 0 = hard to 1 = soft. The width of a rise is its area divided by its length; the sum of the slopes gives the
/// length. `rises` are the [`rises`] of the mask.
pub(super) fn softness(mask: &Plane, rises: &[[f32; 2]]) -> Result<Plane, CutoutError> {
    let unit = cells_per_measured(mask);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some cells of a mask"
    )]
    let radius = (RADIUS * unit).round() as usize;
    let mut soft = reserve(mask.values.len())?;
    means(rises, mask.width, radius, |_, means| {
        let width = |[rise, slope]: &[f32; 2]| *rise / (slope * unit + LEAST_SLOPE);
        soft.extend(means.iter().map(|mean| WIDTHS.of(width(mean))));
    })?;
    Ok(Plane {
        values: soft,
        ..*mask
    })
}

/// For each cell, whether it lies in the rise (0 or 1), and the gradient magnitude of the mask (Sobel, Feldman 1968). Outside the
/// mask, the border cells repeat.
pub(super) fn rises(mask: &Plane) -> Result<Vec<[f32; 2]>, CutoutError> {
    let mut rises = reserve(mask.values.len())?;
    for y in 0..mask.height {
        let above = mask.row(y.saturating_sub(1));
        let (own, below) = (mask.row(y), mask.row((y + 1).min(mask.height - 1)));
        rises.extend((0..mask.width).map(|x| {
            let (left, right) = (x.saturating_sub(1), (x + 1).min(mask.width - 1));
            let column = |x: usize| above[x] + 2.0 * own[x] + below[x];
            let row = |row: &[f32]| row[left] + 2.0 * row[x] + row[right];
            let (across, down) = (column(right) - column(left), row(below) - row(above));
            let slope = (across * across + down * down).sqrt() / 8.0;
            let is_rise = own[x] > RISE.start && own[x] < RISE.end;
            [f32::from(u8::from(is_rise)), slope]
        }));
    }
    Ok(rises)
}

#[cfg(test)]
mod tests {
    use super::{Plane, rises};
    use crate::imaging::matte::plane::assert_near;

    fn softness(mask: &Plane) -> Plane {
        super::softness(mask, &rises(mask).unwrap()).unwrap()
    }

    /// A mask whose 60 columns each rise from 0 to 1 over `cells` cells in the middle.
    fn rise(cells: f32) -> Plane {
        let value = |at: u16| ((f32::from(at % 60) - 29.5) / cells + 0.5).clamp(0.0, 1.0);
        Plane::square((0..3600).map(value).collect())
    }

    #[test]
    fn wide_rise_is_soft_and_a_narrow_one_hard() {
        let at_outline = |cells| softness(&rise(cells)).row(30)[29];
        assert_near(&[at_outline(2.0), at_outline(8.0)], &[0.0, 1.0]);
        // For a rise over 4 cells, 3.6 cells lie between 0.05 and 0.95; on the grid these are four cells.
        let between = at_outline(4.0);
        assert!(between > 0.5 && between <= 1.0, "{between}");
    }

    /// Fails when lengths are counted in cells of the given mask instead of cells of the measured size.
    #[test]
    fn twice_as_fine_a_mask_is_as_soft() {
        let rise = |side: u16, cells: f32| {
            let middle = f32::from(side / 2) - 0.5;
            let value = |at: u32| {
                let x = f32::from(u16::try_from(at % u32::from(side)).unwrap());
                ((x - middle) / cells + 0.5).clamp(0.0, 1.0)
            };
            Plane::square((0..u32::from(side) * u32::from(side)).map(value).collect())
        };
        for (cells, expected) in [(2.0, 0.0), (2.5, 0.0), (6.0, 1.0)] {
            let soft = softness(&rise(320, cells));
            let fine = softness(&rise(640, 2.0 * cells));
            // At the outline, and at the greatest distance that the windows reach.
            for (at, fine_at) in [(159, 319), (168, 332)] {
                let found = [soft.row(9)[at], fine.row(9)[fine_at]];
                assert_near(&found, &[expected, expected]);
            }
        }
    }

    #[test]
    fn outline_far_away_says_nothing_about_a_cell() {
        let soft = softness(&rise(8.0));
        assert_near(&[soft.row(30)[10], soft.row(30)[50]], &[0.0, 0.0]);
    }

    #[test]
    fn slopes_are_those_of_a_plane() {
        let tilted = (0..25_u8).map(|at| 0.03 * f32::from(at % 5) + 0.04 * f32::from(at / 5));
        let rises = rises(&Plane::square(tilted.collect())).unwrap();
        // In the middle of the mask; on the upper edge and in a corner half of the slope is measured.
        let corner = (0.015_f32).hypot(0.02);
        assert_near(
            &[rises[12][1], rises[2][1], rises[0][1]],
            &[0.05, (0.03_f32).hypot(0.02), corner],
        );
    }
}
