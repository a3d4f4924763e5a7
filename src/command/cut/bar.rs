//! Shows the progress of a batch as a bar on a terminal; shows nothing elsewhere. Must not count results.

use std::io::{IsTerminal as _, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const LOADING: &str = "{pos}/{len} photos, loading the model";
const WORKING: &str = "{bar:30} {pos}/{len} photos, {per_sec}, {eta} left";

/// A bar that shows the loading of the model until work begins.
#[derive(Debug)]
pub(super) struct CutBar {
    bar: ProgressBar,
    is_loading: bool,
}

impl CutBar {
    /// A bar that shows nothing.
    pub(super) fn hidden() -> Self {
        Self {
            bar: ProgressBar::hidden(),
            is_loading: false,
        }
    }

    /// A bar on stderr, if that is a terminal.
    pub(super) fn on_terminal(count: usize) -> Self {
        if !stderr().is_terminal() {
            return Self::hidden();
        }
        let bar = ProgressBar::with_draw_target(Some(count as u64), ProgressDrawTarget::stderr());
        let bar = Self {
            bar,
            is_loading: false,
        };
        bar.show(WORKING);
        bar
    }

    /// Shows that the model is being loaded.
    pub(super) fn loading(&mut self) {
        self.is_loading = true;
        self.show(LOADING);
    }

    /// Shows the progress from now on; the rate is measured from here.
    pub(super) fn loaded(&mut self) {
        if std::mem::take(&mut self.is_loading) {
            self.bar.reset_eta();
            self.show(WORKING);
        }
    }

    /// Counts one more photo.
    pub(super) fn advance(&self) {
        self.bar.inc(1);
    }

    /// Hides the bar while `print` runs.
    pub(super) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    /// Removes the bar.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn show(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.tick();
    }
}
