//! Combines a row of upright pixels and a row of the matte to straight RGBA. Must not depend on neighbouring rows.

/// Applies the matte to a row: multiplies it by the photo's own alpha. Sets the colour of fully transparent pixels to zero, so that
/// the cutout contains no background and the PNG compresses well.
///
/// Returns the greatest alpha of the row.
pub(super) fn compose(pixels: &mut [[u8; 4]], matte: &[u8]) -> u8 {
    let mut greatest = 0;
    for (pixel, &opacity) in pixels.iter_mut().zip(matte) {
        let [r, g, b, a] = *pixel;
        let alpha = scale(opacity, a);
        *pixel = if alpha == 0 { [0; 4] } else { [r, g, b, alpha] };
        greatest = greatest.max(alpha);
    }
    greatest
}

/// As [`compose`] with an opaque matte: keeps the photo's own alpha.
pub(super) fn keep(pixels: &mut [[u8; 4]]) -> u8 {
    let mut greatest = 0;
    for pixel in pixels {
        if pixel[3] == 0 {
            *pixel = [0; 4];
        }
        greatest = greatest.max(pixel[3]);
    }
    greatest
}

/// a * b / 255, rounded.
pub(super) fn scale(a: u8, b: u8) -> u8 {
    let product = u32::from(a) * u32::from(b) + 128;
    // Exact for 0..=255 * 0..=255 (Blinn, "Three Wrongs Make a Right", 1995).
    ((product + (product >> 8)) >> 8).to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::{compose, keep, scale};

    #[test]
    fn scale_is_exact_for_every_pair() {
        for a in 0..=255u8 {
            for b in 0..=255u8 {
                let exact = (f64::from(a) * f64::from(b) / 255.0).round();
                assert!((f64::from(scale(a, b)) - exact).abs() < 0.1, "{a} * {b}");
            }
        }
    }

    #[test]
    fn colour_stays_straight_and_vanishes_with_the_last_opacity() {
        let mut row = [
            [200, 100, 50, 255],
            [200, 100, 50, 128],
            [9, 9, 9, 255],
            [9, 9, 9, 0],
        ];
        let greatest = compose(&mut row, &[128, 128, 0, 255]);
        assert_eq!(
            row,
            [[200, 100, 50, 128], [200, 100, 50, 64], [0; 4], [0; 4]]
        );
        assert_eq!(greatest, 128);
    }

    #[test]
    fn kept_pixels_are_those_of_an_opaque_matte() {
        let photo = [[200, 100, 50, 255], [200, 100, 50, 7], [9, 9, 9, 0]];
        for photo in [&photo[..], &photo[1..], &photo[2..]] {
            let (mut composed, mut kept) = (photo.to_vec(), photo.to_vec());
            let greatest = compose(&mut composed, &[255; 3]);
            assert_eq!((keep(&mut kept), kept), (greatest, composed));
        }
    }
}
