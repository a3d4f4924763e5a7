//! Estimates the colours of subject and background in each cell of a grid: fast multi-level foreground estimation (Germer, Uelwer,
//! Conrad, Harmeling 2020). Starts with one cell and doubles the grid until it has full size.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use super::super::error::CutoutError;
use super::super::reserve;

/// Red, green and blue of the subject, then of the background, 0..=1.
pub(super) type Colours = [f32; 6];

/// Red, green, blue and opacity, 0..=65535, row by row.
#[derive(Debug)]
pub(super) struct Samples {
    pub(super) width: usize,
    pub(super) values: Vec<[u16; 4]>,
}

impl Samples {
    /// The samples on a coarser grid, by nearest neighbour.
    fn at_size(&self, width: usize, height: usize) -> Result<Cow<'_, [[u16; 4]]>, CutoutError> {
        if width * height == self.values.len() {
            return Ok(Cow::Borrowed(&self.values));
        }
        let columns = nearest(self.width, width)?;
        let mut samples = reserve(width * height)?;
        for row in nearest(self.values.len() / self.width, height)? {
            let row = &self.values[row * self.width..(row + 1) * self.width];
            samples.extend(columns.iter().map(|column| row[*column]));
        }
        Ok(Cow::Owned(samples))
    }
}

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
    let (width, height) = (samples.width, samples.values.len() / samples.width);
    let levels = width.max(height).next_power_of_two().trailing_zeros();
    let mut colours = reserve(1)?;
    colours.push(first_guess(samples));
    let mut size = (1, 1);
    for level in 0..=levels {
        let next = (side(width, level, levels), side(height, level, levels));
        colours = enlarged(&colours, size, next)?;
        size = next;
        let mut grid = Relaxation::new(samples, size, colours)?;
        let rounds = if size.0.max(size.1) <= SMALL_SIDE {
            ROUNDS_SMALL
        } else {
            ROUNDS
        };
        let mixed = grid.mixed_cells()?;
        for _ in 0..rounds {
            grid.relax(&mixed);
        }
        colours = grid.colours;
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

fn enlarged(
    colours: &[Colours],
    from: (usize, usize),
    to: (usize, usize),
) -> Result<Vec<Colours>, CutoutError> {
    let columns = nearest(from.0, to.0)?;
    let mut enlarged = reserve(to.0 * to.1)?;
    for row in nearest(from.1, to.1)? {
        let row = &colours[row * from.0..(row + 1) * from.0];
        enlarged.extend(columns.iter().map(|column| row[*column]));
    }
    Ok(enlarged)
}

/// The mean colours of the certain subject and of the certain background; the mean of all cells when there is no certain cell.
fn first_guess(samples: &Samples) -> Colours {
    let all = mean(samples, 0..=OPAQUE).unwrap_or_default();
    let [r, g, b] = mean(samples, OPAQUE - UNSURE..=OPAQUE).unwrap_or(all);
    let [ground_r, ground_g, ground_b] = mean(samples, 0..=UNSURE).unwrap_or(all);
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

/// The state of one level.
struct Relaxation<'a> {
    width: usize,
    height: usize,
    samples: Cow<'a, [[u16; 4]]>,
    colours: Vec<Colours>,
}

impl<'a> Relaxation<'a> {
    /// `colours` are the result of the previous level, enlarged to this grid.
    fn new(
        whole: &'a Samples,
        (width, height): (usize, usize),
        mut colours: Vec<Colours>,
    ) -> Result<Self, CutoutError> {
        let samples = whole.at_size(width, height)?;
        for (colours, [r, g, b, opacity]) in colours.iter_mut().zip(samples.iter()) {
            // An opaque cell shows only the subject, a transparent cell only the background.
            let place = match *opacity {
                OPAQUE => 0,
                0 => 3,
                _ => continue,
            };
            colours[place..place + 3].copy_from_slice(&[*r, *g, *b].map(unit));
        }
        Ok(Self {
            width,
            height,
            samples,
            colours,
        })
    }

    /// Columns and rows of the cells that need separation: the cell or a neighbour is partly transparent, or their opacities
    /// differ. On small grids all cells.
    fn mixed_cells(&self) -> Result<Vec<(u32, u32)>, CutoutError> {
        let is_small = self.width.max(self.height) <= 2 * SMALL_SIDE;
        let row = |y: usize| &self.samples[y * self.width..(y + 1) * self.width];
        let mut mixed = Vec::new();
        for y in 0..self.height {
            mixed
                .try_reserve(self.width)
                .map_err(|_| CutoutError::OutOfMemory)?;
            let (above, own) = (row(y.saturating_sub(1)), row(y));
            let below = row((y + 1).min(self.height - 1));
            let mut before = own[0][3];
            for x in 0..self.width {
                let opacity = own[x][3];
                let after = own[(x + 1).min(self.width - 1)][3];
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
        Ok(mixed)
    }

    /// The cells above, below, left and right. Outside the grid the cell itself takes their place.
    fn around(&self, x: usize, y: usize) -> [usize; 4] {
        let at = y * self.width + x;
        [
            if y > 0 { at - self.width } else { at },
            if y + 1 < self.height {
                at + self.width
            } else {
                at
            },
            if x > 0 { at - 1 } else { at },
            if x + 1 < self.width { at + 1 } else { at },
        ]
    }

    /// Solves each of `cells` with the current colours of its neighbours.
    fn relax(&mut self, cells: &[(u32, u32)]) {
        for (x, y) in cells {
            let (x, y) = (*x as usize, *y as usize);
            let at = y * self.width + x;
            let around = self.around(x, y);
            let opacities = around.map(|at| self.samples[at][3]);
            let neighbours = around.map(|at| &self.colours[at]);
            self.colours[at] = solve(self.samples[at], opacities, neighbours);
        }
    }
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
