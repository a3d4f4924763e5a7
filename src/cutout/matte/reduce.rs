//! Rows of a picture, one after the other -> the same picture on a coarser grid, each cell the mean of the area that it covers.
//! Holds one row of the picture and one of the grid.

use super::super::error::CutoutError;
use super::super::zeroed;
use super::kernel::{Kernel, Span};

/// Takes the rows of a picture, top to bottom, and gives those of the grid.
#[derive(Debug)]
pub(super) struct Reducer {
    across: Kernel,
    down: Kernel,
    rows_taken: usize,
    /// The grid's row that is being made.
    next: usize,
    sums: Vec<[f32; 4]>,
    cells: Vec<[f32; 4]>,
}

impl Reducer {
    /// `picture` and `grid` are widths and heights; none is 0.
    pub(super) fn new(picture: (usize, usize), grid: (usize, usize)) -> Result<Self, CutoutError> {
        Ok(Self {
            across: Kernel::area(picture.0, Span::whole(picture.0, grid.0))?,
            down: Kernel::area(picture.1, Span::whole(picture.1, grid.1))?,
            rows_taken: 0,
            next: 0,
            sums: zeroed(picture.0)?,
            cells: zeroed(grid.0)?,
        })
    }

    /// Takes the next row, samples 0..=255, and hands the rows of the grid that it completes to `take`, samples 0..=1.
    pub(super) fn push(&mut self, row: &[[u8; 4]], mut take: impl FnMut(&[[f32; 4]])) {
        let y = self.rows_taken;
        self.rows_taken += 1;
        while self.next < self.down.len() {
            let (first, weights) = self.down.at(self.next);
            let Some(weight) = y.checked_sub(first).and_then(|at| weights.get(at)) else {
                return;
            };
            let sums = self.sums.as_flattened_mut().iter_mut();
            for (sum, sample) in sums.zip(row.as_flattened()) {
                *sum += weight * f32::from(*sample);
            }
            let is_last = weights[y - first + 1..].iter().all(|weight| *weight == 0.0);
            if !is_last {
                return;
            }
            self.finish_row();
            take(&self.cells);
        }
    }

    fn finish_row(&mut self) {
        for (x, cell) in self.cells.iter_mut().enumerate() {
            let (first, weights) = self.across.at(x);
            *cell = [0.0; 4];
            for (sum, weight) in self.sums[first..].iter().zip(weights) {
                let weight = weight / 255.0;
                *cell = std::array::from_fn(|n| cell[n] + weight * sum[n]);
            }
        }
        self.sums.fill([0.0; 4]);
        self.next += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::Reducer;

    /// The red samples of a picture of `width` whose red is `picture`, at another size.
    fn reduced(picture: &[u8], width: usize, grid: (usize, usize)) -> Vec<f32> {
        let mut reducer = Reducer::new((width, picture.len() / width), grid).unwrap();
        let mut cells = Vec::new();
        for row in picture.chunks_exact(width) {
            let row: Vec<[u8; 4]> = row.iter().map(|red| [*red, 0, 0, 255]).collect();
            reducer.push(&row, |row| {
                cells.extend(row.iter().map(|cell| cell[0] * 255.0));
            });
        }
        cells
            .iter()
            .map(|red| (red * 100.0).round() / 100.0)
            .collect()
    }

    #[test]
    fn cells_are_means_of_what_they_cover() {
        let picture = [0, 30, 60, 90, 120, 150, 180, 210, 240];
        assert_eq!(reduced(&picture, 3, (1, 1)), [120.0]);
        // Columns 0 and half of 1, half of 1 and 2; rows as well.
        assert_eq!(reduced(&picture, 3, (2, 2)), [40.0, 80.0, 160.0, 200.0]);
        assert_eq!(reduced(&picture, 3, (3, 3)), picture.map(f32::from));
    }

    #[test]
    fn finer_grid_repeats_pixels() {
        assert_eq!(
            reduced(&[10, 20], 1, (2, 4)),
            [10.0, 10.0, 10.0, 10.0, 20.0, 20.0, 20.0, 20.0]
        );
    }
}
