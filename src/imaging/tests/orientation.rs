//! A photo with an orientation tag gives an upright output, in every format with such a tag.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageEncoder as _, RgbImage};

use super::{by_hand, cut_by_luma, farthest, motley, open, read};

/// An EXIF block with only an orientation: TIFF header, one entry.
pub(super) fn exif(orientation: u8) -> Vec<u8> {
    let mut block = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    block.extend([orientation, 0, 0, 0, 0, 0, 0]);
    block
}

pub(super) fn upright(picture: &RgbImage, orientation: u8) -> Vec<[u8; 4]> {
    let mut picture = DynamicImage::from(picture.clone());
    picture.apply_orientation(Orientation::from_exif(orientation).unwrap());
    picture.to_rgba8().pixels().map(|p| p.0).collect()
}

fn assert_upright(what: &str, file: impl Fn(u8) -> Vec<u8>, picture: &RgbImage, tolerance: u8) {
    for orientation in 1..=8 {
        let cut = cut_by_luma(&file(orientation)).unwrap();
        let expected = by_hand(&upright(picture, orientation));
        let distance = farthest(&open(&cut).0, &expected);
        assert!(
            distance <= tolerance,
            "{what}, orientation {orientation}: off by {distance}"
        );
    }
}

pub(super) fn motley_rgb() -> RgbImage {
    let samples = motley().iter().flat_map(|p| [p[0], p[1], p[2]]).collect();
    RgbImage::from_raw(32, 32, samples).unwrap()
}

#[test]
fn jpeg_with_exif() {
    let plain = read("tests/data/photos/chart.jpg");
    let decoded = open(&cut_by_luma(&plain).unwrap()).0;
    let samples = decoded.iter().flat_map(|p| [p[0], p[1], p[2]]).collect();
    let picture = RgbImage::from_raw(32, 32, samples).unwrap();
    let file = |orientation| {
        let block = [b"Exif\0\0".to_vec(), exif(orientation)].concat();
        let length = u16::try_from(block.len() + 2).unwrap().to_be_bytes();
        [&plain[..2], &[0xff, 0xe1], &length, &block, &plain[2..]].concat()
    };
    assert_upright("JPEG", file, &picture, 0);
}

#[test]
fn png_with_exif() {
    let picture = motley_rgb();
    let file = |orientation| {
        let mut file = Vec::new();
        let mut encoder = image::codecs::png::PngEncoder::new(&mut file);
        encoder.set_exif_metadata(exif(orientation)).unwrap();
        encoder
            .write_image(&picture, 32, 32, image::ExtendedColorType::Rgb8)
            .unwrap();
        file
    };
    assert_upright("PNG", file, &picture, 0);
}

#[test]
fn webp_with_exif() {
    let picture = motley_rgb();
    let file = |orientation| {
        let mut file = Vec::new();
        let mut encoder = image::codecs::webp::WebPEncoder::new_lossless(&mut file);
        encoder.set_exif_metadata(exif(orientation)).unwrap();
        encoder
            .write_image(&picture, 32, 32, image::ExtendedColorType::Rgb8)
            .unwrap();
        file
    };
    assert_upright("WebP", file, &picture, 0);
}

#[test]
fn tiff_with_its_own_tag() {
    let picture = motley_rgb();
    let file = |orientation: u8| {
        let mut file = Cursor::new(Vec::new());
        let mut encoder = tiff::encoder::TiffEncoder::new(&mut file).unwrap();
        let mut page = encoder
            .new_image::<tiff::encoder::colortype::RGB8>(32, 32)
            .unwrap();
        let tag = tiff::tags::Tag::Orientation;
        page.encoder()
            .write_tag(tag, u16::from(orientation))
            .unwrap();
        page.write_data(&picture).unwrap();
        file.into_inner()
    };
    assert_upright("TIFF", file, &picture, 0);
}
