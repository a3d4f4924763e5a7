//! Checks with the golden picture in a model's manifest that the model still gives the recorded answer. A checksum proves only that
//! the file is the right one; this test proves that the file works with this runtime on this processor. A quantised network can
//! give a nearly blank answer without any error.

use std::path::PathBuf;

use thiserror::Error;

use super::error::CutoutError;
use super::format;
use super::matte;
use super::tensor::tensor;
use super::zeroed;
use crate::inference::{Session, Tensor};
use crate::model::GOLDEN_SIDE;

/// Allowed mean difference in levels of 255, caused by different processors and runtime versions. Runtime versions changed the
/// shipped students by at most 2.6 levels; x86-64 with and without VNNI, and ARM64, did not differ. A blank answer to a picture
/// with a subject differs by a few dozen levels.
const LEVELS_MAX: f64 = 8.0;

/// Size limit of golden pictures.
const MEGAPIXELS_MAX: u32 = 4;

/// Why a loaded model cannot be used. The installation is at fault, not a photo.
#[derive(Debug, Error)]
pub enum SelfTestError {
    /// The answer to the golden picture is wrong.
    #[error("{} answers {} wrongly: it is off by {levels:.0} of 255 levels on average, at most {levels_max:.0} are allowed; \
        the file is damaged, was quantised badly or belongs to another manifest", path.display(), picture.display())]
    Golden {
        /// The model.
        path: PathBuf,
        /// The golden picture.
        picture: PathBuf,
        /// Mean absolute difference.
        levels: f64,
        /// The most that is allowed.
        levels_max: f64,
    },
    /// The first run failed.
    #[error("the model cannot be run: {0}")]
    Run(CutoutError),
}

/// Runs the model once, so that the runtime initialises everything now. Uses the manifest's golden picture and checks the answer,
/// or a flat picture if there is no golden picture.
///
/// # Errors
/// `Run` and `Golden`.
pub fn self_test(session: &mut Session) -> Result<(), SelfTestError> {
    let (Some(golden), Some(file)) = (
        session.manifest().golden.clone(),
        session.take_golden_picture(),
    ) else {
        let size = session.manifest().size;
        let values = zeroed(3 * size as usize * size as usize).map_err(SelfTestError::Run)?;
        let ran = session.run(&Tensor::new(values, size));
        return ran
            .map(drop)
            .map_err(|error| SelfTestError::Run(error.into()));
    };
    let found = answer(session, &file).map_err(SelfTestError::Run)?;
    let sum: f64 = found
        .iter()
        .zip(&golden.cells)
        .map(|(found, wanted)| (found - f64::from(*wanted)).abs())
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "256")]
    let levels = sum / found.len() as f64;
    if levels > LEVELS_MAX {
        return Err(SelfTestError::Golden {
            path: session.manifest().file.clone(),
            picture: golden.picture,
            levels,
            levels_max: LEVELS_MAX,
        });
    }
    Ok(())
}

/// Mean opacity in each cell, 0..=255.
fn answer(session: &mut Session, picture: &[u8]) -> Result<Vec<f64>, CutoutError> {
    let (photo, _) = format::decode_any(picture, MEGAPIXELS_MAX)?;
    let input = tensor(&photo, session.manifest())?;
    let mask = session.run(&input)?;
    let size = mask.size() as usize;
    let mut sums = vec![(0.0, 0.0); GOLDEN_SIDE * GOLDEN_SIDE];
    for (at, value) in mask.values().iter().enumerate() {
        let cell = |along: usize| along * GOLDEN_SIDE / size;
        let (sum, count) = &mut sums[cell(at / size) * GOLDEN_SIDE + cell(at % size)];
        *sum += f64::from(matte::activate(*value, session.manifest().activation));
        *count += 1.0;
    }
    Ok(sums
        .iter()
        .map(|(sum, count)| 255.0 * sum / f64::max(*count, 1.0))
        .collect())
}
