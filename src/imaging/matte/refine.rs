//! Refines a mask along the edges of the photo: a guided filter for colour guides (He, Sun, Tang 2013; 2015) on grids from coarse
//! to fine. Each grid starts from the result of the coarser one. The size of the grids does not depend on the photo.

use super::super::error::CutoutError;
use super::super::photo::Photo;
use super::bilinear::BilinearRow;
use super::extent::{Extent, under, within};
use super::guide::{Guide, coarsen, reduced};
use super::guided::{Fit, TERMS};
use super::levels::{Level, levels};
use super::outline::Outline;
use super::plane::Plane;
use super::projection::{projected, projection};
use super::ramp::Ramp;
use super::runs::{OVERSHOOT, is_open_around};
use super::style::{Stretch, Style};

/// Shares of the opacity's variance that the photo's colours explain. Below the range the fit has no weight, above it full weight.
const EXPLAINED: Stretch = Stretch::new(0.5, 0.8);

/// When the mask is enlarged, undecided cells make cells within this radius undecided as well.
const CUBIC_REACH: usize = 3;

/// The opacity as a function of colour, around each part of a photo.
#[derive(Debug)]
pub(super) struct Refinement {
    style: Style,
    /// As in [`Fit`], except that the last number is the weight of the fit, 0..=1.
    pub(super) cells: Vec<[f32; TERMS]>,
    /// Width and height of the grid of `cells`.
    pub(super) size: (usize, usize),
    /// On the mask's grid: nearness and softness of the subject's outline, 0..=1 each.
    pub(super) outline: Vec<[f32; 2]>,
    /// Projection on the certain colours; `None` when the outline is soft nowhere.
    pub(super) projection: Option<Fit>,
}

/// The grids of a refinement, interpolated along a row of a picture.
pub(super) struct RefinementRow<'a> {
    pub(super) cells: BilinearRow<'a, TERMS>,
    pub(super) outline: BilinearRow<'a, 2>,
    pub(super) projection: Option<BilinearRow<'a, TERMS>>,
}

impl Refinement {
    /// `mask` is square, with values 0..=1.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn new(photo: &Photo, mask: &Plane, style: Style) -> Result<Self, CutoutError> {
        let picture = (photo.width() as usize, photo.height() as usize);
        let outline = Outline::new(mask, style.softness)?;
        let levels = levels(picture.0.max(picture.1), outline.has_soft());
        let part = part(mask, &outline, &levels, picture);
        let finest = levels[levels.len() - 1].size(picture);
        let guide = reduced(photo, finest, part.as_ref())?;
        let guide = (&guide, part.as_ref());
        Self::fitted(mask, outline, guide, (&levels, picture), style)
    }

    /// Fits the opacity to the colours of `guide`, which lies on the grid of the finest of `levels` and is valid within `part`.
    fn fitted(
        mask: &Plane,
        outline: Outline,
        (guide, part): (&Guide, Option<&Extent>),
        (levels, picture): (&[Level], (usize, usize)),
        style: Style,
    ) -> Result<Self, CutoutError> {
        let is_of_all = |level: &Level| !level.is_for_soft;
        let projected_at = levels
            .iter()
            .position(is_of_all)
            .filter(|_| outline.has_soft());
        let finest = (guide[0].width, guide[0].height);
        let mut projection = None;
        let mut found = Fit::default();
        let mut opacity = Plane::default();
        let mut ramp = Ramp::default();
        let mut coarse = Guide::default();
        for (at, level) in levels.iter().enumerate() {
            let guide = if at + 1 == levels.len() {
                guide
            } else {
                coarsen(guide, level.size(picture), &mut coarse)?;
                &coarse
            };
            ramp.lay(mask, &outline, level.size(picture), style)?;
            match levels[..at].last() {
                None => opacity.copy_from(&ramp.plain)?,
                Some(coarser) if coarser.is_for_soft => {
                    let weight = ramp.weight_of_soft(&outline)?;
                    ramp.apply(guide, &found, &weight, &mut opacity)?;
                }
                Some(_) => ramp.apply(guide, &found, &ramp.weight, &mut opacity)?,
            }
            ramp.refine(guide, *level, &mut opacity, &mut found)?;
            if let Some(part) = part.filter(|_| projected_at == Some(at)) {
                ramp.apply(guide, &found, &ramp.weight, &mut opacity)?;
                projection = projected_on(guide, &opacity, part, finest)?;
            }
        }
        let Fit {
            width,
            height,
            mut cells,
        } = found;
        for [.., share] in &mut cells {
            *share = EXPLAINED.of(*share);
        }
        Ok(Self {
            style,
            cells,
            size: (width, height),
            outline: outline.cells,
            projection,
        })
    }

    /// Whether the matte may be above 0 around cell `at` of the mask, whose opacity is `mask`.
    pub(super) fn may_be_subject(&self, at: usize, mask: f32) -> bool {
        let [near, soft] = self.outline[at];
        // The greatest value that the cubic kernel can produce.
        let mask = OVERSHOOT * mask;
        let has_weight = near > 0.0 && Style::is_open(mask.min(0.5), soft);
        has_weight || self.style.ramp.of(mask) > 0.0
    }

    /// Refines a part of a row of a picture. Each item of `opacity` is a column and its opacity in the enlarged mask, which is
    /// replaced by that of the matte. `row` must cover the same part; `colour` returns the colour of a pixel, 0..=1 each.
    pub(super) fn refine_row<'a>(
        &self,
        row: &RefinementRow<'_>,
        opacity: impl Iterator<Item = (usize, &'a mut f32)>,
        colour: impl Fn(usize) -> [f32; 3],
    ) {
        for (x, value) in opacity {
            let mask = *value;
            let [near, soft] = row.outline.at(x);
            *value = if Style::is_open(mask, soft) {
                let plain = self.style.ramp.of(mask);
                let colour = colour(x);
                let mut mixed = follow(&row.cells.at(x), colour, (plain, near));
                if let Some(terms) = row.projection.as_ref().filter(|_| near * soft > 0.0) {
                    mixed = projected(&terms.at(x), colour, (mixed, near * soft));
                }
                self.style.snapped(mixed, soft)
            } else {
                f32::from(u8::from(mask > 0.5))
            };
        }
    }
}

/// The part of the finest grid that is read: the area around undecided cells of the mask, extended by the reach of the coarsest
/// grid's windows.
fn part(
    mask: &Plane,
    outline: &Outline,
    levels: &[Level],
    picture: (usize, usize),
) -> Option<Extent> {
    let is_open = |at: usize| outline.cells[at][0] > 0.0 && is_open_around(mask, at);
    let extent = Extent::of(mask, is_open)?;
    let (coarsest, finest) = (levels[0], levels[levels.len() - 1].size(picture));
    // In cells of the coarsest grid: two windows of an averaged fit, one cell for interpolation, one cell that covers a mask cell
    // in part, and one that covers a cell of the finest grid in part.
    let reach = 2 * coarsest.radius + 3;
    let (columns, rows) = coarsest.size(picture);
    let margin = |cells: usize| (reach * mask.width).div_ceil(cells) + CUBIC_REACH;
    Some(Extent {
        columns: under(&extent.columns, mask.width, margin(columns), finest.0),
        rows: under(&extent.rows, mask.width, margin(rows), finest.1),
    })
}

/// Mixes the fitted opacity of a colour with `plain`, the opacity from the mask alone; `near` is 1 at the subject's outline.
#[inline]
fn follow(
    [red, green, blue, rest, weight]: &[f32; TERMS],
    [r, g, b]: [f32; 3],
    (plain, near): (f32, f32),
) -> f32 {
    let found = (red * r + green * g + blue * b + rest).clamp(0.0, 1.0);
    plain + near * weight * (found - plain)
}

/// Computes the projection on the grid of `opacity` and `guide`. The guide is valid within `part` of a grid of size `finest`.
fn projected_on(
    guide: &Guide,
    opacity: &Plane,
    part: &Extent,
    finest: (usize, usize),
) -> Result<Option<Fit>, CutoutError> {
    let part = Extent {
        columns: within(&part.columns, finest.0, opacity.width),
        rows: within(&part.rows, finest.1, opacity.height),
    };
    projection(guide, opacity, &part)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Extent, Level, Outline, Refinement, Style, is_open_around, levels, part, reduced};
    use crate::config::Edges;
    use crate::imaging::matte::plane::Plane;
    use crate::imaging::matte::tests::{noise, photo, two_colours};

    /// A mask with a small disc whose edge rises over 2 cells on the left and over 8 on the right.
    fn mask() -> Plane {
        let cell = |at: u16| {
            let (x, y) = (f32::from(at % 128) - 60.0, f32::from(at / 128) - 70.0);
            let width = if x < 0.0 { 2.0 } else { 8.0 };
            ((10.0 - x.hypot(y)) / width + 0.5).clamp(0.0, 1.0)
        };
        Plane::square((0..128 * 128).map(cell).collect())
    }

    /// Fails when a window reads outside the part of the photo that is read.
    #[test]
    fn part_that_is_read_is_enough() {
        let mask = mask();
        let picture = (1100, 400);
        let photo = photo(&noise(1100 * 400), 1100);
        for edges in [Edges::Auto, Edges::Soft, Edges::Hard] {
            let style = Style::of(edges).unwrap();
            let outline = || Outline::new(&mask, style.softness).unwrap();
            let levels: Vec<Level> = levels(1100, edges != Edges::Hard);
            let size = levels[levels.len() - 1].size(picture);
            let read = part(&mask, &outline(), &levels, picture).unwrap();
            let whole = Extent {
                columns: 0..size.0,
                rows: 0..size.1,
            };
            assert!(read.columns.len() < 400 && read.columns.len() < whole.columns.len());
            let [ours, expected] = [&read, &whole].map(|part| {
                let guide = reduced(&photo, size, Some(part)).unwrap();
                let guide = (&guide, Some(part));
                Refinement::fitted(&mask, outline(), guide, (&levels, picture), style).unwrap()
            });
            let mut count = 0;
            for at in (0..128 * 128).filter(|at| is_open_around(&mask, *at)) {
                if ours.outline[at][0] > 0.0 {
                    let (x, y) = (at % 128 * size.0 / 128, at / 128 * size.1 / 128);
                    let cell = y * size.0 + x;
                    let pairs = ours.cells[cell].iter().zip(&expected.cells[cell]);
                    let off = pairs
                        .map(|(ours, theirs)| (ours - theirs).abs())
                        .fold(0.0, f32::max);
                    // Sliding sums within a tile cause small rounding differences.
                    assert!(off < 1e-3, "{edges}, {x}, {y}: {off}");
                    count += 1;
                }
            }
            assert!(count > 100, "{count}");
        }
    }

    /// Fails when certain colours are taken from parts of the photo that are not read.
    #[test]
    fn what_is_not_read_tells_no_colours() {
        let mask = mask();
        let picture = (1100, 1100);
        let photo = photo(&two_colours(1100, 1100, 500), 1100);
        let style = Style::of(Edges::Auto).unwrap();
        let outline = || Outline::new(&mask, style.softness).unwrap();
        let levels: Vec<Level> = levels(1100, true);
        let size = levels[levels.len() - 1].size(picture);
        let part = part(&mask, &outline(), &levels, picture).unwrap();
        let mut guide = reduced(&photo, size, Some(&part)).unwrap();
        let mut projection = || {
            let found = Refinement::fitted(
                &mask,
                outline(),
                (&guide, Some(&part)),
                (&levels, picture),
                style,
            );
            for plane in &mut guide {
                let read: BTreeSet<usize> = part.cells(size.0).collect();
                let cells = plane.values.iter_mut().enumerate();
                cells.for_each(|(at, value)| {
                    if !read.contains(&at) {
                        *value = 1.0;
                    }
                });
            }
            found.unwrap().projection.unwrap().cells
        };
        let (black, white) = (projection(), projection());
        assert!(black.iter().any(|terms| terms[4] > 0.5));
        assert_eq!(black, white);
    }
}
