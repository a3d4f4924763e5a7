//! Computes opacity from the nearest certain colours of subject and background: the position of the pixel's colour on the line
//! between the two, as in sampling-based matting (Wang, Cohen 2007). The guided filter alone leaves the background between hairs
//! grey; this projection removes the grey.

use super::super::error::CutoutError;
use super::super::reserve;
use super::extent::Extent;
use super::guide::Guide;
use super::guided::{Fit, TERMS};
use super::means::means;
use super::plane::{Plane, add};
use super::style::Stretch;

/// Opacities below this range are certain background. Within the range a cell counts in part.
const NOT_GROUND: Stretch = Stretch::new(0.03, 0.07);

/// Opacities above this range are certain subject. Within the range a cell counts in part.
const SUBJECT: Stretch = Stretch::new(0.93, 0.97);

/// Window radii in cells, and their weights. Each mean is applied twice. The weights make near certain cells dominate; far ones
/// count only when no near ones exist.
const WINDOWS: [(usize, f32); 2] = [(3, 1.0), (15, 1e-3)];

/// Sums below a hundredth of the widest window's weight are ignored.
const LEAST_WEIGHT: f32 = 1e-5;

/// Distance between the colours of subject and background that counts, partly at the low end, fully at the high end; colours are
/// 0..=1.
const DISTANCE: Stretch = Stretch::new(0.08, 0.16);

/// Root mean square distance of uncertain colours from the line, around a cell. Above the range the projection has no weight.
const RESIDUAL: Stretch = Stretch::new(0.04, 0.08);

/// Radius of the window for residuals, in cells.
const RESIDUAL_RADIUS: usize = 1;

/// Ranges in which the change fades in and out. Opacity 0 and opacities above the second range do not change; between the ranges
/// the full change applies.
const LOW: Stretch = Stretch::new(0.0, 0.05);
const HIGH: Stretch = Stretch::new(0.8, 0.95);

/// Values per kind of certain cells: their count, and the sums of red, green and blue.
const SUMS: usize = 4;

/// The line from the background colour to the subject colour.
struct ColourLine {
    ground: [f32; 3],
    direction: [f32; 3],
    /// The squared length of `direction`, above 0.
    square: f32,
}

impl ColourLine {
    /// Builds the line from the sums of subject and background; `None` when either has too few cells.
    fn of(sums: &[f32; 2 * SUMS]) -> Option<Self> {
        let [count, red, green, blue, ground @ ..] = *sums;
        let subject = mean(count, [red, green, blue])?;
        let [count, red, green, blue] = ground;
        let ground = mean(count, [red, green, blue])?;
        let direction = std::array::from_fn(|n| subject[n] - ground[n]);
        Some(Self {
            ground,
            direction,
            square: dot(direction, direction) + 1e-6,
        })
    }

    /// The distance of a colour from the nearest colour on the line: the greatest difference of red, green and blue.
    fn residual(&self, colour: [f32; 3]) -> f32 {
        let from_ground = std::array::from_fn(|n| colour[n] - self.ground[n]);
        let share = (dot(from_ground, self.direction) / self.square).clamp(0.0, 1.0);
        (0..3)
            .map(|n| (from_ground[n] - share * self.direction[n]).abs())
            .fold(0.0, f32::max)
    }

    /// The position of a colour on the line as a linear function of the colour, times its weight; and the weight, 0..=1. `residual`
    /// is the residual of the colours around the cell.
    fn terms(&self, residual: f32) -> [f32; TERMS] {
        let weight = DISTANCE.of(self.square.sqrt()) * (1.0 - RESIDUAL.of(residual));
        let scale = weight / self.square;
        let [red, green, blue] = self.direction.map(|part| scale * part);
        [
            red,
            green,
            blue,
            -scale * dot(self.ground, self.direction),
            weight,
        ]
    }
}

fn mean(count: f32, sums: [f32; 3]) -> Option<[f32; 3]> {
    (count > LEAST_WEIGHT).then(|| sums.map(|sum| sum / count))
}

/// The opacity of each cell as a linear function of colour, as in [`Fit`], but times its weight; the last number is the weight, 0..=1.
/// Cells can therefore be interpolated, and cells without a weight do not count. `opacity` lies on the grid of `guide`; the guide is
/// valid within `part`. `None` when no subject or no background is certain.
///
/// # Errors
/// `OutOfMemory`.
pub(super) fn projection(
    guide: &Guide,
    opacity: &Plane,
    part: &Extent,
) -> Result<Option<Fit>, CutoutError> {
    let (width, height) = (opacity.width, opacity.height);
    let sums = weighted(&sums(guide, opacity, part)?, width)?;
    if sums.iter().all(|sums| ColourLine::of(sums).is_none()) {
        return Ok(None);
    }
    let residuals = residuals(guide, opacity, part, &sums)?;
    let mut cells = reserve(width * height)?;
    means(&residuals, width, RESIDUAL_RADIUS, |start, means| {
        let sums = sums[start..].iter().zip(means);
        cells.extend(sums.map(|(sums, [residual, count])| {
            let line = (*count > 1e-4).then(|| ColourLine::of(sums)).flatten();
            let residual = (residual / count).max(0.0).sqrt();
            line.map_or([0.0; TERMS], |line| line.terms(residual))
        }));
    })?;
    Ok(Some(Fit {
        width,
        height,
        cells,
    }))
}

/// The colour sums of each single cell: weighted as certain subject, then as certain background.
fn sums(
    guide: &Guide,
    opacity: &Plane,
    part: &Extent,
) -> Result<Vec<[f32; 2 * SUMS]>, CutoutError> {
    let mut sums = reserve(opacity.values.len())?;
    sums.resize(opacity.values.len(), [0.0; 2 * SUMS]);
    for at in part.cells(opacity.width) {
        let [red, green, blue] = colour(guide, at);
        let own = [1.0, red, green, blue];
        let (subject, ground) = sums[at].split_at_mut(SUMS);
        let opacity = opacity.values[at];
        add(subject, &own, SUBJECT.of(opacity));
        add(ground, &own, 1.0 - NOT_GROUND.of(opacity));
    }
    Ok(sums)
}

/// The sums around each cell, weighted by distance, from the `sums` of single cells.
fn weighted(sums: &[[f32; 2 * SUMS]], width: usize) -> Result<Vec<[f32; 2 * SUMS]>, CutoutError> {
    let mut once = reserve(sums.len())?;
    let mut weighted = reserve(sums.len())?;
    weighted.resize(sums.len(), [0.0; 2 * SUMS]);
    for (radius, weight) in WINDOWS {
        once.clear();
        means(sums, width, radius, |_, means| {
            once.extend_from_slice(means);
        })?;
        means(&once, width, radius, |start, means| {
            let weighted = weighted[start..].as_flattened_mut();
            add(weighted, means.as_flattened(), weight);
        })?;
    }
    Ok(weighted)
}

/// For each cell of uncertain colour, its squared residual times its uncertainty, and its uncertainty; zeros for all other cells.
fn residuals(
    guide: &Guide,
    opacity: &Plane,
    part: &Extent,
    sums: &[[f32; 2 * SUMS]],
) -> Result<Vec<[f32; 2]>, CutoutError> {
    let mut residuals = reserve(sums.len())?;
    residuals.resize(sums.len(), [0.0; 2]);
    for at in part.cells(opacity.width) {
        let opacity = opacity.values[at];
        let unsure = NOT_GROUND.of(opacity) - SUBJECT.of(opacity);
        if unsure <= 0.0 {
            continue;
        }
        if let Some(line) = ColourLine::of(&sums[at]) {
            let residual = line.residual(colour(guide, at));
            residuals[at] = [unsure * residual * residual, unsure];
        }
    }
    Ok(residuals)
}

/// Moves `opacity` towards the projected opacity, in proportion to the weight in `terms` and to `share`, 0..=1.
#[inline]
pub(super) fn projected(
    [red, green, blue, rest, weight]: &[f32; TERMS],
    [r, g, b]: [f32; 3],
    (opacity, share): (f32, f32),
) -> f32 {
    if *weight <= 0.0 {
        return opacity;
    }
    let found = ((red * r + green * g + blue * b + rest) / weight).clamp(0.0, 1.0);
    let weight = share * weight * LOW.of(opacity) * (1.0 - HIGH.of(opacity));
    opacity + weight * (found - opacity)
}

fn colour([red, green, blue]: &Guide, at: usize) -> [f32; 3] {
    [red, green, blue].map(|plane| plane.values[at])
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

#[cfg(test)]
mod tests {
    use super::{Extent, Guide, Plane, TERMS, projected, projection};
    use crate::imaging::matte::plane::assert_near;

    const SIDE: usize = 24;
    const ORANGE: [f32; 3] = [0.9, 0.5, 0.1];
    const BLUE: [f32; 3] = [0.1, 0.2, 0.8];

    /// The colour at `share` of the way from blue to orange, with green shifted by `off`.
    fn between(share: f32, off: f32) -> [f32; 3] {
        std::array::from_fn(|n| {
            BLUE[n] + share * (ORANGE[n] - BLUE[n]) + if n == 1 { off } else { 0.0 }
        })
    }

    /// A grid whose columns have the colours and opacities that `column` returns.
    fn grid(column: impl Fn(usize) -> ([f32; 3], f32)) -> (Guide, Plane) {
        let plane = |value: &dyn Fn(usize) -> f32| {
            Plane::square((0..SIDE * SIDE).map(|at| value(at % SIDE)).collect())
        };
        let guide = [0, 1, 2].map(|n| plane(&|x| column(x).0[n]));
        (guide, plane(&|x| column(x).1))
    }

    fn part(columns: std::ops::Range<usize>) -> Extent {
        Extent {
            columns,
            rows: 0..SIDE,
        }
    }

    /// The terms in the middle row, at column `x`.
    fn terms((guide, opacity): &(Guide, Plane), part: &Extent, x: usize) -> Option<[f32; TERMS]> {
        let fit = projection(guide, opacity, part).unwrap()?;
        Some(fit.cells[SIDE / 2 * SIDE + x])
    }

    /// Orange on the left, blue on the right, `unsure` in between.
    fn three(unsure: [f32; 3]) -> (Guide, Plane) {
        grid(|x| match x {
            0..10 => (ORANGE, 1.0),
            10..14 => (unsure, 0.5),
            _ => (BLUE, 0.0),
        })
    }

    #[test]
    fn colour_between_two_sure_ones_tells_its_share() {
        let cells = three(between(0.2, 0.0));
        let [red, green, blue, rest, weight] = terms(&cells, &part(0..SIDE), 12).unwrap();
        for share in [0.0, 0.2, 0.5, 1.0] {
            let [r, g, b] = between(share, 0.0);
            assert_near(
                &[(red * r + green * g + blue * b + rest) / weight],
                &[share],
            );
        }
        assert_near(&[weight], &[1.0]);
    }

    #[test]
    fn colours_beside_the_line_and_colours_that_are_alike_have_no_weight() {
        let weight = |cells: &(Guide, Plane)| terms(cells, &part(0..SIDE), 12).unwrap()[4];
        assert_near(&[weight(&three(between(0.2, 0.2)))], &[0.0]);
        let some = weight(&three(between(0.2, 0.06)));
        assert!(some > 0.0 && some < 1.0, "{some}");
        let alike = grid(|x| match x {
            0..10 => (between(0.03, 0.0), 1.0),
            10..14 => (between(0.015, 0.0), 0.5),
            _ => (BLUE, 0.0),
        });
        assert_near(&[weight(&alike)], &[0.0]);
    }

    #[test]
    fn where_nothing_is_unsure_nothing_has_a_weight() {
        let cells = terms(&three(between(0.2, 0.0)), &part(0..SIDE), 3).unwrap();
        assert_near(&cells, &[0.0; TERMS]);
    }

    #[test]
    fn without_both_subject_and_ground_there_is_none() {
        for sure in [0.0, 1.0] {
            let cells = grid(|x| (ORANGE, if x < 8 { sure } else { 0.5 }));
            assert_eq!(terms(&cells, &part(0..SIDE), 12), None);
        }
    }

    /// Fails when cells count although their colours were not read.
    #[test]
    fn cells_beyond_the_part_say_nothing() {
        let known = grid(|x| match x {
            6..10 => (ORANGE, 1.0),
            10..14 => (between(0.5, 0.0), 0.5),
            14..18 => (BLUE, 0.0),
            _ => ([0.0; 3], if x < 6 { 1.0 } else { 0.0 }),
        });
        let [red, green, blue, rest, weight] = terms(&known, &part(6..18), 12).unwrap();
        let [r, g, b] = ORANGE;
        assert_near(
            &[(red * r + green * g + blue * b + rest) / weight, weight],
            &[1.0, 1.0],
        );
    }

    /// Fails when a certain cell far away counts as much as a near one.
    #[test]
    fn nearest_sure_colours_count_most() {
        let cells = grid(|x| match x {
            0..4 => ([0.5, 0.9, 0.1], 1.0),
            8..10 => (ORANGE, 1.0),
            4..14 => (between(0.5, 0.0), 0.5),
            _ => (BLUE, 0.0),
        });
        let [red, green, blue, rest, weight] = terms(&cells, &part(0..SIDE), 11).unwrap();
        let [r, g, b] = ORANGE;
        let share = (red * r + green * g + blue * b + rest) / weight;
        assert!((share - 1.0).abs() < 0.02, "{share}");
    }

    /// Fails when what a cell without a weight says is mixed with what its neighbour says.
    #[test]
    fn between_two_cells_only_that_with_a_weight_counts() {
        let cells = three(between(0.2, 0.0));
        let sure = terms(&cells, &part(0..SIDE), 12).unwrap();
        let half = sure.map(|term| term / 2.0);
        let moved = projected(&half, between(0.2, 0.0), (0.6, 1.0));
        // Half of the way from 0.6 to 0.2.
        assert_near(&[moved], &[0.4]);
    }

    #[test]
    fn ends_and_hard_outlines_are_not_changed() {
        // Maps every colour to opacity 1.
        let terms = [0.0, 0.0, 0.0, 1.0, 1.0];
        let moved = |opacity, soft| projected(&terms, BLUE, (opacity, soft));
        assert_near(
            &[
                moved(0.0, 1.0),
                moved(0.95, 1.0),
                moved(0.5, 0.0),
                moved(0.3, 1.0),
                moved(0.3, 0.5),
            ],
            &[0.0, 0.95, 0.5, 1.0, 0.65],
        );
    }
}
