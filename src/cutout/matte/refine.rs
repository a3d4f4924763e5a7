//! A mask and a photo -> opacity that follows the photo's edges: a guided filter for colour guides from a coarse grid to finer ones, each
//! beginning with what the one before has found (He, Sun, Tang 2013; 2015). Its grids do not grow with the photo.

use super::super::error::CutoutError;
use super::super::photo::Photo;
use super::super::{reserve, zeroed};
use super::bilinear::{Bilinear, BilinearRow};
use super::extent::{Extent, under};
use super::guide::{Guide, Part, coarser, reduced};
use super::guided::{Fit, TERMS, TILE, fit};
use super::kernel::Kernel;
use super::levels::{Level, levels};
use super::outline::Outline;
use super::plane::Plane;
use super::style::{Stretch, Style};

/// Shares of the opacity's variance: below the first the photo's colours do not explain it, from the second on they do.
const EXPLAINED: Stretch = Stretch::new(0.5, 0.8);

/// Cells of a mask around an open one that are open as well once the mask is enlarged.
const MASK_REACH: usize = 3;

/// How the opacity around each part of a photo follows from its colours.
#[derive(Debug)]
pub(super) struct Refinement {
    style: Style,
    /// As in [`Fit`], but the last number is the weight of the fit, 0..=1.
    pub(super) cells: Vec<[f32; TERMS]>,
    /// Width and height of their grid.
    pub(super) size: (usize, usize),
    /// On the mask's grid: how near the subject's outline is, and how soft, 0..=1 each.
    pub(super) outline: Vec<[f32; 2]>,
}

impl Refinement {
    /// `mask` is square, 0..=1.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn new(photo: &Photo, mask: &Plane, style: Style) -> Result<Self, CutoutError> {
        let picture = (photo.width() as usize, photo.height() as usize);
        let outline = Outline::new(mask, style.softness)?;
        let has_soft = outline.soft.values.iter().any(|soft| *soft > 0.0);
        let levels = levels(picture.0.max(picture.1), has_soft);
        let finest = levels[levels.len() - 1].size(picture);
        let guide = reduced(
            photo,
            finest,
            part(
                mask,
                &outline,
                levels[0].size(picture),
                levels[0].radius,
                finest,
            )
            .as_ref(),
        )?;
        let mut found: Option<Fit> = None;
        for (at, level) in levels.iter().enumerate() {
            let coarse;
            let guide = if at + 1 == levels.len() {
                &guide
            } else {
                coarse = coarser(&guide, level.size(picture))?;
                &coarse
            };
            let ramp = Ramp::new(mask, &outline, level.size(picture), style)?;
            let begun = match &found {
                None => ramp.plain.try_clone()?,
                Some(found) if levels[at - 1].is_for_soft => {
                    ramp.applied(guide, found, &ramp.weight_of_soft()?)?
                }
                Some(found) => ramp.applied(guide, found, &ramp.weight)?,
            };
            found = Some(ramp.refine(guide, *level, begun)?);
        }
        let Fit {
            width,
            height,
            mut cells,
        } = found.ok_or(CutoutError::OutOfMemory)?;
        for [.., share] in &mut cells {
            *share = EXPLAINED.of(*share);
        }
        Ok(Self {
            style,
            cells,
            size: (width, height),
            outline: outline.cells()?,
        })
    }

    /// Whether the matte may be anything but ground around cell `at` of the mask, whose opacity is `mask`.
    pub(super) fn may_be_subject(&self, at: usize, mask: f32) -> bool {
        let [near, soft] = self.outline[at];
        let has_weight = Style::is_open(mask, soft) && near > 0.0;
        has_weight || self.style.ramp.of(mask) > 0.0
    }

    /// Refines a part of a row of a picture: each column's opacity is that of the enlarged mask, and becomes that of the matte. `cells`
    /// and `outline` lie where the row does; `colour` gives that of a pixel, 0..=1 each.
    pub(super) fn row<'a>(
        &self,
        cells: &BilinearRow<'_, TERMS>,
        outline: &BilinearRow<'_, 2>,
        opacity: impl Iterator<Item = (usize, &'a mut f32)>,
        colour: impl Fn(usize) -> [f32; 3],
    ) {
        for (x, value) in opacity {
            let mask = *value;
            let [near, soft] = outline.at(x);
            *value = if Style::is_open(mask, soft) {
                let plain = self.style.ramp.of(mask);
                let mixed = follow(&cells.at(x), colour(x), (plain, near));
                self.style.snapped(mixed, soft)
            } else {
                f32::from(u8::from(mask > 0.5))
            };
        }
    }
}

/// The part of a grid of the size `finest` that is read: around what the mask leaves open as far as the windows of the coarsest grid
/// reach.
fn part(
    mask: &Plane,
    outline: &Outline,
    coarsest: (usize, usize),
    radius: usize,
    finest: (usize, usize),
) -> Option<Part> {
    let is_open = |at: usize, mask: f32| {
        Style::is_open(mask, outline.soft.values[at]) && outline.near.values[at] > 0.0
    };
    let extent = Extent::of(mask, is_open)?;
    // Fits are means of fits to windows, and cells lie between cells.
    let reach = 2 * radius + 3;
    let margin = |cells: usize| (reach * mask.width).div_ceil(cells) + MASK_REACH;
    Some(Part {
        columns: under(&extent.columns, mask.width, margin(coarsest.0), finest.0),
        rows: under(&extent.rows, mask.width, margin(coarsest.1), finest.1),
    })
}

/// The opacity that the fit gives a colour, mixed with that of the mask alone, `plain`; `near` is 1 at the subject's outline.
#[inline]
fn follow(
    [red, green, blue, rest, weight]: &[f32; TERMS],
    [r, g, b]: [f32; 3],
    (plain, near): (f32, f32),
) -> f32 {
    let found = (red * r + green * g + blue * b + rest).clamp(0.0, 1.0);
    plain + near * weight * (found - plain)
}

/// A mask on a level's grid.
struct Ramp {
    /// Opacity by the mask alone.
    plain: Plane,
    /// Weight of what the photo's colours say, 0..=1.
    weight: Plane,
    /// How soft the outline is, 0..=1.
    soft: Plane,
}

impl Ramp {
    fn new(
        mask: &Plane,
        outline: &Outline,
        size: (usize, usize),
        style: Style,
    ) -> Result<Self, CutoutError> {
        // As the mask is enlarged at full size, unless it is made smaller: then every cell of it is to count. By the longer side, so that
        // a turned photo has the turned matte (the reference goes by the width).
        let is_larger = size.0.max(size.1) >= mask.width;
        let mut plain = if is_larger {
            mask.resized(Kernel::cubic, size)?
        } else {
            mask.resized(Kernel::area, size)?
        };
        let mut weight = outline.near.resized(Kernel::linear, size)?;
        let soft = outline.soft.resized(Kernel::linear, size)?;
        let weights = weight.values.iter_mut().zip(&soft.values);
        for (plain, (weight, soft)) in plain.values.iter_mut().zip(weights) {
            let mask = plain.clamp(0.0, 1.0);
            *plain = style.ramp.of(mask);
            if !Style::is_open(mask, *soft) {
                *weight = 0.0;
            }
        }
        Ok(Self {
            plain,
            weight,
            soft,
        })
    }

    /// The weight, as far as the outline is soft.
    fn weight_of_soft(&self) -> Result<Plane, CutoutError> {
        let mut weight = self.weight.try_clone()?;
        for (weight, soft) in weight.values.iter_mut().zip(&self.soft.values) {
            *weight *= soft;
        }
        Ok(weight)
    }

    /// Fits opacity to colours, beginning with the `opacity` that a coarser level has found.
    fn refine(&self, guide: &Guide, level: Level, mut opacity: Plane) -> Result<Fit, CutoutError> {
        let is_wanted = self.wanted_tiles()?;
        let is_wanted = |column: usize, row: usize| is_wanted[row * self.tile_columns() + column];
        let mut pass = 1;
        loop {
            let found = fit(guide, &opacity, level.radius, is_wanted)?;
            if pass == level.passes {
                return Ok(found);
            }
            pass += 1;
            opacity = self.applied(guide, &found, &self.weight)?;
        }
    }

    /// The opacity that `found`, on this grid or a coarser one, makes of the photo's colours where they have a `weight`.
    fn applied(&self, guide: &Guide, found: &Fit, weight: &Plane) -> Result<Plane, CutoutError> {
        let mut opacity = self.plain.try_clone()?;
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
        Ok(opacity)
    }

    fn tile_columns(&self) -> usize {
        self.weight.width.div_ceil(TILE)
    }

    /// Row by row, whether a tile has a cell with a weight, or is so near to one that a finer grid may read it.
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
