//! Determines the output's colour profile from the picture's ICC profile. Converts samples to sRGB when an RGB output cannot
//! describe them. Ignores a profile that is damaged or of the wrong kind.

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use super::super::compose;
use super::super::photo::{Channels, Colour};

/// Pixels converted at a time, so that the conversion needs no second picture.
const BLOCK: usize = 4096;

/// The colour information of an output with samples of `channels`. Converts grey samples with a grey profile in place, because an
/// RGB output cannot carry that profile.
pub(in crate::imaging) fn settle(
    icc: Option<Vec<u8>>,
    channels: Channels,
    samples: &mut [u8],
) -> Colour {
    let Some(icc) = icc.and_then(sound) else {
        return Colour::Untagged;
    };
    let space = space(&icc);
    match channels {
        Channels::Rgb | Channels::Rgba if space == Some(b"RGB ") => Colour::Profile(icc),
        Channels::Grey | Channels::GreyAlpha if space == Some(b"GRAY") => {
            let Some(curve) = grey_curve(&icc) else {
                return Colour::Untagged;
            };
            for pixel in samples.chunks_exact_mut(channels.count()) {
                if let Some(value) = pixel.first_mut() {
                    *value = curve[usize::from(*value)];
                }
            }
            Colour::Srgb
        }
        Channels::Rgb | Channels::Rgba | Channels::Grey | Channels::GreyAlpha => Colour::Untagged,
    }
}

/// Returns the profile, truncated to the length in its header, if this length and every tag lie within the data (ICC.1:2022, 7.2.2
/// and 7.3).
fn sound(mut icc: Vec<u8>) -> Option<Vec<u8>> {
    let number = |bytes: &[u8]| Some(u32::from_be_bytes(*bytes.first_chunk()?) as usize);
    let length = number(&icc)?;
    let tags = number(icc.get(128..)?)?;
    let table = icc.get(132..132 + tags.checked_mul(12)?)?;
    let tag_ends = |tag: &[u8]| Some(number(tag.get(4..)?)? + number(tag.get(8..)?)?);
    let mut ends = table.chunks_exact(12).map(tag_ends);
    let whole = length <= icc.len() && length >= 132 + table.len();
    if !whole || ends.any(|end| end.is_none_or(|end| end > length)) {
        return None;
    }
    icc.truncate(length);
    Some(icc)
}

/// The colour space of a profile, from its header (ICC.1:2022, 7.2).
fn space(icc: &[u8]) -> Option<&[u8; 4]> {
    (icc.get(36..40)? == b"acsp").then_some(())?;
    icc.get(16..20)?.first_chunk()
}

fn grey_curve(icc: &[u8]) -> Option<[u8; 256]> {
    let profile = ColorProfile::new_from_slice(icc).ok()?;
    let srgb = ColorProfile::new_srgb();
    let transform = profile
        .create_transform_8bit(
            Layout::Gray,
            &srgb,
            Layout::Rgb,
            TransformOptions::default(),
        )
        .ok()?;
    let greys: Vec<u8> = (0..=255).collect();
    let mut rgb = [0; 3 * 256];
    transform.transform(&greys, &mut rgb).ok()?;
    let (pixels, _) = rgb.as_chunks::<3>();
    let mut curve = [0; 256];
    curve
        .iter_mut()
        .zip(pixels)
        .for_each(|(value, [_, green, _])| *value = *green);
    Some(curve)
}

/// Converts CMYK (0 = no ink) to RGB in place; keeps the first three quarters of `samples`. Uses the profile if it is a valid CMYK
/// profile, else the usual formula for uncalibrated inks: (1 - ink) * (1 - black).
pub(in crate::imaging) fn cmyk_to_rgb(samples: &mut Vec<u8>, icc: Option<&[u8]>) -> Colour {
    let profile = icc
        .filter(|icc| space(icc) == Some(b"CMYK"))
        .and_then(|icc| ColorProfile::new_from_slice(icc).ok())
        .filter(|profile| profile.color_space == DataColorSpace::Cmyk);
    let transform = profile.and_then(|profile| {
        let (srgb, options) = (ColorProfile::new_srgb(), TransformOptions::default());
        profile
            .create_transform_8bit(Layout::Rgba, &srgb, Layout::Rgb, options)
            .ok()
    });
    let mut inks = [0; 4 * BLOCK];
    let mut rgb = [0; 3 * BLOCK];
    let (mut read, mut written, mut converted) = (0, 0, transform.is_some());
    while read < samples.len() {
        let len = inks.len().min(samples.len() - read);
        let pixels = len / 4;
        if pixels == 0 {
            break;
        }
        inks[..len].copy_from_slice(&samples[read..read + len]);
        let (inks, rgb) = (&inks[..pixels * 4], &mut rgb[..pixels * 3]);
        let done = transform
            .as_ref()
            .is_some_and(|t| t.transform(inks, rgb).is_ok());
        if !done {
            converted = false;
            multiply(inks, rgb);
        }
        samples[written..written + rgb.len()].copy_from_slice(rgb);
        read += len;
        written += rgb.len();
    }
    samples.truncate(written);
    samples.shrink_to_fit();
    if converted {
        Colour::Srgb
    } else {
        Colour::Untagged
    }
}

fn multiply(inks: &[u8], rgb: &mut [u8]) {
    let (inks, _) = inks.as_chunks::<4>();
    let (rgb, _) = rgb.as_chunks_mut::<3>();
    for (&[c, m, y, k], out) in inks.iter().zip(rgb) {
        *out = [c, m, y].map(|ink| compose::scale(255 - ink, 255 - k));
    }
}
