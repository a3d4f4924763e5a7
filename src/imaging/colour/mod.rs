//! Converts samples to those of an output: the meaning of their colours, and their depth. Must not know a file format.

mod depth;
mod profile;

pub(super) use depth::{narrow, narrow_all};
pub(super) use profile::{cmyk_to_rgb, settle};
