//! A grid of numbers that can be resized. Must not depend on masks or photos.

use std::ops::Range;

use super::super::error::CutoutError;
use super::super::{empty, reserve, zeroed};
use super::kernel::{Kernel, Span};
use super::wide::WideRows;

/// `height` rows of `width` values; neither is 0, except in a plane without content.
#[derive(Debug, Default)]
pub(super) struct Plane {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) values: Vec<f32>,
}

impl Plane {
    /// A plane of zeros.
    pub(super) fn zeros(width: usize, height: usize) -> Result<Self, CutoutError> {
        Ok(Self {
            width,
            height,
            values: zeroed(width * height)?,
        })
    }

    /// A square plane of `values`.
    pub(super) fn square(values: Vec<f32>) -> Self {
        let side = values.len().isqrt();
        Self {
            width: side,
            height: side,
            values,
        }
    }

    pub(super) fn try_clone(&self) -> Result<Self, CutoutError> {
        let mut values = reserve(self.values.len())?;
        values.extend_from_slice(&self.values);
        Ok(Self { values, ..*self })
    }

    /// Removes all values and makes room for a plane of that width and height. Keeps the buffer.
    pub(super) fn reset(&mut self, (width, height): (usize, usize)) -> Result<(), CutoutError> {
        (self.width, self.height) = (width, height);
        empty(&mut self.values, width * height)
    }

    /// Becomes a copy of `other`. Keeps the buffer.
    pub(super) fn copy_from(&mut self, other: &Self) -> Result<(), CutoutError> {
        self.reset((other.width, other.height))?;
        self.values.extend_from_slice(&other.values);
        Ok(())
    }

    pub(super) fn rows(&self) -> std::slice::ChunksExact<'_, f32> {
        self.values.chunks_exact(self.width)
    }

    pub(super) fn row(&self, y: usize) -> &[f32] {
        &self.values[y * self.width..(y + 1) * self.width]
    }

    /// Becomes `old`, resized to another width and height with one kind of kernel. Keeps the buffer.
    pub(super) fn resize_from(
        &mut self,
        old: &Self,
        kernel: impl Fn(usize, Span) -> Result<Kernel, CutoutError>,
        (width, height): (usize, usize),
    ) -> Result<(), CutoutError> {
        let across = kernel(old.width, Span::whole(old.width, width))?;
        let down = kernel(old.height, Span::whole(old.height, height))?;
        self.reset((width, height))?;
        if height < old.height {
            let mut row = zeroed(old.width)?;
            for y in 0..height {
                row.fill(0.0);
                old.mix(down.at(y), 0..old.width, &mut row);
                across.apply(&row, &mut self.values);
            }
            return Ok(());
        }
        self.values.resize(width * height, 0.0);
        let mut wide = WideRows::new(&across, &down)?;
        for (y, out) in self.values.chunks_exact_mut(width).enumerate() {
            let (first, weights) = down.at(y);
            wide.hold(old, &across, first..first + weights.len());
            wide.mix((first, weights), 0..width, out);
        }
        Ok(())
    }

    /// Adds `columns` of the rows from `first` on to `out`, each row times its weight.
    pub(super) fn mix(
        &self,
        (first, weights): (usize, &[f32]),
        columns: Range<usize>,
        out: &mut [f32],
    ) {
        let rows = self.rows().skip(first).zip(weights);
        for (row, weight) in rows.filter(|(_, weight)| **weight != 0.0) {
            add(out, &row[columns.clone()], *weight);
        }
    }
}

/// Adds a row, times `weight`, to `sums`.
#[inline]
pub(super) fn add(sums: &mut [f32], row: &[f32], weight: f32) {
    for (sum, value) in sums.iter_mut().zip(row) {
        *sum += weight * value;
    }
}

/// The cell at index `at`, counted from `reach` cells before the first one, in a row mirrored at its ends. The outermost cells are
/// repeated.
pub(super) fn mirrored(at: usize, reach: usize, length: usize) -> usize {
    let period = 2 * length;
    // Enough periods to keep the difference positive.
    let place = (at + reach * period - reach) % period;
    place.min(period - 1 - place)
}

/// Compares numbers that may differ by rounding (less than 1e-4).
#[cfg(test)]
pub(super) fn assert_near(found: &[f32], expected: &[f32]) {
    let is_near = |(found, expected): (&f32, &f32)| (found - expected).abs() < 1e-4;
    let are_near = found.iter().zip(expected).all(is_near);
    assert!(
        found.len() == expected.len() && are_near,
        "{found:?}, not {expected:?}"
    );
}
