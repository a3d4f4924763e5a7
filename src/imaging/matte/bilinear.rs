//! Interpolates numbers of a coarse grid bilinearly at the pixels of a larger picture.

use std::ops::Range;

use super::super::error::CutoutError;
use super::super::reserve;
use super::kernel::Span;

/// For each position on the longer axis: the index of the first of its two cells on the shorter axis, and the fraction of the way
/// to the second cell.
#[derive(Debug)]
pub(super) struct Axis(Vec<(u32, f32)>);

impl Axis {
    /// Maps positions to `cells`. Outside the centres of the outermost cells the value is constant.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "positions are clamped to 0..cells, and pictures are not that large"
    )]
    fn new(cells: usize, span: Span) -> Result<Self, CutoutError> {
        let mut positions = reserve(span.count)?;
        for position in 0..span.count {
            let centre = (span.middle(position) - 0.5).clamp(0.0, cells as f64 - 1.0);
            let first = (centre as usize).min(cells.saturating_sub(2));
            positions.push((first as u32, (centre - first as f64) as f32));
        }
        Ok(Self(positions))
    }

    fn at(&self, position: usize) -> (usize, f32) {
        let (first, part) = self.0[position];
        (first as usize, part)
    }
}

/// Maps the pixels of a larger picture to the cells of a grid.
#[derive(Debug)]
pub(super) struct Bilinear {
    across: Axis,
    down: Axis,
    grid_width: usize,
}

impl Bilinear {
    /// A picture that covers all of a grid. Both arguments are width and height.
    pub(super) fn new(grid: (usize, usize), picture: (usize, usize)) -> Result<Self, CutoutError> {
        Self::of(
            grid,
            Span::whole(grid.0, picture.0),
            Span::whole(grid.1, picture.1),
        )
    }

    /// `columns` and `rows` are the spans of the picture's columns and rows on a grid of that width and height.
    pub(super) fn of(grid: (usize, usize), columns: Span, rows: Span) -> Result<Self, CutoutError> {
        Ok(Self {
            across: Axis::new(grid.0, columns)?,
            down: Axis::new(grid.1, rows)?,
            grid_width: grid.0,
        })
    }

    /// Allocates a buffer for one row of the grid.
    pub(super) fn row_buffer<const N: usize>(&self) -> Result<Vec<[f32; N]>, CutoutError> {
        reserve(self.grid_width)
    }

    /// Prepares `columns` of row `y` of the picture. Interpolates the two nearest rows of `cells` into `between`.
    pub(super) fn row<'a, const N: usize>(
        &'a self,
        cells: &[[f32; N]],
        y: usize,
        columns: Range<usize>,
        between: &'a mut Vec<[f32; N]>,
    ) -> BilinearRow<'a, N> {
        let (row, part) = self.down.at(y);
        // In a grid of one row or column, the cell is its own neighbour.
        let below = if row + 1 < cells.len() / self.grid_width {
            self.grid_width
        } else {
            0
        };
        let first = self.across.at(columns.start).0;
        let last = (self.across.at(columns.end - 1).0 + 1).min(self.grid_width - 1);
        let row = row * self.grid_width;
        let above = &cells[row + first..=row + last];
        let below = &cells[row + below + first..=row + below + last];
        between.clear();
        between.extend(above.iter().zip(below).map(|(a, b)| mixed(a, b, part)));
        BilinearRow {
            across: &self.across,
            first,
            cells: between,
        }
    }
}

/// A part of a picture's row, interpolated vertically.
#[derive(Clone, Copy, Debug)]
pub(super) struct BilinearRow<'a, const N: usize> {
    across: &'a Axis,
    /// The grid column of the first entry of `cells`.
    first: usize,
    cells: &'a [[f32; N]],
}

impl<const N: usize> BilinearRow<'_, N> {
    /// The interpolated numbers at column `x` of the picture.
    #[inline]
    pub(super) fn at(&self, x: usize) -> [f32; N] {
        let (first, part) = self.across.at(x);
        let first = first - self.first;
        let second = (first + 1).min(self.cells.len() - 1);
        mixed(&self.cells[first], &self.cells[second], part)
    }
}

/// Linear interpolation from `a` (`part` = 0) to `b` (`part` = 1).
#[inline]
fn mixed<const N: usize>(a: &[f32; N], b: &[f32; N], part: f32) -> [f32; N] {
    std::array::from_fn(|n| a[n] + part * (b[n] - a[n]))
}

#[cfg(test)]
mod tests {
    use super::Bilinear;
    use crate::imaging::matte::plane::assert_near;

    #[test]
    fn pixels_lie_on_the_straight_lines_between_cells() {
        let cells = [[0.0], [4.0], [8.0], [12.0]];
        let bilinear = Bilinear::new((2, 2), (4, 4)).unwrap();
        let all = |y| {
            let mut between = Vec::new();
            let row = bilinear.row(&cells, y, 0..4, &mut between);
            [0, 1, 2, 3].map(|x| row.at(x)[0])
        };
        assert_near(&all(0), &[0.0, 1.0, 3.0, 4.0]);
        assert_near(&all(1), &[2.0, 3.0, 5.0, 6.0]);
        assert_near(&all(3), &[8.0, 9.0, 11.0, 12.0]);
    }

    #[test]
    fn part_of_a_row_is_that_of_the_whole() {
        let cells: Vec<[f32; 1]> = (0..24_u16).map(|at| [f32::from(at * at % 17)]).collect();
        let bilinear = Bilinear::new((6, 4), (23, 9)).unwrap();
        let (mut whole, mut between) = (Vec::new(), Vec::new());
        let whole = bilinear.row(&cells, 5, 0..23, &mut whole);
        for columns in [0..1, 7..12, 22..23] {
            let part = bilinear.row(&cells, 5, columns.clone(), &mut between);
            for x in columns {
                assert_near(&part.at(x), &whole.at(x));
            }
        }
    }

    #[test]
    fn grid_of_one_cell_says_the_same_everywhere() {
        let bilinear = Bilinear::new((1, 1), (3, 2)).unwrap();
        for (x, y) in [(0, 0), (2, 1)] {
            let cells = [[7.0, 1.0]];
            let mut between = Vec::new();
            let row = bilinear.row(&cells, y, x..x + 1, &mut between);
            assert_near(&row.at(x), &cells[0]);
        }
    }
}
