//! Prints the results of a batch: paths on stdout and messages on stderr, or a JSON object per photo. Must not decide anything.

use std::fmt::Display;
use std::io::{self, Write as _, stderr, stdout};
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::bar::CutBar;
use super::photo_line::{CutCounts, CutoutFacts, PhotoLine, PhotoLineResult, SummaryLine};
use crate::percent;

/// The reason for skipping a photo whose cutout exists.
const THERE_ALREADY: &str = "there already";

/// A cutout that has its final name.
#[derive(Debug)]
pub(super) struct Delivered<'a> {
    /// Its path.
    pub(super) output: &'a Path,
    /// The facts about a new cutout; `None` when an earlier run made it.
    pub(super) picture: Option<CutoutFacts>,
    /// How long the attempt took.
    pub(super) duration: Duration,
}

/// Reports finished photos and counts them.
#[derive(Debug)]
pub(super) struct CutReporter {
    is_json: bool,
    /// Whether stdout is reserved for the cutout.
    is_stdout_taken: bool,
    bar: CutBar,
    expected: usize,
    counts: CutCounts,
}

impl CutReporter {
    /// Reports as JSON if `is_json`. If `is_stdout_taken`, only the cutout goes to stdout.
    pub(super) fn new(is_json: bool, is_stdout_taken: bool) -> Self {
        Self {
            is_json,
            is_stdout_taken,
            bar: CutBar::hidden(),
            expected: 0,
            counts: CutCounts::default(),
        }
    }

    /// Sets the expected number of photos.
    pub(super) fn expect(&mut self, count: usize) {
        self.expected = count;
    }

    /// Shows the progress from now on.
    pub(super) fn show_bar(&mut self) {
        if !self.is_json {
            self.bar = CutBar::on_terminal(self.expected);
        }
    }

    /// Called when the first worker is started.
    pub(super) fn loading(&mut self) {
        self.bar.loading();
    }

    /// Called when a worker is ready.
    pub(super) fn loaded(&mut self) {
        self.bar.loaded();
    }

    /// Reports a cutout that has its final name.
    pub(super) fn done(&mut self, photo: &Path, delivered: Delivered<'_>) -> io::Result<()> {
        self.counts.done += 1;
        self.bar.advance();
        let Delivered {
            output,
            picture,
            duration,
        } = delivered;
        if self.is_json {
            let reason = picture.is_none().then(|| THERE_ALREADY.to_owned());
            return self.print(&PhotoLine {
                output: Some(percent::display(output)),
                reason,
                picture,
                ..PhotoLine::new(photo, PhotoLineResult::Done, Some(duration))
            });
        }
        if self.is_stdout_taken {
            return Ok(());
        }
        let print = || writeln!(stdout().lock(), "{}", percent::display(output));
        self.bar.suspend(print)
    }

    /// Reports a photo whose cutout existed before.
    pub(super) fn there_already(&mut self, photo: &Path, output: &Path) -> io::Result<()> {
        self.counts.skipped += 1;
        self.bar.advance();
        if self.is_json {
            return self.print(&PhotoLine {
                output: Some(percent::display(output)),
                reason: Some(THERE_ALREADY.to_owned()),
                ..PhotoLine::new(photo, PhotoLineResult::Skipped, None)
            });
        }
        let output = percent::display(output);
        self.tell("skipped", photo, &format!("{THERE_ALREADY}, {output}"));
        Ok(())
    }

    /// Reports a skipped photo.
    pub(super) fn skipped(
        &mut self,
        photo: &Path,
        reason: &dyn Display,
        duration: Option<Duration>,
    ) -> io::Result<()> {
        self.counts.skipped += 1;
        self.tell_end(PhotoLineResult::Skipped, photo, reason, duration)
    }

    /// Reports a photo without a cutout.
    pub(super) fn failed(
        &mut self,
        photo: &Path,
        reason: &dyn Display,
        duration: Option<Duration>,
    ) -> io::Result<()> {
        self.counts.failed += 1;
        self.tell_end(PhotoLineResult::Failed, photo, reason, duration)
    }

    fn tell_end(
        &self,
        result: PhotoLineResult,
        photo: &Path,
        reason: &dyn Display,
        duration: Option<Duration>,
    ) -> io::Result<()> {
        self.bar.advance();
        let word = match result {
            PhotoLineResult::Done => "done",
            PhotoLineResult::Skipped => "skipped",
            PhotoLineResult::Failed => "failed",
        };
        if self.is_json {
            return self.print(&PhotoLine {
                reason: Some(reason.to_string()),
                ..PhotoLine::new(photo, result, duration)
            });
        }
        self.tell(word, photo, reason);
        Ok(())
    }

    /// Reports a message that does not concern a single photo.
    pub(super) fn say(&self, line: &str) {
        if self.is_json {
            tracing::warn!("{line}");
        } else {
            self.write_line(line);
        }
    }

    /// Reports the number of photos per result; returns how many failed.
    pub(super) fn finish(&mut self) -> usize {
        self.summarize("");
        self.counts.failed
    }

    /// As [`Self::finish`], for an interrupted batch.
    pub(super) fn stopped(&mut self) {
        let CutCounts {
            done,
            skipped,
            failed,
            ..
        } = self.counts;
        self.counts.not_done = self.expected.saturating_sub(done + skipped + failed);
        let not_done = format!(", {} not done", self.counts.not_done);
        self.summarize(&not_done);
    }

    fn summarize(&self, more: &str) {
        self.bar.clear();
        if self.is_json {
            let summary = self.counts;
            // A closed stderr must not stop the work.
            drop(write_object(&mut stderr().lock(), &SummaryLine { summary }));
            return;
        }
        let CutCounts {
            done,
            skipped,
            failed,
            ..
        } = self.counts;
        self.write_line(&format!(
            "{done} cut out, {skipped} skipped, {failed} failed{more}"
        ));
    }

    fn tell(&self, word: &str, photo: &Path, reason: &dyn Display) {
        self.write_line(&format!("{word} {}: {reason}", percent::display(photo)));
    }

    fn print(&self, line: &PhotoLine) -> io::Result<()> {
        if self.is_stdout_taken {
            drop(write_object(&mut stderr().lock(), line));
            return Ok(());
        }
        write_object(&mut stdout().lock(), line)
    }

    /// Ignores a closed stderr: it must not stop the work.
    fn write_line(&self, line: &str) {
        drop(self.bar.suspend(|| writeln!(stderr().lock(), "{line}")));
    }
}

fn write_object(to: &mut dyn io::Write, object: &impl Serialize) -> io::Result<()> {
    let line = serde_json::to_string(object)?;
    writeln!(to, "{line}")
}
