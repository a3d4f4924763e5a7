//! Writes one log line on whether a reason could be left with its photo. Must not repeat the line of an earlier try.

use crate::config::Folder;
use crate::job::{Explained, JobError};

pub(in crate::daemon) fn untold(folder: &Folder, source: &str, error: &JobError) {
    tracing::warn!(folder = folder.name, source, %error, "could not write the reason beside the photo or move it to `failed`; retrying");
}

pub(in crate::daemon) fn told_late(folder: &Folder, source: &str, explained: Explained) {
    let what = match explained {
        Explained::Moved => "the photo was moved to `failed` with its reason",
        Explained::Beside => "the reason was left with the photo",
        Explained::NothingNew => return,
    };
    tracing::info!(folder = folder.name, source, "{what}");
}
