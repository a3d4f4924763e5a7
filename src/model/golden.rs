//! Reads the `[golden]` table of a model manifest: a picture and the model's recorded answer. Must not open the picture or the
//! model.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::hex;

/// Cells along each side of [`Golden::cells`].
pub const GOLDEN_SIDE: usize = 16;

/// The answer that a model must give to one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Golden {
    /// The picture's file.
    pub picture: PathBuf,
    /// Mean opacity, 0..=255, in each of 16 x 16 equal parts of the model's answer, row by row;
    /// after the activation, before any stretching.
    pub cells: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawGolden {
    picture: PathBuf,
    cells: String,
}

impl RawGolden {
    pub(crate) fn validate(
        self,
        models_dir: &Path,
    ) -> Result<Golden, (&'static str, &'static str)> {
        let cells = hex::decode::<{ GOLDEN_SIDE * GOLDEN_SIDE }>(&self.cells)
            .ok_or(("golden.cells", "must be 512 hex digits"))?;
        Ok(Golden {
            picture: models_dir.join(self.picture),
            cells: cells.to_vec(),
        })
    }
}
