//! Converts a photo to its colours on a grid. Each cell is the mean of the area that it covers.

use super::super::error::CutoutError;
use super::super::photo::Photo;
use super::extent::Extent;
use super::kernel::{Kernel, Span};
use super::plane::Plane;
use super::reduce::reduce;

/// Red, green and blue, 0..=1.
pub(super) type Guide = [Plane; 3];

/// Reduces the photo to a grid of that width and height. Cells outside `part` are 0; without a `part`, all cells are.
pub(super) fn reduced(
    photo: &Photo,
    (width, height): (usize, usize),
    part: Option<&Extent>,
) -> Result<Guide, CutoutError> {
    let picture = (photo.width() as usize, photo.height() as usize);
    let [mut red, mut green, mut blue] = empty_guide((width, height))?;
    let Some(Extent { columns, rows }) = part else {
        return Ok([red, green, blue]);
    };
    let spans = (
        Span::part(picture.0, columns.clone(), width, columns.len()),
        Span::part(picture.1, rows.clone(), height, rows.len()),
    );
    let mut start = rows.start * width + columns.start;
    reduce(photo, spans, |cells| {
        for (x, [r, g, b, _]) in cells.iter().enumerate() {
            red.values[start + x] = *r;
            green.values[start + x] = *g;
            blue.values[start + x] = *b;
        }
        start += width;
    })?;
    Ok([red, green, blue])
}

fn empty_guide((width, height): (usize, usize)) -> Result<Guide, CutoutError> {
    let plane = || Plane::zeros(width, height);
    Ok([plane()?, plane()?, plane()?])
}

/// Reduces the guide to a coarser grid, and writes the result into `coarse`. It equals the reduced photo, except where the sides
/// are not multiples of the coarser sides.
pub(super) fn coarsen(
    guide: &Guide,
    size: (usize, usize),
    coarse: &mut Guide,
) -> Result<(), CutoutError> {
    for (fine, coarse) in guide.iter().zip(coarse) {
        coarse.resize_from(fine, Kernel::area, size)?;
    }
    Ok(())
}
