//! A mask and its refinement -> opacity at the cells of any grid over the photo, or over a part of it: its pixels are such a grid.

use std::ops::Range;

use super::super::error::CutoutError;
use super::super::zeroed;
use super::bilinear::Bilinear;
use super::guided::TERMS;
use super::kernel::{Kernel, Span};
use super::plane::Plane;
use super::refine::Refinement;
use super::runs::{Run, Verdict, Verdicts};
use super::style::Style;

/// A grid over a part of a photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    /// The photo's width and height, in pixels.
    pub(super) photo: (usize, usize),
    /// The part of it, in pixels.
    pub(super) columns: Range<usize>,
    pub(super) rows: Range<usize>,
    /// Cells across and down.
    pub(super) size: (usize, usize),
}

impl Grid {
    /// Each pixel of a photo.
    pub(super) fn pixels(photo: (usize, usize)) -> Self {
        Self {
            photo,
            columns: 0..photo.0,
            rows: 0..photo.1,
            size: photo,
        }
    }

    /// Where its columns and rows lie on another grid over the whole photo, of that width and height.
    pub(super) fn on(&self, (width, height): (usize, usize)) -> (Span, Span) {
        (
            Span::part(width, self.columns.clone(), self.photo.0, self.size.0),
            Span::part(height, self.rows.clone(), self.photo.1, self.size.1),
        )
    }
}

/// One row of a view, and what it is made with.
#[derive(Debug)]
pub(super) struct Line {
    /// 0..=1.
    pub(super) opacity: Vec<f32>,
    /// Over all of the row, from left to right.
    pub(super) runs: Vec<Run>,
    cells: Vec<[f32; TERMS]>,
    outline: Vec<[f32; 2]>,
}

/// What of a matte does not change from row to row.
#[derive(Debug)]
pub(super) struct View {
    /// The mask, as wide as the grid.
    wide: Plane,
    across: Kernel,
    down: Kernel,
    refined: Option<Refined>,
}

/// How a view lies on a refinement.
#[derive(Debug)]
struct Refined {
    verdicts: Verdicts,
    cells: Bilinear,
    /// On what is known of the outline.
    outline: Bilinear,
}

impl View {
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn new(mask: &Plane, grid: &Grid) -> Result<Self, CutoutError> {
        let (columns, rows) = grid.on((mask.width, mask.height));
        let across = Kernel::cubic(mask.width, columns)?;
        Ok(Self {
            wide: mask.widened(&across)?,
            across,
            down: Kernel::cubic(mask.height, rows)?,
            refined: None,
        })
    }

    /// Lays its grid over that of `refinement`, which each row is to be given from now on; `mask` is that of the view.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn refine(
        &mut self,
        mask: &Plane,
        refinement: &Refinement,
        grid: &Grid,
    ) -> Result<(), CutoutError> {
        let on = |size| {
            let (columns, rows) = grid.on(size);
            Bilinear::of(size, columns, rows)
        };
        self.refined = Some(Refined {
            verdicts: Verdicts::new(mask, &self.across, &self.down, Style::decided())?,
            cells: on(refinement.size)?,
            outline: on((mask.width, mask.height))?,
        });
        Ok(())
    }

    /// Room for a row.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn line(&self) -> Result<Line, CutoutError> {
        let (cells, outline) = match &self.refined {
            Some(refined) => (refined.cells.row_buffer()?, refined.outline.row_buffer()?),
            None => (Vec::new(), Vec::new()),
        };
        Ok(Line {
            opacity: zeroed(self.wide.width)?,
            runs: Vec::new(),
            cells,
            outline,
        })
    }

    /// Makes row `y`. `colour` gives that of a cell, 0..=1 each, and is asked where it matters.
    pub(super) fn row(
        &self,
        y: usize,
        refinement: Option<&Refinement>,
        colour: impl Fn(usize) -> [f32; 3],
        line: &mut Line,
    ) {
        let Line {
            opacity,
            runs,
            cells,
            outline,
        } = line;
        let rows = self.down.at(y);
        let (Some(refined), Some(refinement)) = (&self.refined, refinement) else {
            runs.clear();
            runs.push(Run {
                columns: 0..self.wide.width,
                verdict: Verdict::Undecided,
            });
            opacity.fill(0.0);
            self.wide.mix(rows, 0..self.wide.width, opacity);
            return;
        };
        refined.verdicts.write(rows.0, runs);
        for Run { columns, verdict } in runs.iter() {
            let is_whole = *verdict == Verdict::Subject;
            opacity[columns.clone()].fill(f32::from(u8::from(is_whole)));
        }
        for Run { columns, .. } in runs.iter().filter(|run| run.verdict == Verdict::Undecided) {
            let columns = columns.clone();
            let opacity = &mut opacity[columns.clone()];
            self.wide.mix(rows, columns.clone(), opacity);
            let cells = refined
                .cells
                .row(&refinement.cells, y, columns.clone(), cells);
            let outline = refined
                .outline
                .row(&refinement.outline, y, columns.clone(), outline);
            refinement.row(&cells, &outline, columns.zip(opacity), &colour);
        }
    }
}
