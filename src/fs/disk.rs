//! Runs work on a configured path on a separate thread, and returns its result or the error that the disk does not respond. Must
//! not depend on folders.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::fs::path_error::{AtPath as _, PathError};
use crate::fs::resolve;

/// How long a disk may take for one step before it counts as not responding.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// How long [`real_paths`] waits, so that an unresponsive disk does not delay a start for longer.
const RESOLVE_LIMIT: Duration = Duration::from_secs(2);

/// The message for a disk that does not respond.
pub const SILENT: &str = "its disk does not answer";

static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Paths whose thread was abandoned and has not ended, with the time at which the thread started.
static STUCK: Mutex<BTreeMap<PathBuf, Instant>> = Mutex::new(BTreeMap::new());

/// Records the steps of a thread that works on a disk, so that other threads see when a step takes too long.
#[derive(Debug, Default)]
pub struct Pulse {
    /// The deadline of the current step, in milliseconds since [`BEGIN`]; 0 between two steps.
    late_at_ms: AtomicU64,
}

impl Pulse {
    /// Begins a step and ends the previous one.
    pub fn step(&self) {
        self.long_step(ANSWER_LIMIT);
    }

    /// Begins a step that may take longer than others.
    pub fn long_step(&self, limit: Duration) {
        self.late_at_ms
            .store(ms(BEGIN.elapsed() + limit).max(1), Ordering::Relaxed);
    }

    /// Ends a step; the following work does not wait for a disk.
    pub fn rest(&self) {
        self.late_at_ms.store(0, Ordering::Relaxed);
    }

    /// Whether the current step takes too long.
    pub fn is_late(&self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }

    fn left(&self) -> Option<Duration> {
        let late_at_ms = self.late_at_ms.load(Ordering::Relaxed);
        let left_ms = late_at_ms.saturating_sub(ms(BEGIN.elapsed()));
        (late_at_ms != 0).then(|| Duration::from_millis(left_ms))
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Work that runs on a separate thread.
#[derive(Debug)]
pub struct Question<T> {
    path: PathBuf,
    begun: Instant,
    pulse: Arc<Pulse>,
    answers: io::Result<Receiver<T>>,
}

/// Starts `work` on the disk of `path`. Work with many steps must record each of them.
///
/// Starts no thread while an earlier one for the same path still waits for the disk: the new thread would only wait as well.
pub fn ask<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Pulse) -> T + Send + 'static,
) -> Question<T> {
    let (begun, pulse) = (Instant::now(), Arc::new(Pulse::default()));
    pulse.step();
    let is_stuck = stuck()
        .get(path)
        .is_some_and(|since| since.elapsed() >= ANSWER_LIMIT);
    let answers = if is_stuck {
        Err(late())
    } else {
        begin(path.to_owned(), Arc::clone(&pulse), work)
    };
    Question {
        path: path.to_owned(),
        begun,
        pulse,
        answers,
    }
}

fn begin<T: Send + 'static>(
    path: PathBuf,
    pulse: Arc<Pulse>,
    work: impl FnOnce(&Pulse) -> T + Send + 'static,
) -> io::Result<Receiver<T>> {
    let (answer, answers) = sync_channel(1);
    let thread = std::thread::Builder::new().name("disk".to_owned());
    thread.spawn(move || {
        let done = work(&pulse);
        let unwanted = {
            let mut stuck = stuck();
            stuck.remove(&path);
            answer.send(done)
        };
        // Closing a file may wait for its disk, so it happens after the lock is released.
        drop(unwanted);
    })?;
    Ok(answers)
}

impl<T> Question<T> {
    /// Waits for the result. Fails as soon as one step takes too long.
    pub fn answer(self) -> Result<T, PathError> {
        self.answer_by(None)
    }

    /// As [`Self::answer`], but waits until `end` at the latest.
    fn answer_by(self, end: Option<Instant>) -> Result<T, PathError> {
        let answers = self.answers.at(&self.path)?;
        loop {
            let step = self.pulse.left().unwrap_or(ANSWER_LIMIT);
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let wait = left.map_or(step, |left| left.min(step));
            match answers.recv_timeout(wait) {
                Ok(answer) => return Ok(answer),
                Err(RecvTimeoutError::Disconnected) => {
                    let gone = io::Error::other("the thread that looked at it has failed");
                    return Err(gone).at(&self.path);
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.pulse.is_late() || left.is_some_and(|left| left.is_zero()) {
                return give_up(&self.path, self.begun, answers)
                    .ok_or_else(late)
                    .at(&self.path);
            }
        }
    }
}

/// Records that a thread is no longer waited for, unless its result arrives at the last moment.
fn give_up<T>(path: &Path, begun: Instant, answers: Receiver<T>) -> Option<T> {
    let mut stuck = stuck();
    if let Ok(answer) = answers.try_recv() {
        return Some(answer);
    }
    stuck.entry(path.to_owned()).or_insert(begun);
    // Before the thread can answer: dropping its result may wait for the disk.
    drop(answers);
    None
}

fn stuck() -> MutexGuard<'static, BTreeMap<PathBuf, Instant>> {
    STUCK.lock().unwrap_or_else(PoisonError::into_inner)
}

fn late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, Silent)
}

/// The error that the disk of `path` does not respond.
pub fn silent(path: &Path) -> PathError {
    PathError::new(path, late())
}

/// Whether `error` means that the disk does not respond.
pub fn is_silent(error: &PathError) -> bool {
    let inner = error.io().get_ref();
    inner
        .and_then(|inner| inner.downcast_ref::<Silent>())
        .is_some()
}

#[derive(Debug, thiserror::Error)]
#[error("{SILENT}")]
struct Silent;

/// Resolves the existing part of each of `paths`, all in parallel. Omits paths whose disk does not respond soon.
pub fn real_paths<'a>(paths: impl IntoIterator<Item = &'a Path>) -> BTreeMap<PathBuf, PathBuf> {
    let end = Instant::now() + RESOLVE_LIMIT;
    let mut questions = BTreeMap::new();
    for path in paths {
        questions.entry(path).or_insert_with(|| {
            let asked = path.to_owned();
            ask(path, move |_| resolve::path(&asked))
        });
    }
    let answers = questions.into_iter().filter_map(|(path, question)| {
        let real = question.answer_by(Some(end)).ok()?;
        Some((path.to_owned(), real))
    });
    answers.collect()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// P7: fails when several unresponsive disks are waited for one after the other, when a result of a responsive disk is ignored,
    /// or when a second thread is started for a path that is already waited for.
    #[test]
    fn disks_that_do_not_answer_are_waited_for_together_and_asked_once() {
        let names = ["/silent/a", "/silent/b", "/silent/c"].map(Path::new);
        let (release, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let begun = Instant::now();
        let questions = names.map(|name| {
            let gate = Arc::clone(&gate);
            ask(name, move |_| gate.lock().unwrap().recv().is_ok())
        });
        let healthy = ask(Path::new("/healthy"), |_| 7);
        assert_eq!(healthy.answer().unwrap(), 7);
        for question in questions {
            let error = question.answer().unwrap_err();
            assert_eq!(error.io().to_string(), SILENT);
        }
        assert!(begun.elapsed() < ANSWER_LIMIT * 2, "{:?}", begun.elapsed());
        let again = Instant::now();
        let question = ask(names[0], |_| panic!("a second thread"));
        assert!(question.answer().is_err());
        assert!(again.elapsed() < ANSWER_LIMIT);
        drop(release);
        let limit = Instant::now() + Duration::from_mins(1);
        while ask(names[0], |_| 8).answer().is_err() {
            assert!(Instant::now() < limit, "it answers again");
        }
    }

    /// P7: fails when long work with short steps is abandoned.
    #[test]
    fn work_that_goes_on_is_waited_for() {
        let (step, steps) = mpsc::channel();
        let pulse = Pulse::default();
        assert!(!pulse.is_late(), "nothing has begun");
        pulse.long_step(Duration::ZERO);
        let limit = Instant::now() + Duration::from_mins(1);
        while !pulse.is_late() {
            assert!(Instant::now() < limit, "a step that took too long is late");
        }
        pulse.step();
        assert!(!pulse.is_late());
        pulse.rest();
        assert!(!pulse.is_late());
        let question = ask(Path::new("/slow"), move |pulse| {
            pulse.long_step(Duration::from_mins(1));
            steps.recv().is_ok()
        });
        step.send(()).unwrap();
        assert!(question.answer().unwrap());
    }
}
