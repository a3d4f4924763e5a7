//! Makes photos with known cutouts and hostile files, and checks outputs. A photo is black except for one white quarter; the model
//! `luma` takes brightness for foreground.

use std::fs::File;
use std::io::{BufReader, Cursor, Write as _};
use std::path::Path;

use image::{ImageFormat, Rgb, RgbImage};
use jpeg_encoder::{ColorType, Encoder};

/// The width and height of a photo, in pixels.
pub(crate) const SIZE: (u32, u32) = (96, 64);

/// The width and height of a large photo.
pub(crate) const LARGE: (u32, u32) = (960, 640);

/// The white quarter of a photo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Quarter {
    TopLeft,
    TopRight,
    BottomLeft,
    BottomRight,
}

impl Quarter {
    const ALL: [Quarter; 4] = [
        Quarter::TopLeft,
        Quarter::TopRight,
        Quarter::BottomLeft,
        Quarter::BottomRight,
    ];

    fn holds(self, x: u32, y: u32, (width, height): (u32, u32)) -> bool {
        let (right, below) = (x >= width / 2, y >= height / 2);
        match self {
            Quarter::TopLeft => !right && !below,
            Quarter::TopRight => right && !below,
            Quarter::BottomLeft => !right && below,
            Quarter::BottomRight => right && below,
        }
    }

    fn centre(self, size: (u32, u32)) -> (u32, u32) {
        let (width, height) = size;
        let columns = [width / 4, width * 3 / 4];
        let points = columns
            .into_iter()
            .flat_map(|x| [(x, height / 4), (x, height * 3 / 4)]);
        let mut inside = points.filter(|&(x, y)| self.holds(x, y, size));
        inside
            .next()
            .expect("each quarter holds one of the four points")
    }
}

/// A photo as a JPEG.
pub(crate) fn jpeg(lit: Quarter) -> Vec<u8> {
    encode_jpeg(lit, SIZE, |_| ())
}

/// A photo as a JPEG of [`LARGE`] pixels, in which almost every byte is scan data.
pub(crate) fn large_jpeg(lit: Quarter) -> Vec<u8> {
    encode_jpeg(lit, LARGE, |_| ())
}

/// A photo as a JPEG of 24 megapixels; the file is small, and cutting it out takes more than 150 MiB.
pub(crate) fn huge_jpeg(lit: Quarter) -> Vec<u8> {
    encode_jpeg(lit, (6_000, 4_000), |_| ())
}

/// A square picture of bright noise, whose cutout is several times as large.
pub(crate) fn noise_jpeg(side: u16) -> Vec<u8> {
    let mut state = 1_u32;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0] | 0x80
    });
    let pixels: Vec<u8> = noise
        .take(usize::from(side) * usize::from(side) * 3)
        .collect();
    let mut bytes = Vec::new();
    let encoder = Encoder::new(&mut bytes, 50);
    encoder.encode(&pixels, side, side, ColorType::Rgb).unwrap();
    bytes
}

/// A photo as a JPEG whose EXIF orientation is `orientation` (1 to 8).
pub(crate) fn turned_jpeg(lit: Quarter, orientation: u8) -> Vec<u8> {
    // TIFF header, big endian; one directory at offset 8 with one entry: 0x0112, SHORT, count 1.
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.push(orientation);
    exif.extend([0; 6]);
    encode_jpeg(lit, SIZE, |encoder| {
        encoder.add_app_segment(1, exif.clone()).unwrap();
    })
}

/// A photo as a PNG.
pub(crate) fn png(lit: Quarter) -> Vec<u8> {
    encode(lit, ImageFormat::Png)
}

/// A photo of [`LARGE`] pixels as a bitmap: it stays readable if any part is replaced by that of another one.
pub(crate) fn large_bmp(lit: Quarter) -> Vec<u8> {
    let mut picture = picture(lit, LARGE);
    // Dark, but not zeros, which could be unwritten data at the end of a bitmap.
    for pixel in picture.pixels_mut().filter(|pixel| pixel.0 == [0; 3]) {
        pixel.0[0] = 1;
    }
    encode_image(&picture, ImageFormat::Bmp)
}

/// A photo as a lossless WebP.
pub(crate) fn webp(lit: Quarter) -> Vec<u8> {
    encode(lit, ImageFormat::WebP)
}

/// A black picture: nothing in it is foreground.
pub(crate) fn dark_png() -> Vec<u8> {
    encode_image(&RgbImage::new(SIZE.0, SIZE.1), ImageFormat::Png)
}

/// A web server's error page.
pub(crate) const HTML: &[u8] =
    b"<!DOCTYPE html>\n<html><head><title>404</title></head><body>Not found</body></html>\n";

/// A valid 1-bit PNG of `side` x `side` pixels in a few hundred bytes per million of them.
pub(crate) fn bomb(side: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().unwrap();
    let mut stream = writer.stream_writer().unwrap();
    let row = vec![0xff; side.div_ceil(8) as usize];
    for _ in 0..side {
        stream.write_all(&row).unwrap();
    }
    stream.finish().unwrap();
    drop(writer);
    bytes
}

/// Asserts that `path` is a complete cutout: RGBA, of the photo's size, opaque in the lit quarter and nowhere else, without colour
/// where it is transparent, and with hotcut's provenance.
#[track_caller]
pub(crate) fn assert_cutout(path: &Path, lit: Quarter) {
    assert_cutout_of_size(path, lit, SIZE);
}

/// [`assert_cutout`] for a cutout of `size`.
#[track_caller]
pub(crate) fn assert_cutout_of_size(path: &Path, lit: Quarter, size: (u32, u32)) {
    let decoded = image::open(path).unwrap();
    assert_eq!(
        decoded.color(),
        image::ColorType::Rgba8,
        "{}",
        path.display()
    );
    let cutout = decoded.into_rgba8();
    assert_eq!(cutout.dimensions(), size, "{}", path.display());
    for quarter in Quarter::ALL {
        let (x, y) = quarter.centre(size);
        let [.., alpha] = cutout.get_pixel(x, y).0;
        let right = if quarter == lit {
            alpha >= 250
        } else {
            alpha <= 5
        };
        assert!(
            right,
            "alpha {alpha} in {quarter:?} of {}, lit {lit:?}",
            path.display()
        );
    }
    let ghost = cutout
        .pixels()
        .find(|pixel| pixel.0[3] == 0 && pixel.0 != [0; 4]);
    assert_eq!(
        ghost,
        None,
        "colour where nothing is seen in {}",
        path.display()
    );
    assert!(
        provenance(path).is_some(),
        "{} is not marked",
        path.display()
    );
}

/// Whether the cutout at `path` is opaque in the middle of the quarter `lit`.
pub(crate) fn shows(path: &Path, lit: Quarter) -> bool {
    let (x, y) = lit.centre(SIZE);
    image::open(path).is_ok_and(|cutout| cutout.into_rgba8().get_pixel(x, y).0[3] >= 250)
}

/// The source that the provenance of an output names: percent-encoded, relative to the hot folder.
#[track_caller]
pub(crate) fn marked_source(path: &Path) -> String {
    marked(path, "source=")
}

/// The model that the provenance of an output names.
#[track_caller]
pub(crate) fn marked_model(path: &Path) -> String {
    marked(path, "model=")
}

/// The SHA-256 of the source that the provenance of an output names.
#[track_caller]
pub(crate) fn marked_sha256(path: &Path) -> [u8; 32] {
    let digits = marked(path, "sha256=");
    std::array::from_fn(|index| {
        let pair = digits.get(index * 2..index * 2 + 2).expect("64 digits");
        u8::from_str_radix(pair, 16).expect("hexadecimal digits")
    })
}

#[track_caller]
fn marked(path: &Path, key: &str) -> String {
    let provenance = provenance(path).expect("our outputs are marked");
    let value = provenance
        .split(' ')
        .find_map(|field| field.strip_prefix(key));
    value.expect("a provenance has every field").to_owned()
}

fn provenance(path: &Path) -> Option<String> {
    let file = BufReader::new(File::open(path).unwrap());
    let reader = png::Decoder::new(file).read_info().unwrap();
    let texts = &reader.info().uncompressed_latin1_text;
    let provenance = texts.iter().find(|chunk| chunk.keyword == "hotcut")?;
    provenance
        .text
        .starts_with("v=1 ")
        .then(|| provenance.text.clone())
}

/// A photo in a format of the `image` crate.
pub(crate) fn encode(lit: Quarter, format: ImageFormat) -> Vec<u8> {
    encode_image(&picture(lit, SIZE), format)
}

fn encode_image(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn encode_jpeg(
    lit: Quarter,
    size: (u32, u32),
    prepare: impl FnOnce(&mut Encoder<&mut Vec<u8>>),
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 95);
    prepare(&mut encoder);
    let (width, height) = (size.0.try_into().unwrap(), size.1.try_into().unwrap());
    encoder
        .encode(&picture(lit, size), width, height, ColorType::Rgb)
        .unwrap();
    bytes
}

fn picture(lit: Quarter, size: (u32, u32)) -> RgbImage {
    RgbImage::from_fn(size.0, size.1, |x, y| {
        if lit.holds(x, y, size) {
            Rgb([255; 3])
        } else {
            Rgb([0; 3])
        }
    })
}

/// The same picture in a file of 4 MiB, most of it a comment.
pub(crate) fn padded(jpeg: &[u8]) -> Vec<u8> {
    let comment = [b"\xFF\xFE\xFF\xFF".as_slice(), &vec![b'.'; 0xFFFD]].concat();
    let (begin, rest) = jpeg.split_at(2);
    [begin, &comment.repeat(64), rest].concat()
}
