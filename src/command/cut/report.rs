//! Results of a batch -> paths on stdout and words on stderr, or a JSON object for each photo. Decides nothing.

use std::fmt::Display;
use std::io::{self, Write as _, stderr, stdout};
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::bar::CutBar;
use super::photo_line::{CutCounts, CutoutFacts, PhotoLine, PhotoLineResult, SummaryLine};
use crate::percent;

/// Why a photo is not cut out though its cutout is there.
const THERE_ALREADY: &str = "there already";

/// A cutout that is in its place.
#[derive(Debug)]
pub(super) struct Delivered<'a> {
    /// Its path.
    pub(super) output: &'a Path,
    /// What is known of it, unless an earlier run has made it.
    pub(super) picture: Option<CutoutFacts>,
    /// How long it took.
    pub(super) duration: Duration,
}

/// Tells of photos as they are dealt with, and counts them.
#[derive(Debug)]
pub(super) struct CutReporter {
    is_json: bool,
    /// Whether stdout has the cutout.
    is_stdout_taken: bool,
    bar: CutBar,
    expected: usize,
    counts: CutCounts,
}

impl CutReporter {
    /// Tells in JSON if `is_json`; nothing but a cutout goes to stdout if `is_stdout_taken`.
    pub(super) fn new(is_json: bool, is_stdout_taken: bool) -> Self {
        Self {
            is_json,
            is_stdout_taken,
            bar: CutBar::hidden(),
            expected: 0,
            counts: CutCounts::default(),
        }
    }

    /// So many photos are to be dealt with.
    pub(super) fn expect(&mut self, count: usize) {
        self.expected = count;
    }

    /// Shows from now on how far it is.
    pub(super) fn show_bar(&mut self) {
        if !self.is_json {
            self.bar = CutBar::on_terminal(self.expected);
        }
    }

    /// The first worker is started.
    pub(super) fn loading(&mut self) {
        self.bar.loading();
    }

    /// A worker is ready.
    pub(super) fn loaded(&mut self) {
        self.bar.loaded();
    }

    /// Tells of a cutout that is in its place.
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

    /// Tells of a photo whose cutout was there before.
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

    /// Tells of a photo that is left alone.
    pub(super) fn skipped(
        &mut self,
        photo: &Path,
        reason: &dyn Display,
        duration: Option<Duration>,
    ) -> io::Result<()> {
        self.counts.skipped += 1;
        self.tell_end(PhotoLineResult::Skipped, photo, reason, duration)
    }

    /// Tells of a photo without a cutout.
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

    /// Tells something that is of no single photo.
    pub(super) fn say(&self, line: &str) {
        if self.is_json {
            tracing::warn!("{line}");
        } else {
            self.write_line(line);
        }
    }

    /// Tells how many photos ended in which way, and returns how many failed.
    pub(super) fn finish(&mut self) -> usize {
        self.summarize("");
        self.counts.failed
    }

    /// As [`Self::finish`], of a batch that did not come to its end.
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
            // A closed stderr is nobody's fault and stops no work.
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

    /// A closed stderr is nobody's fault and stops no work.
    fn write_line(&self, line: &str) {
        drop(self.bar.suspend(|| writeln!(stderr().lock(), "{line}")));
    }
}

fn write_object(to: &mut dyn io::Write, object: &impl Serialize) -> io::Result<()> {
    let line = serde_json::to_string(object)?;
    writeln!(to, "{line}")
}
