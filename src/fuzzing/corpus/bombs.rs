//! Small files that claim, or unpack to, far more than they should.

use image::ImageFormat;

use super::tiff::Kind::{Long, Short};
use super::{JPEGS, SIDE, encoded, flat, tiff, webp};

/// The files of each format with other sides in their headers.
pub(crate) fn with_sides(width: u32, height: u32) -> Vec<(&'static str, Vec<u8>)> {
    let mut png = encoded(ImageFormat::Png);
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = crc(&png[12..29]);
    png[29..33].copy_from_slice(&checksum.to_be_bytes());
    let mut bmp = encoded(ImageFormat::Bmp);
    bmp[18..22].copy_from_slice(&width.to_le_bytes());
    bmp[22..26].copy_from_slice(&height.to_le_bytes());
    let tiff = tiff::page(
        &[(256, Long, &[width]), (257, Long, &[height])],
        &[&[220; 3072]],
    );
    let mut files = vec![("PNG", png), ("BMP", bmp), ("TIFF", tiff)];
    if let (Ok(width), Ok(height)) = (u16::try_from(width), u16::try_from(height)) {
        let sides = [width.to_le_bytes(), height.to_le_bytes()].concat();
        let mut gif = encoded(ImageFormat::Gif);
        gif[6..10].copy_from_slice(&sides);
        let mut lossy = webp::lossy();
        lossy[26..30].copy_from_slice(&sides);
        let mut jpeg = JPEGS[2].1.to_vec();
        let sof = jpeg.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
        let sides = [height.to_be_bytes(), width.to_be_bytes()].concat();
        jpeg[sof + 5..sof + 9].copy_from_slice(&sides);
        files.extend([("GIF", gif), ("WebP", lossy), ("JPEG", jpeg)]);
    }
    files
}

/// A header that says 32 x 32, or less than a megabyte, and a coded picture that says 16383 x 16383.
pub(crate) fn second_sizes() -> Vec<(&'static str, Vec<u8>)> {
    let huge = [0xff, 0x3f, 0xff, 0x3f];
    let mut lossy = webp::lossy_chunk();
    lossy[14..18].copy_from_slice(&huge);
    let mut lossless = encoded(ImageFormat::WebP).split_off(12);
    // All 28 bits of the two sides, less one each.
    lossless[9..12].fill(0xff);
    lossless[12] |= 0x0f;
    let still = |chunk: &[u8]| webp::file(&[webp::header(0), chunk.to_vec()]);
    let frame = [
        &[0, 0, 0, 0, 0, 0, 31, 0, 0, 31, 0, 0, 0, 0, 0, 0],
        &lossy[..],
    ]
    .concat();
    let animation = [
        webp::header(webp::ANIMATION),
        webp::chunk(*b"ANIM", &[0; 6]),
        webp::chunk(*b"ANMF", &frame),
    ];

    let mut jpeg = JPEGS[2].1.to_vec();
    let sof = jpeg.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    jpeg[sof + 5..sof + 9].copy_from_slice(&[0x3f, 0xff, 0x3f, 0xff]);
    let in_tile = [
        (258, Short, &[8u32][..]),
        (259, Short, &[7]),
        (262, Short, &[1]),
        (277, Short, &[1]),
        (322, Long, &[65_536]),
        (323, Long, &[65_536]),
    ];

    let mut gif = flat(16, 16, ImageFormat::Gif);
    let descriptor = gif
        .windows(5)
        .position(|w| w == [0x2c, 0, 0, 0, 0])
        .unwrap();
    gif[descriptor + 5..descriptor + 9].fill(0xff);
    vec![
        ("lossy WebP", still(&lossy)),
        ("lossless WebP", still(&lossless)),
        ("animated WebP", webp::file(&animation)),
        ("JPEG in a strip", tiff::jpeg(&jpeg)),
        ("JPEG in a tile", tiff::page(&in_tile, &[&jpeg])),
        ("GIF frame", gif),
    ]
}

/// PNGs of 32 x 32 pixels in which something unpacks to eighty megabytes.
pub(crate) fn long_streams() -> Vec<(&'static str, Vec<u8>)> {
    let stream = zeros();
    [
        ("pixels", *b"IDAT", Vec::new()),
        ("profile", *b"iCCP", b"profile\0\0".to_vec()),
        ("text", *b"zTXt", b"Comment\0\0".to_vec()),
        (
            "international text",
            *b"iTXt",
            b"Comment\0\x01\0\0\0".to_vec(),
        ),
    ]
    .map(|(name, kind, head)| {
        let mut file = Vec::new();
        let encoder = png::Encoder::new(&mut file, SIDE, SIDE);
        let mut writer = encoder.write_header().unwrap();
        let chunk = png::chunk::ChunkType(kind);
        writer
            .write_chunk(chunk, &[&head[..], &stream].concat())
            .unwrap();
        if kind != *b"IDAT" {
            writer.write_image_data(&[0xd0; 32 * 32]).unwrap();
        }
        writer.finish().unwrap();
        (name, file)
    })
    .into()
}

/// A PNG whose palette has `length` bytes.
pub(crate) fn palette_of(length: usize) -> Vec<u8> {
    let mut file = super::png(png::ColorType::Indexed, png::BitDepth::Four, |encoder| {
        encoder.set_palette(vec![0xd0; 48]);
    });
    let at = file.windows(4).position(|w| w == b"PLTE").unwrap();
    let mut chunk = b"PLTE".to_vec();
    chunk.resize(4 + length, 0xd0);
    let checksum = crc(&chunk);
    chunk.extend(checksum.to_be_bytes());
    chunk.splice(..0, u32::try_from(length).unwrap().to_be_bytes());
    file.splice(at - 4..at + 4 + 48 + 4, chunk);
    file
}

/// A zlib stream of eighty megabytes, all alike: what a large white PNG has for its pixels.
fn zeros() -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 10_000, 8_000);
    encoder.set_compression(png::Compression::Fast);
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&vec![0xd0; 80_000_000]).unwrap();
    writer.finish().unwrap();
    let mut stream = Vec::new();
    let mut rest = &file[8..];
    while let Some((head, after)) = rest.split_first_chunk::<8>() {
        let length = u32::from_be_bytes(*head.first_chunk().unwrap()) as usize;
        if &head[4..] == b"IDAT" {
            stream.extend(&after[..length]);
        }
        rest = &after[length + 4..];
    }
    stream
}

/// The checksum of a PNG's chunk (PNG specification, third edition, 5.5), bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 {
                sum >> 1 ^ 0xedb8_8320
            } else {
                sum >> 1
            };
        }
    }
    !sum
}
