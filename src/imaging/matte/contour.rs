//! Computes the nearness of each cell of a mask to the subject's outline.

use super::super::error::CutoutError;
use super::plane::Plane;
use super::style::ByPlace;

/// Lengths of a straight and a diagonal step. With these values, sums of steps approximate the Euclidean distance best (Borgefors
/// 1986).
const STRAIGHT: f32 = 0.955;
const DIAGONAL: f32 = 1.3693;

/// Distance from the outline, in cells, within which the photo has full influence, and the distance over which the influence then
/// fades to 0. In masks with a side above [`MEASURED_SIDE`] both grow in proportion.
const REACH: ByPlace = ByPlace {
    hard: 8.0,
    soft: 16.0,
};
const FADE: f32 = 2.0;

/// The side of the largest masks for which these lengths were measured. Masks of 288 cells gave the same lengths.
const MEASURED_SIDE: f32 = 320.0;

/// Greater than any distance in a mask.
const FAR: f32 = 1e6;

/// The length of one cell of the measured size, in cells of `mask`.
pub(super) fn cells_per_measured(mask: &Plane) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "sides are 4096 at most")]
    let side = mask.width as f32;
    (side / MEASURED_SIDE).max(1.0)
}

/// 1 within [`REACH`] cells of the line where `mask` (0..=1) crosses 0.5; falls to 0 over the next [`FADE`] cells. `soft` is the
/// softness of the outline.
pub(super) fn nearness(mask: &Plane, soft: &Plane) -> Result<Plane, CutoutError> {
    let mut near = mask.try_clone()?;
    for value in &mut near.values {
        *value = if *value > 0.5 { FAR } else { -FAR };
    }
    sweep(&mut near.values, mask.width);
    // The backward sweep is the forward sweep from the opposite corner.
    near.values.reverse();
    sweep(&mut near.values, mask.width);
    near.values.reverse();
    let unit = cells_per_measured(mask);
    for (value, soft) in near.values.iter_mut().zip(&soft.values) {
        *value = ((REACH.at(*soft) + FADE - value.abs() / unit) / FADE).clamp(0.0, 1.0);
    }
    Ok(near)
}

/// Propagates each cell's distance to the nearest cell on the other side of the outline, in cells, from the neighbours above and to
/// the left. Distances are positive in the subject, negative in the background.
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
        // Each step depends on the one before it, so the loop body is as short as possible.
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

/// Limits a distance to the neighbour's distance plus `step`. A neighbour on the other side of the outline counts as distance 0.
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
        // Columns 0..30 are background, 30..60 subject: the outline lies between columns 29 and 30.
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
