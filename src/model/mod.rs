//! `models/NAME.toml` -> what is known of a model without opening it: its manifest, and the golden picture that proves it.

mod dust;
mod folder;
mod golden;
mod manifest;

pub use dust::Dust;
pub use folder::{DEFAULT_MODEL, shipped_models_dir};
pub use golden::{GOLDEN_SIDE, Golden};
pub use manifest::{Activation, Divisor, ManifestError, ModelManifest};
