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

/// A number where the subject's outline is hard, and where it is soft. Between them it changes evenly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ByPlace {
    pub(super) hard: f32,
    pub(super) soft: f32,
}

impl ByPlace {
    /// What it is where the outline is as `soft` as that: 0 = hard to 1 = soft.
    #[inline]
    pub(super) fn at(self, soft: f32) -> f32 {
        self.hard + soft * (self.soft - self.hard)
    }
}

/// Up to this opacity the mask alone says ground, and up to as far from 1 it says subject.
const UNDECIDED: ByPlace = ByPlace {
    hard: 0.01,
    soft: 0.005,
};

/// Up to this opacity the result is 0, and up to as far from 1 it is 1; between them all of the range. Near 0 and 1 most of what the
/// photo's colours say of a hard outline is its noise.
const SNAP: ByPlace = ByPlace {
    hard: 0.15,
    soft: 0.04,
};

/// Where an outline is taken to be soft, as that of hair, and where hard, as that of a bottle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Softness {
    /// As the width of the mask's rise says.
    ByMask,
    Everywhere,
    Nowhere,
}

/// How edges are refined. Opacities are 0..=1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Style {
    pub(super) softness: Softness,
    /// What of the mask's range becomes the whole one where the photo tells nothing.
    pub(super) ramp: Stretch,
    snap: ByPlace,
}

impl Style {
    /// `None` where the mask is to be left as it is.
    pub(super) fn of(edges: Edges) -> Option<Self> {
        let auto = Self {
            softness: Softness::ByMask,
            ramp: Stretch::new(0.1, 0.9),
            snap: SNAP,
        };
        match edges {
            Edges::Off => None,
            Edges::Auto => Some(auto),
            Edges::Soft => Some(Self {
                softness: Softness::Everywhere,
                ..auto
            }),
            Edges::Hard => Some(Self {
                softness: Softness::Nowhere,
                ramp: Stretch::new(0.3, 0.7),
                snap: ByPlace { hard: 0.2, ..SNAP },
            }),
        }
    }

    /// Whether a mask of this opacity leaves it to the photo, where the outline is as `soft` as that.
    #[inline]
    pub(super) fn is_open(mask: f32, soft: f32) -> bool {
        let undecided = UNDECIDED.at(soft);
        mask > undecided && mask < 1.0 - undecided
    }

    /// The least distance from 0 or 1 at which a mask leaves anything to the photo.
    pub(super) fn undecided_least() -> f32 {
        UNDECIDED.soft
    }

    /// What becomes of an opacity where the outline is as `soft` as that.
    #[inline]
    pub(super) fn snapped(self, opacity: f32, soft: f32) -> f32 {
        let snap = self.snap.at(soft);
        Stretch::new(snap, 1.0 - snap).of(opacity)
    }
}
