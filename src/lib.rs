//! hotcut: a photo that arrives in a hot folder leaves as a transparent PNG.
//!
//! Reading order: `config`, `cutout`, `mark`.

pub mod config;
pub mod cutout;
pub mod mark;
