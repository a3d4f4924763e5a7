//! Converts the colour space and depth of samples for the output. Must not depend on a file format.

mod depth;
mod profile;

pub(super) use depth::{narrow, narrow_all};
pub(super) use profile::{cmyk_to_rgb, settle};
