//! Estimates the colours of subject and background in each cell of a grid: fast multi-level foreground estimation (Germer, Uelwer,
//! Conrad, Harmeling 2020). Starts with one cell and doubles the grid until it has full size.

use std::ops::RangeInclusive;

use super::super::error::CutoutError;
use super::super::{empty, reserve};

/// Red, green and blue of the subject, then of the background, 0..=1.
pub(super) type Colours = [f32; 6];

/// Red, green, blue and opacity, 0..=65535, row by row.
#[derive(Debug)]
pub(super) struct Samples {
    pub(super) width: usize,
    pub(super) values: Vec<[u16; 4]>,
}

impl Samples {
    fn size(&self) -> (usize, usize) {
        (self.width, self.values.len() / self.width)
    }

    /// Becomes `whole` on a coarser grid, by nearest neighbour. Keeps its buffer.
    fn become_coarser(
        &mut self,
        whole: &Self,
        (width, height): (usize, usize),
    ) -> Result<(), CutoutError> {
        self.width = width;
        empty(&mut self.values, width * height)?;
        let (old_width, old_height) = whole.size();
        let columns = nearest(old_width, width)?;
        for row in nearest(old_height, height)? {
            let row = &whole.values[row * old_width..(row + 1) * old_width];
            self.values
                .extend(columns.iter().map(|column| row[*column]));
        }
        Ok(())
    }

    /// The cells that need separation: the cell or a neighbour is partly transparent, or their opacities differ. On small grids
    /// all cells. Replaces the content of `mixed`.
    fn write_mixed(&self, mixed: &mut Vec<CellPlace>) -> Result<(), CutoutError> {
        let (width, height) = self.size();
        let is_small = width.max(height) <= 2 * SMALL_SIDE;
        let row = |y: usize| &self.values[y * width..(y + 1) * width];
        mixed.clear();
        for y in 0..height {
            mixed
                .try_reserve(width)
                .map_err(|_| CutoutError::OutOfMemory)?;
            let (above, own) = (row(y.saturating_sub(1)), row(y));
            let below = row((y + 1).min(height - 1));
            let mut before = own[0][3];
            for x in 0..width {
                let opacity = own[x][3];
                let after = own[(x + 1).min(width - 1)][3];
                let differs = (above[x][3] ^ opacity)
                    | (below[x][3] ^ opacity)
                    | (before ^ opacity)
                    | (after ^ opacity);
                if differs != 0 || !matches!(opacity, 0 | OPAQUE) || is_small {
                    mixed.push((as_place(x), as_place(y)));
                }
                before = opacity;
            }
        }
        Ok(())
    }
}

/// Column and row of a cell.
type CellPlace = (u32, u32);

/// The greatest distance of an opacity from 1, or from 0, at which the cell counts for the first guess of the subject, or of the
/// background: a tenth.
const UNSURE: u16 = OPAQUE / 10;

/// Grids with sides up to this length, in cells, get more rounds.
const SMALL_SIDE: usize = 32;
const ROUNDS_SMALL: usize = 10;
const ROUNDS: usize = 2;

/// Base weight of the similarity of neighbours, for neighbours of the same opacity.
const ALIKE: f32 = 1e-5;

const OPAQUE: u16 = u16::MAX;

/// The colours of subject and background in each cell of `samples`.
pub(super) fn separate(samples: &Samples) -> Result<Vec<Colours>, CutoutError> {
    let (width, height) = samples.size();
    let levels = width.max(height).next_power_of_two().trailing_zeros();
    // The buffers serve all levels: fresh memory costs as much as a round of the solution.
    let mut colours = reserve(width * height)?;
    let mut coarse = Samples {
        width: 1,
        values: reserve(1)?,
    };
    let mut mixed = Vec::new();
    colours.push(first_guess(samples));
    let mut size = (1, 1);
    for level in 0..=levels {
        let next = (side(width, level, levels), side(height, level, levels));
        let samples = if next == (width, height) {
            samples
        } else {
            coarse.become_coarser(samples, next)?;
            &coarse
        };
        enlarge(&mut colours, size, samples)?;
        size = next;
        samples.write_mixed(&mut mixed)?;
        let rounds = if size.0.max(size.1) <= SMALL_SIDE {
            ROUNDS_SMALL
        } else {
            ROUNDS
        };
        for _ in 0..rounds {
            relax(samples, &mixed, &mut colours);
        }
    }
    Ok(colours)
}

/// The cells along a side at a level: `whole` to the power `level / levels`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "between 1 and `whole`"
)]
fn side(whole: usize, level: u32, levels: u32) -> usize {
    if level == levels {
        return whole;
    }
    let part = f64::from(level) / f64::from(levels);
    ((whole as f64).powf(part).round_ties_even() as usize).max(1)
}

/// For each of `to` cells, the cell of `from` that contains its first corner.
fn nearest(from: usize, to: usize) -> Result<Vec<usize>, CutoutError> {
    let mut places = reserve(to)?;
    places.extend((0..to).map(|cell| cell * from / to));
    Ok(places)
}

/// Enlarges `colours` to the grid of `samples`, by nearest neighbour. `from` is the width and height of the smaller grid. Opaque
/// cells get their own colour as that of the subject, transparent cells as that of the background.
fn enlarge(
    colours: &mut Vec<Colours>,
    from: (usize, usize),
    samples: &Samples,
) -> Result<(), CutoutError> {
    let (width, height) = samples.size();
    let (columns, rows) = (nearest(from.0, width)?, nearest(from.1, height)?);
    colours.resize(width * height, [0.0; 6]);
    // From the end, so that no cell is overwritten before it is read: the cells of the larger grid have greater indices.
    for (y, row) in rows.iter().enumerate().rev() {
        for (x, column) in columns.iter().enumerate().rev() {
            let mut own = colours[row * from.0 + column];
            let [r, g, b, opacity] = samples.values[y * width + x];
            match opacity {
                OPAQUE => own[..3].copy_from_slice(&[r, g, b].map(unit)),
                0 => own[3..].copy_from_slice(&[r, g, b].map(unit)),
                _ => {}
            }
            colours[y * width + x] = own;
        }
    }
    Ok(())
}

/// The mean colours of the certain subject and of the certain background; the mean of all cells when there is no certain cell.
fn first_guess(samples: &Samples) -> Colours {
    let all = || mean(samples, 0..=OPAQUE).unwrap_or_default();
    let [r, g, b] = mean(samples, OPAQUE - UNSURE..=OPAQUE).unwrap_or_else(all);
    let [ground_r, ground_g, ground_b] = mean(samples, 0..=UNSURE).unwrap_or_else(all);
    [r, g, b, ground_r, ground_g, ground_b]
}

/// The mean colour of the cells with these opacities; `None` when there are none.
fn mean(samples: &Samples, opacities: RangeInclusive<u16>) -> Option<[f32; 3]> {
    let (mut sums, mut count) = ([0_u64; 3], 0_u64);
    for [r, g, b, opacity] in &samples.values {
        if opacities.contains(opacity) {
            for (sum, sample) in sums.iter_mut().zip([r, g, b]) {
                *sum += u64::from(*sample);
            }
            count += 1;
        }
    }
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a mean of 0..=65535, as 0..=1"
    )]
    let mean = sums.map(|sum| (sum as f64 / (count as f64 * f64::from(OPAQUE))) as f32);
    (count > 0).then_some(mean)
}

fn unit(sample: u16) -> f32 {
    const STEP: f32 = 1.0 / 65535.0;
    f32::from(sample) * STEP
}

/// Solves each of the cells in `places` with the current colours of its neighbours.
fn relax(samples: &Samples, places: &[CellPlace], colours: &mut [Colours]) {
    let size = samples.size();
    for (x, y) in places {
        let (x, y) = (*x as usize, *y as usize);
        let at = y * size.0 + x;
        let around = around((x, y), size);
        let opacities = around.map(|at| samples.values[at][3]);
        let neighbours = around.map(|at| &colours[at]);
        colours[at] = solve(samples.values[at], opacities, neighbours);
    }
}

/// The cells above, below, left and right. Outside the grid the cell itself takes their place.
fn around((x, y): (usize, usize), (width, height): (usize, usize)) -> [usize; 4] {
    let at = y * width + x;
    [
        if y > 0 { at - width } else { at },
        if y + 1 < height { at + width } else { at },
        if x > 0 { at - 1 } else { at },
        if x + 1 < width { at + 1 } else { at },
    ]
}

fn as_place(cell: usize) -> u32 {
    u32::try_from(cell).unwrap_or(u32::MAX)
}

/// The least-squares colours that explain the cell's own colour and resemble those of neighbours, more so of neighbours with
/// another opacity: two equations per channel.
fn solve([r, g, b, opacity]: [u16; 4], opacities: [u16; 4], neighbours: [&Colours; 4]) -> Colours {
    let opacity = unit(opacity);
    let rest = 1.0 - opacity;
    let (mut subject, mixed, mut ground) = (opacity * opacity, opacity * rest, rest * rest);
    let mut sums = [0.0; 6];
    for (other, colours) in opacities.into_iter().zip(neighbours) {
        let weight = ALIKE + (opacity - unit(other)).abs();
        subject += weight;
        ground += weight;
        for (sum, colour) in sums.iter_mut().zip(colours) {
            *sum += weight * colour;
        }
    }
    let scale = 1.0 / (subject * ground - mixed * mixed);
    let samples = [r, g, b].map(unit);
    let mut colours = [0.0; 6];
    for channel in 0..3 {
        let from_subject = opacity * samples[channel] + sums[channel];
        let from_ground = rest * samples[channel] + sums[channel + 3];
        colours[channel] = (scale * (ground * from_subject - mixed * from_ground)).clamp(0.0, 1.0);
        colours[channel + 3] =
            (scale * (subject * from_ground - mixed * from_subject)).clamp(0.0, 1.0);
    }
    colours
}
