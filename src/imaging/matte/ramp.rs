//! Fits opacity to the photo's colours on the grid of one level, from the mask there and the result of the coarser level.

use super::super::error::CutoutError;
use super::super::{reserve, zeroed};
use super::bilinear::Bilinear;
use super::guide::Guide;
use super::guided::{Fit, TILE, fit};
use super::kernel::Kernel;
use super::levels::Level;
use super::outline::Outline;
use super::plane::Plane;
use super::style::Style;

/// A mask on a level's grid.
#[derive(Default)]
pub(super) struct Ramp {
    /// Opacity from the mask alone.
    pub(super) plain: Plane,
    /// Weight of the opacity fitted to the photo's colours, 0..=1.
    pub(super) weight: Plane,
}

impl Ramp {
    /// Lays the mask on another grid. Keeps the buffers.
    pub(super) fn lay(
        &mut self,
        mask: &Plane,
        outline: &Outline,
        size: (usize, usize),
        style: Style,
    ) -> Result<(), CutoutError> {
        // An enlarged mask uses the same kernel as at full size. A reduced mask uses the area mean, so that every cell counts. The
        // longer side decides, so that a rotated photo gets the same matte, rotated.
        let is_larger = size.0.max(size.1) >= mask.width;
        let kernel = if is_larger {
            Kernel::cubic
        } else {
            Kernel::area
        };
        self.plain.resize_from(mask, kernel, size)?;
        self.weight.reset(size)?;
        let under = outline.under(size)?;
        let mut between = under.row_buffer()?;
        for (y, row) in self.plain.values.chunks_exact_mut(size.0).enumerate() {
            let outline = under.row(&outline.cells, y, 0..size.0, &mut between);
            for (x, plain) in row.iter_mut().enumerate() {
                let mask = plain.clamp(0.0, 1.0);
                *plain = style.ramp.of(mask);
                let mut near = 0.0;
                // Most cells are open at no softness. They need no interpolation.
                if Style::may_be_open(mask) {
                    let [nearness, soft] = outline.at(x);
                    if Style::is_open(mask, soft) {
                        near = nearness;
                    }
                }
                self.weight.values.push(near);
            }
        }
        Ok(())
    }

    /// The weight, multiplied by the softness of the outline.
    pub(super) fn weight_of_soft(&self, outline: &Outline) -> Result<Plane, CutoutError> {
        let mut weight = self.weight.try_clone()?;
        let under = outline.under((weight.width, weight.height))?;
        let mut between = under.row_buffer()?;
        for (y, row) in weight.values.chunks_exact_mut(weight.width).enumerate() {
            let outline = under.row(&outline.cells, y, 0..row.len(), &mut between);
            for (x, weight) in row.iter_mut().enumerate() {
                *weight *= outline.at(x)[1];
            }
        }
        Ok(weight)
    }

    /// Fits opacity to colours. Starts with the `opacity` of a coarser level, which it changes. Writes the fit into `found`.
    pub(super) fn refine(
        &self,
        guide: &Guide,
        level: Level,
        opacity: &mut Plane,
        found: &mut Fit,
    ) -> Result<(), CutoutError> {
        let is_wanted = self.wanted_tiles()?;
        let is_wanted = |column: usize, row: usize| is_wanted[row * self.tile_columns() + column];
        for pass in 0..level.passes {
            if pass > 0 {
                self.apply(guide, found, &self.weight, opacity)?;
            }
            fit(guide, opacity, level.radius, is_wanted, found)?;
        }
        Ok(())
    }

    /// Applies `found`, a fit on this grid or a coarser one, to the photo's colours, and writes the result into `opacity`. Cells
    /// without a `weight` above 0 get the opacity from the mask.
    pub(super) fn apply(
        &self,
        guide: &Guide,
        found: &Fit,
        weight: &Plane,
        opacity: &mut Plane,
    ) -> Result<(), CutoutError> {
        opacity.copy_from(&self.plain)?;
        let (width, height) = (opacity.width, opacity.height);
        let bilinear = Bilinear::new((found.width, found.height), (width, height))?;
        let [red, green, blue] = guide;
        let mut between = reserve(found.width)?;
        for (y, out) in opacity.values.chunks_exact_mut(width).enumerate() {
            let weights = weight.row(y);
            let Some(first) = weights.iter().position(|weight| *weight > 0.0) else {
                continue;
            };
            let cells = bilinear.row(&found.cells, y, first..width, &mut between);
            for x in first..width {
                let weight = weights[x];
                if weight > 0.0 {
                    let [r, g, b] = [red, green, blue].map(|plane| plane.row(y)[x]);
                    let [red, green, blue, rest, _] = cells.at(x);
                    let found = (red * r + green * g + blue * b + rest).clamp(0.0, 1.0);
                    out[x] += weight * (found - out[x]);
                }
            }
        }
        Ok(())
    }

    fn tile_columns(&self) -> usize {
        self.weight.width.div_ceil(TILE)
    }

    /// For each tile, row by row: whether it contains a cell with a weight above 0, or lies close enough to one that a finer grid
    /// may read it.
    fn wanted_tiles(&self) -> Result<Vec<bool>, CutoutError> {
        const MARGIN: usize = 2;
        let rows = self.weight.height.div_ceil(TILE);
        let mut is_wanted = zeroed(rows * self.tile_columns())?;
        for (y, row) in self.weight.rows().enumerate() {
            for (x, _) in row.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
                for y in [y.saturating_sub(MARGIN), y + MARGIN] {
                    for x in [x.saturating_sub(MARGIN), x + MARGIN] {
                        let (column, row) = (x / TILE, y / TILE);
                        if column < self.tile_columns() && row < rows {
                            is_wanted[row * self.tile_columns() + column] = true;
                        }
                    }
                }
            }
        }
        Ok(is_wanted)
    }
}
