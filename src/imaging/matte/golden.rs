//! Compares mattes of the photos in `tests/data/edges/` with reference mattes of the same method in numpy and pymatting.
//!
//! `NAME.mask.png` is the student's mask of `NAME.photo.png`, `NAME.alpha.png` the reference matte. `hairs` is a drawing with a
//! known `truth`.

use super::Matte;
use super::foreground::{Foreground, grid_size, samples};
use super::plane::Plane;
use super::reduce::Reducer;
use super::tests::manifest;
use super::view::{Grid, MatteView};
use crate::config::Edges;
use crate::imaging::format::decode_any;
use crate::imaging::photo::Photo;
use crate::inference::Mask;
use crate::model::Activation;

/// The mean error of pymatting 1.1.13 (`estimate_foreground_ml`) on `hairs`, in levels of 255, weighted by opacity.
const ERROR_OF_PYMATTING: f64 = 4.70;

/// A file of `tests/data/edges/`, decoded.
macro_rules! open {
    ($file:literal) => {
        open(include_bytes!(concat!(
            "../../../tests/data/edges/",
            $file,
            ".png"
        )))
    };
}

fn open(file: &[u8]) -> Photo {
    decode_any(file, 1).unwrap().0
}

fn pixels(photo: &Photo) -> Vec<[u8; 4]> {
    let mut pixels = vec![[0; 4]; (photo.width() * photo.height()) as usize];
    photo.strip(0, &mut pixels);
    pixels
}

/// Cuts out the photo with the matte of this mask.
fn cutout(photo: &Photo, mask: &Photo, edges: Edges) -> Vec<[u8; 4]> {
    let values = pixels(mask).into_iter();
    let values = values.map(|pixel| f32::from(pixel[0]) / 255.0);
    let mask = Mask::new(values.collect(), mask.width());
    let size = (photo.width(), photo.height());
    let mut matte = Matte::new(&mask, &manifest(Activation::None, false), size, edges).unwrap();
    matte.refine(photo, edges).unwrap();
    let mut scratch = matte.scratch().unwrap();
    let mut cutout = pixels(photo);
    for (y, row) in (0..).zip(cutout.chunks_exact_mut(photo.width() as usize)) {
        matte.apply(y, row, &mut scratch);
    }
    cutout
}

/// Fails when the matte differs from the reference by more than 2 of 255 anywhere: on two, three and four grids, at fur (`small`,
/// `upright`, `wide`) and at hard outlines (`cup`, `head`), for landscape and portrait photos.
#[test]
fn matte_is_that_of_the_reference() {
    let small = [
        open!("small.photo"),
        open!("small.mask"),
        open!("small.alpha"),
    ];
    let upright = [
        open!("upright.photo"),
        open!("upright.mask"),
        open!("upright.alpha"),
    ];
    let wide = [open!("wide.photo"), open!("wide.mask"), open!("wide.alpha")];
    let cup = [open!("cup.photo"), open!("cup.mask"), open!("cup.alpha")];
    let head = [open!("head.photo"), open!("head.mask"), open!("head.alpha")];
    for photos in [small, upright, wide, cup, head] {
        assert_near(&photos, Edges::Auto);
    }
}

/// As above, for the other values of `edges`.
#[test]
fn soft_and_hard_mattes_are_those_of_the_reference() {
    for (edges, alpha) in [
        (Edges::Soft, open!("small.soft")),
        (Edges::Hard, open!("small.hard")),
    ] {
        assert_near(&[open!("small.photo"), open!("small.mask"), alpha], edges);
    }
}

/// Arguments: the photo, its mask, the expected matte.
#[track_caller]
fn assert_near([photo, mask, alpha]: &[Photo; 3], edges: Edges) {
    let (ours, theirs) = (cutout(photo, mask, edges), pixels(alpha));
    assert_eq!(ours.len(), theirs.len());
    let pairs = ours.into_iter().zip(theirs);
    let worst = pairs
        .map(|(ours, theirs)| ours[3].abs_diff(theirs[0]))
        .max();
    assert!(
        worst.unwrap() <= 2,
        "{edges}, {} wide: {worst:?}",
        photo.width()
    );
}

/// Fails when the colours of hairs are more than a tenth further from the truth than pymatting's colours from the true matte.
#[test]
fn colours_of_hairs_are_as_near_to_the_truth_as_those_of_pymatting() {
    let (photo, truth) = (open!("hairs.photo"), pixels(&open!("hairs.truth")));
    let (width, height) = (photo.width() as usize, photo.height() as usize);
    let opacity: Vec<u8> = truth.iter().map(|pixel| pixel[3]).collect();
    let grid = Grid {
        size: grid_size((width, height)),
        ..Grid::pixels((width, height))
    };
    let mut reducer = Reducer::new(grid.photo, grid.on(grid.photo)).unwrap();
    let mut of_grid: Vec<Vec<f32>> = Vec::new();
    for row in opacity.chunks_exact(width) {
        let row: Vec<[u8; 4]> = row.iter().map(|opacity| [*opacity; 4]).collect();
        reducer.push(&row, |cells| {
            of_grid.push(cells.iter().map(|cell| cell[3]).collect());
        });
    }
    let view = MatteView::new(&Plane::square(vec![1.0]), &grid).unwrap();
    let samples = samples(&photo, &grid, view.line().unwrap(), |y, _, line| {
        line.opacity.copy_from_slice(&of_grid[y]);
    });
    let foreground = Foreground::new(grid, samples.unwrap()).unwrap();
    let before = pixels(&photo);
    let mut after = before.clone();
    for (y, row) in after.chunks_exact_mut(width).enumerate() {
        let opacity = &opacity[y * width..(y + 1) * width];
        foreground.put((y, 0..width), row, opacity, &mut Vec::new());
    }
    let (before, after) = (error(&before, &truth), error(&after, &truth));
    assert!(before > 25.0, "the ground shows through: {before}");
    assert!(after <= 1.1 * ERROR_OF_PYMATTING, "{after}");
}

/// The mean error of half-transparent pixels, weighted by opacity.
fn error(pixels: &[[u8; 4]], truth: &[[u8; 4]]) -> f64 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (pixel, truth) in pixels.iter().zip(truth) {
        if matches!(truth[3], 1..=254) {
            let off: u32 = (0..3).map(|c| u32::from(pixel[c].abs_diff(truth[c]))).sum();
            sum += f64::from(off) / 3.0 * f64::from(truth[3]);
            weights += f64::from(truth[3]);
        }
    }
    sum / weights
}
