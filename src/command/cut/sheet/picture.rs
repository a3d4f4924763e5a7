//! Converts a worker's PNG to pixels, and rows of panels to the PNG of a sheet. Must not depend on photos or paths.

use std::io::{self, Cursor, Write};

use png::{BitDepth, ColorType, Decoder, Encoder, Limits};

use super::SIDE;
use super::panels::{PanelRow, Small, gap, size};
use crate::provenance::SHEET_KEYWORD;
use crate::version::VERSION;

/// Memory limit for decoding a small picture, in bytes: several times the size of its pixels.
const MEMORY_MAX: usize = 8 << 20;

/// Bytes of one IDAT chunk.
const CHUNK_BYTES: usize = 64 << 10;

/// The pixels of a PNG whose longer side is at most [`SIDE`], RGB or RGBA of 8 bits, as workers write it.
///
/// Ignores colour profiles: they come from the photo and are untrusted.
pub(super) fn decode(png: &[u8]) -> io::Result<Small> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(png), Limits { bytes: MEMORY_MAX });
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info()?;
    let (width, height) = reader.info().size();
    let kind = reader.output_color_type();
    if width.max(height) > SIDE || kind.1 != BitDepth::Eight {
        return Err(unexpected());
    }
    let mut bytes = vec![0; reader.output_buffer_size().ok_or_else(unexpected)?];
    reader.next_frame(&mut bytes)?;
    let opaque = |&[r, g, b]: &[u8; 3]| [r, g, b, u8::MAX];
    let pixels = match kind.0 {
        ColorType::Rgb => bytes.as_chunks().0.iter().map(opaque).collect(),
        ColorType::Rgba => bytes.as_chunks().0.to_vec(),
        ColorType::Grayscale | ColorType::GrayscaleAlpha | ColorType::Indexed => {
            return Err(unexpected());
        }
    };
    Small::new(width as usize, pixels).ok_or_else(unexpected)
}

/// Writes a sheet of `rows` while `is_wanted` returns true.
pub(super) fn encode(
    rows: &[PanelRow],
    sink: impl Write,
    is_wanted: impl Fn() -> bool,
) -> io::Result<()> {
    let (width, height) = size(rows);
    let [columns, lines] = [width, height].map(u32::try_from);
    let columns = columns.map_err(io::Error::other)?;
    let mut encoder = Encoder::new(sink, columns, lines.map_err(io::Error::other)?);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.add_text_chunk(SHEET_KEYWORD.to_owned(), format!("version={VERSION}"))?;
    let mut writer = encoder.write_header()?;
    let mut stream = writer.stream_writer_with_size(CHUNK_BYTES)?;
    for row in rows {
        if !is_wanted() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        stream.write_all(row.lines(width).as_flattened())?;
    }
    stream.write_all(gap(width).as_flattened())?;
    stream.finish()?;
    Ok(writer.finish()?)
}

fn unexpected() -> io::Error {
    let reason = "the small picture that a worker has made is not of the kind that was asked for";
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(size: (u32, u32), kind: ColorType, pixel: &[u8]) -> Vec<u8> {
        let mut png = Vec::new();
        let mut encoder = Encoder::new(&mut png, size.0, size.1);
        encoder.set_color(kind);
        let mut writer = encoder.write_header().unwrap();
        let pixels = pixel.repeat(size.0 as usize * size.1 as usize);
        writer.write_image_data(&pixels).unwrap();
        writer.finish().unwrap();
        png
    }

    /// P6: fails when a faulty worker can make the command allocate without limit.
    #[test]
    fn only_what_was_asked_for_is_read() {
        assert!(decode(&png((SIDE, 1), ColorType::Rgb, &[1, 2, 3])).is_ok());
        for refused in [
            png((SIDE + 1, 1), ColorType::Rgb, &[1, 2, 3]),
            png((1, SIDE + 1), ColorType::Rgba, &[1, 2, 3, 4]),
            png((2, 2), ColorType::Grayscale, &[1]),
            b"\x89PNG\r\n\x1a\n".to_vec(),
        ] {
            assert!(decode(&refused).is_err());
        }
    }

    /// Fails when opaque pixels become transparent, when colours are swapped, or when a sheet lacks its mark.
    #[test]
    fn pixels_come_out_as_they_went_in() {
        let photo = decode(&png((2, 1), ColorType::Rgb, &[1, 2, 3])).unwrap();
        let cutout = decode(&png((2, 1), ColorType::Rgba, &[4, 5, 6, 255])).unwrap();
        let rows = [PanelRow::new(photo, cutout).unwrap()];
        let mut sheet = Vec::new();
        encode(&rows, &mut sheet, || true).unwrap();
        assert!(crate::provenance::is_sheet(&sheet));
        let sheet = image::load_from_memory(&sheet).unwrap().into_rgb8();
        assert_eq!(sheet.dimensions(), (8 + 5 * 10, 17));
        let found = [8, 19, 28].map(|x| sheet.get_pixel(x, 8).0);
        assert_eq!(found, [[1, 2, 3], [255; 3], [4, 5, 6]]);
    }

    /// Fails when writing continues although the caller no longer waits.
    #[test]
    fn sheet_that_is_not_wanted_is_not_finished() {
        let small = || decode(&png((1, 1), ColorType::Rgb, &[1, 2, 3])).unwrap();
        let rows = [PanelRow::new(small(), small()).unwrap()];
        assert!(encode(&rows, &mut Vec::new(), || false).is_err());
    }
}
