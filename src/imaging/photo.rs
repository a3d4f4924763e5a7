//! Stores a decoded photo as in the file and returns upright RGBA rows in strips. Rotation, grey and alpha need no second copy of
//! the picture. Must not depend on file formats or models.

use image::metadata::Orientation;

/// The kinds of samples of a pixel, 8 bits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channels {
    Grey,
    GreyAlpha,
    Rgb,
    Rgba,
}

impl Channels {
    /// The number of samples, and so of bytes, per pixel.
    pub(super) fn count(self) -> usize {
        match self {
            Channels::Grey => 1,
            Channels::GreyAlpha => 2,
            Channels::Rgb => 3,
            Channels::Rgba => 4,
        }
    }
}

/// What the output records about its colour space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Colour {
    /// Nothing: the photo has no colour information.
    Untagged,
    /// sRGB; the samples were converted to it.
    Srgb,
    /// An RGB ICC profile.
    Profile(Vec<u8>),
}

/// Pixels per metre, along the width and height of the upright picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Density {
    pub(super) x: u32,
    pub(super) y: u32,
}

/// The samples as stored, row by row without padding.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) samples: Vec<u8>,
    pub(super) channels: Channels,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// A photo in memory. At least 1 x 1 pixels.
#[derive(Debug)]
pub(super) struct Photo {
    stored: Stored,
    orientation: Orientation,
    colour: Colour,
    density: Option<Density>,
}

impl Photo {
    /// `None` if the number of samples does not match the sides, or a side is 0. `density` refers to the stored picture.
    pub(super) fn new(
        stored: Stored,
        orientation: Orientation,
        colour: Colour,
        density: Option<Density>,
    ) -> Option<Photo> {
        let pixels = usize::try_from(stored.width)
            .ok()?
            .checked_mul(usize::try_from(stored.height).ok()?)?;
        if pixels == 0 || stored.samples.len() != pixels.checked_mul(stored.channels.count())? {
            return None;
        }
        let density = density.filter(|d| d.x > 0 && d.y > 0).map(|d| {
            if turned(orientation) {
                Density { x: d.y, y: d.x }
            } else {
                d
            }
        });
        Some(Photo {
            stored,
            orientation,
            colour,
            density,
        })
    }

    /// Width of the upright picture in pixels.
    pub(super) fn width(&self) -> u32 {
        if turned(self.orientation) {
            self.stored.height
        } else {
            self.stored.width
        }
    }

    /// Height of the upright picture in pixels.
    pub(super) fn height(&self) -> u32 {
        if turned(self.orientation) {
            self.stored.width
        } else {
            self.stored.height
        }
    }

    pub(super) fn colour(&self) -> &Colour {
        &self.colour
    }

    pub(super) fn density(&self) -> Option<Density> {
        self.density
    }

    /// Whether any pixel could be transparent.
    pub(super) fn has_alpha(&self) -> bool {
        matches!(self.stored.channels, Channels::GreyAlpha | Channels::Rgba)
    }

    /// Row `y` of the upright picture where it is stored as such, in RGB; `None` for other photos.
    pub(super) fn rgb_row(&self, y: u32) -> Option<&[[u8; 3]]> {
        let (flip_x, flip_y) = flips(self.orientation);
        if self.stored.channels != Channels::Rgb || turned(self.orientation) || flip_x {
            return None;
        }
        let y = if flip_y {
            self.stored.height - 1 - y
        } else {
            y
        };
        let (pixels, _) = self.stored.samples.as_chunks();
        let width = self.stored.width as usize;
        pixels.get(y as usize * width..)?.get(..width)
    }

    /// Writes as many upright rows from `first` on as fit into `rgba`. `rgba` must consist of whole rows of `width()` pixels and
    /// must not reach beyond the last row.
    pub(super) fn strip(&self, first: u32, rgba: &mut [[u8; 4]]) {
        match self.stored.channels {
            Channels::Grey => self.gather(first, rgba, |&[v]: &[u8; 1]| [v, v, v, 255]),
            Channels::GreyAlpha => self.gather(first, rgba, |&[v, a]: &[u8; 2]| [v, v, v, a]),
            Channels::Rgb => self.gather(first, rgba, |&[r, g, b]: &[u8; 3]| [r, g, b, 255]),
            Channels::Rgba => self.gather(first, rgba, |&pixel: &[u8; 4]| pixel),
        }
    }

    fn gather<const N: usize>(
        &self,
        first: u32,
        rgba: &mut [[u8; 4]],
        expand: impl Fn(&[u8; N]) -> [u8; 4],
    ) {
        let (pixels, _) = self.stored.samples.as_chunks::<N>();
        let stride = self.stored.width as usize;
        let width = self.width() as usize;
        let first = first as usize;
        let last_row = self.stored.height as usize - 1;
        let (flip_x, flip_y) = flips(self.orientation);
        let stored_row = |y: usize| {
            let start = (if flip_y { last_row - y } else { y }) * stride;
            &pixels[start..start + stride]
        };
        if !turned(self.orientation) {
            for (y, out) in rgba.chunks_exact_mut(width).enumerate() {
                let row = stored_row(first + y);
                if flip_x {
                    out.iter_mut()
                        .zip(row.iter().rev())
                        .for_each(|(o, p)| *o = expand(p));
                } else {
                    out.iter_mut().zip(row).for_each(|(o, p)| *o = expand(p));
                }
            }
            return;
        }
        // An upright column is a stored row. With stored rows in the outer loop, a strip of a few rows reads adjacent pixels
        // instead of one per cache line.
        let rows = rgba.len() / width;
        for x in 0..width {
            let row = stored_row(x);
            for y in 0..rows {
                let column = if flip_x {
                    stride - 1 - (first + y)
                } else {
                    first + y
                };
                rgba[y * width + x] = expand(&row[column]);
            }
        }
    }
}

/// Whether the orientation swaps width and height.
fn turned(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(
        orientation,
        Rotate90 | Rotate90FlipH | Rotate270 | Rotate270FlipH
    )
}

/// Whether the stored columns and the stored rows are read backwards.
fn flips(orientation: Orientation) -> (bool, bool) {
    match orientation {
        Orientation::NoTransforms | Orientation::Rotate90FlipH => (false, false),
        Orientation::FlipHorizontal | Orientation::Rotate270 => (true, false),
        Orientation::FlipVertical | Orientation::Rotate90 => (false, true),
        Orientation::Rotate180 | Orientation::Rotate270FlipH => (true, true),
    }
}

#[cfg(test)]
mod tests {
    use super::{Channels, Colour, Density, Photo, Stored};
    use image::metadata::Orientation;

    // Stored:  1 2 3
    //          4 5 6
    fn grey(orientation: Orientation) -> Photo {
        let stored = Stored {
            samples: vec![1, 2, 3, 4, 5, 6],
            channels: Channels::Grey,
            width: 3,
            height: 2,
        };
        Photo::new(
            stored,
            orientation,
            Colour::Untagged,
            Some(Density { x: 10, y: 20 }),
        )
        .unwrap()
    }

    #[test]
    fn every_exif_orientation_ends_upright() {
        // Table of the EXIF specification 2.32, tag 0x0112: where row 0 and column 0 are.
        let upright: [&[u8]; 8] = [
            &[1, 2, 3, 4, 5, 6],
            &[3, 2, 1, 6, 5, 4],
            &[6, 5, 4, 3, 2, 1],
            &[4, 5, 6, 1, 2, 3],
            &[1, 4, 2, 5, 3, 6],
            &[4, 1, 5, 2, 6, 3],
            &[6, 3, 5, 2, 4, 1],
            &[3, 6, 2, 5, 1, 4],
        ];
        for (exif, expected) in (1..).zip(upright) {
            let photo = grey(Orientation::from_exif(exif).unwrap());
            let (width, height) = (photo.width(), photo.height());
            assert_eq!(
                (width, height),
                if exif < 5 { (3, 2) } else { (2, 3) },
                "{exif}"
            );
            for rows in 1..=height {
                let mut values = Vec::new();
                for first in (0..height).step_by(rows as usize) {
                    let rows = rows.min(height - first);
                    let mut strip = vec![[0; 4]; (rows * width) as usize];
                    photo.strip(first, &mut strip);
                    values.extend(strip.iter().map(|p| p[0]));
                }
                assert_eq!(values, expected, "orientation {exif}, strips of {rows}");
            }
        }
    }

    #[test]
    fn rgb_rows_are_the_upright_rows() {
        for exif in 1..=8 {
            let stored = Stored {
                samples: (0..18).collect(),
                channels: Channels::Rgb,
                width: 3,
                height: 2,
            };
            let orientation = Orientation::from_exif(exif).unwrap();
            let photo = Photo::new(stored, orientation, Colour::Untagged, None).unwrap();
            assert_eq!(photo.rgb_row(0).is_some(), matches!(exif, 1 | 4), "{exif}");
            for y in 0..photo.height() {
                let mut strip = vec![[0; 4]; photo.width() as usize];
                photo.strip(y, &mut strip);
                let upright = strip.iter().map(|[r, g, b, _]| [*r, *g, *b]);
                let upright: Vec<[u8; 3]> = upright.collect();
                assert!(photo.rgb_row(y).is_none_or(|row| row == upright), "{exif}");
            }
        }
    }

    #[test]
    fn density_turns_with_the_picture() {
        assert_eq!(
            grey(Orientation::Rotate90).density(),
            Some(Density { x: 20, y: 10 })
        );
        assert_eq!(
            grey(Orientation::Rotate180).density(),
            Some(Density { x: 10, y: 20 })
        );
    }

    #[test]
    fn samples_that_do_not_fit_the_sides_are_no_photo() {
        for (len, width, height) in [(5, 3, 2), (0, 0, 2), (0, u32::MAX, u32::MAX)] {
            let stored = Stored {
                samples: vec![0; len],
                channels: Channels::Grey,
                width,
                height,
            };
            let photo = Photo::new(stored, Orientation::NoTransforms, Colour::Untagged, None);
            assert!(photo.is_none(), "{width} x {height}");
        }
    }
}
