//! The word of a configuration -> the numbers that the refinement of edges works with.

use crate::config::Edges;

/// How edges are refined. Opacities are 0..=1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Style {
    /// What the mask must lie above, and below one minus it, for the photo to decide.
    pub(super) undecided: f32,
    /// What of the mask's range becomes the whole one where the photo tells nothing.
    pub(super) ramp: (f32, f32),
    /// What is so near to 0 or 1 in the end becomes it, and the rest is stretched.
    pub(super) snap: f32,
    /// The longer side of the coarsest grid, in cells.
    pub(super) coarsest: usize,
    /// Whether the photo decides near the mask's outline only.
    pub(super) is_near_only: bool,
}

impl Style {
    /// `None` where the mask is to be left as it is.
    pub(super) fn of(edges: Edges) -> Option<Self> {
        let auto = Self {
            undecided: 0.01,
            ramp: (0.1, 0.9),
            snap: 0.04,
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
                ramp: (0.3, 0.7),
                snap: 0.2,
                ..auto
            }),
        }
    }
}
