//! A photo -> its colours on a grid, each cell the mean of what it covers.

use super::super::error::CutoutError;
use super::super::photo::Photo;
use super::kernel::Kernel;
use super::plane::Plane;
use super::reduce::Reducer;
use super::upright::each_row;

/// Red, green and blue, 0..=1.
pub(super) type Guide = [Plane; 3];

/// The whole photo on a grid.
pub(super) fn reduced(photo: &Photo, grid: (usize, usize)) -> Result<Guide, CutoutError> {
    let picture = (photo.width() as usize, photo.height() as usize);
    let mut reducer = Reducer::new(picture, grid)?;
    let [mut red, mut green, mut blue] = empty_guide(grid)?;
    let mut start = 0;
    each_row(photo, 0..photo.height(), |row| {
        reducer.push(row, |cells| {
            for (x, [r, g, b, _]) in cells.iter().enumerate() {
                red.values[start + x] = *r;
                green.values[start + x] = *g;
                blue.values[start + x] = *b;
            }
            start += cells.len();
        });
    })?;
    Ok([red, green, blue])
}

fn empty_guide((width, height): (usize, usize)) -> Result<Guide, CutoutError> {
    let plane = || Plane::zeros(width, height);
    Ok([plane()?, plane()?, plane()?])
}

/// The same on a coarser grid.
pub(super) fn coarser(guide: &Guide, size: (usize, usize)) -> Result<Guide, CutoutError> {
    let [red, green, blue] = guide;
    let resized = |plane: &Plane| plane.resized(Kernel::area, size);
    Ok([resized(red)?, resized(green)?, resized(blue)?])
}
