//! A mask and its refinement -> opacity at the cells of any grid over the photo, or over a part of it: its pixels are such a grid.

use std::ops::Range;

use super::super::error::CutoutError;
use super::super::zeroed;
use super::bilinear::Bilinear;
use super::guided::TERMS;
use super::kernel::{Kernel, Span};
use super::plane::Plane;
use super::refine::Refinement;

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
    fn on(&self, (width, height): (usize, usize)) -> (Span, Span) {
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
    cells: Vec<[f32; TERMS]>,
    near: Vec<[f32; 1]>,
}

/// What of a matte does not change from row to row.
#[derive(Debug)]
pub(super) struct View {
    /// The mask, as wide as the grid.
    wide: Plane,
    down: Kernel,
    mask_size: (usize, usize),
    /// Where the grid lies on those of the refinement: of its cells, and of what is near the outline.
    bilinear: Option<(Bilinear, Bilinear)>,
}

impl View {
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn new(mask: &Plane, grid: &Grid) -> Result<Self, CutoutError> {
        let (columns, rows) = grid.on((mask.width, mask.height));
        Ok(Self {
            wide: mask.widened(&Kernel::cubic(mask.width, columns)?)?,
            down: Kernel::cubic(mask.height, rows)?,
            mask_size: (mask.width, mask.height),
            bilinear: None,
        })
    }

    /// Lays its grid over that of `refinement`, which each row is to be given from now on.
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
        self.bilinear = Some((on(refinement.size)?, on(self.mask_size)?));
        Ok(())
    }

    /// Room for a row.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn line(&self) -> Result<Line, CutoutError> {
        let (cells, near) = match &self.bilinear {
            Some((cells, near)) => (cells.row_buffer()?, near.row_buffer()?),
            None => (Vec::new(), Vec::new()),
        };
        Ok(Line {
            opacity: zeroed(self.wide.width)?,
            cells,
            near,
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
            cells: between,
            near: near_between,
        } = line;
        opacity.fill(0.0);
        self.wide.mix(self.down.at(y), opacity);
        if let (Some((cells, near)), Some(refinement)) = (&self.bilinear, refinement) {
            let cells = cells.row(&refinement.cells, y, between);
            let near = near.row(refinement.near.values.as_chunks::<1>().0, y, near_between);
            refinement.row(&cells, &near, colour, opacity);
        }
    }
}
