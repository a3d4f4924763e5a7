//! Who gets the next worker, a folder or an errand: each has a share of the workers that the other cannot take. Pure.

use crate::job::Return;

/// Who is at work.
#[derive(Debug, Default)]
pub(super) struct Turns {
    pub(super) jobs: usize,
    pub(super) errands: usize,
    was_errand: bool,
}

impl Turns {
    /// Tells whether, where both wait, an errand gets the next of `workers` workers. A quarter of them, and at least one, is
    /// for errands; of a single worker each has every other turn. What one side leaves idle the other may use.
    pub(super) fn is_errands(&self, workers: usize) -> bool {
        let for_errands = (workers / 4).max(1);
        let for_jobs = workers.saturating_sub(for_errands).max(1);
        let (errands, jobs) = (self.errands * for_jobs, self.jobs * for_errands);
        errands < jobs || errands == jobs && !self.was_errand
    }

    /// An errand got a worker.
    pub(super) fn begin_errand(&mut self) {
        self.errands += 1;
        self.was_errand = true;
    }

    /// An errand is over.
    pub(super) fn end_errand(&mut self) {
        self.errands = self.errands.saturating_sub(1);
    }

    /// A photo of a folder got a worker.
    pub(super) fn begin_job(&mut self) {
        self.jobs += 1;
        self.was_errand = false;
    }

    /// A photo of a folder gives its worker back. One that was given back while a disk hung counts no second time: a folder
    /// that waits for its disk must not be taken for one that is served.
    pub(super) fn end_job(&mut self, worker: &Return) {
        match worker {
            Return::Fit(_) | Return::Lost => self.jobs = self.jobs.saturating_sub(1),
            Return::Earlier => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives each free worker to whose turn it is while both wait; every photo takes equally long.
    fn served(workers: usize, photos: usize) -> (usize, usize) {
        let mut turns = Turns::default();
        let mut running = std::collections::VecDeque::new();
        let (mut jobs, mut errands) = (0, 0);
        for _ in 0..photos {
            if running.len() == workers {
                match running.pop_front() {
                    Some(true) => turns.end_errand(),
                    _ => turns.end_job(&Return::Lost),
                }
            }
            let is_errand = turns.is_errands(workers);
            if is_errand {
                turns.begin_errand();
                errands += 1;
            } else {
                turns.begin_job();
                jobs += 1;
            }
            running.push_back(is_errand);
        }
        (jobs, errands)
    }

    /// P1: fails when errands that never end keep the folders waiting, or the reverse.
    #[test]
    fn where_both_wait_each_has_its_share() {
        for (workers, share) in [(1, 2), (2, 2), (4, 4), (8, 4), (9, 4)] {
            let (jobs, errands) = served(workers, 1_000);
            let wanted = 1_000 / share;
            assert!(
                errands.abs_diff(wanted) <= 60,
                "{workers} workers: {jobs} jobs, {errands} errands"
            );
        }
    }

    #[test]
    fn an_errand_need_not_wait_for_a_second_job_to_end() {
        let mut turns = Turns::default();
        for _ in 0..3 {
            turns.begin_job();
        }
        assert!(turns.is_errands(4));
        turns.begin_errand();
        turns.end_job(&Return::Lost);
        assert!(!turns.is_errands(4));
    }

    /// P1: of two photos one stalls, whose worker is given back long before its end; fails when that end frees the other's place
    /// as well: errands would be taken for the only ones who are served.
    #[test]
    fn photo_that_has_stalled_ends_one_turn() {
        let mut turns = Turns::default();
        turns.begin_job();
        turns.begin_job();
        turns.end_job(&Return::Lost);
        turns.begin_errand();
        assert_eq!((turns.jobs, turns.errands), (1, 1));
        turns.end_job(&Return::Earlier);
        assert_eq!((turns.jobs, turns.errands), (1, 1));
        turns.end_job(&Return::Lost);
        assert_eq!(turns.jobs, 0);
    }
}
