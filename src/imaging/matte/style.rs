//! Converts the configured [`Edges`] to the parameters of the edge refinement.

use crate::config::Edges;

/// Maps a part of the range 0..=1 to the whole range.
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

    /// The mapped value: 0 at the low end and below it, 1 at the high end and above it.
    #[inline]
    pub(super) fn of(self, value: f32) -> f32 {
        ((value - self.low) * self.scale).clamp(0.0, 1.0)
    }
}

/// A number for a hard outline and one for a soft outline, interpolated linearly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ByPlace {
    pub(super) hard: f32,
    pub(super) soft: f32,
}

impl ByPlace {
    /// The number at softness `soft`: 0 = hard to 1 = soft.
    #[inline]
    pub(super) fn at(self, soft: f32) -> f32 {
        self.hard + soft * (self.soft - self.hard)
    }
}

/// Up to this opacity the mask alone decides for background, and up to the same distance from 1 for subject.
const UNDECIDED: ByPlace = ByPlace {
    hard: 0.01,
    soft: 0.005,
};

/// Opacities up to this one become 0, and opacities up to the same distance from 1 become 1; the range between is stretched. Near 0
/// and 1, a hard outline's opacity from the photo's colours is mostly noise.
const SNAP: ByPlace = ByPlace {
    hard: 0.15,
    soft: 0.04,
};

/// Where an outline counts as soft, such as hair, and where as hard, such as a bottle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Softness {
    /// According to the width of the mask's rise.
    ByMask,
    Everywhere,
    Nowhere,
}

/// Parameters of the edge refinement. Opacities are 0..=1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Style {
    pub(super) softness: Softness,
    /// The part of the mask's range that is stretched to the whole range where the photo has no influence.
    pub(super) ramp: Stretch,
    snap: ByPlace,
}

impl Style {
    /// `None` when the mask is not refined.
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

    /// Whether the photo decides at a mask of this opacity and an outline of this softness.
    #[inline]
    pub(super) fn is_open(mask: f32, soft: f32) -> bool {
        let undecided = UNDECIDED.at(soft);
        mask > undecided && mask < 1.0 - undecided
    }

    /// Whether the photo decides at a mask of this opacity at least where the outline is as soft as possible.
    #[inline]
    pub(super) fn may_be_open(mask: f32) -> bool {
        Self::is_open(mask, 1.0)
    }

    /// The least distance from 0 or 1 at which the photo may decide.
    pub(super) fn undecided_least() -> f32 {
        UNDECIDED.soft
    }

    /// The opacity after snapping to 0 and 1, for an outline of softness `soft`.
    #[inline]
    pub(super) fn snapped(self, opacity: f32, soft: f32) -> f32 {
        let snap = self.snap.at(soft);
        Stretch::new(snap, 1.0 - snap).of(opacity)
    }
}
