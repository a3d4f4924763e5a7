//! Refined edges end to end: the file's sample format must not change the matte.

use image::metadata::Orientation;
use image::{DynamicImage, ImageBuffer, ImageEncoder as _, ImageFormat, Rgb, RgbImage};

use super::formats::encode;
use super::orientation::exif;
use super::{cut_by_luma_with, farthest, open};
use crate::config::Edges;

/// A bright disc with a soft outline on a dark ground with a pattern, 240 x 160.
fn disc() -> RgbImage {
    RgbImage::from_fn(240, 160, |x, y| {
        let (x, y) = (f64::from(x) - 110.0, f64::from(y) - 85.0);
        let inside = ((52.0 - x.hypot(y)) / 6.0 + 0.5).clamp(0.0, 1.0);
        let mix = |subject: f64, ground: f64| {
            let value = inside * subject + (1.0 - inside) * ground;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between two samples"
            )]
            let sample = value.round() as u8;
            sample
        };
        let pattern = 10.0 * (x / 9.0).sin() * (y / 7.0).cos();
        Rgb([
            mix(250.0, 30.0 + pattern),
            mix(225.0, 40.0),
            mix(200.0 + pattern, 70.0),
        ])
    })
}

/// A cutout with refined edges; some of its pixels are half-transparent.
fn refined(photo: &[u8]) -> Vec<[u8; 4]> {
    let pixels = open(&cut_by_luma_with(photo, Edges::Auto).unwrap()).0;
    let mixed = pixels.iter().filter(|pixel| matches!(pixel[3], 1..=254));
    assert!(mixed.count() > 300);
    pixels
}

#[test]
fn sixteen_bits_have_the_edges_of_eight() {
    let eight = disc();
    let sixteen = ImageBuffer::from_fn(240, 160, |x, y| {
        Rgb(eight
            .get_pixel(x, y)
            .0
            .map(|sample| u16::from(sample) * 257))
    });
    let eight = refined(&encode(&eight.into(), ImageFormat::Png));
    for format in [ImageFormat::Png, ImageFormat::Tiff] {
        let photo = DynamicImage::ImageRgb16(sixteen.clone());
        assert_eq!(farthest(&refined(&encode(&photo, format)), &eight), 0);
    }
}

/// Fails when the matte is computed for the photo as stored, or depends on which side is longer.
#[test]
fn turned_photo_has_the_turned_edges() {
    let picture = disc();
    let mut file = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut file);
    // 6: the stored picture must be rotated a quarter to the right.
    encoder.set_exif_metadata(exif(6)).unwrap();
    encoder
        .write_image(&picture, 240, 160, image::ExtendedColorType::Rgb8)
        .unwrap();
    let upright = refined(&encode(&picture.into(), ImageFormat::Png));
    let samples = upright.as_flattened().to_vec();
    let mut expected = DynamicImage::from(image::RgbaImage::from_raw(240, 160, samples).unwrap());
    expected.apply_orientation(Orientation::Rotate90);
    let expected: Vec<[u8; 4]> = expected.to_rgba8().pixels().map(|pixel| pixel.0).collect();
    let alpha = |pixels: &[[u8; 4]]| -> Vec<[u8; 4]> {
        pixels.iter().map(|pixel| [0, 0, 0, pixel[3]]).collect()
    };
    let turned = refined(&file);
    assert!(farthest(&alpha(&turned), &alpha(&expected)) <= 2);
}
