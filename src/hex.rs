//! Converts bytes to hexadecimal digits and back. Must not depend on their meaning.

/// Returns two lower-case digits for each byte.
pub fn encode(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
    digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// Returns the `N` bytes of `text`; `None` if `text` is not `2 N` hexadecimal digits.
pub fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() || pairs.len() != N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, &[high, low]) in bytes.iter_mut().zip(pairs) {
        let digit = |c: u8| {
            char::from(c)
                .to_digit(16)
                .and_then(|d| u8::try_from(d).ok())
        };
        *byte = digit(high)? * 16 + digit(low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(encode(&[0, 0x9f, 0xff]), "009fff");
        assert_eq!(decode("009fff"), Some([0, 0x9f, 0xff]));
        assert_eq!(decode::<3>("009ff"), None);
        assert_eq!(decode::<3>("009fffff"), None);
        assert_eq!(decode::<3>("00gfff"), None);
        assert_eq!(decode::<3>("+0ffff"), None);
        assert_eq!(decode("00FFff"), Some([0, 0xff, 0xff]));
    }
}
