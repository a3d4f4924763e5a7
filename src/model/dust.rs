//! The `[dust]` table of a model's manifest: which islands of its masks do not belong to the subject. Must not read masks.

use serde::Deserialize;

/// The number of cells of a mask of 288 x 288.
const CELLS_MAX: usize = 288 * 288;

/// Islands of a mask that are dust, as measured for one model.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dust {
    /// The largest size in cells of a mask of 288 x 288; scaled in proportion for other masks.
    pub cells: usize,
    /// The opacity, 0..=1, that no cell of the island reaches.
    pub peak: f32,
}

impl Dust {
    /// The rule for its values, for messages.
    pub(crate) const RULE: &str = "must have `cells` up to 82944 and a `peak` of 0 to 1";

    /// Whether the values follow [`Self::RULE`].
    pub(crate) fn is_possible(self) -> bool {
        self.cells <= CELLS_MAX && (0.0..=1.0).contains(&self.peak)
    }
}
