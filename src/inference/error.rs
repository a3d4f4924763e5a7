//! Why a model cannot be loaded: the library, the file, or a file that contradicts its manifest. All are faults of the
//! installation. Must not name `ort`.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a session cannot be created. All are faults of the installation, not of a photo.
#[derive(Debug, Error)]
pub enum SessionError {
    /// The library is missing or is not ONNX Runtime.
    #[error("ONNX Runtime cannot be loaded from {}: {reason}; `make setup` fetches it", path.display())]
    Library {
        /// The path of the library.
        path: PathBuf,
        /// The loader's reason.
        reason: String,
    },
    /// The library is an ONNX Runtime that is too old for hotcut.
    #[error("ONNX Runtime {found} at {} is too old: 1.{needed} or newer is needed; `make setup` fetches it", path.display())]
    LibraryTooOld {
        /// The library.
        path: PathBuf,
        /// Its version.
        found: String,
        /// The least minor version.
        needed: u32,
    },
    /// The model file or its golden picture cannot be read.
    #[error("cannot read {}: a model's files belong beside its manifest; `make teacher` fetches U²-Net's", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The model file is not the one that its manifest describes.
    #[error("{} is not the file its manifest describes: sha256 is {}", path.display(), crate::hex::encode(found))]
    Checksum {
        /// The file.
        path: PathBuf,
        /// Its digest.
        found: [u8; 32],
    },
    /// The model's inputs or outputs contradict its manifest.
    #[error("{}: {differs}", path.display())]
    Signature {
        /// The file.
        path: PathBuf,
        /// What differs.
        differs: Signature,
    },
    /// ONNX Runtime refuses the model.
    #[error("{}: {reason}", path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// ONNX Runtime's reason.
        reason: String,
    },
}

/// Why a loaded model gives no mask.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum RunError {
    /// There is not enough memory.
    #[error("there is not enough memory to run the model")]
    OutOfMemory,
    /// ONNX Runtime failed, or its result is not a mask.
    #[error("{0}")]
    Failed(String),
}

/// How a model differs from its manifest.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum Signature {
    /// No input or output has the name.
    #[error("no {side} is named {name:?}; it has {}", .has.join(", "))]
    Name {
        /// `input` or `output`.
        side: &'static str,
        /// The name in the manifest.
        name: String,
        /// The names in the file.
        has: Vec<String>,
    },
    /// The model needs more inputs than a picture.
    #[error("needs {0} inputs, not only a picture")]
    Inputs(usize),
    /// Not float32, or not a tensor.
    #[error("{side} {name:?} is not a float32 tensor")]
    Type {
        /// `input` or `output`.
        side: &'static str,
        /// Its name.
        name: String,
    },
    /// The shape differs from the manifest. -1 is any length.
    #[error("{side} {name:?} has the shape {found:?}, its manifest says {manifest:?}")]
    Shape {
        /// `input` or `output`.
        side: &'static str,
        /// Its name.
        name: String,
        /// The shape in the file.
        found: Vec<i64>,
        /// The shape in the manifest.
        manifest: Vec<i64>,
    },
}
