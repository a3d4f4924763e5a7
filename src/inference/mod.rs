//! Runs a model on a tensor and returns the mask. The only module that uses ONNX Runtime. Must not depend on photos or picture
//! formats.

mod error;
mod library;
mod session;
mod tensor;

pub use error::{RunError, SessionError, Signature};
pub use library::{NotFound, find};
pub use session::{Runtime, Session};
pub use tensor::{Mask, Tensor};
