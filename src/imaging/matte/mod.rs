//! Converts a `Mask` and a `Photo` to a `Matte`: the opacity of every pixel of the photo, and the subject's own colour where the
//! subject is not fully opaque. Works row by row from grids of bounded size. Must not hold a matte of the photo's full size.

mod bilinear;
mod contour;
mod extent;
mod foreground;
#[cfg(test)]
mod golden;
mod guide;
mod guided;
mod islands;
mod kernel;
mod levels;
mod means;
mod multilevel;
mod opacity;
mod outline;
mod plane;
mod projection;
#[cfg(test)]
mod properties;
mod ramp;
mod reduce;
mod refine;
#[cfg(test)]
mod robustness;
mod runs;
mod softness;
mod style;
#[cfg(test)]
mod tests;
mod upright;
mod view;
mod wide;

pub(super) use opacity::activate;

use std::ops::Range;

use super::compose::{compose, keep};
use super::error::CutoutError;
use super::photo::Photo;
use super::zeroed;
use crate::config::Edges;
use crate::inference::Mask;
use crate::model::ModelManifest;
use extent::{Extent, under};
use foreground::{Foreground, grid_size, samples};
use islands::drop_dust;
use multilevel::Colours;
use opacity::opacity;
use refine::Refinement;
use runs::{Run, RunKind};
use style::Style;
use upright::{over_neutral, sample, unit};
use view::{Grid, MatteView, OpacityRow};

/// Margin around the subject, in cells: two cells that the enlargement of the mask mixes in, and two cells of background from which
/// the background colour is estimated.
const MARGIN: usize = 4;

/// Opacity of every pixel of a photo.
#[derive(Debug)]
pub(super) struct Matte {
    /// The grid is the pixels of the photo.
    view: MatteView,
    refinement: Option<Refinement>,
    foreground: Option<Foreground>,
}

/// The buffers for one row.
#[derive(Debug)]
pub(super) struct RowScratch {
    line: OpacityRow,
    bytes: Vec<u8>,
    colours: Vec<Colours>,
}

impl Matte {
    /// Lays the mask over the photo. Removes the dust that the model manifest describes, unless edges are off.
    ///
    /// # Errors
    /// `NoSubject` below the confidence floor; `OutOfMemory`.
    pub(super) fn new(
        mask: &Mask,
        manifest: &ModelManifest,
        (width, height): (u32, u32),
        edges: Edges,
    ) -> Result<Self, CutoutError> {
        let mut mask = opacity(mask, manifest)?;
        if let Some(dust) = manifest.dust.filter(|_| edges != Edges::Off) {
            drop_dust(&mut mask, dust)?;
        }
        Ok(Self {
            view: MatteView::new(&mask, &Grid::pixels((width as usize, height as usize)))?,
            refinement: None,
            foreground: None,
        })
    }

    /// Allocates the buffers for one row.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn scratch(&self) -> Result<RowScratch, CutoutError> {
        let line = self.view.line()?;
        Ok(RowScratch {
            bytes: zeroed(line.opacity.len())?,
            line,
            colours: match &self.foreground {
                Some(foreground) => foreground.row_buffer()?,
                None => Vec::new(),
            },
        })
    }

    /// Makes the matte follow the edges of `photo`. Does nothing when edges are off.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn refine(&mut self, photo: &Photo, edges: Edges) -> Result<(), CutoutError> {
        if let Some(style) = Style::of(edges) {
            let refinement = Refinement::new(photo, &self.view.mask, style)?;
            let grid = Grid::pixels((photo.width() as usize, photo.height() as usize));
            self.view.refine(&refinement, &grid)?;
            self.refinement = Some(refinement);
        }
        Ok(())
    }

    /// Finds the subject's own colours. Does nothing when the matte is not refined.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn find_colours(&mut self, photo: &Photo) -> Result<(), CutoutError> {
        let Some(refinement) = &self.refinement else {
            return Ok(());
        };
        let Some(grid) = self.grid_of_subject(photo, refinement) else {
            return Ok(());
        };
        let mut view = MatteView::new(&self.view.mask, &grid)?;
        view.refine(refinement, &grid)?;
        let samples = samples(photo, &grid, view.line()?, |y, cells, line| {
            let colour = |x: usize| [cells[x][0], cells[x][1], cells[x][2]];
            view.row(y, Some(refinement), colour, line);
            line.complete();
        })?;
        self.foreground = Some(Foreground::new(grid, samples)?);
        Ok(())
    }

    /// A grid over the part of the photo that may contain the subject, plus a margin; `None` when all of the photo is background.
    fn grid_of_subject(&self, photo: &Photo, refinement: &Refinement) -> Option<Grid> {
        let mask = &self.view.mask;
        let may_be_subject = |at: usize| refinement.may_be_subject(at, mask.values[at]);
        let extent = Extent::of(mask, may_be_subject)?;
        let over = |cells: &Range<usize>, pixels: u32| {
            let (pixels, side) = (pixels as usize, mask.width);
            // When the photo is smaller than the mask, one pixel averages several cells.
            under(cells, side, MARGIN * side.div_ceil(pixels), pixels)
        };
        let columns = over(&extent.columns, photo.width());
        let rows = over(&extent.rows, photo.height());
        Some(Grid {
            photo: (photo.width() as usize, photo.height() as usize),
            size: grid_size((columns.len(), rows.len())),
            columns,
            rows,
        })
    }

    /// Applies the matte to row `y` of the photo (straight alpha): multiplies the row's own alpha by the matte. Sets the colour of
    /// fully transparent pixels to zero, so that the cutout contains no background and the PNG compresses well.
    ///
    /// Returns the greatest alpha of the row.
    pub(super) fn apply(&self, y: u32, pixels: &mut [[u8; 4]], scratch: &mut RowScratch) -> u8 {
        let y = y as usize;
        let RowScratch {
            line,
            bytes,
            colours,
        } = scratch;
        let refinement = self.refinement.as_ref();
        self.view.row(y, refinement, |x| seen(pixels[x]), line);
        let mut greatest = 0;
        for Run { columns, kind } in &line.runs {
            let pixels = &mut pixels[columns.clone()];
            let of_run = match kind {
                RunKind::Ground => {
                    pixels.fill([0; 4]);
                    0
                }
                RunKind::Subject => keep(pixels),
                RunKind::Undecided => {
                    let bytes = &mut bytes[columns.clone()];
                    let opacity = &line.opacity[columns.clone()];
                    for (byte, value) in bytes.iter_mut().zip(opacity) {
                        *byte = sample(*value);
                    }
                    if let Some(foreground) = &self.foreground {
                        foreground.put((y, columns.clone()), pixels, bytes, colours);
                    }
                    compose(pixels, bytes)
                }
            };
            greatest = greatest.max(of_run);
        }
        greatest
    }
}

/// The colour of a pixel, 0..=1. A pixel that is not opaque is composited over neutral grey.
#[inline]
fn seen(pixel: [u8; 4]) -> [f32; 3] {
    let [r, g, b, _] = if pixel[3] == 255 {
        pixel
    } else {
        over_neutral(pixel)
    };
    [r, g, b].map(unit)
}
