//! Chooses the grids, from coarse to fine, on which the edges of a photo of a given size are refined.

/// The longer side of the finest grid, in cells. A finer grid gave no measurable gain at 12 megapixels.
const FINEST: usize = 576;

/// The longer side of the coarsest grid, in cells. Photos with a soft outline get one coarser grid.
const COARSEST: usize = 144;
const COARSEST_SOFT: usize = 72;

/// The least number of pixels along the side of a cell.
const PIXELS_MIN: f64 = 1.89;

/// One grid of the refinement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// Cells along the longer side.
    pub(super) side: usize,
    /// Radius of the windows, in cells.
    pub(super) radius: usize,
    pub(super) passes: usize,
    /// When true, the result counts only in proportion to the softness of the outline.
    pub(super) is_for_soft: bool,
}

impl Level {
    /// The width and height of this level's grid over a picture.
    pub(super) fn size(self, (width, height): (usize, usize)) -> (usize, usize) {
        let longer = width.max(height);
        // Rounds to the nearest, ties to even.
        let cells = |side: usize| {
            let (whole, twice_rest) = (side * self.side / longer, 2 * (side * self.side % longer));
            let is_up = twice_rest > longer || twice_rest == longer && whole % 2 == 1;
            (whole + usize::from(is_up)).max(2)
        };
        (cells(width), cells(height))
    }
}

/// The levels from coarse to fine, at least one. `has_soft` is true when the outline is soft anywhere.
pub(super) fn levels(longer: usize, has_soft: bool) -> Vec<Level> {
    #[expect(clippy::cast_precision_loss, reason = "pictures are not that large")]
    let fits = |side: usize| longer as f64 / side as f64 >= PIXELS_MIN;
    let mut levels = Vec::new();
    let mut side = if has_soft && fits(COARSEST) {
        COARSEST_SOFT
    } else {
        COARSEST
    };
    while side <= FINEST && fits(side) {
        let (radius, passes) = if side < FINEST { (3, 2) } else { (2, 1) };
        levels.push(Level {
            side,
            radius,
            passes,
            is_for_soft: side < COARSEST,
        });
        side *= 2;
    }
    if levels.is_empty() {
        levels.push(Level {
            side: (longer / 2).max(8),
            radius: 2,
            passes: 1,
            is_for_soft: false,
        });
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::levels;

    #[test]
    fn grids_double_as_long_as_a_cell_covers_two_pixels() {
        let sides = |longer, has_soft| -> Vec<usize> {
            levels(longer, has_soft)
                .iter()
                .map(|level| level.side)
                .collect()
        };
        assert_eq!(sides(8_000, false), [144, 288, 576]);
        assert_eq!(sides(8_000, true), [72, 144, 288, 576]);
        assert_eq!(sides(1_089, false), [144, 288, 576]);
        assert_eq!(sides(1_088, false), [144, 288]);
        assert_eq!(sides(273, true), [72, 144]);
    }

    #[test]
    fn small_photo_has_one_grid() {
        for (longer, side) in [(272, 136), (200, 100), (3, 8)] {
            for has_soft in [false, true] {
                let levels = levels(longer, has_soft);
                assert_eq!((levels.len(), levels[0].side), (1, side));
                assert!(!levels[0].is_for_soft);
            }
        }
    }
}
