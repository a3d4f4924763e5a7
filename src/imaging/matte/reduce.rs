//! Converts the rows of a picture to a coarser grid. Each cell is the mean of the area that it covers. Holds one row of the picture
//! and one row of the grid.

use std::ops::Range;

use super::super::error::CutoutError;
use super::super::photo::Photo;
use super::super::{reserve, zeroed};
use super::kernel::{Kernel, Span};
use super::upright::each_row;

/// Rows whose sum fits into 16 bits.
const ROWS_MAX: usize = (u16::MAX / u8::MAX as u16) as usize;

/// Calls `take` with each row of a grid over a part of the photo: red, green, blue and alpha, 0..=1. The spans place the columns
/// and rows of the grid on the photo.
///
/// # Errors
/// `OutOfMemory`.
pub(super) fn reduce(
    photo: &Photo,
    spans: (Span, Span),
    mut take: impl FnMut(&[[f32; 4]]),
) -> Result<(), CutoutError> {
    let picture = (photo.width() as usize, photo.height() as usize);
    let mut reducer = Reducer::new(picture, spans)?;
    let rows = reducer.rows();
    if photo.rgb_row(0).is_none() {
        return each_row(photo, rows, |row| reducer.push(row, &mut take));
    }
    // No copy of the row, and three samples a pixel instead of four.
    for row in (0..photo.height()).take(rows.end).skip(rows.start) {
        if let Some(row) = photo.rgb_row(row) {
            reducer.push(row, &mut take);
        }
    }
    Ok(())
}

/// Takes rows of a picture from top to bottom and returns rows of the grid.
#[derive(Debug)]
pub(super) struct Reducer {
    across: Kernel,
    down: Kernel,
    /// The columns of the picture that the grid covers.
    columns: Range<usize>,
    /// The next row of the picture.
    row: usize,
    /// The row of the grid that is being summed.
    next: usize,
    /// Sums of samples, times their weights.
    sums: Vec<f32>,
    /// Sums of the samples of `whole_rows` rows of equal weight, which are not in `sums` yet.
    whole: Vec<u16>,
    whole_rows: usize,
    cells: Vec<[f32; 4]>,
}

impl Reducer {
    /// A grid over a part of a `picture` of this width and height. The spans place the columns and rows of the grid on the picture.
    pub(super) fn new(
        picture: (usize, usize),
        (columns, rows): (Span, Span),
    ) -> Result<Self, CutoutError> {
        let across = Kernel::area(picture.0, columns)?;
        let down = Kernel::area(picture.1, rows)?;
        let columns = across.reach();
        let mut cells = reserve(across.len())?;
        cells.resize(across.len(), [1.0; 4]);
        Ok(Self {
            row: down.reach().start,
            next: 0,
            sums: zeroed(4 * columns.len())?,
            whole: zeroed(4 * columns.len())?,
            whole_rows: 0,
            cells,
            columns,
            across,
            down,
        })
    }

    /// The rows of the picture that [`Self::push`] expects.
    pub(super) fn rows(&self) -> Range<usize> {
        self.down.reach()
    }

    /// Takes the next row of the picture, samples 0..=255. Calls `take` with each row of the grid that is now complete, samples
    /// 0..=1. Every row has the same number of samples per pixel, 4 at most; missing ones are 1.
    pub(super) fn push<const N: usize>(
        &mut self,
        row: &[[u8; N]],
        mut take: impl FnMut(&[[f32; 4]]),
    ) {
        let y = self.row;
        self.row += 1;
        let row = row[self.columns.clone()].as_flattened();
        while self.next < self.down.len() {
            let (first, weights) = self.down.at(self.next);
            let Some(weights) = y.checked_sub(first).and_then(|at| weights.get(at..)) else {
                return;
            };
            let [weight, rest @ ..] = weights else {
                return;
            };
            let (weight, is_last) = (*weight, rest.iter().all(|weight| *weight == 0.0));
            let is_next_alike = rest.first() == Some(&weight);
            self.add(row, weight, is_next_alike);
            if !is_last {
                return;
            }
            self.finish_row::<N>();
            take(&self.cells);
        }
    }

    /// Adds a row, times `weight`. Adjacent rows of equal weight are first summed as integers, which is several times as fast.
    fn add(&mut self, row: &[u8], weight: f32, is_next_alike: bool) {
        if self.whole_rows == 0 && !is_next_alike {
            for (sum, sample) in self.sums.iter_mut().zip(row) {
                *sum += weight * f32::from(*sample);
            }
            return;
        }
        for (whole, sample) in self.whole.iter_mut().zip(row) {
            *whole += u16::from(*sample);
        }
        self.whole_rows += 1;
        if !is_next_alike || self.whole_rows == ROWS_MAX {
            for (sum, whole) in self.sums.iter_mut().zip(&mut self.whole) {
                *sum += weight * f32::from(*whole);
                *whole = 0;
            }
            self.whole_rows = 0;
        }
    }

    fn finish_row<const N: usize>(&mut self) {
        const STEP: f32 = 1.0 / 255.0;
        let (sums, _) = self.sums.as_chunks::<N>();
        for (x, cell) in self.cells.iter_mut().enumerate() {
            let (first, weights) = self.across.at(x);
            let mut mean = [0.0; N];
            for (sum, weight) in sums[first - self.columns.start..].iter().zip(weights) {
                mean = std::array::from_fn(|n| mean[n] + weight * sum[n]);
            }
            cell[..N].copy_from_slice(&mean.map(|mean| mean * STEP));
        }
        self.sums.fill(0.0);
        self.next += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{Reducer, Span};

    /// Reduces a picture of `width` columns whose red samples are `picture`; returns the red samples.
    fn reduced(picture: &[u8], width: usize, grid: (usize, usize)) -> Vec<f32> {
        let size = (width, picture.len() / width);
        let spans = (Span::whole(size.0, grid.0), Span::whole(size.1, grid.1));
        reduced_part(picture, size, spans)
    }

    /// As [`reduced`], with a grid over a part of the picture.
    fn reduced_part(picture: &[u8], size: (usize, usize), spans: (Span, Span)) -> Vec<f32> {
        let mut reducer = Reducer::new(size, spans).unwrap();
        let mut cells = Vec::new();
        for row in picture.chunks_exact(size.0).skip(reducer.rows().start) {
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
    fn cells_of_a_part_are_those_of_the_whole() {
        let picture: Vec<u8> = (0..70).map(|at| at * 3).collect();
        let whole = reduced(&picture, 10, (4, 3));
        let spans = (Span::part(10, 1..3, 4, 2), Span::part(7, 1..3, 3, 2));
        let expected = [whole[5], whole[6], whole[9], whole[10]];
        assert_eq!(reduced_part(&picture, (10, 7), spans), expected);
    }

    #[test]
    fn finer_grid_repeats_pixels() {
        assert_eq!(
            reduced(&[10, 20], 1, (2, 4)),
            [10.0, 10.0, 10.0, 10.0, 20.0, 20.0, 20.0, 20.0]
        );
    }
}
