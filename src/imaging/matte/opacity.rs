//! A network's output -> opacity 0..=1 on the network's own grid.

use super::super::error::CutoutError;
use super::super::reserve;
use super::plane::Plane;
use crate::inference::Mask;
use crate::model::{Activation, ModelManifest};

/// A network that is sure of no pixel has found nothing. Below this, stretching the mask to the
/// whole range would make a ghost out of noise: rembg turns noise of 0..0.01 into a half-opaque
/// mask. Even odds is the floor because it is the threshold at which these networks' own papers
/// binarise a mask.
const CONFIDENCE_FLOOR: f32 = 0.5;

/// The network's output as opacity.
///
/// # Errors
/// `NoSubject` below the confidence floor; `OutOfMemory`.
pub(super) fn opacity(mask: &Mask, card: &ModelManifest) -> Result<Plane, CutoutError> {
    let mut values: Vec<f32> = reserve(mask.values().len())?;
    values.extend(mask.values().iter().map(|&v| activate(v, card.activation)));
    let least = values.iter().copied().fold(f32::INFINITY, f32::min);
    let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if most < CONFIDENCE_FLOOR {
        return Err(CutoutError::NoSubject);
    }
    let (base, range) = if card.stretch && most > least {
        (least, most - least)
    } else {
        (0.0, 1.0)
    };
    for value in &mut values {
        *value = ((*value - base) / range).clamp(0.0, 1.0);
    }
    Ok(Plane::square(values))
}

/// One value of the network's output as opacity.
pub(in crate::imaging) fn activate(value: f32, activation: Activation) -> f32 {
    match activation {
        Activation::None => value,
        Activation::Sigmoid => 1.0 / (1.0 + (-value).exp()),
    }
}
