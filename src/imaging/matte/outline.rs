//! Converts a mask and the configured softness to the nearness and softness of the subject's outline in each cell.

use super::super::error::CutoutError;
use super::super::reserve;
use super::contour::nearness;
use super::plane::Plane;
use super::softness::softness;
use super::style::Softness;

/// Values on the mask's grid, 0..=1 each.
#[derive(Debug)]
pub(super) struct Outline {
    /// Nearness of the outline. At 0 the photo has no influence.
    pub(super) near: Plane,
    /// Softness of the outline.
    pub(super) soft: Plane,
}

impl Outline {
    pub(super) fn new(mask: &Plane, kind: Softness) -> Result<Self, CutoutError> {
        let soft = match kind {
            Softness::ByMask => softness(mask)?,
            Softness::Nowhere => Plane::zeros(mask.width, mask.height)?,
            Softness::Everywhere => everywhere(mask)?,
        };
        let near = match kind {
            Softness::ByMask | Softness::Nowhere => nearness(mask, &soft)?,
            Softness::Everywhere => everywhere(mask)?,
        };
        Ok(Self { near, soft })
    }

    /// Whether the outline is soft anywhere, even slightly.
    pub(super) fn has_soft(&self) -> bool {
        self.soft.values.iter().any(|soft| *soft > 0.0)
    }

    /// Nearness and softness of each cell.
    pub(super) fn cells(&self) -> Result<Vec<[f32; 2]>, CutoutError> {
        let mut cells = reserve(self.near.values.len())?;
        let both = self.near.values.iter().zip(&self.soft.values);
        cells.extend(both.map(|(near, soft)| [*near, *soft]));
        Ok(cells)
    }
}

fn everywhere(mask: &Plane) -> Result<Plane, CutoutError> {
    let mut plane = Plane::zeros(mask.width, mask.height)?;
    plane.values.fill(1.0);
    Ok(plane)
}
