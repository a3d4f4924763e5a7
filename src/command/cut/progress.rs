//! Results of a batch -> a progress bar on a terminal, paths on stdout, failures on stderr.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _, stderr, stdout};
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::percent;

/// Prints a line before the batch begins; a closed stderr is nobody's fault and stops no work.
pub(super) fn say(line: &str) {
    drop(writeln!(stderr().lock(), "{line}"));
}

/// How a batch is going.
pub(super) struct Progress {
    bar: ProgressBar,
    done: usize,
    skipped: usize,
    failed: usize,
}

impl Progress {
    pub(super) fn new(count: usize) -> Self {
        let target = if stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(count as u64), target);
        let template = "{bar:30} {pos}/{len} photos, {per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.tick();
        Self {
            bar,
            done: 0,
            skipped: 0,
            failed: 0,
        }
    }

    pub(super) fn done(&mut self, output: &Path) -> io::Result<()> {
        self.done += 1;
        self.bar.inc(1);
        self.bar
            .suspend(|| writeln!(stdout().lock(), "{}", percent::display(output)))
    }

    pub(super) fn skipped(&mut self, source: &Path, reason: &dyn Display) {
        self.skipped += 1;
        self.bar.inc(1);
        self.say(&format!("skipped {}: {reason}", percent::display(source)));
    }

    pub(super) fn failed(&mut self, source: &Path, reason: &dyn Display) {
        self.failed += 1;
        self.bar.inc(1);
        self.say(&format!("failed {}: {reason}", percent::display(source)));
    }

    /// Prints the sum and returns how many failed.
    pub(super) fn finish(&mut self) -> usize {
        self.bar.finish_and_clear();
        let Self {
            done,
            skipped,
            failed,
            ..
        } = self;
        let sum = format!("{done} cut out, {skipped} skipped, {failed} failed");
        self.say(&sum);
        self.failed
    }

    /// A closed stderr is nobody's fault and stops no work.
    fn say(&self, line: &str) {
        drop(self.bar.suspend(|| writeln!(stderr().lock(), "{line}")));
    }
}
