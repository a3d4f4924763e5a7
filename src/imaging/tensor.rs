//! Converts a `Photo` to a `Tensor`: resized to the network's square, normalised, channels first. Resizes with Pillow's Lanczos
//! filter, as in the networks' training and in rembg. Must not depend on ONNX Runtime.

use super::compose::scale;
use super::error::CutoutError;
use super::photo::Photo;
use super::resample::{Filter, resample};
use super::reserve;
use crate::inference::Tensor;
use crate::model::{Divisor, ModelManifest};

/// Makes the network's input from a photo.
///
/// Transparent pixels get the network's mean colour, which is 0 after normalisation. The colour stored in a transparent pixel is
/// not visible, and white or black would look like an object.
pub(super) fn tensor(photo: &Photo, manifest: &ModelManifest) -> Result<Tensor, CutoutError> {
    let pixels = stretch(photo, manifest)?;
    let divisor = match manifest.divisor {
        Divisor::Full => 255.0,
        Divisor::Max => f64::from(
            pixels
                .iter()
                .flat_map(|p| &p[..3])
                .max()
                .map_or(1, |&v| v.max(1)),
        ),
    };
    let mut values: Vec<f32> = reserve(3 * pixels.len())?;
    for channel in 0..3 {
        let (mean, std) = (
            f64::from(manifest.mean[channel]),
            f64::from(manifest.std[channel]),
        );
        let table: [f32; 256] = std::array::from_fn(|v| {
            #[expect(clippy::cast_precision_loss, reason = "v < 256")]
            let value = v as f64 / divisor;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the network computes in f32"
            )]
            let normal = ((value - mean) / std) as f32;
            normal
        });
        values.extend(pixels.iter().map(|p| table[usize::from(p[channel])]));
    }
    Ok(Tensor::new(values, manifest.size))
}

/// The photo, resized to `size` x `size` opaque RGBA.
fn stretch(photo: &Photo, manifest: &ModelManifest) -> Result<Vec<[u8; 4]>, CutoutError> {
    let neutral = manifest.mean.map(unit_to_u8);
    let mut square = reserve(manifest.size as usize * manifest.size as usize)?;
    let prepare = |rows: &mut [[u8; 4]]| {
        if photo.has_alpha() {
            for pixel in rows {
                *pixel = over(*pixel, neutral);
            }
        }
    };
    resample(
        photo,
        (manifest.size, manifest.size),
        Filter::Sharp,
        prepare,
        |rows| {
            square.extend_from_slice(rows);
            Ok(())
        },
    )?;
    Ok(square)
}

fn over([r, g, b, a]: [u8; 4], [nr, ng, nb]: [u8; 3]) -> [u8; 4] {
    let mix = |colour, neutral| scale(colour, a).saturating_add(scale(neutral, 255 - a));
    [mix(r, nr), mix(g, ng), mix(b, nb), 255]
}

fn unit_to_u8(value: f32) -> u8 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped"
    )]
    let byte = (value.clamp(0.0, 1.0) * 255.0).round() as u8;
    byte
}

#[cfg(test)]
mod tests {
    use super::{over, tensor};
    use crate::imaging::photo::{Channels, Colour, Photo, Stored};
    use crate::model::{Activation, Divisor, ModelManifest};
    use image::metadata::Orientation;
    use std::path::PathBuf;

    fn manifest(size: u32, divisor: Divisor) -> ModelManifest {
        ModelManifest {
            name: "m".to_owned(),
            file: PathBuf::new(),
            sha256: [0; 32],
            input: String::new(),
            size,
            output: String::new(),
            divisor,
            mean: [0.5, 0.25, 0.0],
            std: [0.5, 0.25, 2.0],
            activation: Activation::None,
            stretch: false,
            dust: None,
            golden: None,
        }
    }

    fn photo(samples: Vec<u8>, channels: Channels, width: u32, height: u32) -> Photo {
        let stored = Stored {
            samples,
            channels,
            width,
            height,
        };
        Photo::new(stored, Orientation::NoTransforms, Colour::Untagged, None).unwrap()
    }

    #[test]
    fn values_are_normalised_and_stand_plane_by_plane() {
        let photo = photo([255, 0, 102].repeat(4), Channels::Rgb, 2, 2);
        let tensor = tensor(&photo, &manifest(2, Divisor::Full)).unwrap();
        let expected = [[1.0; 4], [-1.0; 4], [0.2; 4]].concat();
        assert_eq!(tensor.values(), expected);
    }

    #[test]
    fn dark_photo_is_divided_by_its_own_maximum() {
        let photo = photo([51, 0, 51].repeat(4), Channels::Rgb, 2, 2);
        let tensor = tensor(&photo, &manifest(2, Divisor::Max)).unwrap();
        assert_eq!(tensor.values(), [[1.0; 4], [-1.0; 4], [0.5; 4]].concat());
    }

    #[test]
    fn black_photo_does_not_divide_by_zero() {
        let photo = photo(vec![0; 4], Channels::Grey, 2, 2);
        let tensor = tensor(&photo, &manifest(2, Divisor::Max)).unwrap();
        assert!(tensor.values().iter().all(|v| v.is_finite()));
    }

    #[test]
    fn network_sees_its_mean_where_the_photo_is_transparent() {
        let photo = photo([0, 255, 255, 0].repeat(4), Channels::Rgba, 2, 2);
        let tensor = tensor(&photo, &manifest(2, Divisor::Full)).unwrap();
        assert!(
            tensor.values().iter().all(|v| v.abs() < 0.02),
            "{:?}",
            tensor.values()
        );
        assert_eq!(over([10, 20, 30, 255], [99; 3]), [10, 20, 30, 255]);
    }

    #[test]
    fn strips_join_without_a_seam() {
        let (width, height) = (40, 300);
        let ramp: Vec<u8> = (0..height)
            .flat_map(|y| std::iter::repeat_n(u8::try_from(y * 255 / 299).unwrap(), width))
            .collect();
        let photo = photo(ramp, Channels::Grey, u32::try_from(width).unwrap(), 300);
        let tensor = tensor(&photo, &manifest(100, Divisor::Full)).unwrap();
        let column: Vec<f32> = tensor.values()[..10_000]
            .iter()
            .step_by(100)
            .copied()
            .collect();
        assert!(
            column.windows(2).all(|w| w[1] > w[0] && w[1] - w[0] < 0.04),
            "{column:?}"
        );
    }
}
