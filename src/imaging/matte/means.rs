//! Computes means over square windows of a grid. Must not depend on masks or photos.

use super::super::error::CutoutError;
use super::super::{reserve, zeroed};
use super::plane::mirrored;

/// Calls `take` with the means of each row of cells, and with the index of the row's first cell. A mean is over a square of side
/// `2 radius + 1` cells. The grid is `width` cells wide and mirrored at its borders.
///
/// # Errors
/// `OutOfMemory`.
pub(super) fn means<const N: usize>(
    cells: &[[f32; N]],
    width: usize,
    radius: usize,
    mut take: impl FnMut(usize, &[[f32; N]]),
) -> Result<(), CutoutError> {
    let height = cells.len() / width;
    let side = 2 * radius + 1;
    #[expect(clippy::cast_precision_loss, reason = "sides are 4096 at most")]
    let scale = 1.0 / (side * side) as f64;
    let mut columns = reserve(width + side)?;
    columns.extend((0..width + side).map(|x| mirrored(x, radius, width)));
    // The sums slide over the grid. In `f32`, rounding would leave a rest above 0 where all cells are 0.
    let mut sums = zeroed::<f64>(width * N)?;
    let add_row = |sums: &mut [f64], y: usize, sign: f64| {
        let start = mirrored(y, radius, height) * width;
        add(sums, cells[start..start + width].as_flattened(), sign);
    };
    for y in 0..side - 1 {
        add_row(&mut sums, y, 1.0);
    }
    let mut means = reserve(width)?;
    for y in 0..height {
        add_row(&mut sums, y + side - 1, 1.0);
        let at = |x: usize| &sums.as_chunks::<N>().0[columns[x]];
        let mut window = [0.0; N];
        for x in 0..side - 1 {
            window = std::array::from_fn(|n| window[n] + at(x)[n]);
        }
        means.clear();
        means.extend((0..width).map(|x| {
            let (first, last) = (at(x), at(x + side - 1));
            let sum: [f64; N] = std::array::from_fn(|n| window[n] + last[n]);
            window = std::array::from_fn(|n| sum[n] - first[n]);
            sum.map(|sum| narrowed(scale * sum))
        }));
        take(y * width, &means);
        add_row(&mut sums, y, -1.0);
    }
    Ok(())
}

fn add(sums: &mut [f64], numbers: &[f32], sign: f64) {
    for (sum, number) in sums.iter_mut().zip(numbers) {
        *sum += sign * f64::from(*number);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a mean has no more digits than what it is the mean of"
)]
fn narrowed(mean: f64) -> f32 {
    mean as f32
}

#[cfg(test)]
mod tests {
    use crate::imaging::matte::plane::assert_near;

    fn means<const N: usize>(cells: &[[f32; N]], width: usize, radius: usize) -> Vec<[f32; N]> {
        let mut means = Vec::new();
        super::means(cells, width, radius, |start, row| {
            assert_eq!(start, means.len());
            means.extend_from_slice(row);
        })
        .unwrap();
        means
    }

    #[test]
    fn means_mirror_what_is_beyond_the_frame() {
        let cells: Vec<[f32; 2]> = (0..9_u8).map(|at| [f32::from(at), 1.0]).collect();
        let means = means(&cells, 3, 1);
        let first = |at: usize| means[at][0];
        assert_near(
            &[first(3), first(4), first(5)],
            &[3.0 + 1.0 / 3.0, 4.0, 4.0 + 2.0 / 3.0],
        );
        assert_near(&[first(0)], &[(0.0 * 4.0 + 2.0 + 6.0 + 4.0) / 9.0]);
        assert!(means.iter().all(|mean| (mean[1] - 1.0).abs() < 1e-6));
    }

    /// Fails when a sliding sum keeps a rest of cells that have left the window.
    #[test]
    fn cells_far_from_any_number_have_a_mean_of_0() {
        let mut cells = vec![[0.0]; 40 * 40];
        for (at, cell) in (0_u16..).zip(&mut cells[..400]) {
            cell[0] = 0.1 + f32::from(at * 7 % 31) / 30.0;
        }
        let means = means(&cells, 40, 2);
        assert!(means[..400].iter().all(|mean| mean[0] > 0.1));
        let far = means[12 * 40..].iter().map(|mean| mean[0].abs());
        assert!(far.fold(0.0, f32::max) < 1e-12);
    }

    #[test]
    fn window_wider_than_the_grid_sees_it_several_times() {
        let means = means(&[[1.0], [3.0]], 2, 4);
        // 1 3 3 1 1 3 3 1 1 around the first cell.
        assert_near(&[means[0][0]], &[17.0 / 9.0]);
    }
}
