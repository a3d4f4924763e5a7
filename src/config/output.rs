//! What a worker makes of a photo. Must not read a configuration file.

use serde::{Deserialize, Serialize};

/// What is made of a photo for one output: a transparent picture of the photo's size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputSpec {
    /// The file format.
    pub format: OutputFormat,
}

/// A file format of results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputFormat {
    /// PNG, 8 bits a sample.
    #[default]
    Png,
}
