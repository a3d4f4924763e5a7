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
        for (row, weight) in rows.zip(weights).filter(|(_, weight)| **weight != 0.0) {
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
    Ok(values)
}

/// One value of the network's output as opacity.
pub(super) fn activate(value: f32, activation: Activation) -> f32 {
    match activation {
        Activation::None => value,
        Activation::Sigmoid => 1.0 / (1.0 + (-value).exp()),
    }
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
        let taps = ((2.0 * RADIUS * reach).ceil() as u32 + 1).min(from);
        let mut firsts = reserve(to as usize)?;
        let mut weights = zeroed(to as usize * taps as usize)?;
        for (position, weights) in (0..to).zip(weights.chunks_exact_mut(taps as usize)) {
            let centre = (f64::from(position) + 0.5) * step;
            let low = (centre - RADIUS * reach + 0.5).floor().max(0.0) as u32;
            let first = low.min(from - taps);
            let mut sum = 0.0;
            for (at, weight) in (first..).zip(weights.iter_mut()) {
                let distance = (f64::from(at) + 0.5 - centre) / reach;
                *weight = filter(distance) as f32;
                sum += *weight;
            }
            for weight in weights {
                *weight /= sum;
            }
            firsts.push(first as usize);
        }
        Ok(Kernel {
            taps: taps as usize,
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

#[cfg(test)]
mod tests {
    use super::{Kernel, Matte};
    use crate::config::{Activation, Divisor, ModelCard};
    use crate::cutout::error::CutoutError;
    use crate::cutout::session::Mask;
    use std::path::PathBuf;

    fn card(activation: Activation, stretch: bool) -> ModelCard {
        ModelCard {
            name: String::new(),
            file: PathBuf::new(),
            sha256: [0; 32],
            input: String::new(),
            size: 4,
            output: String::new(),
            divisor: Divisor::Full,
            mean: [0.0; 3],
            std: [1.0; 3],
            activation,
            stretch,
            golden: None,
        }
    }

    fn matte(values: &[f32], card: &ModelCard, sides: (u32, u32)) -> Result<Vec<u8>, CutoutError> {
        let size = values.len().isqrt();
        let mask = Mask::new(values.to_vec(), u32::try_from(size).unwrap());
        let matte = Matte::new(&mask, card, sides.0, sides.1)?;
        let (mut all, mut row) = (Vec::new(), vec![0; sides.0 as usize]);
        for y in 0..sides.1 {
            matte.row(y, &mut Vec::new(), &mut row);
            all.extend(&row);
        }
        Ok(all)
    }

    #[test]
    fn mask_of_the_photo_s_size_is_the_matte() {
        let values: [f32; 16] = std::array::from_fn(|i| f32::from(u8::try_from(i).unwrap()) / 15.0);
        let expected: Vec<u8> = (0..16).map(|i| i * 17).collect();
        assert_eq!(
            matte(&values, &card(Activation::None, false), (4, 4)).unwrap(),
            expected
        );
    }

    #[test]
    fn mask_below_even_odds_is_no_subject_even_if_it_could_be_stretched() {
        let mut values = [0.1; 16];
        values[5] = 0.49;
        let card = card(Activation::None, true);
        assert_eq!(matte(&values, &card, (8, 8)), Err(CutoutError::NoSubject));
        values[5] = 0.51;
        let stretched = matte(&values, &card, (4, 4)).unwrap();
        assert_eq!((stretched[0], stretched[5]), (0, 255));
    }

    #[test]
    fn sigmoid_turns_logits_into_opacity() {
        let mut values = [-50.0; 16];
        values[..2].copy_from_slice(&[0.0, 50.0]);
        let opacity = matte(&values, &card(Activation::Sigmoid, false), (4, 4)).unwrap();
        assert_eq!(opacity[..3], [128, 255, 0]);
    }

    #[test]
    fn flat_mask_stays_flat_whatever_the_size_of_the_photo() {
        for sides in [(1, 1), (2, 9), (4, 4), (5, 3), (1000, 7)] {
            let opacity = matte(&[0.8; 16], &card(Activation::None, true), sides).unwrap();
            assert!(opacity.iter().all(|&v| v == 204), "{sides:?}");
        }
    }

    #[test]
    fn hard_edge_becomes_a_ramp_without_rings() {
        let values: [f32; 16] = std::array::from_fn(|i| if i % 4 < 2 { 0.0 } else { 1.0 });
        let opacity = matte(&values, &card(Activation::None, false), (64, 1)).unwrap();
        assert!(opacity.windows(2).all(|w| w[0] <= w[1]), "{opacity:?}");
        assert_eq!((opacity[20], opacity[43]), (0, 255));
    }

    #[test]
    fn weights_of_every_position_sum_to_one() {
        for (from, to) in [(320, 6000), (320, 1), (320, 319), (1, 5), (3, 2)] {
            let kernel = Kernel::new(from, to).unwrap();
            for position in 0..to as usize {
                let (first, weights) = kernel.at(position);
                let sum: f32 = weights.iter().sum();
                assert!(
                    (sum - 1.0).abs() < 1e-5,
                    "{from} -> {to} at {position}: {sum}"
                );
                assert!(first + weights.len() <= from as usize);
            }
        }
    }
}
