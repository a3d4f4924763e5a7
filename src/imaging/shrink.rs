//! Converts picture bytes to the bytes of a smaller PNG for display: upright, with the colour profile, without other metadata. Must
//! not depend on a network.

use sha2::{Digest as _, Sha256};

use super::compose::scale;
use super::error::CutoutError;
use super::format;
use super::format::png::{self, PngHeader};
use super::photo::Photo;
use super::pipeline::{Clock, CutReport, Stage};
use super::resample::{Filter, resample};

/// Shrinks a picture so that its longer side is at most `side` pixels (0 counts as 1). Smaller pictures keep their size. Accepts
/// outputs of hotcut like any other picture.
///
/// Memory: the picture's own samples, the PNG, and buffers that grow with the width only.
///
/// # Errors
/// See [`CutoutError`]; the limits are the same as for a photo to be cut.
pub fn shrink(
    picture: &[u8],
    side: u32,
    megapixels_max: u32,
) -> Result<(Vec<u8>, CutReport), CutoutError> {
    let mut clock = Clock::start();
    let sha256 = Sha256::digest(picture).into();
    let (photo, end) = format::decode_any(picture, megapixels_max)?;
    clock.stop(Stage::Decode);
    let (width, height) = fit(photo.width(), photo.height(), side);
    let png = encode(&photo, (width, height))?;
    clock.stop(Stage::Encode);
    let report = CutReport {
        len: png.len() as u64,
        width,
        height,
        stages: clock.stages(),
        sha256,
        end,
    };
    Ok((png, report))
}

/// The new width and height for a longer side of at most `side`; neither is 0.
fn fit(width: u32, height: u32, side: u32) -> (u32, u32) {
    let longer = width.max(height);
    let side = side.clamp(1, longer);
    let scaled = |length: u32| {
        let rounded =
            (u64::from(length) * u64::from(side) + u64::from(longer) / 2) / u64::from(longer);
        u32::try_from(rounded).unwrap_or(side).max(1)
    };
    (scaled(width), scaled(height))
}

fn encode(photo: &Photo, size: (u32, u32)) -> Result<Vec<u8>, CutoutError> {
    let header = PngHeader {
        size,
        has_alpha: photo.has_alpha(),
        colour: photo.colour(),
        density: None,
        provenance: None,
    };
    // Without mixing, colours under low opacity keep all their bits.
    let is_mixed = photo.has_alpha() && size != (photo.width(), photo.height());
    let prepare = |rows: &mut [[u8; 4]]| {
        if is_mixed {
            rows.iter_mut().for_each(premultiply);
        }
    };
    let mut opaque = Vec::new();
    // A filter that overshoots would clip alpha before colour and leave a bright rim.
    let filter = if is_mixed {
        Filter::Even
    } else {
        Filter::Sharp
    };
    png::encode(&header, |write| {
        resample(photo, size, filter, prepare, |rows| {
            if is_mixed {
                rows.iter_mut().for_each(unpremultiply);
            }
            if photo.has_alpha() {
                return write(rows.as_flattened());
            }
            opaque.clear();
            opaque
                .try_reserve(rows.len() * 3)
                .map_err(|_| CutoutError::OutOfMemory)?;
            opaque.extend(rows.iter().flat_map(|&[r, g, b, _]| [r, g, b]));
            write(&opaque)
        })
    })
}

/// Multiplies the colour by alpha, so that the colour of transparent pixels does not bleed into the edges.
fn premultiply(pixel: &mut [u8; 4]) {
    let [r, g, b, a] = *pixel;
    *pixel = [scale(r, a), scale(g, a), scale(b, a), a];
}

/// The inverse of [`premultiply`], within the limits of rounding.
fn unpremultiply(pixel: &mut [u8; 4]) {
    let [r, g, b, a] = *pixel;
    let straight = |v: u8| {
        let rounded = (u32::from(v) * 255 + u32::from(a) / 2).checked_div(u32::from(a));
        u8::try_from(rounded.unwrap_or(0)).unwrap_or(u8::MAX)
    };
    *pixel = [straight(r), straight(g), straight(b), a];
}

#[cfg(test)]
mod tests {
    use super::{fit, premultiply, unpremultiply};

    #[test]
    fn longer_side_is_the_limit_and_nothing_grows() {
        let cases = [
            ((400, 300, 100), (100, 75)),
            ((300, 400, 100), (75, 100)),
            ((400, 299, 100), (100, 75)),
            ((80, 40, 100), (80, 40)),
            ((100, 100, 100), (100, 100)),
            ((9_000, 1, 300), (300, 1)),
            ((u32::MAX, u32::MAX - 1, u32::MAX), (u32::MAX, u32::MAX - 1)),
            ((5, 4, 0), (1, 1)),
        ];
        for ((width, height, side), expected) in cases {
            assert_eq!(
                fit(width, height, side),
                expected,
                "{width} x {height} to {side}"
            );
        }
    }

    #[test]
    fn colour_comes_back_as_far_as_it_shows() {
        for a in 0..=255_u8 {
            for v in 0..=a {
                let straight = [255, v, 0, a];
                let mut pixel = straight;
                premultiply(&mut pixel);
                unpremultiply(&mut pixel);
                let shown = |v: u8| f64::from(v) * f64::from(a) / 255.0;
                let off = (shown(pixel[1]) - shown(straight[1])).abs();
                assert!(off <= 1.0 && pixel[3] == a, "{straight:?} became {pixel:?}");
            }
        }
        let mut overshot = [200, 10, 0, 100];
        unpremultiply(&mut overshot);
        assert_eq!(overshot, [255, 26, 0, 100]);
    }
}
