//! Removes small faint islands, which are dust, from a mask. Does not fill holes: most holes are real.

use super::super::error::CutoutError;
use super::super::{reserve, zeroed};
use super::plane::Plane;
use crate::model::Dust;

/// Fainter cells are background in the steps that follow, so they connect no islands.
const GROUND_MAX: f32 = 0.1;

/// The side of the masks to which the sizes in [`Dust`] refer, in cells.
const MEASURED_SIDE: usize = 288;

/// Lowers to background every island of `mask` (0..=1) that is at most as large and as faint as `dust` allows. Cells that touch at
/// a corner are connected.
pub(super) fn drop_dust(mask: &mut Plane, dust: Dust) -> Result<(), CutoutError> {
    let cells_max = dust.cells.saturating_mul(mask.values.len()) / (MEASURED_SIDE * MEASURED_SIDE);
    // The island with the greatest opacity is the subject, however faint it is.
    let greatest = mask.values.iter().copied().fold(0.0, f32::max);
    let mut is_seen: Vec<bool> = zeroed(mask.values.len())?;
    let mut island: Vec<usize> = reserve(mask.values.len())?;
    for start in 0..mask.values.len() {
        if is_seen[start] || mask.values[start] <= GROUND_MAX {
            continue;
        }
        island.clear();
        island.push(start);
        is_seen[start] = true;
        let mut peak = 0.0_f32;
        let mut next = 0;
        while let Some(&cell) = island.get(next) {
            next += 1;
            peak = peak.max(mask.values[cell]);
            for neighbour in neighbours(cell, mask.width, mask.height) {
                if !is_seen[neighbour] && mask.values[neighbour] > GROUND_MAX {
                    is_seen[neighbour] = true;
                    island.push(neighbour);
                }
            }
        }
        if island.len() <= cells_max && peak < dust.peak && peak < greatest {
            for cell in &island {
                mask.values[*cell] = 0.0;
            }
        }
    }
    Ok(())
}

/// The 3 x 3 cells around `cell`, including `cell`.
fn neighbours(cell: usize, width: usize, height: usize) -> impl Iterator<Item = usize> {
    let (x, y) = (cell % width, cell / width);
    let columns = x.saturating_sub(1)..(x + 2).min(width);
    let rows = y.saturating_sub(1)..(y + 2).min(height);
    rows.flat_map(move |y| columns.clone().map(move |x| y * width + x))
}

#[cfg(test)]
mod tests {
    use super::{GROUND_MAX, drop_dust};
    use crate::imaging::matte::plane::Plane;
    use crate::model::Dust;

    const DUST: Dust = Dust {
        cells: 4,
        peak: 0.6,
    };

    /// A square mask of `side` cells with `cells` of them at `value`.
    fn mask(side: usize, cells: &[usize], value: f32) -> Plane {
        let mut values = vec![0.05; side * side];
        for cell in cells {
            values[*cell] = value;
        }
        Plane::square(values)
    }

    fn is_kept(side: usize, cells: &[usize], value: f32) -> bool {
        let mut mask = mask(side, cells, value);
        // The subject, far away.
        mask.values[side * side / 2] = 1.0;
        drop_dust(&mut mask, DUST).unwrap();
        let kept = cells.iter().filter(|cell| mask.values[**cell] > GROUND_MAX);
        let kept = kept.count();
        assert!(kept == 0 || kept == cells.len(), "an island is one");
        assert_eq!(mask.values.last(), Some(&0.05), "ground is left as it is");
        kept > 0
    }

    #[test]
    fn small_faint_islands_go_and_all_others_stay() {
        assert!(!is_kept(288, &[0, 1, 288, 289], 0.5));
        assert!(is_kept(288, &[0, 1, 288, 289, 290], 0.5), "five cells");
        assert!(is_kept(288, &[0, 1], 0.6), "bright enough");
    }

    #[test]
    fn cells_that_touch_at_a_corner_are_one_island() {
        assert!(is_kept(288, &[0, 289, 578, 867, 1156], 0.5));
    }

    #[test]
    fn rows_do_not_join_at_the_frame() {
        assert!(!is_kept(288, &[284, 285, 286, 287, 288], 0.5));
    }

    #[test]
    fn what_the_network_is_surest_of_is_no_dust() {
        let mut mask = mask(288, &[5], 0.5);
        drop_dust(&mut mask, DUST).unwrap();
        assert!(mask.values[5] > GROUND_MAX);
    }

    #[test]
    fn limit_is_in_proportion_to_the_mask() {
        assert!(is_kept(144, &[0, 1], 0.5), "one cell of 144 is four of 288");
        assert!(!is_kept(144, &[0], 0.5));
    }
}
