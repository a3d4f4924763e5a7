//! Describes what a person who waits for a cutout wants of it, besides what its folder says. Must not touch a file.

use std::path::{Path, PathBuf};

use super::Job;
use super::output_name::ExistingCutout;
use crate::config::Folder;

/// What a person wants who waits for a cutout. It is made by the model of its folder and with its edges, even if a cutout by
/// another model or with other edges exists.
#[derive(Clone, Debug, Default)]
pub struct CutOptions {
    /// The only path below the output folder that the cutout may get; if left out, it is named after its photo.
    pub name: Option<PathBuf>,
}

impl Job {
    /// The only path below the output folder that the cutout may get, if there is one.
    pub(super) fn fixed_name(&self) -> Option<&Path> {
        self.cut_options.as_ref()?.name.as_deref()
    }

    /// Tells whether the cutout that is there is not the one that is wanted.
    pub(super) fn wants_another_than(&self, already: &ExistingCutout) -> bool {
        let Folder { model, edges, .. } = &*self.folder;
        self.cut_options.is_some() && (already.model != *model || already.edges != *edges)
    }
}
