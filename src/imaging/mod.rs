//! Converts photo bytes to the bytes of outputs or of a smaller picture. Plain synchronous functions. Must not depend on paths,
//! processes or configuration, except the limits and specs in the request.

mod colour;
mod compose;
mod error;
mod format;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod matte;
mod photo;
mod pipeline;
mod render;
mod resample;
mod self_test;
mod shrink;
mod tensor;
#[cfg(test)]
mod tests;

pub use error::CutoutError;
pub use format::{
    FileEnd, Format, Lookalike, Unsupported, ZeroEnd, is_read_ending, is_unsupported_ending,
};
pub use pipeline::{CutReport, CutRequest, Cutout, Stage};
pub use self_test::{SelfTestError, self_test};
pub use shrink::shrink;

/// An empty vector with capacity `len`, or `OutOfMemory` where `Vec` alone would abort.
fn reserve<T>(len: usize) -> Result<Vec<T>, CutoutError> {
    let mut items = Vec::new();
    empty(&mut items, len)?;
    Ok(items)
}

/// Removes all items and makes room for `len`, or returns `OutOfMemory`. Keeps the memory: fresh memory costs the system more time
/// than most computations take to fill it.
fn empty<T>(items: &mut Vec<T>, len: usize) -> Result<(), CutoutError> {
    items.clear();
    items
        .try_reserve_exact(len)
        .map_err(|_| CutoutError::OutOfMemory)
}

/// A vector of `len` zeros, or `OutOfMemory`.
fn zeroed<T: Clone + Default>(len: usize) -> Result<Vec<T>, CutoutError> {
    let mut items = reserve(len)?;
    items.resize(len, T::default());
    Ok(items)
}

/// Returns `OutOfMemory` when `bytes` more cannot be allocated. Called before decoders that abort when memory is short: memory that
/// was available a moment ago still is.
fn probe(bytes: usize) -> Result<(), CutoutError> {
    reserve::<u8>(bytes).map(drop)
}
