//! Small pictures of every kind that is read, made by code: what fuzzing starts from and what hostile tests bend.
//! Each is 32 x 32 pixels unless it says otherwise, and bright enough to have a subject.
#![expect(
    clippy::unwrap_used,
    reason = "encoders do not fail in memory, and the sizes are constants"
)]

pub(crate) mod animations;
pub(crate) mod bmp;
#[cfg(test)]
pub(crate) mod bombs;
pub(crate) mod tiff;
pub(crate) mod webp;

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};

use self::tiff::Kind::{Long, Short};

/// Width and height of every picture.
pub(crate) const SIDE: u32 = 32;

/// JPEGs that libjpeg wrote, of every number of components and of several scans.
pub(crate) const JPEGS: [(&str, &[u8]); 6] = [
    ("probe.jpg", include_bytes!("../../worker/probe.jpg")),
    (
        "chart.jpg",
        include_bytes!("../../../tests/data/photos/chart.jpg"),
    ),
    (
        "grey.jpg",
        include_bytes!("../../../tests/data/photos/chart-grey.jpg"),
    ),
    (
        "cmyk.jpg",
        include_bytes!("../../../tests/data/photos/chart-cmyk.jpg"),
    ),
    (
        "ycck.jpg",
        include_bytes!("../../../tests/data/photos/chart-ycck.jpg"),
    ),
    (
        "progressive.jpg",
        include_bytes!("../../../tests/data/photos/chart-progressive.jpg"),
    ),
];

/// Red, green and blue of every pixel; no two neighbours alike.
pub(crate) fn samples() -> Vec<u8> {
    let byte = |v: u32| (v % 256).to_le_bytes()[0];
    (0..SIDE * SIDE)
        .flat_map(|i| [byte(i / 4), byte(200 + i), byte(37 * i)])
        .collect()
}

/// The samples in a format of the `image` crate.
pub(crate) fn encoded(format: ImageFormat) -> Vec<u8> {
    write(&RgbImage::from_raw(SIDE, SIDE, samples()).unwrap(), format)
}

/// A picture of one light colour, of any size.
pub(crate) fn flat(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    write(
        &RgbImage::from_pixel(width, height, Rgb([200, 180, 220])),
        format,
    )
}

fn write(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// A PNG of `depth` bits that `prepare` says the rest about; every byte of its samples is 0xb5.
pub(crate) fn png(
    color: png::ColorType,
    depth: png::BitDepth,
    prepare: impl FnOnce(&mut png::Encoder<'_, &mut Vec<u8>>),
) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, SIDE, SIDE);
    encoder.set_color(color);
    encoder.set_depth(depth);
    prepare(&mut encoder);
    let mut writer = encoder.write_header().unwrap();
    let row = (SIDE as usize * color.samples() * depth as usize).div_ceil(8);
    writer
        .write_image_data(&vec![0xb5; row * SIDE as usize])
        .unwrap();
    writer.finish().unwrap();
    file
}

/// Every file that holds a picture, by name.
pub(crate) fn pictures() -> Vec<(&'static str, Vec<u8>)> {
    use png::BitDepth::{Eight, Four, Sixteen};
    use png::ColorType::{GrayscaleAlpha, Indexed, Rgb};
    let mut all: Vec<(&str, Vec<u8>)> = JPEGS.map(|(name, file)| (name, file.to_vec())).into();
    all.extend([
        ("rgb.png", encoded(ImageFormat::Png)),
        ("wide.png", png(Rgb, Sixteen, |_| ())),
        ("alpha.png", png(GrayscaleAlpha, Eight, |_| ())),
        (
            "palette.png",
            png(Indexed, Four, |encoder| {
                encoder.set_palette(vec![0xd0; 48]);
                encoder.set_trns(vec![0xff; 16]);
            }),
        ),
        ("animation.png", animations::png()),
        ("rgb.gif", encoded(ImageFormat::Gif)),
        ("animation.gif", animations::gif()),
        ("lossless.webp", encoded(ImageFormat::WebP)),
        ("lossy.webp", webp::lossy()),
        ("alpha.webp", webp::lossy_with_alpha()),
        ("animation.webp", animations::webp()),
        ("rgb.bmp", encoded(ImageFormat::Bmp)),
        ("runs.bmp", bmp::run_lengths()),
        ("wide.bmp", bmp::bit_fields()),
        ("strips.tif", tiff::strips()),
        ("tiles.tif", tiff::tiles()),
        ("planes.tif", tiff::planes()),
        ("jpeg.tif", tiff::jpeg(JPEGS[2].1)),
        ("lzw.tif", tiff::encoded(::tiff::encoder::Compression::Lzw)),
        (
            "packbits.tif",
            tiff::encoded(::tiff::encoder::Compression::Packbits),
        ),
        (
            "cmyk.tif",
            tiff::page(
                &[
                    (262, Short, &[5]),
                    (277, Short, &[4]),
                    (258, Short, &[8; 4]),
                    (278, Long, &[SIDE]),
                ],
                &[&[0x20; 4096]],
            ),
        ),
    ]);
    all
}
