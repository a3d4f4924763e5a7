//! Feeds arbitrary bytes to `decode` and checks the properties that every result must have.

use super::format;

/// The limit on pixels while fuzzing, which limits the time of one run.
const MEGAPIXELS_MAX: u32 = 1;

/// Rows read at a time, as in the encoder.
const STRIP_ROWS: u32 = 16;

/// Decodes `file` and reads every pixel of the result.
///
/// # Panics
/// When a decoder panics, or when the picture contradicts its header or the limit.
pub fn decode(file: &[u8]) {
    let read = |kind| format::read(kind, file, MEGAPIXELS_MAX);
    let Ok(photo) = format::recognise(file).and_then(read) else {
        return;
    };
    let (width, height) = (photo.width(), photo.height());
    let pixels = u64::from(width) * u64::from(height);
    assert!((1..=u64::from(MEGAPIXELS_MAX) * 1_000_000).contains(&pixels));
    let mut strip = vec![[0; 4]; width as usize * STRIP_ROWS.min(height) as usize];
    for first in (0..height).step_by(STRIP_ROWS as usize) {
        let rows = STRIP_ROWS.min(height - first);
        let strip = &mut strip[..width as usize * rows as usize];
        photo.strip(first, strip);
        let opaque = strip.iter().all(|pixel| pixel[3] == u8::MAX);
        assert!(opaque || photo.has_alpha(), "alpha out of nowhere");
    }
}
