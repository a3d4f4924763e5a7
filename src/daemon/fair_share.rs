//! Who gets the next worker, a folder or a request: each has a share of the workers that the other cannot take. Pure.

use crate::job::WorkerReturn;

/// Who is at work.
#[derive(Debug, Default)]
pub(super) struct FairShare {
    pub(super) jobs: usize,
    pub(super) requests: usize,
    was_request: bool,
}

impl FairShare {
    /// Tells whether, where both wait, a request gets the next of `workers` workers. A quarter of them, and at least one, is
    /// for requests; of a single worker each has every other turn. What one side leaves idle the other may use.
    pub(super) fn is_requests(&self, workers: usize) -> bool {
        let for_requests = (workers / 4).max(1);
        let for_jobs = workers.saturating_sub(for_requests).max(1);
        let (requests, jobs) = (self.requests * for_jobs, self.jobs * for_requests);
        requests < jobs || requests == jobs && !self.was_request
    }

    /// A request got a worker.
    pub(super) fn begin_request(&mut self) {
        self.requests += 1;
        self.was_request = true;
    }

    /// A request is over.
    pub(super) fn end_request(&mut self) {
        self.requests = self.requests.saturating_sub(1);
    }

    /// A photo of a folder got a worker.
    pub(super) fn begin_job(&mut self) {
        self.jobs += 1;
        self.was_request = false;
    }

    /// A photo of a folder gives its worker back. One that was given back while a disk hung counts no second time: a folder
    /// that waits for its disk must not be taken for one that is served.
    pub(super) fn end_job(&mut self, worker: &WorkerReturn) {
        match worker {
            WorkerReturn::Fit(_) | WorkerReturn::Lost => self.jobs = self.jobs.saturating_sub(1),
            WorkerReturn::Earlier => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives each free worker to whose turn it is while both wait; every photo takes equally long.
    fn served(workers: usize, photos: usize) -> (usize, usize) {
        let mut fair_share = FairShare::default();
        let mut running = std::collections::VecDeque::new();
        let (mut jobs, mut requests) = (0, 0);
        for _ in 0..photos {
            if running.len() == workers {
                match running.pop_front() {
                    Some(true) => fair_share.end_request(),
                    _ => fair_share.end_job(&WorkerReturn::Lost),
                }
            }
            let is_request = fair_share.is_requests(workers);
            if is_request {
                fair_share.begin_request();
                requests += 1;
            } else {
                fair_share.begin_job();
                jobs += 1;
            }
            running.push_back(is_request);
        }
        (jobs, requests)
    }

    /// P1: fails when requests that never end keep the folders waiting, or the reverse.
    #[test]
    fn where_both_wait_each_has_its_share() {
        for (workers, share) in [(1, 2), (2, 2), (4, 4), (8, 4), (9, 4)] {
            let (jobs, requests) = served(workers, 1_000);
            let wanted = 1_000 / share;
            assert!(
                requests.abs_diff(wanted) <= 60,
                "{workers} workers: {jobs} jobs, {requests} requests"
            );
        }
    }

    #[test]
    fn a_request_need_not_wait_for_a_second_job_to_end() {
        let mut fair_share = FairShare::default();
        for _ in 0..3 {
            fair_share.begin_job();
        }
        assert!(fair_share.is_requests(4));
        fair_share.begin_request();
        fair_share.end_job(&WorkerReturn::Lost);
        assert!(!fair_share.is_requests(4));
    }

    /// P1: of two photos one stalls, whose worker is given back long before its end; fails when that end frees the other's place
    /// as well: requests would be taken for the only ones who are served.
    #[test]
    fn photo_that_has_stalled_ends_one_turn() {
        let mut fair_share = FairShare::default();
        fair_share.begin_job();
        fair_share.begin_job();
        fair_share.end_job(&WorkerReturn::Lost);
        fair_share.begin_request();
        assert_eq!((fair_share.jobs, fair_share.requests), (1, 1));
        fair_share.end_job(&WorkerReturn::Earlier);
        assert_eq!((fair_share.jobs, fair_share.requests), (1, 1));
        fair_share.end_job(&WorkerReturn::Lost);
        assert_eq!(fair_share.jobs, 0);
    }
}
