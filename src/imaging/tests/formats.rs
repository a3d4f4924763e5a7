//! Every format and every kind of sample must give the correct 8-bit pixels.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, RgbaImage};

use super::{by_hand, cut_by_luma, farthest, motley, open, read};

fn picture(pixels: &[[u8; 4]]) -> DynamicImage {
    RgbaImage::from_raw(32, 32, pixels.as_flattened().to_vec())
        .unwrap()
        .into()
}

pub(super) fn encode(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// The flat patches of the `chart*.jpg`, as described in `tests/data/photos/README.md`.
fn chart() -> Vec<[u8; 4]> {
    let patch = |i: u8, step: u8, base: u8| base + step * i;
    let mut pixels = Vec::new();
    for y in 0..32 {
        for x in 0..32 {
            let (x, y) = (x / 8, y / 8);
            pixels.push([
                patch(x, 60, 40),
                patch(y, 50, 30),
                patch(x + y, 10, 120),
                255,
            ]);
        }
    }
    pixels
}

#[test]
fn lossless_formats_keep_every_sample() {
    let pixels = motley();
    let rgb = DynamicImage::from(picture(&pixels).to_rgb8());
    for format in [
        ImageFormat::Png,
        ImageFormat::WebP,
        ImageFormat::Tiff,
        ImageFormat::Bmp,
    ] {
        let cut = cut_by_luma(&encode(&rgb, format)).unwrap();
        assert_eq!(open(&cut).0, by_hand(&pixels), "{format:?}");
    }
}

#[test]
fn gif_gives_its_first_frame() {
    let mut pixels = motley();
    for (i, pixel) in pixels.iter_mut().enumerate() {
        *pixel = if i % 3 == 0 {
            [250, 240, 230, 255]
        } else {
            [10, 20, 30, 255]
        };
    }
    let cut = cut_by_luma(&encode(&picture(&pixels), ImageFormat::Gif)).unwrap();
    // The encoder chooses the palette, so colours are approximate.
    assert!(farthest(&open(&cut).0, &by_hand(&pixels)) <= 2);
}

#[test]
fn alpha_of_the_photo_multiplies_the_matte() {
    let mut pixels = motley();
    for (pixel, alpha) in pixels.iter_mut().zip((0..=255).cycle()) {
        *pixel = [255, 255, 255, alpha];
    }
    for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Tiff] {
        let cut = cut_by_luma(&encode(&picture(&pixels), format)).unwrap();
        for (out, photo) in open(&cut).0.iter().zip(&pixels) {
            // The model sees white over black, so its opacity equals the photo's alpha.
            let alpha = (f64::from(photo[3]).powi(2) / 255.0).round();
            assert!(
                (f64::from(out[3]) - alpha).abs() < 0.1,
                "{format:?}: {out:?} of {photo:?}"
            );
            assert_eq!(out[..3], if out[3] == 0 { [0; 3] } else { [255; 3] });
        }
    }
}

#[test]
fn sixteen_bits_and_grey_end_as_eight_bit_colour() {
    let motley = picture(&motley());
    let colour: Vec<DynamicImage> = vec![
        motley.to_rgb16().into(),
        motley.to_rgba16().into(),
        motley.to_luma_alpha8().into(),
    ];
    let grey: Vec<DynamicImage> = vec![motley.to_luma8().into(), motley.to_luma16().into()];
    for picture in colour.iter().chain(&grey) {
        let expected: Vec<[u8; 4]> = picture.to_rgba8().pixels().map(|p| p.0).collect();
        let cut = cut_by_luma(&encode(picture, ImageFormat::Png)).unwrap();
        assert!(
            farthest(&open(&cut).0, &by_hand(&expected)) <= 1,
            "{:?}",
            picture.color()
        );
    }
    for picture in grey.iter().chain(&colour[..2]) {
        let expected: Vec<[u8; 4]> = picture.to_rgba8().pixels().map(|p| p.0).collect();
        let cut = cut_by_luma(&encode(picture, ImageFormat::Tiff)).unwrap();
        assert!(
            farthest(&open(&cut).0, &by_hand(&expected)) <= 1,
            "TIFF {:?}",
            picture.color()
        );
    }
}

#[test]
fn palette_with_transparent_entries_is_expanded() {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 32, 32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Two);
    encoder.set_palette(vec![255, 0, 0, 200, 210, 220, 255, 255, 255, 0, 0, 0]);
    encoder.set_trns(vec![255, 255, 0, 255]);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[0b00_01_10_11; 32 * 8]).unwrap();
    writer.finish().unwrap();
    let cut = cut_by_luma(&file).unwrap();
    let expected = [[255, 0, 0, 85], [200, 210, 220, 210], [0; 4], [0; 4]].repeat(32 * 8);
    assert_eq!(open(&cut).0, expected);
}

#[test]
fn jpegs_of_another_encoder_are_read_right() {
    let colour = chart();
    let grey = colour.iter().map(|&[r, ..]| [r, r, r, 255]).collect();
    // 51 of 255 parts of black ink leave 4/5 of the light.
    let shade = |v: u8| u8::try_from(u32::from(v) * 4 / 5).unwrap();
    let printed = colour
        .iter()
        .map(|&[r, g, b, _]| [shade(r), shade(g), shade(b), 255])
        .collect();
    let cases: [(&str, &Vec<[u8; 4]>); 5] = [
        ("chart.jpg", &colour),
        ("chart-progressive.jpg", &colour),
        ("chart-grey.jpg", &grey),
        ("chart-cmyk.jpg", &printed),
        ("chart-ycck.jpg", &printed),
    ];
    for (name, expected) in cases {
        let cut = cut_by_luma(&read(&format!("tests/data/photos/{name}"))).unwrap();
        let distance = farthest(&open(&cut).0, &by_hand(expected));
        assert!(distance <= 3, "{name} is off by {distance}");
    }
}

#[test]
fn inks_without_an_adobe_segment_are_not_inverted() {
    let mut file = read("tests/data/photos/chart-cmyk.jpg");
    let name = file.windows(5).position(|w| w == b"Adobe").unwrap();
    file.drain(name - 4..name + 12);
    // 51 parts of black ink with the Adobe segment are 204 without it.
    let expected: Vec<[u8; 4]> = chart()
        .iter()
        .map(|&[r, g, b, _]| [r, g, b].map(|v| u32::from(255 - v) * 51 / 255))
        .map(|[r, g, b]| [r, g, b, 255].map(|v| u8::try_from(v).unwrap()))
        .collect();
    assert!(
        by_hand(&expected).iter().all(|p| p[3] < 128),
        "this one is too dark for a subject"
    );
    assert_eq!(cut_by_luma(&file), Err(super::CutoutError::NoSubject));
}

#[test]
fn one_pixel_and_long_lines_are_photos_too() {
    for (width, height) in [(1, 1), (1, 700), (900, 1), (31, 33), (500, 40)] {
        let flat = RgbaImage::from_pixel(width, height, image::Rgba([200, 180, 220, 255]));
        let file = encode(&DynamicImage::from(flat).to_rgb8().into(), ImageFormat::Png);
        let cut = cut_by_luma(&file).unwrap();
        assert_eq!((cut.report.width, cut.report.height), (width, height));
        let (pixels, _) = open(&cut);
        assert!(
            pixels.iter().all(|p| *p == [200, 180, 220, 200]),
            "{width} x {height}"
        );
    }
}
