//! Unusual photos and masks, and rows in any order: visible pixels must not change, and no value may be NaN.

use super::Matte;
use super::tests::{cutout, disc, manifest, noise, photo, slope, two_colours};
use crate::config::Edges;
use crate::inference::Mask;
use crate::model::Activation;

const WORDS: [Edges; 3] = [Edges::Auto, Edges::Soft, Edges::Hard];

/// Fails when a calculation divides by zero, or a photo without an edge gets one.
#[test]
fn mask_without_an_edge_stays_without_one_whatever_the_photo() {
    // Auto and soft stretch 0.8 from 0.1..0.9, then from 0.04..0.96. Hard stretches 0.8 from 0.3..0.7, then from 0.2..0.8.
    for (edges, expected) in [(Edges::Auto, 231), (Edges::Soft, 231), (Edges::Hard, 255)] {
        for (width, height) in [(1, 1), (2, 9), (1, 300), (5, 3), (700, 7), (300, 300)] {
            for photo in [
                noise(width * height),
                vec![[9, 9, 9, 255]; (width * height) as usize],
            ] {
                let manifest = manifest(Activation::None, false);
                let cutout = cutout(&[0.8; 16], &manifest, (&photo, width), edges).unwrap();
                let mut opacity = cutout.iter().map(|pixel| pixel[3]);
                let fits = opacity.all(|value| value.abs_diff(expected) <= 1);
                assert!(fits, "{edges:?}, {width} x {height}: {:?}", cutout.first());
            }
        }
    }
}

/// Fails when a photo is too small or too long for any step, or when an opacity is NaN: one end of the slope would be missing.
#[test]
fn photos_of_any_size_are_cut_out() {
    let manifest = manifest(Activation::None, false);
    let mut one_cell = vec![0.0; 4096];
    one_cell[32 * 64 + 40] = 1.0;
    let sizes = [
        (1, 1),
        (2, 9),
        (5, 3),
        (31, 31),
        (3000, 1),
        (1, 3000),
        (900, 2),
    ];
    for edges in WORDS {
        for (width, height) in sizes {
            let photo = noise(width * height);
            let cut = cutout(&slope(), &manifest, (&photo, width), edges).unwrap();
            let row = &cut[..width as usize];
            if width > 2 {
                let ends = (row[0][3], row[row.len() - 1][3]);
                assert_eq!(ends, (0, 255), "{edges:?}, {width} x {height}");
            }
            let cut = cutout(&one_cell, &manifest, (&photo, width), edges).unwrap();
            if width > 2 {
                assert_eq!(cut[0], [0; 4], "{edges:?}, {width} x {height}");
            }
        }
    }
}

/// Fails when the background of a photo that is not fully opaque is taken for the subject.
#[test]
fn ground_that_is_not_quite_opaque_is_still_ground() {
    let manifest = manifest(Activation::None, false);
    let mut photo = two_colours(320, 64, 160);
    for (at, pixel) in photo.iter_mut().enumerate() {
        match at % 320 {
            0..156 => pixel[3] = 250,
            156..164 => *pixel = [135, 100, 110, 255],
            _ => {}
        }
    }
    let cutout = cutout(&slope(), &manifest, (&photo, 320), Edges::Auto).unwrap();
    let row = &cutout[32 * 320..33 * 320];
    let is_mixed = |at: &usize| photo[*at][3] == 255 && matches!(row[*at][3], 1..=254);
    let first = row[(0..320).find(is_mixed).expect("an edge")];
    assert!(first[0] > first[2] + 60, "orange, not blue: {first:?}");
}

/// Fails when faint haze of a mask, far from the subject, gets a colour of its own.
#[test]
fn haze_beyond_the_subject_is_ground() {
    let manifest = manifest(Activation::None, false);
    let mut mask = disc(8.0);
    for value in &mut mask {
        *value = value.max(0.008);
    }
    let photo = noise(320 * 320);
    let cutout = cutout(&mask, &manifest, (&photo, 320), Edges::Auto).unwrap();
    assert!(cutout[160 * 320 + 160][3] == 255);
    for at in [0, 319, 160 * 320, 319 * 320 + 160] {
        assert_eq!(cutout[at], [0; 4]);
    }
}

/// Fails when a row depends on which rows were computed before it.
#[test]
fn rows_may_be_made_in_any_order() {
    let pixels = noise(320 * 50);
    let manifest = manifest(Activation::None, false);
    let expected = cutout(&disc(20.0), &manifest, (&pixels, 320), Edges::Auto).unwrap();
    let mask = Mask::new(disc(20.0), 64);
    let mut matte = Matte::new(&mask, &manifest, (320, 50), Edges::Auto).unwrap();
    let source = photo(&pixels, 320);
    matte.refine(&source, Edges::Auto).unwrap();
    matte.find_colours(&source).unwrap();
    let mut scratch = matte.scratch().unwrap();
    let mut backwards = pixels;
    for y in (0..50_u32).rev() {
        let start = y as usize * 320;
        matte.apply(y, &mut backwards[start..start + 320], &mut scratch);
    }
    assert_eq!(backwards, expected);
}

/// Fails when an invisible colour changes visible pixels.
#[test]
fn colours_that_a_photo_hides_change_nothing() {
    let manifest = manifest(Activation::None, false);
    let hidden = |hidden: [u8; 3]| {
        let mut photo = two_colours(320, 64, 160);
        for (at, pixel) in photo.iter_mut().enumerate() {
            if at % 320 < 150 {
                *pixel = [hidden[0], hidden[1], hidden[2], 0];
            }
        }
        cutout(&slope(), &manifest, (&photo, 320), Edges::Auto).unwrap()
    };
    assert_eq!(hidden([255, 0, 255]), hidden([0, 90, 0]));
}
