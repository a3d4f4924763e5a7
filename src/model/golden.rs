//! `[golden]` of a model manifest -> `Golden`: a picture and what the model answered when its manifest was
//! written. Opens neither.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Cells along each side of [`Golden::cells`].
pub const GOLDEN_SIDE: usize = 16;

/// What a model must answer to one picture.
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
        let cells = parse_hex(&self.cells)
            .filter(|cells| cells.len() == GOLDEN_SIDE * GOLDEN_SIDE)
            .ok_or(("golden.cells", "must be 512 hex digits"))?;
        Ok(Golden {
            picture: models_dir.join(self.picture),
            cells,
        })
    }
}

pub(crate) fn parse_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let byte = |pair: &[u8; 2]| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16)
            .ok()
            .filter(|_| !pair.starts_with('+'))
    };
    pairs.iter().map(byte).collect()
}
