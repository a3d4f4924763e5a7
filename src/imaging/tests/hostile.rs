//! Incomplete, contradictory and random bytes: each must give an error quickly, and the error that leads to the right next step.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, RgbaImage};
use proptest::prelude::*;

use super::super::{CutoutError, Format, Lookalike, Unsupported};
use super::{at_once, cut_by_luma, motley, read};

const CHARTS: [&str; 5] = [
    "chart.jpg",
    "chart-progressive.jpg",
    "chart-grey.jpg",
    "chart-cmyk.jpg",
    "chart-ycck.jpg",
];

/// The lossless formats.
const LOSSLESS: [ImageFormat; 5] = [
    ImageFormat::Png,
    ImageFormat::Gif,
    ImageFormat::WebP,
    ImageFormat::Tiff,
    ImageFormat::Bmp,
];

fn jpegs() -> Vec<Vec<u8>> {
    CHARTS
        .iter()
        .map(|name| read(&format!("tests/data/photos/{name}")))
        .collect()
}

fn lossless(format: ImageFormat) -> Vec<u8> {
    let pixels = motley().as_flattened().to_vec();
    let picture = DynamicImage::from(RgbaImage::from_raw(32, 32, pixels).unwrap());
    let mut file = Cursor::new(Vec::new());
    DynamicImage::from(picture.to_rgb8())
        .write_to(&mut file, format)
        .unwrap();
    file.into_inner()
}

#[test]
fn file_cut_short_anywhere_is_truncated() {
    let files = jpegs().into_iter().chain(LOSSLESS.map(lossless));
    for file in files {
        cut_by_luma(&file).unwrap();
        for length in 0..file.len() {
            let result = cut_by_luma(&file[..length]);
            let name = file[..4].escape_ascii();
            assert_eq!(
                result,
                Err(CutoutError::Truncated),
                "{name}: {length} of {}",
                file.len()
            );
        }
    }
}

#[test]
fn photo_cut_short_is_truncated() {
    let photo = read("tests/data/photos/astronaut.jpg");
    for percent in 0..100 {
        let result = cut_by_luma(&photo[..photo.len() * percent / 100]);
        assert_eq!(result, Err(CutoutError::Truncated), "{percent} %");
    }
}

#[test]
fn tail_of_zeros_is_a_copy_in_progress() {
    let files = jpegs()
        .into_iter()
        .chain([ImageFormat::Png, ImageFormat::Gif].map(lossless));
    for mut file in files {
        let half = file.len() / 2;
        file[half..].fill(0);
        assert_eq!(cut_by_luma(&file), Err(CutoutError::Truncated));
        file.fill(0);
        assert_eq!(cut_by_luma(&file), Err(CutoutError::Truncated));
    }
}

#[test]
fn bytes_behind_the_end_do_no_harm() {
    for file in jpegs().into_iter().chain([lossless(ImageFormat::Png)]) {
        cut_by_luma(&[&file[..], &[0; 64]].concat()).unwrap();
        cut_by_luma(&[&file[..], b"a video, as phones append them"].concat()).unwrap();
    }
}

#[test]
fn whole_file_with_broken_contents_is_damaged() {
    let mut png = lossless(ImageFormat::Png);
    let pixels = png.windows(4).position(|w| w == b"IDAT").unwrap();
    png[pixels + 20..pixels + 40].fill(0x55);
    assert_eq!(cut_by_luma(&png), Err(CutoutError::Damaged(Format::Png)));

    let mut jpeg = read("tests/data/photos/astronaut.jpg");
    let middle = jpeg.len() / 2;
    // No Huffman code consists of ones only.
    jpeg[middle..middle + 400]
        .as_chunks_mut()
        .0
        .fill([0xff, 0x00]);
    assert_eq!(cut_by_luma(&jpeg), Err(CutoutError::Damaged(Format::Jpeg)));
}

/// Headers of a few bytes that claim 60,000 x 60,000 pixels.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let side = 60_000u16;
    let [low, high] = side.to_le_bytes();
    let mut jpeg = read("tests/data/photos/chart.jpg");
    let frame = jpeg.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[high, low, high, low]);

    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, u32::from(side), u32::from(side));
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().unwrap();
    writer
        .write_chunk(png::chunk::IDAT, &[0x78, 0x9c, 3, 0, 0, 0, 0, 1])
        .unwrap();
    drop(writer);

    let mut gif = lossless(ImageFormat::Gif);
    gif[6..10].copy_from_slice(&[low, high, low, high]);

    let mut bmp = lossless(ImageFormat::Bmp);
    bmp[18..22].copy_from_slice(&u32::from(side).to_le_bytes());
    bmp[22..26].copy_from_slice(&u32::from(side).to_le_bytes());

    // A lossless WebP holds 14 bits per side at most: 16,383 x 16,383.
    let mut webp = lossless(ImageFormat::WebP);
    let signature = webp.windows(4).position(|w| w == b"VP8L").unwrap() + 9;
    webp[signature..signature + 4].copy_from_slice(&[0xfe, 0xbf, 0xff, 0x0f]);

    let mut tiff = lossless(ImageFormat::Tiff);
    let directory = u32::from_le_bytes(*tiff[4..].first_chunk().unwrap()) as usize;
    for entry in tiff[directory + 2..].chunks_exact_mut(12) {
        if matches!(entry[..2], [0 | 1 | 0x16, 1]) {
            // Width, height and rows per strip, each as one long.
            entry[2..12].copy_from_slice(&[4, 0, 1, 0, 0, 0, low, high, 0, 0]);
        }
    }
    vec![
        ("JPEG", jpeg),
        ("PNG", png),
        ("GIF", gif),
        ("BMP", bmp),
        ("WebP", webp),
        ("TIFF", tiff),
    ]
}

#[test]
fn claim_of_too_many_pixels_is_refused_by_the_header() {
    for (name, file) in bombs() {
        let result = at_once(name, || cut_by_luma(&file));
        assert!(
            matches!(result, Err(CutoutError::TooLarge { max: 20, .. })),
            "{name}: {result:?}"
        );
    }
}

#[test]
fn what_is_no_picture_is_called_by_its_name() {
    use CutoutError::{NotAnImage, Unsupported as No};
    let cases: [(&[u8], CutoutError); 5] = [
        (b"<!DOCTYPE html><h1>404", NotAnImage(Some(Lookalike::Html))),
        (b"%PDF-1.4\n", NotAnImage(Some(Lookalike::Pdf))),
        (b"Dear Sir or Madam", NotAnImage(None)),
        (b"\0\0\0\x20ftypheic\0\0\0\0", No(Unsupported::Heif)),
        (b"8BPS\0\x01\0\0", No(Unsupported::Photoshop)),
    ];
    for (bytes, error) in cases {
        assert_eq!(cut_by_luma(bytes), Err(error));
    }
}

const SIGNATURES: [&[u8]; 8] = [
    b"",
    b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x06\0\0\0",
    b"RIFF\x40\0\0\0WEBPVP8 ",
    b"RIFF\x40\0\0\0WEBPVP8L",
    b"II*\0\x08\0\0\0",
    b"GIF89a\x10\0\x10\0\x80\0\0",
    b"BM\x40\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x10\0\0\0\x10\0\0\0\x01\0\x18\0",
];

fn any_valid_file() -> impl Strategy<Value = Vec<u8>> {
    let files: Vec<_> = jpegs().into_iter().chain(LOSSLESS.map(lossless)).collect();
    proptest::sample::select(files)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn noise_behind_any_signature_never_panics(
        signature in proptest::sample::select(&SIGNATURES[..]),
        noise in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        let file = [signature, &noise].concat();
        // Random bytes may form a valid picture; that is no failure.
        drop(cut_by_luma(&file));
    }

    #[test]
    fn valid_file_with_flipped_bytes_never_panics(
        mut file in any_valid_file(),
        flips in proptest::collection::vec((any::<proptest::sample::Index>(), 1u8..), 1..6),
    ) {
        for (at, mask) in flips {
            let at = at.index(file.len());
            file[at] ^= mask;
        }
        drop(cut_by_luma(&file));
    }
}
