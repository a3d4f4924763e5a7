//! Converts photo bytes to the PNG bytes of the cutout or of a smaller picture. Plain synchronous functions. Must not depend on
//! paths, processes or configuration, except the limits in the request.

mod colour;
mod compose;
mod error;
mod format;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod matte;
mod photo;
mod render;
mod resample;
mod self_test;
mod shrink;
mod tensor;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use error::CutoutError;
pub use format::{
    FileEnd, Format, Lookalike, Unsupported, ZeroEnd, is_read_ending, is_unsupported_ending,
};
pub use self_test::{SelfTestError, self_test};
pub use shrink::shrink;

use crate::config::Edges;
use crate::inference::Session;
use crate::provenance::Provenance;
use matte::Matte;

/// One photo to cut out.
#[derive(Debug, Clone, Copy)]
pub struct CutRequest<'a> {
    /// The whole file.
    pub photo: &'a [u8],
    /// The source as recorded in the output's provenance: a relative path as printable ASCII without blanks, percent-encoded.
    pub source: &'a str,
    /// Photos with more than this number of megapixels (1,000,000 pixels) are refused according to their header.
    pub megapixels_max: u32,
    /// How to treat a photo whose data ends in zeros.
    pub zeros: ZeroEnd,
    /// How the cutout's edges are refined.
    pub edges: Edges,
}

/// A finished cutout, or a smaller picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// A PNG file, 8 bits per sample, straight alpha. RGBA, or RGB for a smaller picture of a photo without alpha.
    pub png: Vec<u8>,
    /// Width of the upright picture in pixels.
    pub width: u32,
    /// Height of the upright picture in pixels.
    pub height: u32,
    /// The duration of each step in milliseconds, in the order of the steps.
    pub stages: Vec<(Stage, u32)>,
    /// SHA-256 of the photo's bytes.
    pub sha256: [u8; 32],
    /// How the photo's file ends.
    pub end: FileEnd,
}

/// A step from photo to PNG.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Decodes the file and computes its digest.
    Decode,
    /// Converts pixels to the network's input.
    Tensor,
    /// Runs the network, which returns the mask.
    Inference,
    /// Resizes the mask to the width of the photo.
    Matte,
    /// Fits the matte to the photo's edges.
    Refine,
    /// Estimates the colours of subject and background.
    Colour,
    /// Writes the PNG of the cutout or of the smaller picture.
    Encode,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Decode => "decode",
            Stage::Tensor => "tensor",
            Stage::Inference => "inference",
            Stage::Matte => "matte",
            Stage::Refine => "refine",
            Stage::Colour => "colour",
            Stage::Encode => "encode",
        })
    }
}

/// Cuts the subject out of a photo.
///
/// Memory besides the session: the photo's own samples (1 to 4 bytes per pixel; 8 while a 16-bit picture is read), the PNG, at most
/// 40 MB for edges and colours (with a mask of 320 x 320 or less), and buffers that grow only with width and height.
///
/// # Errors
/// See [`CutoutError`]. The same photo and session always give the same result, except for `OutOfMemory` and `Inference`.
pub fn cut(request: &CutRequest<'_>, session: &mut Session) -> Result<Output, CutoutError> {
    let mut clock = Clock::start();
    let sha256 = Sha256::digest(request.photo).into();
    let (photo, end) = format::decode(request.photo, request.megapixels_max, request.zeros)?;
    clock.stop(Stage::Decode);
    let tensor = tensor::tensor(&photo, session.manifest())?;
    clock.stop(Stage::Tensor);
    let mask = session.run(&tensor)?;
    clock.stop(Stage::Inference);
    let size = (photo.width(), photo.height());
    let mut matte = Matte::new(&mask, session.manifest(), size, request.edges)?;
    clock.stop(Stage::Matte);
    if request.edges != Edges::Off {
        matte.refine(&photo, request.edges)?;
        clock.stop(Stage::Refine);
        matte.find_colours(&photo)?;
        clock.stop(Stage::Colour);
    }
    let origin = Provenance {
        source: request.source.to_owned(),
        sha256,
        model: session.manifest().name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        is_doubtful: end == FileEnd::Zeros,
        edges: request.edges,
    };
    let png = render::render(&photo, &matte, &origin)?;
    clock.stop(Stage::Encode);
    let (width, height) = (photo.width(), photo.height());
    Ok(Output {
        png,
        width,
        height,
        stages: clock.stages,
        sha256,
        end,
    })
}

struct Clock {
    last: Instant,
    stages: Vec<(Stage, u32)>,
}

impl Clock {
    fn start() -> Clock {
        Clock {
            last: Instant::now(),
            stages: Vec::with_capacity(7),
        }
    }

    fn stop(&mut self, stage: Stage) {
        let now = Instant::now();
        let ms = now.duration_since(self.last).as_millis();
        self.stages
            .push((stage, u32::try_from(ms).unwrap_or(u32::MAX)));
        self.last = now;
    }
}

/// An empty vector with capacity `len`, or `OutOfMemory` where `Vec` alone would abort.
fn reserve<T>(len: usize) -> Result<Vec<T>, CutoutError> {
    let mut items = Vec::new();
    items
        .try_reserve_exact(len)
        .map_err(|_| CutoutError::OutOfMemory)?;
    Ok(items)
}

/// A vector of `len` zeros, or `OutOfMemory`.
fn zeroed<T: Clone + Default>(len: usize) -> Result<Vec<T>, CutoutError> {
    let mut items = reserve(len)?;
    items.resize(len, T::default());
    Ok(items)
}

/// Returns `OutOfMemory` when `bytes` more cannot be allocated. Called before decoders that abort when memory is short: memory that
/// was available a moment ago still is.
fn probe(bytes: usize) -> Result<(), CutoutError> {
    reserve::<u8>(bytes).map(drop)
}
