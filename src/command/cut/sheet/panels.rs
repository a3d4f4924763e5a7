//! Draws a small photo and its small cutout as five panels, side by side, for visual judgement. Must not read files.

/// A pixel with straight alpha.
pub(super) type Rgba = [u8; 4];

/// A pixel of a sheet.
pub(super) type Rgb = [u8; 3];

/// Pixels between panels, and around all of them.
const GAP: usize = 8;

/// The colour between panels. It differs from all backgrounds of the panels.
const NEUTRAL: Rgb = [128; 3];

/// Side of a square of the checkerboard, in pixels.
const SQUARE: usize = 12;

/// The two greys of the checkerboard. White and black subjects stand out against both.
const LIGHT: Rgb = [204; 3];
const DARK: Rgb = [153; 3];

const WHITE: Rgb = [255; 3];
const BLACK: Rgb = [0; 3];

/// Computes a panel's pixel from the photo's pixel, the cutout's pixel and its column and line.
type Panel = fn(Rgba, Rgba, (usize, usize)) -> Rgb;

/// The panels from left to right.
const PANELS: [Panel; 5] = [
    |photo, _, place| over(photo, checkerboard(place)),
    |_, [.., alpha], _| [alpha; 3],
    |_, cutout, place| over(cutout, checkerboard(place)),
    |_, cutout, _| over(cutout, WHITE),
    |_, cutout, _| over(cutout, BLACK),
];

/// A picture that fits into a panel.
#[derive(Debug)]
pub(super) struct Small {
    width: usize,
    pixels: Vec<Rgba>,
}

/// A photo and its cutout, of the same size.
#[derive(Debug)]
pub(super) struct PanelRow {
    photo: Small,
    cutout: Small,
}

impl Small {
    /// `None` when `pixels` is empty or not a whole number of lines.
    pub(super) fn new(width: usize, pixels: Vec<Rgba>) -> Option<Self> {
        let is_whole = !pixels.is_empty() && pixels.len().checked_rem(width) == Some(0);
        is_whole.then_some(Self { width, pixels })
    }

    fn height(&self) -> usize {
        self.pixels.len() / self.width
    }
}

impl PanelRow {
    /// Pairs the two; `None` if their sizes differ.
    pub(super) fn new(photo: Small, cutout: Small) -> Option<Self> {
        let size = |small: &Small| (small.width, small.height());
        (size(&photo) == size(&cutout)).then_some(Self { photo, cutout })
    }

    fn width(&self) -> usize {
        GAP + PANELS.len() * (self.photo.width + GAP)
    }

    /// The lines of the row on a sheet of `width` pixels, including the gap above.
    pub(super) fn lines(&self, width: usize) -> Vec<Rgb> {
        let side = self.photo.width;
        let mut lines = gap(width);
        let photos = self.photo.pixels.chunks_exact(side);
        let cutouts = self.cutout.pixels.chunks_exact(side);
        for (y, (photo, cutout)) in photos.zip(cutouts).enumerate() {
            let end = lines.len() + width;
            for panel in PANELS {
                lines.extend([NEUTRAL; GAP]);
                let pixels = photo.iter().zip(cutout).enumerate();
                lines.extend(pixels.map(|(x, (photo, cutout))| panel(*photo, *cutout, (x, y))));
            }
            lines.resize(end, NEUTRAL);
        }
        lines
    }
}

/// The width and height of a sheet with `rows`, in pixels.
pub(super) fn size(rows: &[PanelRow]) -> (usize, usize) {
    let width = rows.iter().map(PanelRow::width).max().unwrap_or(0);
    let heights = rows.iter().map(|row| GAP + row.photo.height());
    (width, heights.sum::<usize>() + GAP)
}

/// A gap between rows; also used below the last row.
pub(super) fn gap(width: usize) -> Vec<Rgb> {
    vec![NEUTRAL; GAP * width]
}

fn checkerboard((x, y): (usize, usize)) -> Rgb {
    if (x / SQUARE + y / SQUARE).is_multiple_of(2) {
        LIGHT
    } else {
        DARK
    }
}

/// Composites `pixel` over `ground`, rounded.
fn over([r, g, b, alpha]: Rgba, ground: Rgb) -> Rgb {
    let alpha = u32::from(alpha);
    let mix = |front: u8, back: u8| {
        let sum = u32::from(front) * alpha + u32::from(back) * (255 - alpha);
        u8::try_from((sum + 127) / 255).unwrap_or(u8::MAX)
    };
    let [below_r, below_g, below_b] = ground;
    [mix(r, below_r), mix(g, below_g), mix(b, below_b)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(width: usize, photo: Vec<Rgba>, cutout: Vec<Rgba>) -> PanelRow {
        let [photo, cutout] = [photo, cutout].map(|pixels| Small::new(width, pixels).unwrap());
        PanelRow::new(photo, cutout).unwrap()
    }

    /// Fails when a panel is missing, out of place, or not composited with straight alpha.
    #[test]
    fn pixel_of_each_alpha_is_shown_on_each_ground() {
        let photo = vec![[10, 20, 30, 255]; 3];
        let cutout = vec![[10, 20, 30, 255], [200, 100, 0, 128], [0; 4]];
        let row = row(3, photo, cutout);
        assert_eq!(size(std::slice::from_ref(&row)), (63, 17));
        let lines = row.lines(63);
        assert_eq!(lines.len(), 63 * 9);
        assert!(lines[..63 * 8].iter().all(|pixel| *pixel == NEUTRAL));
        let line = &lines[63 * 8..];
        let panel = |at: usize| &line[8 + 11 * at..][..3];
        assert_eq!(panel(0), [[10, 20, 30]; 3]);
        assert_eq!(panel(1), [[255; 3], [128; 3], [0; 3]]);
        // 200 * 128 / 255 = 100.4 and 204 * 127 / 255 = 101.6 are 202; 100 and 0 give 151.8 and 101.6.
        assert_eq!(panel(2), [[10, 20, 30], [202, 152, 102], [204; 3]]);
        // White counts with 127 of 255.
        assert_eq!(panel(3), [[10, 20, 30], [227, 177, 127], [255; 3]]);
        assert_eq!(panel(4), [[10, 20, 30], [100, 50, 0], [0; 3]]);
        for gap in 0..=5 {
            assert_eq!(line[11 * gap..][..8], [NEUTRAL; 8], "{gap}");
        }
    }

    /// Fails when squares have another size or all the same grey.
    #[test]
    fn checkerboard_changes_every_twelve_pixels() {
        let row = row(25, vec![[0, 0, 0, 255]; 25 * 13], vec![[0; 4]; 25 * 13]);
        let width = row.width();
        let lines = row.lines(width);
        let pixel = |x: usize, y: usize| lines[(8 + y) * width + 8 + 2 * 33 + x];
        for (x, y, expected) in [
            (0, 0, LIGHT),
            (11, 11, LIGHT),
            (12, 0, DARK),
            (23, 11, DARK),
            (24, 0, LIGHT),
            (0, 12, DARK),
            (12, 12, LIGHT),
        ] {
            assert_eq!(pixel(x, y), expected, "{x}, {y}");
        }
    }

    /// Fails when a narrow row is drawn wide, leaves a hole, or shifts the rows below it.
    #[test]
    fn rows_keep_their_own_sizes() {
        let plain = |width: usize, height: usize| {
            let pixels = vec![[9, 9, 9, 255]; width * height];
            row(width, pixels.clone(), pixels)
        };
        let rows = [plain(2, 4), plain(7, 1)];
        let (width, height) = size(&rows);
        assert_eq!((width, height), (8 + 5 * 15, 8 + 4 + 8 + 1 + 8));
        let lines: Vec<Rgb> = rows.iter().flat_map(|row| row.lines(width)).collect();
        assert_eq!(lines.len() + gap(width).len(), width * height);
        let narrow = &lines[width * 8..][..width];
        assert!(narrow[8 + 5 * 10..].iter().all(|pixel| *pixel == NEUTRAL));
        assert_eq!(lines[width * 20 + width - 9], [9; 3]);
        assert_eq!(lines[width * 20 + width - 8], NEUTRAL);
    }

    /// Fails when rounding goes down, or when alpha counts as a share of 256.
    #[test]
    fn mixture_is_the_nearest_whole_number() {
        for alpha in 0..=255_u8 {
            for front in [0, 1, 77, 254, 255] {
                let share = f64::from(alpha) / 255.0;
                let exact = f64::from(front) * share + 204.0 * (1.0 - share);
                let [mixed, ..] = over([front, 0, 0, alpha], LIGHT);
                assert!(
                    (f64::from(mixed) - exact).abs() <= 0.5001,
                    "{front}, {alpha}"
                );
            }
        }
    }

    #[test]
    fn pictures_of_unequal_size_make_no_row() {
        let small = |width, count| Small::new(width, vec![[0; 4]; count]);
        assert!(PanelRow::new(small(2, 6).unwrap(), small(3, 6).unwrap()).is_none());
        assert!(PanelRow::new(small(2, 6).unwrap(), small(2, 4).unwrap()).is_none());
        assert!(small(2, 5).is_none() && small(0, 4).is_none() && small(1, 0).is_none());
    }
}
