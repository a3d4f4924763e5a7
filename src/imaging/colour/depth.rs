//! Converts 16-bit samples to 8-bit samples. Must not depend on their meaning.

/// A 16-bit sample as an 8-bit one, rounded: v * 255 / 65535.
pub(in crate::imaging) fn narrow(wide: u16) -> u8 {
    u8::try_from((u32::from(wide) + 128) / 257).unwrap_or(u8::MAX)
}

/// Converts 16-bit samples in native byte order to 8-bit samples in place.
pub(in crate::imaging) fn narrow_all(samples: &mut Vec<u8>) {
    let len = samples.len() / 2;
    for i in 0..len {
        samples[i] = narrow(u16::from_ne_bytes([samples[2 * i], samples[2 * i + 1]]));
    }
    samples.truncate(len);
    samples.shrink_to_fit();
}

#[cfg(test)]
mod tests {
    use super::narrow;

    #[test]
    fn sixteen_bits_are_rounded_to_eight() {
        for wide in 0..=u16::MAX {
            let exact = (f64::from(wide) * 255.0 / 65535.0).round();
            assert!((f64::from(narrow(wide)) - exact).abs() < 0.1, "{wide}");
        }
    }
}
