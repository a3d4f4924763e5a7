//! Masks and photos whose matte can be computed by hand.

use std::path::PathBuf;

use image::metadata::Orientation;

use super::Matte;
use crate::config::Edges;
use crate::imaging::error::CutoutError;
use crate::imaging::photo::{Channels, Colour, Photo, Stored};
use crate::inference::Mask;
use crate::model::{Activation, Divisor, ModelManifest};

pub(super) fn manifest(activation: Activation, stretch: bool) -> ModelManifest {
    ModelManifest {
        name: String::new(),
        file: PathBuf::new(),
        sha256: [0; 32],
        input: String::new(),
        size: 4,
        output: String::new(),
        divisor: Divisor::Full,
        mean: [0.0; 3],
        std: [1.0; 3],
        activation,
        stretch,
        dust: None,
        golden: None,
    }
}

pub(super) fn photo(pixels: &[[u8; 4]], width: u32) -> Photo {
    let stored = Stored {
        samples: pixels.as_flattened().to_vec(),
        channels: Channels::Rgba,
        width,
        height: u32::try_from(pixels.len()).unwrap() / width,
    };
    Photo::new(stored, Orientation::NoTransforms, Colour::Untagged, None).unwrap()
}

/// The cutout of `photo` by a mask of opacities.
pub(super) fn cutout(
    mask: &[f32],
    manifest: &ModelManifest,
    (pixels, width): (&[[u8; 4]], u32),
    edges: Edges,
) -> Result<Vec<[u8; 4]>, CutoutError> {
    let mask = Mask::new(mask.to_vec(), u32::try_from(mask.len().isqrt()).unwrap());
    let photo = photo(pixels, width);
    let size = (photo.width(), photo.height());
    let mut matte = Matte::new(&mask, manifest, size, edges)?;
    matte.refine(&photo, edges)?;
    matte.find_colours(&photo)?;
    let mut scratch = matte.scratch()?;
    let mut pixels = pixels.to_vec();
    for (y, row) in (0..).zip(pixels.chunks_exact_mut(width as usize)) {
        matte.apply(y, row, &mut scratch);
    }
    Ok(pixels)
}

/// Opaque pixels of random colours.
pub(super) fn noise(pixels: u32) -> Vec<[u8; 4]> {
    let noise = (0..pixels).map(|i| i.wrapping_mul(2_654_435_761).rotate_left(13).to_le_bytes());
    noise.map(|[r, g, b, _]| [r, g, b, 255]).collect()
}

/// A mask of 64 x 64 that rises from 0 to 1 over the cells 29 to 35 of each row.
pub(super) fn slope() -> Vec<f32> {
    let cells = (0..4096_u16).map(|at| (f32::from(at % 64) - 28.5) / 6.0);
    cells.map(|value| value.clamp(0.0, 1.0)).collect()
}

/// A mask of 64 x 64 with a disc of radius `size` whose edge rises over 2 cells.
pub(super) fn disc(size: f32) -> Vec<f32> {
    let away = |at: u16| f32::from(at) - 31.5;
    let cells = (0..4096_u16).map(|at| away(at % 64).hypot(away(at / 64)));
    cells
        .map(|radius| ((size - radius) / 2.0 + 0.5).clamp(0.0, 1.0))
        .collect()
}

/// A photo with a blue part on the left and an orange part from column `edge` on.
pub(super) fn two_colours(width: u32, height: u32, edge: u32) -> Vec<[u8; 4]> {
    let pixel = |at: u32| {
        if at % width < edge {
            [30, 60, 200, 255]
        } else {
            [240, 140, 20, 255]
        }
    };
    (0..width * height).map(pixel).collect()
}

/// The opacity of a white photo, with edges off.
fn plain(
    values: &[f32],
    manifest: &ModelManifest,
    sides: (u32, u32),
) -> Result<Vec<u8>, CutoutError> {
    let pixels = vec![[255; 4]; (sides.0 * sides.1) as usize];
    let cutout = cutout(values, manifest, (&pixels, sides.0), Edges::Off)?;
    Ok(cutout.iter().map(|pixel| pixel[3]).collect())
}

#[test]
fn mask_of_the_photo_s_size_is_the_matte() {
    let values: [f32; 16] = std::array::from_fn(|i| f32::from(u8::try_from(i).unwrap()) / 15.0);
    let expected: Vec<u8> = (0..16).map(|i| i * 17).collect();
    assert_eq!(
        plain(&values, &manifest(Activation::None, false), (4, 4)).unwrap(),
        expected
    );
}

#[test]
fn mask_below_even_odds_is_no_subject_even_if_it_could_be_stretched() {
    let mut values = [0.1; 16];
    values[5] = 0.49;
    let manifest = manifest(Activation::None, true);
    assert_eq!(
        plain(&values, &manifest, (8, 8)),
        Err(CutoutError::NoSubject)
    );
    values[5] = 0.51;
    let stretched = plain(&values, &manifest, (4, 4)).unwrap();
    assert_eq!((stretched[0], stretched[5]), (0, 255));
}

#[test]
fn sigmoid_turns_logits_into_opacity() {
    let mut values = [-50.0; 16];
    values[..2].copy_from_slice(&[0.0, 50.0]);
    let opacity = plain(&values, &manifest(Activation::Sigmoid, false), (4, 4)).unwrap();
    assert_eq!(opacity[..3], [128, 255, 0]);
}

#[test]
fn flat_mask_stays_flat_whatever_the_size_of_the_photo() {
    for sides in [(1, 1), (2, 9), (4, 4), (5, 3), (1000, 7)] {
        let opacity = plain(&[0.8; 16], &manifest(Activation::None, true), sides).unwrap();
        assert!(opacity.iter().all(|&v| v == 204), "{sides:?}");
    }
}

#[test]
fn hard_edge_becomes_a_ramp_without_rings() {
    let values: [f32; 16] = std::array::from_fn(|i| if i % 4 < 2 { 0.0 } else { 1.0 });
    let opacity = plain(&values, &manifest(Activation::None, false), (64, 1)).unwrap();
    assert!(opacity.windows(2).all(|w| w[0] <= w[1]), "{opacity:?}");
    assert_eq!((opacity[20], opacity[43]), (0, 255));
}
