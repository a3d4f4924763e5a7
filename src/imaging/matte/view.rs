//! Converts a mask and its refinement to opacity at the cells of a grid over the photo or a part of it. The pixels of the photo are
//! one such grid.

use std::ops::Range;

use super::super::error::CutoutError;
use super::super::{reserve, zeroed};
use super::bilinear::Bilinear;
use super::guided::TERMS;
use super::kernel::{Kernel, Span};
use super::plane::Plane;
use super::refine::{Refinement, RefinementRow};
use super::runs::{Run, RunKind, RunKinds};
use super::wide::WideRows;

/// A grid over a part of a photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    /// The photo's width and height, in pixels.
    pub(super) photo: (usize, usize),
    /// The covered part of the photo, in pixels.
    pub(super) columns: Range<usize>,
    pub(super) rows: Range<usize>,
    /// Cells across and down.
    pub(super) size: (usize, usize),
}

impl Grid {
    /// A grid with one cell for each pixel of a photo.
    pub(super) fn pixels(photo: (usize, usize)) -> Self {
        Self {
            photo,
            columns: 0..photo.0,
            rows: 0..photo.1,
            size: photo,
        }
    }

    /// The spans of this grid's columns and rows on another grid of that width and height, which covers the whole photo.
    pub(super) fn on(&self, (width, height): (usize, usize)) -> (Span, Span) {
        (
            Span::part(width, self.columns.clone(), self.photo.0, self.size.0),
            Span::part(height, self.rows.clone(), self.photo.1, self.size.1),
        )
    }
}

/// One row of a view, and the buffers to compute it.
#[derive(Debug)]
pub(super) struct OpacityRow {
    /// 0..=1. Columns that the mask alone decides hold old values until [`OpacityRow::complete`] is called.
    pub(super) opacity: Vec<f32>,
    /// Cover the whole row, from left to right.
    pub(super) runs: Vec<Run>,
    wide: WideRows,
    cells: Vec<[f32; TERMS]>,
    outline: Vec<[f32; 2]>,
    projection: Vec<[f32; TERMS]>,
}

impl OpacityRow {
    /// Writes the opacity of the columns that the mask alone decides.
    pub(super) fn complete(&mut self) {
        for Run { columns, kind } in &self.runs {
            match kind {
                RunKind::Ground => self.opacity[columns.clone()].fill(0.0),
                RunKind::Subject => self.opacity[columns.clone()].fill(1.0),
                RunKind::Undecided => {}
            }
        }
    }
}

/// The parts of a matte that are the same for every row.
#[derive(Debug)]
pub(super) struct MatteView {
    pub(super) mask: Plane,
    across: Kernel,
    down: Kernel,
    refined: Option<Refined>,
}

/// The position of a view on a refinement.
#[derive(Debug)]
struct Refined {
    kinds: RunKinds,
    cells: Bilinear,
    /// On the grid of the outline's nearness and softness.
    outline: Bilinear,
    projection: Option<Bilinear>,
}

impl MatteView {
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn new(mask: &Plane, grid: &Grid) -> Result<Self, CutoutError> {
        let (columns, rows) = grid.on((mask.width, mask.height));
        let across = Kernel::cubic(mask.width, columns)?;
        Ok(Self {
            mask: mask.try_clone()?,
            across,
            down: Kernel::cubic(mask.height, rows)?,
            refined: None,
        })
    }

    /// Lays the view's grid over the grid of `refinement`. [`Self::row`] needs the same refinement from now on.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn refine(
        &mut self,
        refinement: &Refinement,
        grid: &Grid,
    ) -> Result<(), CutoutError> {
        let on = |size| {
            let (columns, rows) = grid.on(size);
            Bilinear::of(size, columns, rows)
        };
        self.refined = Some(Refined {
            kinds: RunKinds::new(&self.mask, &self.across, &self.down)?,
            cells: on(refinement.size)?,
            outline: on((self.mask.width, self.mask.height))?,
            projection: match &refinement.projection {
                Some(fit) => Some(on((fit.width, fit.height))?),
                None => None,
            },
        });
        Ok(())
    }

    /// Allocates the buffers for one row.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn line(&self) -> Result<OpacityRow, CutoutError> {
        let mut line = OpacityRow {
            opacity: zeroed(self.across.len())?,
            runs: Vec::new(),
            wide: WideRows::new(&self.across, &self.down)?,
            cells: Vec::new(),
            outline: Vec::new(),
            projection: Vec::new(),
        };
        let Some(refined) = &self.refined else {
            line.runs = reserve(1)?;
            return Ok(line);
        };
        line.runs = refined.kinds.row_buffer()?;
        line.cells = refined.cells.row_buffer()?;
        line.outline = refined.outline.row_buffer()?;
        if let Some(projection) = &refined.projection {
            line.projection = projection.row_buffer()?;
        }
        Ok(line)
    }

    /// Computes row `y`. `colour` returns the colour of a cell, 0..=1 each; it is called only for undecided cells.
    pub(super) fn row(
        &self,
        y: usize,
        refinement: Option<&Refinement>,
        colour: impl Fn(usize) -> [f32; 3],
        line: &mut OpacityRow,
    ) {
        let OpacityRow {
            opacity,
            runs,
            wide,
            cells,
            outline,
            projection,
        } = line;
        let rows = self.down.at(y);
        let mut mix = |columns: Range<usize>, out: &mut [f32]| {
            wide.hold(&self.mask, &self.across, rows.0..rows.0 + rows.1.len());
            wide.mix(rows, columns, out);
        };
        let (Some(refined), Some(refinement)) = (&self.refined, refinement) else {
            runs.clear();
            runs.push(Run {
                columns: 0..opacity.len(),
                kind: RunKind::Undecided,
            });
            mix(0..opacity.len(), opacity);
            return;
        };
        refined.kinds.write(rows.0, runs);
        for Run { columns, .. } in runs.iter().filter(|run| run.kind == RunKind::Undecided) {
            let values = &mut opacity[columns.clone()];
            mix(columns.clone(), values);
            let fit = refined
                .projection
                .as_ref()
                .zip(refinement.projection.as_ref());
            let row = RefinementRow {
                cells: (refined.cells).row(&refinement.cells, y, columns.clone(), cells),
                outline: (refined.outline).row(&refinement.outline, y, columns.clone(), outline),
                projection: fit.map(|(on, fit)| on.row(&fit.cells, y, columns.clone(), projection)),
            };
            refinement.refine_row(&row, columns.clone().zip(values), &colour);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Grid, MatteView, Refinement};
    use crate::config::Edges;
    use crate::imaging::matte::plane::Plane;
    use crate::imaging::matte::style::Style;
    use crate::imaging::matte::tests::{photo, slope, two_colours};

    #[test]
    fn completed_line_has_the_opacity_of_the_whole_row() {
        let photo = photo(&two_colours(320, 320, 160), 320);
        let mask = Plane::square(slope());
        let style = Style::of(Edges::Auto).unwrap();
        let refinement = Refinement::new(&photo, &mask, style).unwrap();
        let grid = Grid::pixels((320, 320));
        let mut view = MatteView::new(&mask, &grid).unwrap();
        view.refine(&refinement, &grid).unwrap();
        let mut line = view.line().unwrap();
        line.opacity.fill(0.5);
        let colour = |x: usize| {
            if x < 160 {
                [0.1, 0.2, 0.8]
            } else {
                [0.9, 0.5, 0.1]
            }
        };
        view.row(100, Some(&refinement), colour, &mut line);
        line.complete();
        assert!(line.opacity[..130].iter().all(|value| *value < 0.01));
        assert!(line.opacity[190..].iter().all(|value| *value > 0.99));
    }
}
