//! Resizes a plane row by row. Holds only those rows, resized in width, that the next row is mixed from.

use std::ops::Range;

use super::super::error::CutoutError;
use super::super::reserve;
use super::kernel::Kernel;
use super::plane::{Plane, add};

/// Rows of a plane, resized in width.
#[derive(Debug)]
pub(super) struct WideRows {
    /// Row `y` of the plane is at index `y % rows.len()`.
    rows: Vec<Vec<f32>>,
    /// The number of the row at each index.
    held: Vec<Option<usize>>,
}

impl WideRows {
    /// Buffers for the rows that `across` resizes and that `down` mixes.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn new(across: &Kernel, down: &Kernel) -> Result<Self, CutoutError> {
        let mut rows = reserve(down.taps())?;
        let mut held = reserve(down.taps())?;
        for _ in 0..down.taps() {
            rows.push(reserve(across.len())?);
            held.push(None);
        }
        Ok(Self { rows, held })
    }

    /// Resizes the `wanted` rows of `plane` by `across`, except those that are held already.
    pub(super) fn hold(&mut self, plane: &Plane, across: &Kernel, wanted: Range<usize>) {
        for y in wanted {
            let at = y % self.rows.len();
            if self.held[at] != Some(y) {
                self.rows[at].clear();
                across.apply(plane.row(y), &mut self.rows[at]);
                self.held[at] = Some(y);
            }
        }
    }

    /// Writes the sum of the rows from `first` on, each times its weight, to `out`, within `columns`. The rows must be held.
    pub(super) fn mix(
        &self,
        (first, weights): (usize, &[f32]),
        columns: Range<usize>,
        out: &mut [f32],
    ) {
        let row = |y: usize| &self.rows[y % self.rows.len()][columns.clone()];
        // Enlargements have four. One loop over all of them reads and writes each sum once.
        if let [a, b, c, d] = weights {
            let rows = [0, 1, 2, 3].map(|n| &row(first + n)[..out.len()]);
            for x in 0..out.len() {
                out[x] = a * rows[0][x] + b * rows[1][x] + c * rows[2][x] + d * rows[3][x];
            }
        } else {
            out.fill(0.0);
            for (y, weight) in (first..).zip(weights) {
                add(out, row(y), *weight);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kernel, Plane, WideRows};
    use crate::imaging::matte::kernel::Span;
    use crate::imaging::matte::plane::assert_near;

    /// A row is the same whether the rows before it were asked for or not.
    #[test]
    fn rows_are_the_same_in_any_order() {
        let plane = Plane::square((0..64_u16).map(|at| f32::from(at * at % 23)).collect());
        for side in [3, 8, 19] {
            let kernel = Kernel::cubic(8, Span::whole(8, side)).unwrap();
            let mut of_all = Plane::default();
            of_all
                .resize_from(&plane, Kernel::cubic, (side, side))
                .unwrap();
            let mut rows = WideRows::new(&kernel, &kernel).unwrap();
            for y in (0..side).rev().chain([side / 2, 0]) {
                let (first, weights) = kernel.at(y);
                rows.hold(&plane, &kernel, first..first + weights.len());
                let mut out = vec![f32::NAN; side - 1];
                rows.mix((first, weights), 1..side, &mut out);
                assert_near(&out, &of_all.row(y)[1..]);
            }
        }
    }
}
