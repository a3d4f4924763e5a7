//! Fits opacity as a linear function of colour around each cell of a grid: the guided filter for colour guides (He, Sun, Tang
//! 2013). Works on tiles and skips tiles that are not needed.

use super::super::error::CutoutError;
use super::super::{empty, zeroed};
use super::guide::Guide;
use super::plane::{Plane, add, mirrored};

/// Regularisation: variance of the colours in a window, values 0..=1, below which the colours have little influence.
const LEAST_VARIANCE: f32 = 3e-5;

/// Least variance of the opacity, for the share that the colours explain.
const LEAST_OPACITY_VARIANCE: f32 = 1e-4;

/// Cells along the side of a tile.
pub(super) const TILE: usize = 48;

/// The largest radius of a window; the window has `2 * RADIUS_MAX + 1` cells.
const RADIUS_MAX: usize = 3;

/// A tile with the margin that its windows, and the windows of those cells, reach.
const SIDE: usize = TILE + 4 * RADIUS_MAX;

/// Red, green, blue and opacity.
const SOURCES: usize = 4;

/// Pairs of sources whose products a fit needs.
const PRODUCTS: [(usize, usize); 10] = [
    (3, 0),
    (3, 1),
    (3, 2),
    (3, 3),
    (0, 0),
    (0, 1),
    (0, 2),
    (1, 1),
    (1, 2),
    (2, 2),
];

/// The number of means that a fit needs.
const MEANS: usize = SOURCES + PRODUCTS.len();

/// The terms of a fit: 3 factors, the constant, and the share of the opacity's variance that they explain.
pub(super) const TERMS: usize = 5;

/// One row of a tile.
type Row = [f32; SIDE];

/// A fit for each cell of a grid: opacity = red * `[0]` + green * `[1]` + blue * `[2]` + `[3]`, with colours and opacity 0..=1.
/// `[4]`, 0..=1, is the share of the opacity's variance that the fit explains.
#[derive(Debug, Default)]
pub(super) struct Fit {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) cells: Vec<[f32; TERMS]>,
}

impl Fit {
    /// Fits `opacity` by itself alone. Keeps the buffer.
    fn reset(&mut self, opacity: &Plane) -> Result<(), CutoutError> {
        (self.width, self.height) = (opacity.width, opacity.height);
        empty(&mut self.cells, opacity.values.len())?;
        let constant = |value: &f32| [0.0, 0.0, 0.0, *value, 0.0];
        self.cells.extend(opacity.values.iter().map(constant));
        Ok(())
    }
}

/// Fits windows of side `2 radius + 1` cells and averages the fits of all windows around a cell. The picture is mirrored at its
/// borders. In tiles for which `is_wanted` (column and row of the tile) returns false, the fit is the opacity itself. Writes the
/// fit into `found`.
pub(super) fn fit(
    guide: &Guide,
    opacity: &Plane,
    radius: usize,
    is_wanted: impl Fn(usize, usize) -> bool,
    found: &mut Fit,
) -> Result<(), CutoutError> {
    let radius = radius.min(RADIUS_MAX);
    let (width, height) = (opacity.width, opacity.height);
    found.reset(opacity)?;
    let mut tile = Tile {
        radius,
        sources: zeroed(SOURCES * SIDE * SIDE)?,
        terms: zeroed(TERMS * SIDE * SIDE)?,
    };
    for top in (0..height).step_by(TILE) {
        for left in (0..width).step_by(TILE) {
            if is_wanted(left / TILE, top / TILE) {
                tile.load(guide, opacity, (left, top));
                tile.fit_windows(TILE.min(height - top));
                tile.average(&mut found.cells, width, (left, top), TILE.min(height - top));
            }
        }
    }
    Ok(())
}

/// Scratch for one tile.
struct Tile {
    radius: usize,
    /// `SIDE` rows each of red, green, blue and opacity.
    sources: Vec<f32>,
    /// `SIDE` rows of each term, one entry per window.
    terms: Vec<f32>,
}

impl Tile {
    /// Copies the tile and a margin of two radii.
    fn load(&mut self, guide: &Guide, opacity: &Plane, (left, top): (usize, usize)) {
        let [red, green, blue] = guide;
        let reach = 2 * self.radius;
        let columns: [usize; SIDE] =
            std::array::from_fn(|x| mirrored(left + x, reach, opacity.width));
        for (plane, rows) in [red, green, blue, opacity]
            .into_iter()
            .zip(self.sources.chunks_exact_mut(SIDE * SIDE))
        {
            let (rows, _) = rows.as_chunks_mut::<SIDE>();
            for (y, out) in rows[..TILE + 2 * reach].iter_mut().enumerate() {
                let row = plane.row(mirrored(top + y, reach, opacity.height));
                let first = left.saturating_sub(reach);
                if left >= reach && first + SIDE <= row.len() {
                    out.copy_from_slice(&row[first..first + SIDE]);
                } else {
                    *out = columns.map(|x| row[x]);
                }
            }
        }
    }

    /// Computes the terms of each window whose centre is within one radius of the tile. The tile has `height` rows.
    fn fit_windows(&mut self, height: usize) {
        let radius = self.radius;
        let mut sums = [[0.0; SIDE]; MEANS];
        for y in 0..2 * radius {
            self.add_products(y, &mut sums, 1.0);
        }
        let mut means = [[0.0; SIDE]; MEANS];
        for y in 0..height + 2 * radius {
            self.add_products(y + 2 * radius, &mut sums, 1.0);
            for (sums, means) in sums.iter().zip(&mut means) {
                mean_along(sums, radius, means);
            }
            let terms = solve(&means);
            let rows = self.terms.as_chunks_mut::<SIDE>().0;
            for (term, rows) in terms.iter().zip(rows.chunks_exact_mut(SIDE)) {
                rows[y] = *term;
            }
            self.add_products(y, &mut sums, -1.0);
        }
    }

    /// Adds `sign` times row `y` to the sums over rows. Sliding sums within a tile drift by less than 1e-5.
    fn add_products(&self, y: usize, sums: &mut [Row; MEANS], sign: f32) {
        let rows = self.sources.as_chunks::<SIDE>().0;
        let row = |source: usize| &rows[source * SIDE + y];
        let (plain, products) = sums.split_at_mut(SOURCES);
        for (source, sums) in plain.iter_mut().enumerate() {
            add(sums, row(source), sign);
        }
        for ((one, other), sums) in PRODUCTS.into_iter().zip(products) {
            let factors = row(one).iter().zip(row(other));
            for (sum, (one, other)) in sums.iter_mut().zip(factors) {
                *sum += sign * one * other;
            }
        }
    }

    /// Writes the mean terms of all windows around each cell of the tile.
    fn average(
        &self,
        cells: &mut [[f32; TERMS]],
        width: usize,
        (left, top): (usize, usize),
        height: usize,
    ) {
        let radius = self.radius;
        let columns = TILE.min(width - left);
        let rows = self.terms.as_chunks::<SIDE>().0;
        let mut sums = [[0.0; SIDE]; TERMS];
        let add_row = |sums: &mut [Row; TERMS], y: usize, sign: f32| {
            for (sums, rows) in sums.iter_mut().zip(rows.chunks_exact(SIDE)) {
                add(sums, &rows[y], sign);
            }
        };
        for y in 0..2 * radius {
            add_row(&mut sums, y, 1.0);
        }
        let mut means = [[0.0; SIDE]; TERMS];
        for y in 0..height {
            add_row(&mut sums, y + 2 * radius, 1.0);
            for (sums, means) in sums.iter().zip(&mut means) {
                mean_along(sums, radius, means);
            }
            let start = (top + y) * width + left;
            let [red, green, blue, rest, share] = &means;
            let cells = cells[start..start + columns].iter_mut().zip(red);
            for (x, (cell, red)) in cells.enumerate() {
                *cell = [*red, green[x], blue[x], rest[x], share[x]];
            }
            add_row(&mut sums, y, -1.0);
        }
    }
}

/// Horizontal means of `2 radius + 1` sums. The mean of a window is stored at the first column of the window.
fn mean_along(sums: &Row, radius: usize, means: &mut Row) {
    match radius {
        3 => mean_of::<7>(sums, means),
        2 => mean_of::<5>(sums, means),
        _ => mean_of::<3>(sums, means),
    }
}

fn mean_of<const N: usize>(sums: &Row, means: &mut Row) {
    #[expect(clippy::cast_precision_loss, reason = "7 at most")]
    let scale = 1.0 / (N * N) as f32;
    for (x, mean) in means[..=SIDE - N].iter_mut().enumerate() {
        let window: [f32; N] = std::array::from_fn(|tap| sums[x + tap]);
        *mean = scale * window.iter().sum::<f32>();
    }
}

/// The least-squares terms of each window, from its means.
fn solve(means: &[Row; MEANS]) -> [Row; TERMS] {
    let mut terms = [[0.0; SIDE]; TERMS];
    for x in 0..SIDE {
        let at = |mean: usize| means[mean][x];
        let (red, green, blue, opacity) = (at(0), at(1), at(2), at(3));
        let (red_a, green_a, blue_a) = (
            at(4) - red * opacity,
            at(5) - green * opacity,
            at(6) - blue * opacity,
        );
        let variance = (at(7) - opacity * opacity).max(0.0) + LEAST_OPACITY_VARIANCE;
        // Covariances, solved by Cholesky decomposition (L D Lᵗ, without roots): small determinants vanish in single precision.
        let rr = (at(8) - red * red).max(0.0) + LEAST_VARIANCE;
        let (rg, rb) = (at(9) - red * green, at(10) - red * blue);
        let gg = (at(11) - green * green).max(0.0) + LEAST_VARIANCE;
        let gb = at(12) - green * blue;
        let bb = (at(13) - blue * blue).max(0.0) + LEAST_VARIANCE;
        let inverse_r = 1.0 / rr;
        let (green_by_red, blue_by_red) = (rg * inverse_r, rb * inverse_r);
        let inverse_g = 1.0 / (gg - green_by_red * rg).max(LEAST_VARIANCE / 2.0);
        let gb_left = gb - green_by_red * rb;
        let blue_by_green = gb_left * inverse_g;
        let left_bb = bb - blue_by_red * rb - blue_by_green * gb_left;
        let inverse_b = 1.0 / left_bb.max(LEAST_VARIANCE / 2.0);
        let left_green = green_a - green_by_red * red_a;
        let left_blue = blue_a - blue_by_red * red_a - blue_by_green * left_green;
        let of_blue = left_blue * inverse_b;
        let of_green = left_green * inverse_g - blue_by_green * of_blue;
        let of_red = red_a * inverse_r - green_by_red * of_green - blue_by_red * of_blue;
        let explained = of_red * red_a + of_green * green_a + of_blue * blue_a;
        terms[0][x] = of_red;
        terms[1][x] = of_green;
        terms[2][x] = of_blue;
        terms[3][x] = opacity - (of_red * red + of_green * green + of_blue * blue);
        terms[4][x] = (explained / variance).clamp(0.0, 1.0);
    }
    terms
}
