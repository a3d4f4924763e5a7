//! `Photo` + `Matte` -> PNG bytes, a few rows at a time. Nothing of the photo's metadata goes in but
//! what its colours mean and how large it is printed.

use std::borrow::Cow;
use std::io::{self, Write};

use png::{BitDepth, ColorType, DeflateCompression, EncodingError, Info, PixelDimensions, Unit};

use super::error::CutoutError;
use super::matte::Matte;
use super::photo::{Colour, Photo};
use super::zeroed;
use crate::provenance::{self, Provenance};

/// Rows held at a time. More would leave the processor's cache, fewer make turned photos slow.
const STRIP_ROWS: u32 = 16;

/// Bytes of one IDAT chunk.
pub(super) const CHUNK_BYTES: usize = 64 * 1024;

/// # Errors
/// `NoSubject` if nothing of the photo is left; `OutOfMemory`.
pub(super) fn encode(
    photo: &Photo,
    matte: &Matte,
    provenance: &Provenance,
) -> Result<Vec<u8>, CutoutError> {
    let (width, height) = (photo.width(), photo.height());
    let mut sink = Sink::default();
    let header = write_header(&mut sink, photo, provenance);
    let mut writer = header.map_err(|e| failed(&e))?;
    let mut stream = writer
        .stream_writer_with_size(CHUNK_BYTES)
        .map_err(|e| failed(&e))?;
    let mut strip = zeroed::<[u8; 4]>(width as usize * STRIP_ROWS.min(height) as usize)?;
    let mut scratch = matte.scratch()?;
    let mut greatest = 0;
    for first in (0..height).step_by(STRIP_ROWS as usize) {
        let rows = STRIP_ROWS.min(height - first);
        let strip = &mut strip[..width as usize * rows as usize];
        photo.strip(first, strip);
        for (y, row) in (first..).zip(strip.chunks_exact_mut(width as usize)) {
            greatest = greatest.max(matte.apply(y, row, &mut scratch));
        }
        stream
            .write_all(strip.as_flattened())
            .map_err(|e| failed(&e.into()))?;
    }
    stream.finish().map_err(|e| failed(&e))?;
    writer.finish().map_err(|e| failed(&e))?;
    if greatest == 0 {
        Err(CutoutError::NoSubject)
    } else {
        Ok(sink.0)
    }
}

fn write_header<'s>(
    sink: &'s mut Sink,
    photo: &'s Photo,
    provenance: &Provenance,
) -> Result<png::Writer<&'s mut Sink>, EncodingError> {
    let size = (photo.width(), photo.height());
    let mut encoder = encoder(sink, size, ColorType::Rgba, photo.colour())?;
    encoder.set_pixel_dims(photo.density().map(|density| PixelDimensions {
        xppu: density.x,
        yppu: density.y,
        unit: Unit::Meter,
    }));
    encoder.add_text_chunk(provenance::KEYWORD.to_owned(), provenance.to_string())?;
    encoder.write_header()
}

/// An encoder of 8-bit samples that says what their colours mean and nothing else.
pub(super) fn encoder<'a>(
    sink: &'a mut Sink,
    (width, height): (u32, u32),
    samples: ColorType,
    colour: &'a Colour,
) -> Result<png::Encoder<'a, &'a mut Sink>, EncodingError> {
    let mut info = Info::with_size(width, height);
    info.color_type = samples;
    info.bit_depth = BitDepth::Eight;
    if let Colour::Profile(icc) = colour {
        info.icc_profile = Some(Cow::Borrowed(icc));
    }
    let mut encoder = png::Encoder::with_info(sink, info)?;
    if *colour == Colour::Srgb {
        encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
    }
    // Measured on 24 megapixels of RGBA: 216 ms and 23.6 MB; filter Up 249 ms for the same size,
    // Paeth 275 ms for a tenth less, deflate level 1 630 ms for 21.0 MB, level 6 6.3 s for 15.7 MB.
    encoder.set_deflate_compression(DeflateCompression::FdeflateUltraFast);
    encoder.set_filter(png::Filter::Sub);
    Ok(encoder)
}

/// Writing to memory fails for want of memory only: sides and lengths are right by construction.
pub(super) fn failed(_: &EncodingError) -> CutoutError {
    CutoutError::OutOfMemory
}

/// A vector that refuses instead of aborting when memory is short.
#[derive(Default)]
pub(super) struct Sink(pub(super) Vec<u8>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.capacity() - self.0.len() < bytes.len() {
            // A quarter more each time: copies stay few and a 100 MB result wastes little.
            let more = bytes.len().max(self.0.len() / 4);
            self.0
                .try_reserve_exact(more)
                .map_err(|_| io::ErrorKind::OutOfMemory)?;
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
