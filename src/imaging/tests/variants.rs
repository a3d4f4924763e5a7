//! Valid but unusual files: which of several pictures is used, and which colours it has.

use std::io::Cursor;

use tiff::encoder::TiffEncoder;
use tiff::encoder::colortype::{Gray16, RGB8};

use super::super::{CutoutError, Unsupported};
use super::{cut_by_luma, farthest, open, read};
use crate::fuzzing::corpus::{animations, pictures, webp};

/// Fails when a file of the fuzzing corpus is not decoded: fuzzing would never get beyond its header.
#[test]
fn every_picture_of_the_corpus_is_read() {
    for (name, file) in pictures() {
        let cut = cut_by_luma(&file);
        assert!(cut.is_ok(), "{name}: {cut:?}");
    }
}

/// Fails when another frame is used, or when frames are combined.
#[test]
fn first_picture_of_an_animation_is_taken() {
    let files = [
        ("APNG", animations::png()),
        (
            "APNG, default image apart",
            animations::png_with_default_image(),
        ),
        ("GIF", animations::gif()),
    ];
    for (name, file) in files {
        let (pixels, _) = open(&cut_by_luma(&file).unwrap());
        let [red, green, blue, _] = animations::FIRST;
        let expected = vec![[red, green, blue, 230]; 32 * 32];
        assert!(farthest(&pixels, &expected) <= 2, "{name}: {:?}", pixels[0]);
    }
    let animated = open(&cut_by_luma(&animations::webp()).unwrap()).0;
    let still = open(&cut_by_luma(&webp::lossy()).unwrap()).0;
    assert_eq!(animated, still);
}

/// Fails when another page is used, or when a broken second page makes the first one unusable.
#[test]
fn first_page_of_a_tiff_is_taken() {
    let mut file = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut file).unwrap();
    encoder.write_image::<RGB8>(32, 32, &[220; 3072]).unwrap();
    encoder.write_image::<Gray16>(8, 8, &[0; 64]).unwrap();
    let mut file = file.into_inner();
    for _ in 0..2 {
        let cut = cut_by_luma(&file).unwrap();
        assert_eq!((cut.report.width, cut.report.height), (32, 32));
        assert!(open(&cut).0.iter().all(|p| *p == [220; 4]));
        // The second directory is at the end of the file.
        let end = file.len();
        file[end - 40..].fill(0xff);
    }
}

/// chart.jpg with `adobe` as the transform of its Adobe segment, and with or without its JFIF segment.
fn with_markers(name: &str, jfif: bool, adobe: Option<u8>) -> Vec<u8> {
    let file = read(&format!("tests/data/photos/{name}"));
    let mut kept = file[..2].to_vec();
    if let Some(transform) = adobe {
        kept.extend(b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0");
        kept.push(transform);
    }
    let mut rest = &file[2..];
    while matches!(rest[..2], [0xff, 0xe0..=0xef]) {
        let length = 2 + usize::from(u16::from_be_bytes([rest[2], rest[3]]));
        if rest[1] == 0xe0 && jfif {
            kept.extend(&rest[..length]);
        }
        rest = &rest[length..];
    }
    [&kept, rest].concat()
}

/// ITU-T T.872, 6.5.3: 0 = RGB or CMYK, 1 = YCbCr, 2 = YCCK; without the segment three components are YCbCr. In libjpeg, JFIF takes
/// precedence over Adobe. Fails when one of the markers is ignored.
#[test]
fn adobe_transform_says_what_the_components_are() {
    let plain = open(&cut_by_luma(&read("tests/data/photos/chart.jpg")).unwrap()).0;
    for transform in [None, Some(0), Some(1), Some(2)] {
        let file = with_markers("chart.jpg", true, transform);
        assert_eq!(open(&cut_by_luma(&file).unwrap()).0, plain, "{transform:?}");
    }
    for transform in [None, Some(1), Some(2)] {
        let file = with_markers("chart.jpg", false, transform);
        assert_eq!(open(&cut_by_luma(&file).unwrap()).0, plain, "{transform:?}");
    }
    let planes = open(&cut_by_luma(&with_markers("chart.jpg", false, Some(0))).unwrap()).0;
    let first = |pixel: &[u8; 4]| {
        let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(f64::from);
        // JFIF 1.02, page 3.
        [
            0.299 * r + 0.587 * g + 0.114 * b,
            128.0 - 0.1687 * r - 0.3313 * g + 0.5 * b,
            128.0 + 0.5 * r - 0.4187 * g - 0.0813 * b,
        ]
    };
    for (coded, pixel) in planes.iter().zip(&plain) {
        for (plane, expected) in coded.iter().zip(first(pixel)) {
            assert!(
                (f64::from(*plane) - expected).abs() <= 3.0,
                "{coded:?} of {pixel:?}"
            );
        }
    }
}

/// Fails when four components are converted without YCCK's number, or not converted with it.
#[test]
fn adobe_transform_tells_inks_from_ycck() {
    let inks = |name, transform| cut_by_luma(&with_markers(name, false, transform));
    let expected = cut_by_luma(&read("tests/data/photos/chart-cmyk.jpg")).unwrap();
    let expected = open(&expected).0;
    for (name, transform) in [
        ("chart-cmyk.jpg", 0),
        ("chart-ycck.jpg", 2),
        ("chart-ycck.jpg", 1),
    ] {
        let pixels = open(&inks(name, Some(transform)).unwrap()).0;
        assert!(farthest(&pixels, &expected) <= 4, "{name} {transform}");
    }
    // With the wrong interpretation these inks are almost black.
    assert_eq!(inks("chart-ycck.jpg", Some(0)), Err(CutoutError::NoSubject));
    assert_eq!(inks("chart-cmyk.jpg", None), Err(CutoutError::NoSubject));
}

/// Sampling that no CMYK encoder writes. Fails when the decoder gets it: libjpeg-turbo-rs 0.9.0 assumes that the first and last
/// components are the finest and the other two equal, and otherwise indexes beyond a row.
#[test]
fn inks_sampled_in_odd_ways_are_not_read() {
    let chart = read("tests/data/photos/chart-ycck.jpg");
    let frame = chart.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    for component in 0..4 {
        for sampling in [0x12, 0x21, 0x22, 0x43, 0x31] {
            let mut file = chart.clone();
            file[frame + 11 + 3 * component] = sampling;
            crate::fuzzing::decode(&file);
            let result = cut_by_luma(&file);
            let expected = CutoutError::Unsupported(Unsupported::JpegProcess);
            assert_eq!(result, Err(expected), "{component}: {sampling:#x}");
        }
    }
}

/// Fails when an empty file, or a signature alone, is not reported as unfinished.
#[test]
fn empty_file_is_unfinished() {
    for file in [
        &b""[..],
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"II*\0",
        b"RIFF",
    ] {
        let result = cut_by_luma(file);
        assert_eq!(
            result,
            Err(CutoutError::Truncated),
            "{}",
            file.escape_ascii()
        );
    }
}
