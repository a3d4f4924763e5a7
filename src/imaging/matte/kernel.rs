//! Computes resampling weights along one axis: for every new position, the old positions that it averages and their weights. Must
//! not depend on pictures.

use std::ops::Range;

use super::super::error::CutoutError;
use super::super::{reserve, zeroed};

/// Radius of the cubic kernel in old positions when an axis is enlarged.
const CUBIC_REACH: f64 = 2.0;

/// Equally spaced positions on an axis whose old positions are 1 apart. Position `n` covers `start + n * step` to
/// `start + (n + 1) * step`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    pub(super) start: f64,
    pub(super) step: f64,
    pub(super) count: usize,
}

impl Span {
    /// `count` positions over a whole axis of `old` positions.
    pub(super) fn whole(old: usize, count: usize) -> Self {
        Self::part(old, 0..count, count, count)
    }

    /// `count` positions over `part`, a range of the `of` equal parts of an axis of `old` positions.
    pub(super) fn part(old: usize, part: Range<usize>, of: usize, count: usize) -> Self {
        let unit = length(old) / length(of);
        Self {
            start: length(part.start) * unit,
            step: length(part.len()) * unit / length(count),
            count,
        }
    }

    /// The centre of a position.
    pub(super) fn middle(&self, position: usize) -> f64 {
        self.start + (length(position) + 0.5) * self.step
    }
}

/// For every new position, the first old position and the weights from there on. The weights of a position sum to 1.
#[derive(Debug)]
pub(super) struct Kernel {
    taps: usize,
    firsts: Vec<usize>,
    weights: Vec<f32>,
}

impl Kernel {
    /// The cubic kernel of Keys (1981) with a = -1/2. It is widened when the axis is reduced.
    pub(super) fn cubic(old: usize, span: Span) -> Result<Self, CutoutError> {
        // The wider kernel lets every old position count.
        let reach = span.step.max(1.0);
        Self::build(old, span, CUBIC_REACH * reach, |centre, at| {
            cubic((at - centre) / reach)
        })
    }

    /// The area mean: a partly covered position counts by its covered share.
    pub(super) fn area(old: usize, span: Span) -> Result<Self, CutoutError> {
        let half = span.step / 2.0;
        Self::build(old, span, half + 0.5, |centre, at| {
            let low = f64::max(centre - half, at - 0.5);
            let high = f64::min(centre + half, at + 0.5);
            f64::max(high - low, 0.0)
        })
    }

    /// `weigh` gets the centres of a new and an old position, both in units of old positions.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positions are clamped to 0..=old; weights are kept in single precision"
    )]
    fn build(
        old: usize,
        span: Span,
        reach: f64,
        weigh: impl Fn(f64, f64) -> f64,
    ) -> Result<Self, CutoutError> {
        let taps = ((2.0 * reach).ceil() as usize).min(old);
        let mut firsts = reserve(span.count)?;
        let mut weights = zeroed(span.count * taps)?;
        for (position, weights) in (0..span.count).zip(weights.chunks_exact_mut(taps)) {
            let centre = span.middle(position);
            let low = (centre - reach + 0.5).floor().max(0.0) as usize;
            let first = low.min(old - taps);
            let mut sum = 0.0;
            for (at, weight) in (first..).zip(weights.iter_mut()) {
                *weight = weigh(centre, length(at) + 0.5) as f32;
                sum += *weight;
            }
            for weight in weights {
                *weight /= sum;
            }
            firsts.push(first);
        }
        Ok(Self {
            taps,
            firsts,
            weights,
        })
    }

    /// The first old position with a weight, and the weights from there on.
    pub(super) fn at(&self, position: usize) -> (usize, &[f32]) {
        let start = position * self.taps;
        (
            self.firsts[position],
            &self.weights[start..start + self.taps],
        )
    }

    /// The range of old positions that the new positions use.
    pub(super) fn reach(&self) -> Range<usize> {
        let start = self.firsts.first().map_or(0, |first| *first);
        let end = self.firsts.last().map_or(0, |last| last + self.taps);
        start..end
    }

    /// The number of old positions per new position.
    pub(super) fn taps(&self) -> usize {
        self.taps
    }

    /// The number of new positions.
    pub(super) fn len(&self) -> usize {
        self.firsts.len()
    }

    /// Resamples `old` and appends the result to `new`.
    pub(super) fn apply(&self, old: &[f32], new: &mut Vec<f32>) {
        match self.taps {
            // Most enlargements have 4 or 2 taps; a constant length lets the compiler unroll the loop.
            4 => self.apply_known::<4>(old, new),
            2 => self.apply_known::<2>(old, new),
            _ => new.extend((0..self.len()).map(|position| {
                let (first, weights) = self.at(position);
                dot(&old[first..], weights)
            })),
        }
    }

    fn apply_known<const N: usize>(&self, old: &[f32], new: &mut Vec<f32>) {
        let (weights, _) = self.weights.as_chunks::<N>();
        let positions = self.firsts.iter().zip(weights);
        new.extend(positions.map(|(first, weights)| dot(&old[*first..*first + N], weights)));
    }
}

fn dot(values: &[f32], weights: &[f32]) -> f32 {
    values.iter().zip(weights).map(|(v, w)| v * w).sum()
}

#[expect(clippy::cast_precision_loss, reason = "pictures are not that large")]
fn length(positions: usize) -> f64 {
    positions as f64
}

fn cubic(distance: f64) -> f64 {
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
    use super::{CutoutError, Kernel, Span};

    #[test]
    fn weights_of_every_position_sum_to_one() {
        for (from, to) in [(320, 6000), (320, 1), (320, 319), (1, 5), (3, 2)] {
            for make in [Kernel::cubic, Kernel::area] as [Make; 2] {
                let kernel = make(from, Span::whole(from, to)).unwrap();
                for position in 0..to {
                    let (first, weights) = kernel.at(position);
                    let sum: f32 = weights.iter().sum();
                    assert!(
                        (sum - 1.0).abs() < 1e-5,
                        "{from} -> {to} at {position}: {sum}"
                    );
                    assert!(first + weights.len() <= from);
                }
            }
        }
    }

    type Make = fn(usize, Span) -> Result<Kernel, CutoutError>;

    fn resized(make: Make, to: usize) -> Vec<f32> {
        sampled(make, Span::whole(3, to))
    }

    fn sampled(make: Make, span: Span) -> Vec<f32> {
        let old = [0.0, 8.0, 4.0];
        let mut new = Vec::new();
        make(old.len(), span).unwrap().apply(&old, &mut new);
        new
    }

    #[test]
    fn part_of_a_line_is_what_the_whole_has_there() {
        for make in [Kernel::cubic, Kernel::area] as [Make; 2] {
            let whole = resized(make, 12);
            let part = sampled(make, Span::part(3, 4..10, 12, 6));
            for (whole, part) in whole[4..10].iter().zip(&part) {
                assert!((whole - part).abs() < 1e-5, "{whole} {part}");
            }
        }
    }

    #[test]
    fn area_is_the_mean_of_what_is_covered() {
        // Each new position covers one and a half old ones.
        assert_eq!(resized(Kernel::area, 2), [8.0 / 3.0, 16.0 / 3.0]);
        assert_eq!(resized(Kernel::area, 1), [4.0]);
    }

    #[test]
    fn same_length_changes_nothing() {
        for make in [Kernel::cubic, Kernel::area] as [Make; 2] {
            assert_eq!(resized(make, 3), [0.0, 8.0, 4.0]);
        }
    }
}
