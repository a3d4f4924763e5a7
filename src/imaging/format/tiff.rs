//! Converts TIFF bytes to a `Photo`: the first page, in strips or tiles, interleaved or planar, one at a time. Must refuse camera
//! raw files, which are also TIFFs.

use std::io::{Cursor, ErrorKind};

use image::metadata::Orientation;
use tiff::decoder::ifd::Value;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;
use tiff::{ColorType, TiffError};

use super::super::colour;
use super::super::error::CutoutError;
use super::super::photo::{Channels, Density, Photo, Stored};
use super::super::{probe, reserve, zeroed};
use super::end::{EndCheck, Pixels};
use super::jpeg;
use super::limit::Limit;
use super::registry::{Descriptor, Format};
use super::sniff::{self, Sniffed};
use super::unsupported::Unsupported;

type TiffReader<'a> = Decoder<Cursor<&'a [u8]>>;

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "TIFF",
    endings: &["tif", "tiff"],
    sniff,
    decode,
    end: EndCheck::Pixels(pixels),
};

const DAMAGED: CutoutError = CutoutError::Damaged(Format::Tiff);
const OTHER_LAYOUT: CutoutError = CutoutError::Unsupported(Unsupported::Layout(Format::Tiff));
/// The memory limit for the values of one tag, at 32 bytes per value. A profile of 4 MiB fits.
const TAG_BYTES_MAX: usize = 128 << 20;
/// A value of the tag `Compression`: every strip or tile is a JPEG (TIFF Technical Note 2).
const MODERN_JPEG: u64 = 7;
const DNG_VERSION: Tag = Tag::Unknown(50706);

/// Canon's CR2 is recognised by its ninth byte; other raw files are recognised by their directory.
fn sniff(bytes: &[u8]) -> Option<Sniffed> {
    let sniffed = sniff::by_signature(bytes, &[b"II*\0", b"MM\0*"], Format::Tiff)?;
    let is_raw = bytes.get(8..10) == Some(b"CR");
    Some(if is_raw {
        Sniffed::Unsupported(Unsupported::Raw)
    } else {
        sniffed
    })
}

/// Reads the directory of the first page.
fn open(bytes: &[u8]) -> Result<TiffReader<'_>, CutoutError> {
    // The decoder uses one limit for pixels and for tags, so it must not be the pixel limit yet.
    let mut limits = Limits::default();
    limits.decoding_buffer_size = TAG_BYTES_MAX;
    let reader = Decoder::new(Cursor::new(bytes)).map_err(|e| fault(&e))?;
    Ok(reader.with_limits(limits))
}

fn decode(bytes: &[u8], limit: Limit) -> Result<Photo, CutoutError> {
    let mut reader = open(bytes)?;
    let (width, height) = reader.dimensions().map_err(|e| fault(&e))?;
    let pixels = limit.check(width, height)?;
    if is_raw(&mut reader) {
        return Err(CutoutError::Unsupported(Unsupported::Raw));
    }
    if ends_early(&mut reader, bytes.len()) {
        return Err(CutoutError::Truncated);
    }
    check_jpegs(&mut reader, bytes, limit)?;
    let colours = reader.colortype().map_err(|e| fault(&e))?;
    let (channels, count) = channels(colours).ok_or(OTHER_LAYOUT)?;
    let tags = Tags::read(&mut reader);

    let mut reader = reader.with_limits(Limits::unlimited());
    let planes = if tags.planar { count } else { 1 };
    let mut samples = zeroed(pixels * count)?;
    read_chunks(
        &mut reader,
        &mut samples,
        (width, height),
        (planes, count / planes),
    )?;
    let colour = if matches!(colours, ColorType::CMYK(_)) {
        colour::cmyk_to_rgb(&mut samples, tags.icc.as_deref())
    } else {
        if tags.associated {
            divide_by_alpha(&mut samples, count);
        }
        colour::settle(tags.icc, channels, &mut samples)
    };
    let stored = Stored {
        samples,
        channels,
        width,
        height,
    };
    Photo::new(stored, tags.orientation, colour, tags.density).ok_or(DAMAGED)
}

/// The channels of the output, and the number of samples per pixel in the file.
fn channels(colours: ColorType) -> Option<(Channels, usize)> {
    match colours {
        ColorType::Gray(8 | 16) => Some((Channels::Grey, 1)),
        ColorType::GrayA(8 | 16) => Some((Channels::GreyAlpha, 2)),
        ColorType::RGB(8 | 16) => Some((Channels::Rgb, 3)),
        ColorType::RGBA(8 | 16) => Some((Channels::Rgba, 4)),
        ColorType::CMYK(8 | 16) => Some((Channels::Rgb, 4)),
        ColorType::Gray(_)
        | ColorType::GrayA(_)
        | ColorType::RGB(_)
        | ColorType::RGBA(_)
        | ColorType::CMYK(_)
        | _ => None,
    }
}

/// Metadata of the picture.
struct Tags {
    icc: Option<Vec<u8>>,
    /// One plane for each channel.
    planar: bool,
    /// Colours are multiplied by alpha.
    associated: bool,
    orientation: Orientation,
    density: Option<Density>,
}

impl Tags {
    fn read(reader: &mut TiffReader<'_>) -> Tags {
        let orientation = number(reader, Tag::Orientation)
            .and_then(|code| Orientation::from_exif(u8::try_from(code).ok()?));
        Tags {
            icc: reader.get_tag_u8_vec(Tag::IccProfile).ok(),
            planar: number(reader, Tag::PlanarConfiguration) == Some(2),
            associated: number(reader, Tag::ExtraSamples) == Some(1),
            orientation: orientation.unwrap_or(Orientation::NoTransforms),
            density: density(reader),
        }
    }
}

fn fault(error: &TiffError) -> CutoutError {
    match error {
        TiffError::IoError(io) if io.kind() == ErrorKind::UnexpectedEof => CutoutError::Truncated,
        TiffError::UnsupportedError(_) => OTHER_LAYOUT,
        TiffError::LimitsExceeded => CutoutError::OutOfMemory,
        TiffError::IoError(_)
        | TiffError::FormatError(_)
        | TiffError::IntSizeError
        | TiffError::UsageError(_) => DAMAGED,
    }
}

/// The first value of a tag of numbers.
fn number(reader: &mut TiffReader<'_>, tag: Tag) -> Option<u64> {
    reader.find_tag_unsigned_vec(tag).ok()??.first().copied()
}

/// Cameras put a thumbnail first and mark it as one; DNG has its own tag.
fn is_raw(reader: &mut TiffReader<'_>) -> bool {
    let reduced = number(reader, Tag::NewSubfileType).is_some_and(|kind| kind & 1 == 1);
    reduced || matches!(reader.find_tag(DNG_VERSION), Ok(Some(_)))
}

/// Whether the compressed data never ends in many zeros. Run lengths (`PackBits`) may.
fn is_coded(reader: &mut TiffReader<'_>) -> bool {
    !matches!(number(reader, Tag::Compression), None | Some(1 | 32773))
}

/// The offset and length of each strip or tile.
fn places(reader: &mut TiffReader<'_>) -> Vec<(u64, u64)> {
    let mut numbers = |tag| reader.find_tag_unsigned_vec::<u64>(tag).ok().flatten();
    [
        (Tag::StripOffsets, Tag::StripByteCounts),
        (Tag::TileOffsets, Tag::TileByteCounts),
    ]
    .into_iter()
    .filter_map(|(offsets, counts)| Some((numbers(offsets)?, numbers(counts)?)))
    .flat_map(|(offsets, counts)| offsets.into_iter().zip(counts))
    .collect()
}

/// In the order of the file: strips may be written and listed in any order.
fn pixels(bytes: &[u8]) -> Option<Pixels<'_>> {
    let mut reader = open(bytes).ok()?;
    let is_coded = is_coded(&mut reader);
    let mut places = places(&mut reader);
    places.sort_unstable();
    let pieces = places.into_iter().filter_map(|(offset, count)| {
        let start = usize::try_from(offset).ok()?;
        bytes.get(start..)?.get(..usize::try_from(count).ok()?)
    });
    Some(Pixels {
        pieces: pieces.collect(),
        is_coded,
    })
}

/// Whether a strip or tile lies beyond the end of the file.
fn ends_early(reader: &mut TiffReader<'_>, len: usize) -> bool {
    let places = places(reader).into_iter();
    places
        .map(|(offset, count)| offset.saturating_add(count))
        .any(|end| end > len as u64)
}

/// Checks JPEGs in strips and tiles: each has its own sides, for which the decoder allocates, and the decoder accepts one without
/// its end.
fn check_jpegs(reader: &mut TiffReader<'_>, bytes: &[u8], limit: Limit) -> Result<(), CutoutError> {
    if number(reader, Tag::Compression) != Some(MODERN_JPEG) {
        return Ok(());
    }
    let (most_wide, most_high) = reader.chunk_dimensions();
    for (offset, count) in places(reader) {
        let range = usize::try_from(offset)
            .ok()
            .zip(usize::try_from(count).ok());
        let jpeg = range.and_then(|(start, len)| bytes.get(start..)?.get(..len));
        let found = jpeg::segments(jpeg.ok_or(DAMAGED)?);
        let (width, height) = found.coded.filter(|_| found.ended).ok_or(DAMAGED)?;
        limit.check(width, height)?;
        // Encoders pad to whole blocks of at most 16 x 16 pixels.
        if width.div_ceil(16) > most_wide.div_ceil(16)
            || height.div_ceil(16) > most_high.div_ceil(16)
        {
            return Err(DAMAGED);
        }
    }
    Ok(())
}

/// Reads every strip or tile to its position in `samples` as 8-bit interleaved samples, with `planes` planes and `step` samples per
/// pixel.
fn read_chunks(
    reader: &mut TiffReader<'_>,
    samples: &mut [u8],
    (width, height): (u32, u32),
    (planes, step): (usize, usize),
) -> Result<(), CutoutError> {
    let count = planes * step;
    let (chunk_width, chunk_height) = reader.chunk_dimensions();
    if chunk_width == 0 || chunk_height == 0 {
        return Err(DAMAGED);
    }
    let (across, down) = (width.div_ceil(chunk_width), height.div_ceil(chunk_height));
    let mut index = 0;
    for plane in 0..planes {
        for (row, column) in (0..down).flat_map(|y| (0..across).map(move |x| (y, x))) {
            let (columns, rows) = reader.chunk_data_dimensions(index);
            let chunk = read_chunk(reader, index)?;
            let (left, top) = (column * chunk_width, row * chunk_height);
            if chunk.len() != columns as usize * rows as usize * step || left + columns > width {
                return Err(DAMAGED);
            }
            for (y, line) in (top..height).zip(chunk.chunks_exact(columns as usize * step)) {
                let start = (y as usize * width as usize + left as usize) * count + plane;
                let target = samples.get_mut(start..).ok_or(DAMAGED)?;
                let pixels = target.chunks_mut(count).zip(line.chunks_exact(step));
                pixels.for_each(|(pixel, values)| pixel[..step].copy_from_slice(values));
            }
            index += 1;
        }
    }
    Ok(())
}

/// One strip or tile as 8-bit samples.
fn read_chunk(reader: &mut TiffReader<'_>, index: u32) -> Result<Vec<u8>, CutoutError> {
    let layout = reader
        .image_chunk_buffer_layout(index)
        .map_err(|e| fault(&e))?;
    probe(layout.complete_len)?;
    match reader.read_chunk(index).map_err(|e| fault(&e))? {
        DecodingResult::U8(values) => Ok(values),
        DecodingResult::U16(values) => {
            let mut narrowed = reserve(values.len())?;
            narrowed.extend(values.into_iter().map(colour::narrow));
            Ok(narrowed)
        }
        DecodingResult::F16(_) | DecodingResult::F32(_) | DecodingResult::F64(_) => {
            Err(CutoutError::Unsupported(Unsupported::FloatSamples))
        }
        DecodingResult::U32(_)
        | DecodingResult::U64(_)
        | DecodingResult::I8(_)
        | DecodingResult::I16(_)
        | DecodingResult::I32(_)
        | DecodingResult::I64(_) => Err(OTHER_LAYOUT),
    }
}

/// Converts associated alpha (TIFF 6.0, section 18) to straight alpha.
fn divide_by_alpha(samples: &mut [u8], count: usize) {
    for pixel in samples.chunks_exact_mut(count) {
        if let Some((&mut alpha @ 1.., colours)) = pixel.split_last_mut() {
            for colour in colours {
                let straight = (u32::from(*colour) * 255 + u32::from(alpha) / 2) / u32::from(alpha);
                *colour = u8::try_from(straight).unwrap_or(u8::MAX);
            }
        }
    }
}

fn density(reader: &mut TiffReader<'_>) -> Option<Density> {
    // The default unit is inches.
    let per_metre = match number(reader, Tag::ResolutionUnit).unwrap_or(2) {
        2 => 1.0 / 0.0254,
        3 => 100.0,
        _ => return None,
    };
    let mut get = |tag| {
        let Value::Rational(count, per) = reader.get_tag(tag).ok()? else {
            return None;
        };
        let value = (f64::from(count) / f64::from(per) * per_metre).round();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "in range"
        )]
        let whole = (1.0..=f64::from(u32::MAX))
            .contains(&value)
            .then_some(value as u32);
        whole
    };
    Some(Density {
        x: get(Tag::XResolution)?,
        y: get(Tag::YResolution)?,
    })
}
