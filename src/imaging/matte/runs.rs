//! Finds, for each row of a larger grid, the columns that the mask alone decides. These columns, which are most pixels of a photo,
//! need no further computation.

use std::ops::Range;

use super::super::error::CutoutError;
use super::super::{reserve, zeroed};
use super::kernel::Kernel;
use super::plane::Plane;
use super::style::Style;

/// The share of the decision limit that a cell may use. Kernels have negative weights: their result is up to [`OVERSHOOT`] times as
/// far from 0, or from 1, as the cells are. This also holds when a mask is reduced.
const SAFETY: f32 = 0.5;
pub(super) const OVERSHOOT: f32 = 1.31;

/// The decision of the mask alone for a part of the photo; the ground is the background.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum RunKind {
    Ground,
    Subject,
    #[default]
    Undecided,
}

impl RunKind {
    /// The decision for a cell of this opacity. The limit is strict enough that overshoot of the kernel cannot make the result
    /// undecided.
    fn of_cell(opacity: f32) -> Self {
        let limit = SAFETY * Style::undecided_least();
        if opacity <= limit {
            Self::Ground
        } else if opacity >= 1.0 - limit {
            Self::Subject
        } else {
            Self::Undecided
        }
    }
}

/// Whether the enlarged mask may be undecided around cell `at`: the cell is undecided, or the next cell to the right or below has
/// another kind.
pub(super) fn is_open_around(mask: &Plane, at: usize) -> bool {
    let kind = |at: usize| RunKind::of_cell(mask.values[at]);
    let own = kind(at);
    let is_last = (at + 1).is_multiple_of(mask.width);
    let differs_right = !is_last && kind(at + 1) != own;
    let below = at + mask.width;
    own == RunKind::Undecided || differs_right || below < mask.values.len() && kind(below) != own
}

/// Adjacent columns of the same kind. Not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) columns: Range<usize>,
    pub(super) kind: RunKind,
}

/// The kinds for all positions of a kernel on a mask.
#[derive(Debug)]
pub(super) struct RunKinds {
    /// Row by row; a row has one entry less than `starts`.
    places: Vec<RunKind>,
    /// For each column of the mask, the first column of the grid whose kernel begins at this mask column or later. The last entry
    /// is the grid's width.
    starts: Vec<usize>,
}

impl RunKinds {
    /// Computes the kinds of a mask that these kernels enlarge.
    pub(super) fn new(mask: &Plane, across: &Kernel, down: &Kernel) -> Result<Self, CutoutError> {
        let columns = mask.width - across.taps() + 1;
        let mut places = reserve(columns * (mask.height - down.taps() + 1))?;
        // For each horizontal position: the kind of the last rows, and the number of consecutive rows of this kind.
        let mut alike = zeroed::<(RunKind, usize)>(columns)?;
        for (y, row) in mask.rows().enumerate() {
            let mut before = (RunKind::Undecided, 0);
            for (x, opacity) in row.iter().enumerate() {
                before = counted(before, RunKind::of_cell(*opacity));
                if let Some(place) = (x + 1).checked_sub(across.taps()) {
                    alike[place] = counted(alike[place], agreed(before, across.taps()));
                }
            }
            if y + 1 >= down.taps() {
                places.extend(alike.iter().map(|alike| agreed(*alike, down.taps())));
            }
        }
        let mut starts = reserve(columns + 1)?;
        let mut column = 0;
        for place in 0..columns {
            while column < across.len() && across.at(column).0 < place {
                column += 1;
            }
            starts.push(column);
        }
        starts.push(across.len());
        Ok(Self { places, starts })
    }

    /// Allocates a buffer for the runs of a row.
    pub(super) fn row_buffer(&self) -> Result<Vec<Run>, CutoutError> {
        reserve(self.starts.len())
    }

    /// Writes the runs of a row of the grid whose kernel begins at row `first` of the mask, from left to right.
    pub(super) fn write(&self, first: usize, runs: &mut Vec<Run>) {
        runs.clear();
        let columns = self.starts.len() - 1;
        let places = &self.places[first * columns..][..columns];
        for (kind, ends) in places.iter().zip(self.starts.windows(2)) {
            let columns = ends[0]..ends[1];
            match runs.last_mut() {
                _ if columns.is_empty() => {}
                Some(run) if run.kind == *kind => run.columns.end = columns.end,
                _ => runs.push(Run {
                    columns,
                    kind: *kind,
                }),
            }
        }
    }
}

/// Counts consecutive equal kinds; `next` is the newest.
fn counted((kind, times): (RunKind, usize), next: RunKind) -> (RunKind, usize) {
    if kind == next {
        (kind, times + 1)
    } else {
        (next, 1)
    }
}

/// The kind, if it occurred at least `of` times in succession; otherwise undecided.
fn agreed((kind, times): (RunKind, usize), of: usize) -> RunKind {
    if times >= of {
        kind
    } else {
        RunKind::Undecided
    }
}

#[cfg(test)]
mod tests {
    use super::super::kernel::{Kernel, Span};
    use super::super::plane::Plane;
    use super::super::style::Style;
    use super::{OVERSHOOT, Run, RunKind, RunKinds, is_open_around};

    /// A mask of 12 x 12 whose left half is 0 and whose right half is 1.
    fn halves() -> Plane {
        Plane::square(
            (0..144)
                .map(|at| f32::from(u8::from(at % 12 >= 6)))
                .collect(),
        )
    }

    fn runs(mask: &Plane, row: usize) -> Vec<Run> {
        let kernel = |old| Kernel::cubic(old, Span::whole(old, 120)).unwrap();
        let (across, down) = (kernel(mask.width), kernel(mask.height));
        let kinds = RunKinds::new(mask, &across, &down).unwrap();
        let mut runs = Vec::new();
        kinds.write(down.at(row).0, &mut runs);
        runs
    }

    #[test]
    fn what_a_cubic_does_not_mix_is_decided() {
        // The cubic kernel reaches 2 cells (20 columns) beyond the last cell of either half.
        let decided = runs(&halves(), 60);
        let ends: Vec<_> = decided
            .iter()
            .map(|run| (run.columns.end, run.kind))
            .collect();
        let expected = [
            (45, RunKind::Ground),
            (75, RunKind::Undecided),
            (120, RunKind::Subject),
        ];
        assert_eq!(ends, expected);
    }

    #[test]
    fn one_cell_opens_what_the_cubic_mixes_it_into() {
        let mut mask = Plane::square(vec![0.0; 576]);
        mask.values[12 * 24 + 12] = 0.02;
        let ground = [(120, RunKind::Ground)];
        let open = [
            (52, RunKind::Ground),
            (72, RunKind::Undecided),
            (120, RunKind::Ground),
        ];
        // Two cells, 10 columns or rows, on both sides of the centre at 62.5.
        for (row, expected) in [(51, &ground[..]), (52, &open), (71, &open), (72, &ground)] {
            let decided = runs(&mask, row);
            let ends = decided.iter().map(|run| (run.columns.end, run.kind));
            assert_eq!(ends.collect::<Vec<_>>(), expected, "{row}");
        }
    }

    /// Fails when the cells are decided although the kernel's overshoot is not.
    #[test]
    fn cells_that_the_cubic_lifts_over_the_limit_are_open() {
        let cell = 0.9 * Style::undecided_least();
        let mut mask = Plane::square(vec![0.0; 576]);
        for at in [12 * 24 + 12, 12 * 24 + 13, 13 * 24 + 12, 13 * 24 + 13] {
            mask.values[at] = cell;
        }
        let mut enlarged = Plane::default();
        enlarged
            .resize_from(&mask, Kernel::cubic, (120, 120))
            .unwrap();
        let greatest = enlarged
            .values
            .iter()
            .fold(0.0_f32, |most, value| most.max(*value));
        assert!(
            greatest > Style::undecided_least() && greatest < OVERSHOOT * cell,
            "{greatest}"
        );
        assert!(
            runs(&mask, 65)
                .iter()
                .any(|run| run.kind == RunKind::Undecided)
        );
    }

    #[test]
    fn step_between_two_decided_cells_is_open_around_them() {
        let mask = halves();
        let open: Vec<usize> = (0..12).filter(|x| is_open_around(&mask, 12 + x)).collect();
        assert_eq!(open, [5]);
        let mut mask = Plane::square(vec![1.0; 9]);
        mask.values[3..].fill(0.0);
        let open: Vec<usize> = (0..9).filter(|at| is_open_around(&mask, *at)).collect();
        assert_eq!(open, [0, 1, 2]);
    }
}
