//! A mask -> how near each of its cells is to the subject's outline.

use super::super::error::CutoutError;
use super::plane::Plane;
use super::style::ByPlace;

/// What a step to the side and a step across a corner count, so that sums of them come closest to the distance in a straight line
/// (Borgefors 1986).
const STRAIGHT: f32 = 0.955;
const DIAGONAL: f32 = 1.3693;

/// Cells from the outline within which a photo may decide, and over how many more that ends; in proportion more in masks whose side is
/// beyond [`MEASURED_SIDE`].
const REACH: ByPlace = ByPlace {
    hard: 8.0,
    soft: 16.0,
};
const FADE: f32 = 2.0;

/// The side of the largest masks in which these lengths were measured. The others had 288 cells, and the same lengths fit.
const MEASURED_SIDE: f32 = 320.0;

/// Farther than any cell of a mask can be.
const FAR: f32 = 1e6;

/// How many cells of `mask` are as long as one of those in which lengths were measured.
pub(super) fn cells_per_measured(mask: &Plane) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "sides are 4096 at most")]
    let side = mask.width as f32;
    (side / MEASURED_SIDE).max(1.0)
}

/// 1 within [`REACH`] cells of where `mask` (0..=1) crosses one half, 0 beyond [`FADE`] more; `soft` is how soft the outline is.
pub(super) fn nearness(mask: &Plane, soft: &Plane) -> Result<Plane, CutoutError> {
    let mut near = mask.try_clone()?;
    for value in &mut near.values {
        *value = if *value > 0.5 { FAR } else { -FAR };
    }
    sweep(&mut near.values, mask.width);
    // The way back is the way there, seen from the other corner.
    near.values.reverse();
    sweep(&mut near.values, mask.width);
    near.values.reverse();
    let unit = cells_per_measured(mask);
    for (value, soft) in near.values.iter_mut().zip(&soft.values) {
        *value = ((REACH.at(*soft) + FADE - value.abs() / unit) / FADE).clamp(0.0, 1.0);
    }
    Ok(near)
}

/// Each cell's distance by way of its neighbours above it and left of it to the next cell on the other side of the outline, in cells.
/// Positive for cells of the subject, negative for those of the ground.
fn sweep(distances: &mut [f32], width: usize) {
    for y in 0..distances.len() / width {
        let (above, rest) = distances.split_at_mut(y * width);
        let row = &mut rest[..width];
        if let Some(start) = above.len().checked_sub(width) {
            let above = &above[start..];
            for (value, above) in row.iter_mut().zip(above) {
                approach(value, *above, STRAIGHT);
            }
            for (value, above) in row[1..].iter_mut().zip(above) {
                approach(value, *above, DIAGONAL);
            }
            for (value, above) in row.iter_mut().zip(&above[1..]) {
                approach(value, *above, DIAGONAL);
            }
        }
        // Each step depends on the one before it, so it does as little as possible.
        let (mut is_subject, mut before) = (row[0] > 0.0, FAR);
        for value in row {
            if (*value > 0.0) != is_subject {
                is_subject = !is_subject;
                before = 0.0;
            }
            before = value.abs().min(before + STRAIGHT);
            *value = before.copysign(*value);
        }
    }
}

/// Makes a distance at most that of a neighbour and the `step` to it. A neighbour on the other side is where the way ends.
#[inline]
fn approach(value: &mut f32, neighbour: f32, step: f32) {
    let side = 1.0_f32.copysign(*value);
    let way = (side * neighbour).max(0.0) + step;
    *value = side * (side * *value).min(way);
}

#[cfg(test)]
mod tests {
    use super::{nearness, sweep};
    use crate::imaging::matte::plane::{Plane, assert_near};

    #[test]
    fn photo_decides_within_eight_cells_of_the_outline_only() {
        // Columns 0..30 are ground, 30..60 subject: the outline lies between columns 29 and 30.
        let values = (0..3600).map(|at| f32::from(u8::from(at % 60 >= 30)));
        let mask = Plane::square(values.collect());
        let near = nearness(&mask, &Plane::zeros(60, 60).unwrap()).unwrap();
        let row = near.row(20);
        let whole = |x: usize| (row[x] - 1.0).abs() < 1e-6;
        assert!(whole(29) && whole(30) && whole(22) && whole(37), "{row:?}");
        // Ten straight steps are 9.55 cells.
        assert!((row[20] - 0.225).abs() < 1e-4 && (row[39] - 0.225).abs() < 1e-4);
        assert!(row[19] == 0.0 && row[40] == 0.0);
    }

    #[test]
    fn photo_decides_farther_from_a_soft_outline() {
        let values = (0..3600).map(|at| f32::from(u8::from(at % 60 >= 30)));
        let near = nearness(
            &Plane::square(values.collect()),
            &Plane::square(vec![1.0; 3600]),
        );
        let near = near.unwrap();
        // Sixteen straight steps are 15.28 cells, eighteen 17.19, nineteen more than 18.
        assert_near(&near.row(20)[11..15], &[0.0, 0.405, 0.8825, 1.0]);
    }

    #[test]
    fn mask_without_an_outline_lets_the_photo_decide_nothing() {
        for value in [0.2, 0.8] {
            let near = nearness(
                &Plane::square(vec![value; 25]),
                &Plane::square(vec![1.0; 25]),
            )
            .unwrap();
            assert!(near.values.iter().all(|v| *v == 0.0), "{value}");
        }
    }

    #[test]
    fn corner_counts_more_than_a_side() {
        let mut distances = [-1e6, 1e6, 1e6, 1e6];
        sweep(&mut distances, 2);
        assert_near(&distances[1..], &[0.955, 0.955, 1.3693]);
        let mut distances = [1e6, -1e6, -1e6, 1e6];
        sweep(&mut distances, 2);
        assert_near(&distances[1..], &[-0.955, -0.955, 0.955]);
    }
}
