//! Files of several pictures: the first is light, and the second must never be seen.
#![expect(clippy::unwrap_used, reason = "encoders do not fail in memory")]

use image::codecs::gif::GifEncoder;
use image::{Frame, Rgba, RgbaImage};

use super::{SIDE, webp};

/// The colour of every pixel of the first picture of [`png()`] and [`gif()`].
pub(crate) const FIRST: [u8; 4] = [240, 230, 220, 255];
const SECOND: [u8; 4] = [255, 0, 0, 255];

/// Its default image is the first picture of the animation.
pub(crate) fn png() -> Vec<u8> {
    write_png(false)
}

/// Its default image is no part of the animation: programs that know no animation show it.
pub(crate) fn png_with_default_image() -> Vec<u8> {
    write_png(true)
}

fn write_png(separate_default: bool) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, SIDE, SIDE);
    encoder.set_color(png::ColorType::Rgba);
    encoder
        .set_animated(if separate_default { 1 } else { 2 }, 0)
        .unwrap();
    encoder.set_sep_def_img(separate_default).unwrap();
    let mut writer = encoder.write_header().unwrap();
    for colour in [FIRST, SECOND] {
        writer.write_image_data(&colour.repeat(32 * 32)).unwrap();
    }
    writer.finish().unwrap();
    file
}

pub(crate) fn gif() -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = GifEncoder::new(&mut file);
    for colour in [FIRST, SECOND] {
        let picture = RgbaImage::from_pixel(SIDE, SIDE, Rgba(colour));
        encoder.encode_frame(Frame::new(picture)).unwrap();
    }
    drop(encoder);
    file
}

/// The first frame is the picture of [`webp::lossy`], the second covers a quarter of it.
pub(crate) fn webp() -> Vec<u8> {
    let frame = |offset: u8, side: u32, picture: &[u8]| {
        let [side, ..] = (side - 1).to_le_bytes();
        let head = [
            offset, 0, 0, offset, 0, 0, side, 0, 0, side, 0, 0, 100, 0, 0, 0,
        ];
        webp::chunk(*b"ANMF", &[&head, picture].concat())
    };
    let second = super::flat(16, 16, image::ImageFormat::WebP);
    webp::file(&[
        webp::header(webp::ANIMATION),
        webp::chunk(*b"ANIM", &[0; 6]),
        frame(0, SIDE, &webp::lossy_chunk()),
        // A simple file is its header and the chunk of its picture.
        frame(4, 16, second.get(12..).unwrap()),
    ])
}
