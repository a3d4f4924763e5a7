//! WebP files, put together from chunks (RFC 9649, section 2): the `image` crate writes lossless ones only.

use super::SIDE;

/// 32 x 32 pixels as libwebp codes them at quality 30: the flat patches of `tests/data/photos/chart.jpg`.
const LOSSY: [u8; 74] = [
    0x90, 0x03, 0x00, 0x9d, 0x01, 0x2a, 0x20, 0x00, 0x20, 0x00, 0x3e, 0xfd, 0x40, 0xb4, 0x53, 0xab,
    0x22, 0xa6, 0x23, 0x9b, 0xf1, 0x60, 0x1f, 0x89, 0x68, 0x00, 0xb5, 0x21, 0x41, 0x54, 0xbe, 0x20,
    0x02, 0x1f, 0xcf, 0x96, 0x40, 0x00, 0xfe, 0xea, 0x91, 0xc9, 0x71, 0xdf, 0x22, 0xc6, 0x17, 0x0d,
    0xbe, 0xf5, 0x94, 0x44, 0x1e, 0x5a, 0x43, 0x03, 0xda, 0x57, 0xfe, 0xff, 0x97, 0x2b, 0x6f, 0xf6,
    0x0e, 0x94, 0xde, 0xf8, 0x78, 0x40, 0xfd, 0xc8, 0x00, 0x00,
];

/// The flags of a `VP8X` chunk.
pub(crate) const ICC: u8 = 0x20;
pub(crate) const ALPHA: u8 = 0x10;
pub(crate) const EXIF: u8 = 0x08;
pub(crate) const XMP: u8 = 0x04;
pub(crate) const ANIMATION: u8 = 0x02;

/// A chunk, with the byte that makes its length even.
pub(crate) fn chunk(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let padding = vec![0; body.len() % 2];
    [&kind, &length(body)[..], body, &padding].concat()
}

/// A file of `chunks`.
pub(crate) fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = [b"WEBP".to_vec(), chunks.concat()].concat();
    [b"RIFF", &length(&body)[..], &body].concat()
}

/// The chunk that says what others there are.
pub(crate) fn header(flags: u8) -> Vec<u8> {
    let [side, ..] = (SIDE - 1).to_le_bytes();
    chunk(*b"VP8X", &[flags, 0, 0, 0, side, 0, 0, side, 0, 0])
}

/// The picture itself.
pub(crate) fn lossy_chunk() -> Vec<u8> {
    chunk(*b"VP8 ", &LOSSY)
}

pub(crate) fn lossy() -> Vec<u8> {
    file(&[lossy_chunk()])
}

/// Opacity of 200 everywhere, coded lossless as one colour.
pub(crate) fn lossy_with_alpha() -> Vec<u8> {
    let alpha = chunk(*b"ALPH", &[0x01, 0x28, 0x72, 0x44, 0x04]);
    file(&[header(ALPHA), alpha, lossy_chunk()])
}

/// The picture with `body` as what `kind` stands for.
pub(crate) fn with_metadata(flag: u8, kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let metadata = chunk(kind, body);
    if flag == ICC {
        file(&[header(flag), metadata, lossy_chunk()])
    } else {
        file(&[header(flag), lossy_chunk(), metadata])
    }
}

fn length(body: &[u8]) -> [u8; 4] {
    u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes()
}
