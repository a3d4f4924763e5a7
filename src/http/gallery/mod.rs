//! The API for finished photos: lists, pictures and thumbnails.

pub(super) mod photos;
pub(super) mod pictures;
pub(super) mod thumb_cache;
pub(super) mod thumbs;

pub(super) use thumb_cache::{ThumbKey, ThumbKind, Thumbs};
