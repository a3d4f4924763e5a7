//! Decides whether a folder or a request gets the next worker. Each side has a share of the workers that the other cannot take.
//! Pure.

use crate::job::WorkerReturn;

/// The workers that photos and requests have now.
#[derive(Debug, Default)]
pub(super) struct FairShare {
    pub(super) jobs: usize,
    pub(super) requests: usize,
    was_request: bool,
}

impl FairShare {
    /// Returns whether a request gets the next of `workers` workers when both sides wait. A quarter of the workers, and at least
    /// one, is for requests; a single worker alternates. Either side may use what the other leaves idle.
    pub(super) fn is_requests(&self, workers: usize) -> bool {
        let for_requests = (workers / 4).max(1);
        let for_jobs = workers.saturating_sub(for_requests).max(1);
        let (requests, jobs) = (self.requests * for_jobs, self.jobs * for_requests);
        requests < jobs || requests == jobs && !self.was_request
    }

    /// Notes that a request got a worker.
    pub(super) fn begin_request(&mut self) {
        self.requests += 1;
        self.was_request = true;
    }

    /// Notes that a request is over.
    pub(super) fn end_request(&mut self) {
        self.requests = self.requests.saturating_sub(1);
    }

    /// Notes that a photo of a folder got a worker.
    pub(super) fn begin_job(&mut self) {
        self.jobs += 1;
        self.was_request = false;
    }

    /// Notes that a photo of a folder returned its worker. A worker that was returned while a disk hung is not counted again: a
    /// folder that waits for its disk must not count as served.
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

    /// Gives each free worker to the side whose turn it is while both wait; every photo takes equally long.
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

    /// P1: one of two photos stalls, and its worker is returned long before its end. Fails when that end also frees the place of
    /// the other photo: requests would then count as the only ones served.
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
