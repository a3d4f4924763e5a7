//! `[dust]` of a model's manifest -> which islands of its masks are no part of the subject. Looks at no mask.

use serde::Deserialize;

/// All cells of a mask of 288 x 288.
const CELLS_MAX: usize = 288 * 288;

/// Islands of a mask that are dust, as measured for one model.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dust {
    /// The largest, in cells of a mask of 288 x 288; of other masks in proportion.
    pub cells: usize,
    /// Opacity 0..=1 that none of its cells reaches.
    pub peak: f32,
}

impl Dust {
    /// What is asked of it.
    pub(crate) const RULE: &str = "must have `cells` up to 82944 and a `peak` of 0 to 1";

    /// Whether a mask can have that many cells, and the peak is an opacity.
    pub(crate) fn is_possible(self) -> bool {
        self.cells <= CELLS_MAX && (0.0..=1.0).contains(&self.peak)
    }
}
