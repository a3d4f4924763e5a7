//! Smaller pictures: their pixels, and the files they can be made from.

use std::io::Cursor;

use image::{DynamicImage, ExtendedColorType, ImageEncoder as _, ImageFormat, RgbaImage};
use moxcms::ColorProfile;

use super::colours::{icc_segment, with_segment};
use super::orientation::{exif, motley_rgb, upright};
use super::{CutoutError, MEGAPIXELS_MAX, Output, by_hand, cut_by_luma, farthest, motley, read};
use crate::fuzzing::corpus::bombs;
use crate::imaging::shrink;
use crate::provenance;

fn shrunk(file: &[u8], side: u32) -> Output {
    let shrunk = shrink(file, side, MEGAPIXELS_MAX).unwrap_or_else(|error| panic!("{error}"));
    let (png, report) = shrunk;
    Output { png, report }
}

/// The picture as a browser shows it, and its metadata.
fn open(output: &Output) -> (RgbaImage, png::Info<'static>) {
    let mut decoder = png::Decoder::new(Cursor::new(&output.png));
    decoder.set_transformations(png::Transformations::IDENTITY);
    let info = decoder.read_info().unwrap().info().clone();
    let picture = image::load_from_memory_with_format(&output.png, ImageFormat::Png).unwrap();
    assert_eq!(
        (picture.width(), picture.height()),
        (output.report.width, output.report.height)
    );
    (picture.to_rgba8(), info)
}

fn png(picture: &DynamicImage) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

/// Fails when the picture shifts by half a pixel, when the sides are scaled wrongly, when rows repeat or are missing, or when
/// samples are not mixed: each pixel must be the mean of its 8 by 8 samples.
#[test]
fn gradient_keeps_its_slope() {
    let (width, height) = (400, 1600);
    let level = |at: u32, of: u32| u8::try_from((at * 510 / (of - 1)).div_ceil(2)).unwrap();
    let picture = RgbaImage::from_fn(width, height, |x, y| {
        image::Rgba([level(x, width), level(y, height), 90, 255])
    });
    let rgb = DynamicImage::from(DynamicImage::from(picture).to_rgb8());
    let output = shrunk(&png(&rgb), 200);
    let (small, info) = open(&output);
    assert_eq!(
        (small.dimensions(), info.color_type),
        ((50, 200), png::ColorType::Rgb)
    );
    for (x, y, pixel) in small.enumerate_pixels() {
        let mean = |at: u32, of: u32| (f64::from(at) * 8.0 + 3.5) * 255.0 / f64::from(of - 1);
        let expected = [mean(x, width), mean(y, height), 90.0, 255.0];
        // At the borders the filter lacks samples on one side.
        let is_inside = (2..48).contains(&x) && (2..198).contains(&y);
        let tolerance = if is_inside { 1.0 } else { 4.0 };
        for (found, expected) in pixel.0.into_iter().zip(expected) {
            let off = (f64::from(found) - expected).abs();
            assert!(off <= tolerance, "{x}, {y}: {pixel:?} is off by {off}");
        }
    }
}

/// Fails when colours are mixed without weighting by alpha: black, or the colour of transparent pixels, would show at the edges.
#[test]
fn edges_have_the_subjects_colour() {
    for hidden in [[0, 0, 0, 0], [0, 255, 0, 0]] {
        let picture = RgbaImage::from_fn(300, 300, |x, y| {
            let inside = (i64::from(x) - 150).pow(2) + (i64::from(y) - 150).pow(2) < 10_000;
            image::Rgba(if inside { [240, 60, 200, 255] } else { hidden })
        });
        let (small, info) = open(&shrunk(&png(&picture.into()), 47));
        assert_eq!(info.color_type, png::ColorType::Rgba);
        let edges = small.pixels().filter(|p| (1..255).contains(&p[3]));
        assert!(edges.clone().count() > 50, "no edge was mixed");
        for pixel in edges {
            let alpha = f64::from(pixel[3]) / 255.0;
            for (found, expected) in pixel.0.into_iter().zip([240_u8, 60, 200]) {
                let shows = (f64::from(found) - f64::from(expected)).abs() * alpha;
                assert!(shows <= 2.0, "{pixel:?} on {hidden:?}");
            }
        }
        assert_eq!(small.get_pixel(0, 0).0, [0; 4]);
        assert_eq!(small.get_pixel(23, 23).0, [240, 60, 200, 255]);
    }
}

/// Fails when a picture that is small enough is resampled or enlarged.
#[test]
fn small_enough_is_left_alone() {
    let faint: Vec<u8> = motley()
        .iter()
        .flat_map(|&[r, g, b, _]| [r, g, b, 3])
        .collect();
    let picture = RgbaImage::from_raw(32, 32, faint.clone()).unwrap();
    for side in [32, 33, u32::MAX] {
        let (same, _) = open(&shrunk(&png(&picture.clone().into()), side));
        assert_eq!((same.dimensions(), same.as_raw()), ((32, 32), &faint));
    }
}

/// Fails when the picture is not upright.
#[test]
fn photo_stands_upright() {
    let picture = motley_rgb();
    for orientation in 1..=8 {
        let mut file = Vec::new();
        let mut encoder = image::codecs::png::PngEncoder::new(&mut file);
        encoder.set_exif_metadata(exif(orientation)).unwrap();
        encoder
            .write_image(&picture, 32, 32, ExtendedColorType::Rgb8)
            .unwrap();
        let (found, _) = open(&shrunk(&file, 32));
        let found: Vec<[u8; 4]> = found.pixels().map(|p| p.0).collect();
        assert_eq!(found, upright(&picture, orientation), "{orientation}");
    }
}

/// Fails when a picture that can be cut cannot be shrunk.
#[test]
fn rare_samples_open() {
    let wide: Vec<u16> = vec![257 * 40, 257 * 90, 257 * 200];
    let wide = image::ImageBuffer::<image::Rgb<u16>, _>::from_raw(64, 64, wide.repeat(64 * 64));
    let (small, _) = open(&shrunk(&png(&DynamicImage::ImageRgb16(wide.unwrap())), 9));
    assert!(small.pixels().all(|p| p.0 == [40, 90, 200, 255]));
    for name in ["chart-cmyk.jpg", "chart-ycck.jpg", "chart-grey.jpg"] {
        let chart = read(&format!("tests/data/photos/{name}"));
        let cut = cut_by_luma(&chart).unwrap();
        let (same, _) = open(&shrunk(&chart, 32));
        let pixels: Vec<[u8; 4]> = same.pixels().map(|p| p.0).collect();
        assert_eq!(
            farthest(&by_hand(&pixels), &super::open(&cut).0),
            0,
            "{name}"
        );
    }
}

/// Fails when an output of hotcut cannot be shrunk or loses its transparency, when the smaller picture counts as an output, or when
/// an output can be cut again.
#[test]
fn own_output_is_a_picture_like_any_other() {
    let cut = cut_by_luma(&read("tests/data/photos/astronaut.jpg")).unwrap();
    assert_eq!(cut_by_luma(&cut.png), Err(CutoutError::OwnOutput));
    let small = shrunk(&cut.png, 100);
    let (pixels, info) = open(&small);
    assert_eq!(u32::max(small.report.width, small.report.height), 100);
    assert_eq!(info.color_type, png::ColorType::Rgba);
    assert!(pixels.pixels().any(|p| p[3] < 200) && pixels.pixels().any(|p| p[3] > 200));
    assert!(provenance::read(&cut.png).is_some() && provenance::read(&small.png).is_none());
}

/// Fails when the limits differ from those of a photo to be cut.
#[test]
fn bombs_and_what_is_no_picture_are_refused() {
    for (name, file) in bombs::with_sides(60_000, 60_000) {
        let result = shrink(&file, 100, MEGAPIXELS_MAX);
        let is_refused = matches!(
            result,
            Err(CutoutError::TooLarge { .. } | CutoutError::Damaged(_) | CutoutError::Truncated)
        );
        assert!(is_refused, "{name}: {result:?}");
    }
    let picture = DynamicImage::new_luma8(1_001, 1_000);
    let refused = shrink(&png(&picture), 100, 1);
    assert!(matches!(refused, Err(CutoutError::TooLarge { max: 1, .. })));
    let page = shrink(b"<!DOCTYPE html><html>", 100, MEGAPIXELS_MAX);
    assert!(matches!(page, Err(CutoutError::NotAnImage(_))), "{page:?}");
    let chart = read("tests/data/photos/chart.jpg");
    let half = shrink(&chart[..chart.len() / 2], 100, MEGAPIXELS_MAX);
    assert_eq!(half, Err(CutoutError::Truncated));
}

/// Fails when the colour space is lost, or when other metadata reaches the smaller picture.
#[test]
fn only_the_meaning_of_colours_leaves_with_the_picture() {
    let profile = ColorProfile::new_display_p3().encode().unwrap();
    let chart = read("tests/data/photos/chart.jpg");
    let file = with_segment(&chart, 0xe2, &icc_segment(&profile));
    let file = with_segment(&file, 0xfe, b"GPS in a comment");
    let file = with_segment(
        &file,
        0xe1,
        b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0GPS 52.5N 13.4E",
    );
    let small = shrunk(&file, 16);
    let (_, info) = open(&small);
    assert_eq!(info.icc_profile.as_deref(), Some(&profile[..]));
    let known = [b"IHDR", b"iCCP", b"IDAT", b"IEND"];
    let kinds = super::private::chunks(&small);
    assert!(kinds.iter().all(|kind| known.contains(&kind)), "{kinds:?}");
    let (_, info) = open(&shrunk(&chart, 16));
    assert!(info.icc_profile.is_none() && info.srgb.is_none());
}
