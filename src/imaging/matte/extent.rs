//! Finds the rectangle around the relevant cells of a mask, and the corresponding part of a photo or grid.

use std::ops::Range;

use super::plane::Plane;

/// A rectangle of cells of a mask, or of another grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) columns: Range<usize>,
    pub(super) rows: Range<usize>,
}

impl Extent {
    /// The bounding rectangle of all cells for which `matters` returns true; `None` when there is no such cell. Cells are numbered
    /// as in `mask`.
    pub(super) fn of(mask: &Plane, matters: impl Fn(usize) -> bool) -> Option<Self> {
        let mut extent: Option<Self> = None;
        for y in 0..mask.height {
            let matters = |x: &usize| matters(y * mask.width + x);
            let Some(first) = (0..mask.width).find(matters) else {
                continue;
            };
            let last = (first..mask.width).rfind(matters).unwrap_or(first);
            let columns = first..last + 1;
            let before = extent.unwrap_or(Self {
                columns: columns.clone(),
                rows: y..y,
            });
            extent = Some(Self {
                columns: before.columns.start.min(columns.start)
                    ..before.columns.end.max(columns.end),
                rows: before.rows.start..y + 1,
            });
        }
        extent
    }

    /// The indices of the rectangle's cells on a grid that is `width` cells wide.
    pub(super) fn cells(&self, width: usize) -> impl Iterator<Item = usize> {
        let columns = self.columns.clone();
        let rows = self.rows.clone();
        rows.flat_map(move |y| columns.clone().map(move |x| y * width + x))
    }
}

/// The positions on an axis of `to` positions that lie fully under `positions` on an axis of `of` positions.
pub(super) fn within(positions: &Range<usize>, of: usize, to: usize) -> Range<usize> {
    (positions.start * to).div_ceil(of)..positions.end * to / of
}

/// The positions on an axis of `to` positions that lie fully or partly under `cells` on an axis of `of` cells, extended by `margin`
/// cells on both sides.
pub(super) fn under(cells: &Range<usize>, of: usize, margin: usize, to: usize) -> Range<usize> {
    let start = cells.start.saturating_sub(margin);
    let end = (cells.end + margin).min(of);
    start * to / of..(end * to).div_ceil(of)
}

#[cfg(test)]
mod tests {
    use super::{Extent, under, within};
    use crate::imaging::matte::plane::Plane;

    #[test]
    fn extent_holds_every_cell_that_matters() {
        let mut values = vec![0.0; 36];
        let extent = |values: &[f32]| {
            let mask = Plane::square(values.to_vec());
            Extent::of(&mask, |at| mask.values[at] > 0.5)
        };
        assert_eq!(extent(&values), None);
        for (x, y) in [(4, 1), (1, 2), (3, 4)] {
            values[y * 6 + x] = 1.0;
        }
        let extent = extent(&values).unwrap();
        assert_eq!((extent.columns, extent.rows), (1..5, 1..5));
    }

    #[test]
    fn cells_are_numbered_row_by_row() {
        let extent = Extent {
            columns: 1..3,
            rows: 2..4,
        };
        assert_eq!(extent.cells(10).collect::<Vec<_>>(), [21, 22, 31, 32]);
    }

    #[test]
    fn positions_that_are_in_part_under_others_are_not_within_them() {
        assert_eq!(within(&(2..7), 8, 4), 1..3);
        assert_eq!(within(&(2..8), 8, 4), 1..4);
        assert_eq!(within(&(0..10), 10, 3), 0..3);
        assert_eq!(within(&(1..9), 10, 3), 1..2);
    }

    #[test]
    fn positions_under_cells_are_counted_whole() {
        assert_eq!(under(&(1..2), 4, 0, 8), 2..4);
        assert_eq!(under(&(1..2), 4, 1, 8), 0..6);
        assert_eq!(under(&(1..2), 4, 9, 8), 0..8);
        assert_eq!(under(&(1..2), 3, 0, 10), 3..7);
    }
}
