//! Converts a mask and the configured softness to the nearness and softness of the subject's outline in each cell.

use super::super::error::CutoutError;
use super::bilinear::Bilinear;
use super::contour::nearness;
use super::plane::Plane;
use super::softness::{rises, softness};
use super::style::Softness;

/// The subject's outline, on the mask's grid.
#[derive(Debug)]
pub(super) struct Outline {
    /// Nearness of the outline and its softness, 0..=1 each. At nearness 0 the photo has no influence.
    pub(super) cells: Vec<[f32; 2]>,
    width: usize,
}

impl Outline {
    pub(super) fn new(mask: &Plane, kind: Softness) -> Result<Self, CutoutError> {
        let mut cells = rises(mask)?;
        if kind == Softness::Everywhere {
            cells.fill([1.0; 2]);
        } else {
            let soft = match kind {
                Softness::ByMask => softness(mask, &cells)?,
                Softness::Nowhere | Softness::Everywhere => Plane::zeros(mask.width, mask.height)?,
            };
            let near = nearness(mask, &soft)?;
            let both = near.values.iter().zip(&soft.values);
            for (cell, (near, soft)) in cells.iter_mut().zip(both) {
                *cell = [*near, *soft];
            }
        }
        Ok(Self {
            cells,
            width: mask.width,
        })
    }

    /// Whether the outline is soft anywhere, even slightly.
    pub(super) fn has_soft(&self) -> bool {
        self.cells.iter().any(|[_, soft]| *soft > 0.0)
    }

    /// Maps the pixels of a picture to the cells.
    pub(super) fn under(&self, picture: (usize, usize)) -> Result<Bilinear, CutoutError> {
        Bilinear::new((self.width, self.cells.len() / self.width), picture)
    }
}
