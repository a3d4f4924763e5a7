//! Windows bitmaps of the kinds that the `image` crate does not write.

use super::SIDE;

/// What the header says about compression.
const RUN_LENGTHS: u32 = 1;
const BIT_FIELDS: u32 = 3;

/// A file with a header of 40 bytes; `behind` are masks and palette.
pub(crate) fn file(bits: u16, compression: u32, behind: &[u8], pixels: &[u8]) -> Vec<u8> {
    let long = |v: usize| u32::try_from(v).unwrap_or(u32::MAX).to_le_bytes();
    let offset = 14 + 40 + behind.len();
    [
        &b"BM"[..],
        &long(offset + pixels.len()),
        &[0; 4],
        &long(offset),
        &long(40),
        &SIDE.to_le_bytes(),
        &SIDE.to_le_bytes(),
        &1u16.to_le_bytes(),
        &bits.to_le_bytes(),
        &compression.to_le_bytes(),
        &long(pixels.len()),
        &[0; 16],
        behind,
        pixels,
    ]
    .concat()
}

/// Rows of one colour of a palette each, as one run.
pub(crate) fn run_lengths() -> Vec<u8> {
    let palette: Vec<u8> = (0..=255).flat_map(|i| [200, i, 255 - i, 0]).collect();
    let mut pixels: Vec<u8> = (0..32).flat_map(|row| [32, row, 0, 0]).collect();
    pixels.extend([0, 1]);
    file(8, RUN_LENGTHS, &palette, &pixels)
}

/// Five, six and five bits.
pub(crate) fn bit_fields() -> Vec<u8> {
    let masks = [0xf800u32, 0x07e0, 0x001f].map(u32::to_le_bytes).concat();
    file(16, BIT_FIELDS, &masks, &[0xd7, 0xbe].repeat(32 * 32))
}
