//! Small files that demand much memory or time. `tests/it/intake/disguises.rs` measures what a worker needs for them.

use image::ImageFormat;

use super::super::{CutoutError, Format};
use super::{at_once, cut_by_luma, open, read};
use crate::fuzzing::{
    self,
    corpus::{bombs, encoded, flat, tiff, webp},
};
use tiff::Kind::{Byte, Long, Short};

/// Fails when a decoder allocates for the sides of the coded picture despite the limit on pixels. Each file states its size twice,
/// and only one of them is small.
#[test]
fn small_header_before_a_giant_picture_is_refused_at_once() {
    for (name, file) in bombs::second_sizes() {
        let result = at_once(name, || cut_by_luma(&file));
        let refused = matches!(
            result,
            Err(CutoutError::TooLarge { .. } | CutoutError::Damaged(_))
        );
        assert!(refused, "{name}: {result:?}");
    }
}

/// Fails when data that unpacks to eighty megabytes is kept, or when the error suggests a worker with more memory.
#[test]
fn streams_that_unpack_to_more_than_they_should_cost_nothing() {
    for (name, file) in bombs::long_streams() {
        let result = cut_by_luma(&file);
        let harmless = matches!(result, Ok(_) | Err(CutoutError::Damaged(Format::Png)));
        assert!(harmless, "{name}: {result:?}");
    }
}

/// The longest lines of formats with 16 bits per side. Fails when sides are limited apart from their product, or when such a row
/// changes.
#[test]
fn longest_lines_are_photos() {
    for format in [
        ImageFormat::Png,
        ImageFormat::Gif,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
    ] {
        for (width, height) in [(65_535, 1), (1, 65_535)] {
            let cut = cut_by_luma(&flat(width, height, format)).unwrap();
            assert_eq!(
                (cut.report.width, cut.report.height),
                (width, height),
                "{format:?}"
            );
            let (pixels, _) = open(&cut);
            let reddish = |p: &[u8; 4]| p[0].abs_diff(200) <= 2 && p[3].abs_diff(200) <= 2;
            assert!(pixels.iter().all(reddish), "{format:?}");
        }
    }
    let mut jpeg = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut jpeg, 90);
    let grey = vec![200; 65_535];
    encoder
        .encode(&grey, 65_535, 1, jpeg_encoder::ColorType::Luma)
        .unwrap();
    assert_eq!(cut_by_luma(&jpeg).unwrap().report.width, 65_535);
    let cut = cut_by_luma(&flat(16_383, 1, ImageFormat::WebP)).unwrap();
    assert_eq!(cut.report.width, 16_383);
}

/// Fails when the product of two sides overflows, or a side of 0 counts as a picture.
#[test]
fn sides_at_the_ends_of_their_range_are_errors() {
    for (width, height) in [
        (0, 32),
        (32, 0),
        (0, 0),
        (u32::MAX, u32::MAX),
        (i32::MAX as u32, 2),
        (0x8000_0000, 0x8000_0000),
        (0x1_0000, 0x1_0000),
    ] {
        for (name, file) in bombs::with_sides(width, height) {
            let result = cut_by_luma(&file);
            assert!(
                matches!(
                    result,
                    Err(CutoutError::TooLarge { .. }
                        | CutoutError::Damaged(_)
                        | CutoutError::Unsupported(_)
                        | CutoutError::Truncated)
                ),
                "{name} of {width} x {height}: {result:?}"
            );
        }
    }
}

/// DNL (ITU-T T.81, B.2.5): the height follows the first scan. Fails when a side of 0 counts as a picture, or when the decoder
/// divides by it, as libjpeg-turbo-rs 0.9.0 does for four components.
#[test]
fn jpeg_without_a_side_is_no_picture() {
    for name in [
        "chart.jpg",
        "chart-grey.jpg",
        "chart-cmyk.jpg",
        "chart-ycck.jpg",
    ] {
        let chart = read(&format!("tests/data/photos/{name}"));
        let frame = chart.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
        for sides in [[0, 0, 0, 32], [0, 32, 0, 0], [0, 0, 0, 0]] {
            let mut file = chart.clone();
            file[frame + 5..frame + 9].copy_from_slice(&sides);
            let end = file.len() - 2;
            file.splice(end..end, [0xff, 0xdc, 0, 4, 0, 32]);
            fuzzing::decode(&file);
            let result = cut_by_luma(&file);
            let damaged = Err(CutoutError::Damaged(Format::Jpeg));
            assert_eq!(result, damaged, "{name}: {sides:?}");
        }
    }
}

/// Fails when an entry of a TIFF's directory is trusted. Each of these entries would cause a panic, reads outside the file or long
/// run times. A length of 0 stands for an unknown length.
#[test]
fn tiff_directory_that_lies_is_an_error_or_harmless() {
    let data = vec![220; 32 * 96];
    let strip: &[u8] = &data;
    let lies: [&[tiff::TiffEntry<'_>]; 14] = [
        &[(273, Long, &[u32::MAX])],
        &[(273, Long, &[0x7fff_ffff]), (279, Long, &[u32::MAX])],
        &[(279, Long, &[u32::MAX])],
        &[(279, Long, &[0])],
        &[(279, Long, &[10])],
        &[(278, Long, &[0])],
        &[(278, Long, &[1])],
        &[(277, Short, &[0])],
        &[(277, Short, &[u32::from(u16::MAX)])],
        &[(258, Short, &[0])],
        &[(258, Short, &[64; 3])],
        &[(322, Long, &[0]), (323, Long, &[0])],
        &[(322, Long, &[u32::MAX]), (323, Long, &[u32::MAX])],
        &[(284, Short, &[2])],
    ];
    for lie in lies {
        let result = at_once(lie, || cut_by_luma(&tiff::page(lie, &[strip])));
        if let Ok(cut) = &result {
            assert_eq!(open(cut).0, [[220; 4]; 1024], "{lie:?}");
        }
    }
}

/// All strips are the same bytes. Fails when this counts as damage, or when more is read than the limit on pixels allows.
#[test]
fn tiff_strips_may_lie_in_the_same_place() {
    let row = [220u8; 96];
    let first = 8 + 2 + 9 * 12 + 4 + 6 + 2 * 4 * 32;
    let file = tiff::page(
        &[
            (273, Long, &[first; 32]),
            (279, Long, &[96; 32]),
            (278, Short, &[1]),
        ],
        &[&row],
    );
    let (pixels, _) = open(&cut_by_luma(&file).unwrap());
    assert!(pixels.iter().all(|p| *p == [220; 4]));
    // Tag 700 (XMP) with arbitrary bytes.
    let odd = tiff::page(&[(700, Byte, &[0x3c; 8])], &[&[220; 32 * 96]]);
    cut_by_luma(&odd).unwrap();
}

/// Fails when sizes in a BMP's header cause reads outside the file.
#[test]
fn bmp_header_that_lies_is_an_error_or_harmless() {
    let file = encoded(ImageFormat::Bmp);
    for (at, name) in [
        (2, "length"),
        (10, "offset"),
        (14, "header"),
        (34, "picture"),
        (46, "colours"),
    ] {
        for value in [0u32, 1, 0x7fff_ffff, u32::MAX] {
            let mut lying = file.clone();
            lying[at..at + 4].copy_from_slice(&value.to_le_bytes());
            let result = at_once((name, value), || cut_by_luma(&lying));
            if name == "header" {
                assert!(result.is_err(), "{name} {value}");
            }
        }
    }
}

/// Fails when more memory is allocated than for the screen of a GIF: a frame may have any size.
#[test]
fn gif_frame_beyond_its_screen_is_cropped_or_refused() {
    let mut file = flat(16, 16, ImageFormat::Gif);
    file[6..10].copy_from_slice(&[8, 0, 8, 0]);
    let cut = cut_by_luma(&file).unwrap();
    assert_eq!((cut.report.width, cut.report.height), (8, 8));
}

/// Fails when a WebP without a picture counts as incomplete.
#[test]
fn webp_without_a_picture_is_damaged() {
    for chunks in [
        vec![],
        vec![webp::header(0)],
        vec![webp::header(webp::ANIMATION)],
    ] {
        let result = cut_by_luma(&webp::file(&chunks));
        assert_eq!(
            result,
            Err(CutoutError::Damaged(Format::Webp)),
            "{chunks:?}"
        );
    }
}

/// Fails when the decoder gets a palette that ends within a colour: png 0.18.1 reads beyond its end and panics.
#[test]
fn png_palette_that_ends_within_a_colour_is_damaged() {
    for length in [46, 47, 49] {
        let file = bombs::palette_of(length);
        fuzzing::decode(&file);
        let result = cut_by_luma(&file);
        assert_eq!(result, Err(CutoutError::Damaged(Format::Png)), "{length}");
    }
    cut_by_luma(&bombs::palette_of(48)).unwrap();
}
