//! Properties of every matte: refined edges and clean colours, for all masks and photos.

use super::Matte;
use super::tests::{cutout, disc, manifest, noise, photo, slope, two_colours};
use crate::config::Edges;
use crate::inference::Mask;
use crate::model::{Activation, Dust};

const WORDS: [Edges; 3] = [Edges::Auto, Edges::Soft, Edges::Hard];

/// Fails when an edge stays at its position in the network's coarse mask: 5 pixels from the edge of the photo, and 30 pixels wide.
#[test]
fn edge_is_where_the_photo_has_it() {
    let manifest = manifest(Activation::None, false);
    for edge in [155, 160, 165] {
        let photo = two_colours(320, 320, edge);
        let off = |edges| {
            let cutout = cutout(&slope(), &manifest, (&photo, 320), edges).unwrap();
            let row = &cutout[160 * 320..161 * 320];
            let off = row.iter().enumerate().map(|(x, pixel)| {
                let truth = if x < edge as usize { 0 } else { 255 };
                u32::from(pixel[3].abs_diff(truth))
            });
            off.sum::<u32>()
        };
        let (before, auto, hard) = (off(Edges::Off), off(Edges::Auto), off(Edges::Hard));
        assert!(
            3 * auto < 2 * before && 2 * hard < before,
            "{edge}: {before} {auto} {hard}"
        );
    }
}

#[test]
fn opaque_pixels_keep_their_colour_and_transparent_ones_have_none() {
    for edges in WORDS {
        for photo in [noise(90 * 60), two_colours(90, 60, 40)] {
            let cutout = cutout(
                &slope(),
                &manifest(Activation::None, false),
                (&photo, 90),
                edges,
            );
            let mut seen = [0; 3];
            for (ours, theirs) in cutout.unwrap().iter().zip(&photo) {
                match ours[3] {
                    255 => assert_eq!(ours, theirs),
                    0 => assert_eq!(*ours, [0; 4]),
                    _ => seen[2] += 1,
                }
                seen[0] += u32::from(ours[3] == 255);
                seen[1] += u32::from(ours[3] == 0);
            }
            assert!(seen.iter().all(|count| *count > 50), "{edges:?}: {seen:?}");
        }
    }
}

/// Fails when colours are estimated where there is only background.
#[test]
fn colours_are_found_around_the_subject_only() {
    let mut mask = vec![0.001; 4096];
    for at in 0..100 {
        mask[(30 + at / 10) * 64 + 20 + at % 10] = 1.0;
    }
    let source = photo(&noise(640 * 640), 640);
    let manifest = manifest(Activation::None, false);
    let mut matte = Matte::new(&Mask::new(mask, 64), &manifest, (640, 640), Edges::Auto).unwrap();
    matte.refine(&source, Edges::Auto).unwrap();
    let grid = matte.grid_of_subject(&source, matte.refinement.as_ref().unwrap());
    let grid = grid.unwrap();
    assert_eq!((grid.columns, grid.rows), (160..340, 260..440));
}

#[test]
fn more_opaque_mask_gives_no_less_opaque_matte_where_the_photo_is_flat() {
    let manifest = manifest(Activation::None, false);
    let photo = vec![[90, 120, 60, 255]; 320 * 40];
    for edges in WORDS {
        let before = cutout(&slope(), &manifest, (&photo, 320), edges).unwrap();
        let row = &before[20 * 320..21 * 320];
        assert!(
            row.windows(2)
                .all(|pair| pair[0][3] <= pair[1][3].saturating_add(1)),
            "{edges:?}"
        );
        let more: Vec<f32> = slope().iter().map(|value| (value * 1.3).min(1.0)).collect();
        let after = cutout(&more, &manifest, (&photo, 320), edges).unwrap();
        let mut pairs = before.iter().zip(&after);
        assert!(
            pairs
                .clone()
                .all(|(before, after)| before[3] <= after[3].saturating_add(1)),
            "{edges:?}"
        );
        assert!(
            pairs.any(|(before, after)| after[3] > before[3]),
            "{edges:?}"
        );
    }
}

/// Fails when the photo is ignored where the mask steps from one decided cell to the next.
#[test]
fn edge_is_where_the_photo_has_it_also_beside_a_step_of_the_mask() {
    let manifest = manifest(Activation::None, false);
    let mask: Vec<f32> = (0..4096_u16)
        .map(|at| f32::from(u8::from(at % 64 >= 32)))
        .collect();
    let at_step = |edge| {
        let photo = two_colours(320, 320, edge);
        let cutout = cutout(&mask, &manifest, (&photo, 320), Edges::Auto).unwrap();
        cutout[160 * 320 + 160][3]
    };
    let (before, after) = (at_step(159), at_step(161));
    assert!(before > after.saturating_add(80), "{before} {after}");
}

/// Fails when the half-transparent pixels of a photo get other colours than their own.
#[test]
fn photo_that_is_a_cutout_keeps_its_own_half_transparent_colours() {
    let manifest = manifest(Activation::None, false);
    let mut photo = two_colours(320, 64, 160);
    for pixel in &mut photo {
        pixel[3] = 100;
    }
    let cutout = cutout(&slope(), &manifest, (&photo, 320), Edges::Auto).unwrap();
    let kept = cutout.iter().zip(&photo).filter(|(ours, _)| ours[3] > 0);
    assert!(kept.clone().count() > 5_000);
    assert!(
        kept.clone()
            .all(|(ours, theirs)| ours[..3] == theirs[..3] && ours[3] <= 100)
    );
}

/// Fails when a half-transparent pixel keeps the colour of the old background.
#[test]
fn ground_s_colour_is_taken_out_of_half_transparent_pixels() {
    let (width, edge) = (320_u32, 160_u32);
    let (subject, ground) = ([200.0, 40.0, 40.0], [20.0, 220.0, 60.0]);
    // A soft edge of 8 pixels.
    let share = |x: u32| ((f64::from(x) - f64::from(edge)) / 8.0 + 0.5).clamp(0.0, 1.0);
    let pixel = |at: u32| {
        let share = share(at % width);
        let [r, g, b] = [0, 1, 2].map(|c: usize| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0..=255"
            )]
            let byte = (share * subject[c] + (1.0 - share) * ground[c]).round() as u8;
            byte
        });
        [r, g, b, 255]
    };
    let photo: Vec<[u8; 4]> = (0..width * 64).map(pixel).collect();
    let manifest = manifest(Activation::None, false);
    let before = cutout(&slope(), &manifest, (&photo, width), Edges::Off).unwrap();
    let after = cutout(&slope(), &manifest, (&photo, width), Edges::Auto).unwrap();
    let green = |cutout: &[[u8; 4]]| {
        let row = &cutout[32 * 320..33 * 320];
        let mixed = row.iter().filter(|pixel| matches!(pixel[3], 40..=215));
        mixed.map(|pixel| pixel[1]).max().unwrap()
    };
    assert!(green(&before) > 100, "{}", green(&before));
    assert!(green(&after) < 60, "{}", green(&after));
}

#[test]
fn soft_is_softer_than_auto_and_hard_is_harder() {
    let photo = noise(320 * 320);
    let count = |edges| {
        let manifest = manifest(Activation::None, false);
        let cutout = cutout(&disc(20.0), &manifest, (&photo, 320), edges);
        let is_mixed = |pixel: &&[u8; 4]| matches!(pixel[3], 1..=254);
        cutout.unwrap().iter().filter(is_mixed).count()
    };
    let [auto, soft, hard] = WORDS.map(count);
    assert!(hard < auto && auto < soft, "{hard} {auto} {soft}");
}

#[test]
fn dust_is_dropped_unless_edges_are_off() {
    let mut manifest = manifest(Activation::None, false);
    manifest.dust = Some(Dust {
        cells: 1_000,
        peak: 0.6,
    });
    let mut mask = slope();
    mask[64 * 32 + 8] = 0.5;
    let photo = vec![[90, 120, 60, 255]; 64 * 64];
    let speck = |edges| cutout(&mask, &manifest, (&photo, 64), edges).unwrap()[32 * 64 + 8][3];
    assert!(speck(Edges::Off) > 0);
    assert_eq!(speck(Edges::Auto), 0);
    manifest.dust = None;
    assert!(cutout(&mask, &manifest, (&photo, 64), Edges::Auto).unwrap()[32 * 64 + 8][3] > 0);
}
