//! Converts a network's output to opacity 0..=1 on the network's own grid.

use super::super::error::CutoutError;
use super::super::reserve;
use super::plane::Plane;
use crate::inference::Mask;
use crate::model::{Activation, ModelManifest};

/// Least confidence of the most certain pixel. Below it the network has found nothing, and stretching the mask to the whole range
/// would turn noise into a visible shape: rembg turns noise of 0..0.01 into a half-opaque mask. The value is 0.5 because the papers
/// of these networks binarise masks at this threshold.
const CONFIDENCE_FLOOR: f32 = 0.5;

/// The network's output as opacity.
///
/// # Errors
/// `NoSubject` below the confidence floor; `OutOfMemory`.
pub(super) fn opacity(mask: &Mask, manifest: &ModelManifest) -> Result<Plane, CutoutError> {
    let mut values: Vec<f32> = reserve(mask.values().len())?;
    values.extend(
        mask.values()
            .iter()
            .map(|&v| activate(v, manifest.activation)),
    );
    let least = values.iter().copied().fold(f32::INFINITY, f32::min);
    let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if most < CONFIDENCE_FLOOR {
        return Err(CutoutError::NoSubject);
    }
    let (base, range) = if manifest.stretch && most > least {
        (least, most - least)
    } else {
        (0.0, 1.0)
    };
    for value in &mut values {
        *value = ((*value - base) / range).clamp(0.0, 1.0);
    }
    Ok(Plane::square(values))
}

/// Converts one value of the network's output to opacity.
pub(in crate::imaging) fn activate(value: f32, activation: Activation) -> f32 {
    match activation {
        Activation::None => value,
        Activation::Sigmoid => 1.0 / (1.0 + (-value).exp()),
    }
}
