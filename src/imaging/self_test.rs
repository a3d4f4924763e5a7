//! `Session` + the golden picture on its manifest -> whether the model answers as it did when the manifest
//! was written. A checksum says that a file is the one meant; this says that here, with this runtime
//! on this processor, it works: a quantised network can come out nearly blank without any error.

use std::path::PathBuf;

use thiserror::Error;

use super::error::CutoutError;
use super::format;
use super::matte;
use super::tensor::tensor;
use super::zeroed;
use crate::inference::{Session, Tensor};
use crate::model::GOLDEN_SIDE;

/// Mean difference in levels of 255 that processors and versions of the runtime may make. Versions made
/// 2.6 of the shipped students at most; x86-64 with and without VNNI and ARM64 made none. A blank answer
/// to a picture with a subject is off by a few dozen.
const LEVELS_MAX: f64 = 8.0;

/// Golden pictures are small.
const MEGAPIXELS_MAX: u32 = 4;

/// Why a model that was loaded cannot be used. A fault of the installation, not of a photo.
#[derive(Debug, Error)]
pub enum SelfTestError {
    /// The model does not answer the golden picture on its manifest as it should.
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

/// Runs the model once, so that whatever is made on first use is made now: on the manifest's golden
/// picture and judges the answer, or on a flat picture where the manifest has none.
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
