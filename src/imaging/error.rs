//! Why a photo gives no cutout, grouped by cause: the file, the environment or the service. Crosses the pipe between worker and
//! daemon. Must not contain file names.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::inference::RunError;

use super::format::{Format, Lookalike, Unsupported};

/// Why a photo gives no cutout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Error)]
pub enum CutoutError {
    /// The file: its first bytes are of no format that hotcut reads.
    #[error("not a picture that hotcut can read{}", Aside(*.0))]
    NotAnImage(Option<Lookalike>),
    /// The file: more pixels than allowed, according to its header. Nothing was decoded.
    #[error("{} megapixels: more than the {max} that max_megapixels allows", Megapixels(*.pixels))]
    TooLarge {
        /// Width times height.
        pixels: u64,
        /// The limit, in megapixels.
        max: u32,
    },
    /// The file, for now: it may still be incomplete.
    #[error("the file ends early: it was not copied completely")]
    Truncated,
    /// The file, for now: its format has no end mark, and its pixel data ends in zeros.
    #[error("the picture ends in zeros: its last part may not have been written yet")]
    ZeroEnd,
    /// The file: structurally complete, but its contents cannot be decoded.
    #[error("damaged {0}")]
    Damaged(Format),
    /// The file: a picture of a kind that hotcut does not read.
    #[error("{0} not supported")]
    Unsupported(Unsupported),
    /// The file: no pixel reaches the model's confidence floor.
    #[error("no subject found")]
    NoSubject,
    /// The file: an output of hotcut, a cutout or a sheet, used as an input.
    #[error("made by hotcut: already a cutout, or a sheet of cutouts")]
    OwnOutput,
    /// The file, under this configuration: an allocation was refused.
    #[error("needs more memory than worker_memory allows")]
    OutOfMemory,
    /// The service: the model failed or its output is invalid.
    #[error("inference failed: {0}")]
    Inference(String),
}

impl From<RunError> for CutoutError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::OutOfMemory => Self::OutOfMemory,
            RunError::Failed(reason) => Self::Inference(reason),
        }
    }
}

struct Aside(Option<Lookalike>);

impl fmt::Display for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(lookalike) => write!(f, " (it is {lookalike})"),
            None => Ok(()),
        }
    }
}

struct Megapixels(u64);

impl fmt::Display for Megapixels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rounds up: 120.04 must not appear as "120: more than the 120".
        let tenths = self.0.div_ceil(100_000);
        match tenths % 10 {
            0 => write!(f, "{}", tenths / 10),
            tenth => write!(f, "{}.{tenth}", tenths / 10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CutoutError, Format, Lookalike, Unsupported};

    #[test]
    fn messages_say_what_a_photographer_needs() {
        let html = CutoutError::NotAnImage(Some(Lookalike::Html));
        assert_eq!(
            html.to_string(),
            "not a picture that hotcut can read (it is an HTML page)"
        );
        let large = CutoutError::TooLarge {
            pixels: 120_040_000,
            max: 120,
        };
        assert_eq!(
            large.to_string(),
            "120.1 megapixels: more than the 120 that max_megapixels allows"
        );
        let huge = CutoutError::TooLarge {
            pixels: 3_600_000_000,
            max: 120,
        };
        assert!(huge.to_string().starts_with("3600 megapixels"), "{huge}");
        assert_eq!(
            CutoutError::Damaged(Format::Webp).to_string(),
            "damaged WebP"
        );
        let raw = CutoutError::Unsupported(Unsupported::Raw);
        assert_eq!(raw.to_string(), "camera raw files are not supported");
    }

    #[test]
    fn errors_cross_the_pipe_unchanged() {
        let error = CutoutError::TooLarge {
            pixels: 1 << 40,
            max: 120,
        };
        let text = serde_json::to_string(&error).unwrap();
        assert_eq!(serde_json::from_str::<CutoutError>(&text).unwrap(), error);
    }
}
