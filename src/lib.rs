//! hotcut: a photo that arrives in a hot folder leaves as a transparent PNG.

pub mod command;
pub mod config;
pub mod cutout;
pub mod daemon;
pub mod delivery;
pub mod intake;
pub mod job;
pub mod mark;
pub mod mount;
pub mod onnxruntime;
pub mod path_error;
pub mod percent;
pub mod pool;
pub mod shutdown;
pub mod stamp;
