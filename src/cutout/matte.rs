//! `Mask` -> `Matte`: opacity for every pixel of the photo, computed row by row from a mask that was
//! widened once. A full-size matte never exists. Knows no colour.

use super::error::CutoutError;
use super::session::Mask;
use super::{reserve, zeroed};
use crate::config::{Activation, ModelCard};

/// A network that is sure of no pixel has found nothing. Below this, stretching the mask to the
/// whole range would make a ghost out of noise: rembg turns noise of 0..0.01 into a half-opaque
/// mask. Even odds is the floor because it is the threshold at which these networks' own papers
/// binarise a mask.
const CONFIDENCE_FLOOR: f32 = 0.5;

/// Opacity of every pixel of a photo.
#[derive(Debug)]
pub(super) struct Matte {
    /// `size` rows of `width` values.
    wide: Vec<f32>,
    width: usize,
    vertical: Kernel,
}

impl Matte {
    /// # Errors
    /// `NoSubject` below the confidence floor; `OutOfMemory`.
    pub(super) fn new(
        mask: &Mask,
        card: &ModelCard,
        width: u32,
        height: u32,
    ) -> Result<Matte, CutoutError> {
        let opacity = opacity(mask, card)?;
        let horizontal = Kernel::new(mask.size(), width)?;
        let vertical = Kernel::new(mask.size(), height)?;
        let (size, width) = (mask.size() as usize, width as usize);
        let mut wide: Vec<f32> = reserve(size * width)?;
        for row in opacity.chunks_exact(size) {
            wide.extend((0..width).map(|x| {
                let (first, weights) = horizontal.at(x);
                row[first..]
                    .iter()
                    .zip(weights)
                    .map(|(value, weight)| value * weight)
                    .sum::<f32>()
            }));
        }
        Ok(Matte {
            wide,
            width,
            vertical,
        })
    }

    /// Writes row `y` of the matte, 0 = transparent to 255 = opaque.
    pub(super) fn row(&self, y: u32, sums: &mut Vec<f32>, opacity: &mut [u8]) {
        let (first, weights) = self.vertical.at(y as usize);
        sums.clear();
        // Half a step more, so that the cast below rounds.
        sums.resize(self.width, 0.5);
        let rows = self.wide.chunks_exact(self.width).skip(first);
        for (row, weight) in rows.zip(weights) {
            let weight = weight * 255.0;
            sums.iter_mut()
                .zip(row)
                .for_each(|(sum, value)| *sum += weight * value);
        }
        for (out, sum) in opacity.iter_mut().zip(sums) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "saturates"
            )]
            let byte = *sum as u8;
            *out = byte;
        }
    }
}

/// The network's output as opacity 0..1.
fn opacity(mask: &Mask, card: &ModelCard) -> Result<Vec<f32>, CutoutError> {
    let mut values: Vec<f32> = reserve(mask.values().len())?;
    values.extend(mask.values().iter().map(|&v| match card.activation {
        Activation::None => v,
        Activation::Sigmoid => 1.0 / (1.0 + (-v).exp()),
    }));
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
    values
        .iter_mut()
        .for_each(|v| *v = ((*v - base) / range).clamp(0.0, 1.0));
    Ok(values)
}

/// For every position of a longer or shorter line, which positions of the old line it is a mean of
/// and with what weights.
#[derive(Debug)]
struct Kernel {
    taps: usize,
    firsts: Vec<usize>,
    weights: Vec<f32>,
}

impl Kernel {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positions are clamped to 0..=from"
    )]
    fn new(from: u32, to: u32) -> Result<Kernel, CutoutError> {
        let step = f64::from(from) / f64::from(to);
        // Shrinking widens the filter, so that every old position counts.
        let reach = step.max(1.0);
        let taps = ((2.0 * RADIUS * reach).ceil() as usize + 1).min(from as usize);
        let mut firsts = reserve(to as usize)?;
        let mut weights = zeroed(to as usize * taps)?;
        for (position, weights) in (0..to).zip(weights.chunks_exact_mut(taps)) {
            let centre = (f64::from(position) + 0.5) * step;
            let low = (centre - RADIUS * reach + 0.5).floor().max(0.0) as usize;
            let first = low.min(from as usize - taps);
            let mut sum = 0.0;
            for (at, weight) in (first..).zip(weights.iter_mut()) {
                let distance = (at as f64 + 0.5 - centre) / reach;
                *weight = filter(distance) as f32;
                sum += *weight;
            }
            weights.iter_mut().for_each(|weight| *weight /= sum);
            firsts.push(first);
        }
        Ok(Kernel {
            taps,
            firsts,
            weights,
        })
    }

    fn at(&self, position: usize) -> (usize, &[f32]) {
        let start = position * self.taps;
        (
            self.firsts[position],
            &self.weights[start..start + self.taps],
        )
    }
}

/// Positions on either side that a filter reaches when a line is made longer.
const RADIUS: f64 = 2.0;

/// The cubic with b = 0, c = 1/2 (Keys 1981; Catmull-Rom).
fn filter(distance: f64) -> f64 {
    let x = distance.abs();
    if x < 1.0 {
        (1.5 * x - 2.5) * x * x + 1.0
    } else if x < 2.0 {
        ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    } else {
        0.0
    }
}
