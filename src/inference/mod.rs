//! A model file and a tensor -> a mask. The only module that names ONNX Runtime. Knows no photo and no picture format.

mod error;
mod library;
mod session;
mod tensor;

pub use error::{RunError, SessionError, Signature};
pub use library::{NotFound, find};
pub use session::{Runtime, Session};
pub use tensor::{Mask, Tensor};
