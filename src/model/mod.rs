//! What is known about a model without opening it: its manifest, and the golden picture for its self-test.

mod folder;
mod golden;
mod manifest;

pub use folder::{DEFAULT_MODEL, shipped_models_dir};
pub use golden::{GOLDEN_SIDE, Golden};
pub use manifest::{Activation, Divisor, Dust, ManifestError, ModelManifest};
