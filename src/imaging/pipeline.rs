//! Converts a photo to the files of its outputs: the steps in their order. Must not hold more than one file.

use std::fmt;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::error::CutoutError;
use super::format::{self, FileEnd, ZeroEnd};
use super::matte::Matte;
use super::photo::Photo;
use super::render::render;
use super::tensor;
use crate::config::{Edges, OutputSpec};
use crate::inference::Session;
use crate::provenance::Provenance;

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

/// The report on the files made of one photo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutReport {
    /// Length of all files together in bytes.
    pub len: u64,
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

/// A step from photo to file.
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
    /// Writes the files of the outputs, or of the smaller picture.
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

/// A photo whose subject is found. Its outputs are rendered one after the other, so that only one is held at a time.
#[derive(Debug)]
pub struct Cutout {
    photo: Photo,
    matte: Matte,
    provenance: Provenance,
    end: FileEnd,
    len: u64,
    clock: Clock,
}

impl Cutout {
    /// Finds the subject of a photo.
    ///
    /// Memory besides the session: the photo's own samples (1 to 4 bytes per pixel; 8 while a 16-bit picture is read), at most 40 MB
    /// for edges and colours (with a mask of 320 x 320 or less), and buffers that grow only with width and height.
    ///
    /// # Errors
    /// See [`CutoutError`]. The same photo and session always give the same result, except for `OutOfMemory` and `Inference`.
    pub fn new(request: &CutRequest<'_>, session: &mut Session) -> Result<Self, CutoutError> {
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
        let provenance = Provenance {
            source: request.source.to_owned(),
            sha256,
            model: session.manifest().name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            is_doubtful: end == FileEnd::Zeros,
            edges: request.edges,
        };
        Ok(Self {
            photo,
            matte,
            provenance,
            end,
            len: 0,
            clock,
        })
    }

    /// Makes the file that `spec` describes.
    ///
    /// # Errors
    /// `NoSubject` if nothing of the photo is left; `OutOfMemory`.
    pub fn render(&mut self, spec: OutputSpec) -> Result<Vec<u8>, CutoutError> {
        self.clock.resume();
        let file = render(&self.photo, &self.matte, &self.provenance, spec)?;
        self.clock.stop(Stage::Encode);
        self.len += file.len() as u64;
        Ok(file)
    }

    /// The report on the rendered files.
    pub fn report(self) -> CutReport {
        CutReport {
            len: self.len,
            width: self.photo.width(),
            height: self.photo.height(),
            stages: self.clock.stages(),
            sha256: self.provenance.sha256,
            end: self.end,
        }
    }
}

/// Measures the duration of each step.
#[derive(Debug)]
pub(super) struct Clock {
    last: Instant,
    stages: Vec<(Stage, Duration)>,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self {
            last: Instant::now(),
            stages: Vec::with_capacity(7),
        }
    }

    /// Starts the next step now, so that the time since the last one counts for none.
    fn resume(&mut self) {
        self.last = Instant::now();
    }

    /// Ends a step. A step that ended before is continued.
    pub(super) fn stop(&mut self, stage: Stage) {
        let now = Instant::now();
        let took = now.duration_since(self.last);
        match self.stages.last_mut() {
            Some((last, total)) if *last == stage => *total += took,
            _ => self.stages.push((stage, took)),
        }
        self.last = now;
    }

    /// The steps in their order, in milliseconds.
    pub(super) fn stages(self) -> Vec<(Stage, u32)> {
        let ms = |took: Duration| u32::try_from(took.as_millis()).unwrap_or(u32::MAX);
        let stages = self.stages.into_iter();
        stages.map(|(stage, took)| (stage, ms(took))).collect()
    }
}
