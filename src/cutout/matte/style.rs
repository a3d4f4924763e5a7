//! The word of a configuration -> the numbers that the refinement of edges works with.

use crate::config::Edges;

/// A part of the range 0..=1 that becomes all of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stretch {
    low: f32,
    scale: f32,
}

impl Stretch {
    /// From `low` to `high`.
    pub(super) const fn new(low: f32, high: f32) -> Self {
        Self {
            low,
            scale: 1.0 / (high - low),
        }
    }

    /// What becomes of `value`: 0 at the low end and below it, 1 at the high end and above it.
    #[inline]
    pub(super) fn of(self, value: f32) -> f32 {
        ((value - self.low) * self.scale).clamp(0.0, 1.0)
    }
}

/// How edges are refined. Opacities are 0..=1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Style {
    /// Between this and one minus this the mask leaves it to the photo.
    pub(super) undecided: f32,
    /// What of the mask's range becomes the whole one where the photo tells nothing.
    pub(super) ramp: Stretch,
    /// What of the result's range becomes the whole one.
    pub(super) snap: Stretch,
    /// The longer side of the coarsest grid, in cells.
    pub(super) coarsest: usize,
    /// Whether the photo decides near the mask's outline only.
    pub(super) is_near_only: bool,
}

impl Style {
    /// Whether a mask of this opacity leaves it to the photo.
    pub(super) fn is_open(self, mask: f32) -> bool {
        mask > self.undecided && mask < 1.0 - self.undecided
    }

    /// `None` where the mask is to be left as it is.
    pub(super) fn of(edges: Edges) -> Option<Self> {
        let auto = Self {
            undecided: 0.01,
            ramp: Stretch::new(0.1, 0.9),
            snap: Stretch::new(0.04, 0.96),
            coarsest: 144,
            is_near_only: true,
        };
        match edges {
            Edges::Off => None,
            Edges::Auto => Some(auto),
            Edges::Soft => Some(Self {
                undecided: 0.005,
                coarsest: 72,
                is_near_only: false,
                ..auto
            }),
            Edges::Hard => Some(Self {
                ramp: Stretch::new(0.3, 0.7),
                snap: Stretch::new(0.2, 0.8),
                ..auto
            }),
        }
    }
}
