//! The metadata of an output: colour space and print density, and nothing else.

use std::io::Cursor;

use image::{DynamicImage, ImageEncoder as _, ImageFormat, RgbImage};
use moxcms::ColorProfile;

use super::{cut_by_luma, open, read};

/// Inserts a segment directly after a JPEG's SOI.
pub(super) fn with_segment(jpeg: &[u8], marker: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, marker], &length, body, &jpeg[2..]].concat()
}

pub(super) fn icc_segment(profile: &[u8]) -> Vec<u8> {
    [b"ICC_PROFILE\0\x01\x01", profile].concat()
}

#[test]
fn rgb_profile_goes_into_the_output() {
    let profile = ColorProfile::new_display_p3().encode().unwrap();
    let chart = read("tests/data/photos/chart.jpg");
    let jpeg = with_segment(&chart, 0xe2, &icc_segment(&profile));
    let mut png = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut png);
    encoder.set_icc_profile(profile.clone()).unwrap();
    let white = RgbImage::from_pixel(9, 9, image::Rgb([255; 3]));
    encoder
        .write_image(&white, 9, 9, image::ExtendedColorType::Rgb8)
        .unwrap();
    for file in [jpeg, png] {
        let (_, info) = open(&cut_by_luma(&file).unwrap());
        assert_eq!(info.icc_profile.as_deref(), Some(&profile[..]));
    }
    let (_, info) = open(&cut_by_luma(&chart).unwrap());
    assert_eq!(
        (info.icc_profile, info.srgb),
        (None, None),
        "untagged stays untagged"
    );
}

#[test]
fn grey_profile_is_applied_because_an_rgb_output_cannot_carry_it() {
    let linear = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
    let mut file = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut file);
    encoder.set_icc_profile(linear).unwrap();
    encoder
        .write_image(&[55; 81], 9, 9, image::ExtendedColorType::L8)
        .unwrap();
    let cut = cut_by_luma(&file).unwrap();
    let (pixels, info) = open(&cut);
    // sRGB (IEC 61966-2-1) of 55/255 linear: 1.055 * 0.2157^(1/2.4) - 0.055 = 0.5019.
    assert!(
        pixels
            .iter()
            .all(|p| p[0].abs_diff(128) <= 1 && p[0] == p[2]),
        "{:?}",
        pixels[0]
    );
    assert!(info.icc_profile.is_none() && info.srgb.is_some());
}

#[test]
fn profile_of_another_kind_or_garbage_is_dropped() {
    let grey = ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
    let chart = read("tests/data/photos/chart.jpg");
    let plain = open(&cut_by_luma(&chart).unwrap()).0;
    for profile in [grey, vec![0x5a; 3000], vec![1]] {
        let file = with_segment(&chart, 0xe2, &icc_segment(&profile));
        let (pixels, info) = open(&cut_by_luma(&file).unwrap());
        assert!(info.icc_profile.is_none());
        assert_eq!(pixels, plain);
    }
}

/// A CMYK profile with two grid points per ink (ICC.1:2022, 10.10) in which only lightness depends on ink: L* = 100 without ink, 0
/// with full black.
pub(super) fn grey_ink_profile() -> Vec<u8> {
    let mut lut = b"mft1\0\0\0\0\x04\x03\x02\0".to_vec();
    for row in 0..3 {
        for column in 0..3 {
            lut.extend(if row == column { [0, 1, 0, 0] } else { [0; 4] });
        }
    }
    (0..4).for_each(|_| lut.extend(0..=255u8));
    for corner in 0..16u8 {
        // The last ink varies fastest.
        let black = corner & 1 == 1;
        lut.extend([if black { 0 } else { 255 }, 128, 128]);
    }
    (0..3).for_each(|_| lut.extend(0..=255u8));

    let white_point = [
        b"XYZ \0\0\0\0".to_vec(),
        vec![0, 0, 0xf6, 0xd6, 0, 1, 0, 0, 0, 0, 0xd3, 0x2d],
    ];
    let white_point = white_point.concat();
    let mut profile = vec![0; 128];
    profile[8..12].copy_from_slice(&[2, 0x40, 0, 0]);
    profile[12..24].copy_from_slice(b"prtrCMYKLab ");
    profile[36..40].copy_from_slice(b"acsp");
    profile[68..80].copy_from_slice(&white_point[8..]);
    let first = 128 + 4 + 2 * 12;
    profile.extend(2u32.to_be_bytes());
    for (tag, offset, length) in [
        (b"A2B0", first, lut.len()),
        (b"wtpt", first + lut.len(), white_point.len()),
    ] {
        profile.extend(tag);
        profile.extend(u32::try_from(offset).unwrap().to_be_bytes());
        profile.extend(u32::try_from(length).unwrap().to_be_bytes());
    }
    profile.extend(lut);
    profile.extend(white_point);
    let length = u32::try_from(profile.len()).unwrap();
    profile[..4].copy_from_slice(&length.to_be_bytes());
    profile
}

#[test]
fn cmyk_profile_decides_what_inks_look_like() {
    for name in ["chart-cmyk.jpg", "chart-ycck.jpg"] {
        let chart = read(&format!("tests/data/photos/{name}"));
        let file = with_segment(&chart, 0xe2, &icc_segment(&grey_ink_profile()));
        let (pixels, info) = open(&cut_by_luma(&file).unwrap());
        assert!(info.icc_profile.is_none() && info.srgb.is_some(), "{name}");
        // One fifth of black: L* = 80, which is 198 in sRGB for any amount of the other inks.
        for pixel in &pixels {
            assert!(
                pixel[..3].iter().all(|v| v.abs_diff(198) <= 3),
                "{name}: {pixel:?}"
            );
        }
    }
}

#[test]
fn printing_resolution_survives() {
    let jpeg = {
        let mut chart = read("tests/data/photos/chart.jpg");
        let jfif = chart.windows(5).position(|w| w == b"JFIF\0").unwrap();
        chart[jfif + 7..jfif + 12].copy_from_slice(&[1, 1, 44, 0, 150]);
        chart
    };
    let dims = open(&cut_by_luma(&jpeg).unwrap()).1.pixel_dims.unwrap();
    assert_eq!(
        (dims.xppu, dims.yppu, dims.unit),
        (11811, 5906, png::Unit::Meter)
    );
}

#[test]
fn nothing_private_leaves_with_the_cutout() {
    let secret = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0GPS 52.5N 13.4E";
    let chart = read("tests/data/photos/chart.jpg");
    let file = with_segment(&chart, 0xe1, secret);
    let file = with_segment(
        &file,
        0xe1,
        b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>GPS</x:xmpmeta>",
    );
    let file = with_segment(&file, 0xfe, b"GPS in a comment");
    let cut = cut_by_luma(&file).unwrap();
    assert!(!cut.png.windows(3).any(|w| w == b"GPS"));
    let known = [*b"IHDR", *b"tEXt", *b"pHYs", *b"IDAT", *b"IEND"];
    let kinds = super::private::chunks(&cut);
    assert!(kinds.iter().all(|kind| known.contains(kind)), "{kinds:?}");
}

#[test]
fn input_without_colour_says_nothing_about_it() {
    let picture = DynamicImage::new_luma8(8, 8);
    let mut white = picture.to_luma8();
    white.pixels_mut().for_each(|p| p.0 = [255]);
    let mut file = Cursor::new(Vec::new());
    white.write_to(&mut file, ImageFormat::Bmp).unwrap();
    let (_, info) = open(&cut_by_luma(&file.into_inner()).unwrap());
    assert!(info.icc_profile.is_none() && info.srgb.is_none() && info.pixel_dims.is_none());
}
