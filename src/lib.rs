//! hotcut: converts each photo that arrives in a hot folder to a transparent PNG.
//!
//! # The map, in reading order
//!
//! `Sighting -> SettledFile -> Job -> [Photo -> Tensor -> Mask -> Matte -> bytes of each output] -> Temp* -> placed files -> record`
//!
//! | module | turns | into |
//! |---|---|---|
//! | [`config`] | a TOML file | a validated configuration, or every fault in it |
//! | [`intake`] | a hot folder | settled files: watch, listing and quiet time |
//! | [`job`] | a settled file and a worker | one finished attempt: the commit order on one screen |
//! | [`worker`] | an order and photo bytes | the bytes of each output, in a process that may die |
//! | [`inference`] | a model file and a tensor | a mask: ONNX Runtime, a session that stays loaded |
//! | [`imaging`] | photo bytes | the bytes of each output: decode, network, matte, render; or a smaller picture |
//! | [`model`] | a model's manifest | how its network wants a photo, and what its answer means |
//! | [`delivery`] | a result | files that are whole or absent |
//! | [`ledger`] | what happened to a photo | a record of it in `SQLite`, and answers about all photos |
//! | [`daemon`] | events | what is done next: one loop, one place that names every phase |
//! | [`http`] | HTTP requests | cutouts, pages and metrics; off unless configured |
//! | [`notifications`] | events of the loop | messages to a webhook and a command, on a thread of its own |
//! | [`command`] | arguments | output and an exit code |
//! | [`shutdown`] | signals | messages for the loop |
//!
//! Small and shared: [`fs`] (file systems: renames that never overwrite; paths that cannot leave a folder; where a path leads; mounts;
//! free space; versions of a file; work with a deadline), [`blocking`] (work on a thread of its own), [`backoff`] (waits that double),
//! [`provenance`] (the text chunk that identifies an output of hotcut), [`percent`], [`hex`], [`png_chunks`], [`accounts`] (names of
//! users and groups), [`journal`] (entries of systemd's journal), [`rfc3339`] (times as text), [`version`].
//! For tests only: `fuzzing` (entry points for hostile bytes) and `chaos` (files that make the daemon itself fail).
//!
//! # Invariants
//!
//! `tests/it/source_text/architecture.rs` checks the invariants that are visible in source text. `tests/it/source_text/glossary.rs` checks that no two types
//! have the same name.
//!
//! - `intake`, `imaging` and `delivery` do not use each other; only `job` and `daemon` combine them.
//! - Modules depend on each other in one direction.
//! - One file each names `ort`, `nix`, `notify`, `signal-hook`, `hmac`, `landlock` and `seccompiler`; only `ledger/sqlite` names `rusqlite`, and
//!   only `config` and `model` name `toml`. Replacing one of them changes that file or folder.
//! - `imaging` has no paths, no async, and no clock except for timing; all its hostile input is bytes.
//! - Only `intake::settle` can make an [`intake::SettledFile`], and it reads neither the clock nor the disk.
//! - An attempt is in the ledger before a worker gets the photo. An output is durable before the ledger records it as placed.
//!   Only then may a source be touched, and only if it is still the version that was processed.
//! - The number of worker processes is the concurrency limit: a job owns its worker, and there is no other permit. A job
//!   that waits for a disk beyond `timeout` returns the worker and goes on waiting; its folder starts no other job until it ends.
//! - Work on a configured path is done by a scanner, by a job, or by [`fs::disk::ask`] on a thread of its own with a deadline. If
//!   such a thread waits for a disk, no second thread is started for the same work. Files on those disks are closed by other
//!   threads ([`fs::detached`]).
//! - The loop never waits for a hot folder or an output folder; scanners (one thread per folder) and jobs do. It does not know
//!   who receives its notifications.
//! - An error becomes text only when it is shown. One exhaustive match, [`job::JobError::disposition`], decides what follows
//!   from it.
//!
//! # Promises
//!
//! P1 to P10 are defined in `tests/it/main.rs`. The doc of each test names the promise that it guards, and what makes it fail.
//! The broadest tests: `tests/it/faults/kills.rs` (a fault at every system call), `churn.rs` (random actions and an oracle), `chaos.rs`
//! (workers that crash and lie, a watch that dies). For each promise, a test was seen to fail after the code that keeps the
//! promise was removed:
//!
//! | | what was taken out | a test that fails then |
//! |---|---|---|
//! | P1 | `HotFolder::lost` does nothing (`daemon/folder.rs`) | `photos_that_an_event_overflow_hides_are_delivered` |
//! | P1 | `now < ready_at` (`intake/settle.rs`) | `whatever_events_are_lost_every_file_settles_once` |
//! | P1 | `sighted_since_look` is not set (`intake/settle.rs`) | `a_file_that_is_sighted_during_a_look_is_looked_at_once_more` |
//! | P1 | the key of `Queue::files` (`daemon/queue.rs`) | `all_photos_that_wait_are_counted_and_the_oldest_go_first` |
//! | P2 | what is `done` counts as unfinished (`ledger/sqlite/attempts.rs`) | `restart_reprocesses_nothing` |
//! | P2 | `take_unretired` is not heeded (`job/attempt.rs`) | `cutout_that_was_fetched_before_its_source_could_be_moved_is_not_made_again` |
//! | P2 | a lost ledger is not rebuilt (`daemon/start.rs`) | `photo_corrected_after_the_ledger_was_lost_keeps_its_name` |
//! | P2 | `set_stale_wal_aside` does nothing (`ledger/sqlite/header.rs`) | `a_restored_ledger_is_not_mixed_with_what_was_left` |
//! | P2 | the ledger is not closed (`command/run.rs`) | `a_stopped_service_leaves_its_ledger_in_one_file` |
//! | P2 | `same_version` is not asked (`daemon/forget.rs`) | `only_a_photo_that_is_gone_for_certain_is_forgotten` |
//! | P3 | `sync_all` of bytes or `sync` of the name (`delivery/place.rs`) | `each_step_is_durable_before_the_next_one` |
//! | P3 | `png_check.check` (`worker/connection.rs`) | `worker_that_crashes_or_lies_costs_its_own_photo_alone` |
//! | P4 | `source.verify` (`job/attempt.rs`) | `photo_that_is_written_over_while_it_is_read_gives_no_mixture` |
//! | P4 | the look after `set_aside` (`delivery/retire.rs`) | `photo_that_takes_the_place_of_one_that_is_being_deleted_is_not_deleted` |
//! | P4 | `check_replaceable` (`delivery/place.rs`) | `cutout_that_is_retouched_while_its_successor_is_made_is_left_alone` |
//! | P4 | `is_copy` (`delivery/retire.rs`) | `daemon_killed_while_it_moves_a_photo_to_another_disk_leaves_one` |
//! | P4 | `is_litter` (`intake/litter.rs`) | `bins_snapshots_and_caches_are_left_alone` |
//! | P4 | `looks_again` (`job/finish.rs`) | `bitmap_that_is_written_on_after_its_cutout_is_not_deleted` |
//! | P4 | `rename::link` (`fs/rename.rs`) | `share_without_links_is_refused_and_nothing_is_lost` |
//! | P5 | `attempts >= max_attempts` (`job/finish.rs`) | `photo_that_hangs_its_last_attempt_is_quarantined` |
//! | P5 | `Pool::reap` (`daemon/dispatch.rs`) | `death_of_an_idle_worker_is_no_photos_fault` |
//! | P5 | `Baseline::kill_since` (`worker/shortage.rs`) | `photo_that_the_machine_has_no_memory_for_waits_and_others_go_on` |
//! | P6 | `Limit::check` (`imaging/format`) | `claim_of_too_many_pixels_is_refused_by_the_header` |
//! | P6 | `Resource::As` (`worker/sandbox.rs`) | `photo_beyond_the_memory_of_a_worker_costs_only_itself` |
//! | P7 | `timeout` of the exchange (`job/exchange.rs`) | `worker_that_misses_its_deadline_is_killed_and_its_photo_retried` |
//! | P7 | `WorkerLease::give_back` (`job/worker_lease.rs`) | `disk_that_hangs_while_a_cutout_is_placed_holds_up_its_own_folder_only` |
//! | P7 | `notice_silence` (`daemon/tick.rs`) | `mount_that_hangs_under_a_running_daemon_is_told_of_until_it_answers` |
//! | P8 | `is_late` (`daemon/mod.rs`) | `drain_gives_up_at_its_timeout_and_the_photo_is_done_next_time` |
//! | P8 | `jobs.is_empty()` (`daemon/mod.rs`) | `sigterm_finishes_the_running_job_and_exits_with_zero` |
//! | P8 | `RecoveryStore::recover` (`daemon/start.rs`) | `daemon_killed_in_mid_job_delivers_everything_once_after_a_restart` |
//! | P8 | `register_conditional_shutdown` (`shutdown.rs`) | `second_sigterm_exits_at_once` |
//! | P9 | a refused reload ends the daemon (`daemon/reload.rs`) | `sighup_with_a_broken_file_names_the_fault_and_goes_on` |
//! | P10 | `State::pause` (`daemon/state.rs`) | `full_output_folder_pauses_until_there_is_space` |
//! | P10 | `held.insert` (`intake/settle.rs`) | `photo_that_ends_early_is_shown_with_its_deadline` |
//! | P10 | `explain_late` (`daemon/tick.rs`) | `move_to_failed_is_tried_again_until_it_works` |
//! | P10 | `not_taken.count` (`intake/walk.rs`) | `files_that_are_not_taken_are_counted_by_ending` |
//! | P10 | `check_space` (`job/attempt.rs`) | `output_disk_keeps_what_must_stay_free` |
//! | P10 | `look_at_state_dir` (`daemon/tick.rs`) | `daemon_whose_ledger_has_no_room_begins_nothing_and_says_so` |
//! | P10 | `blocked.note` (`daemon/event.rs`) | `photo_whose_cutout_has_no_place_waits_alone` |

pub mod accounts;
pub mod backoff;
pub mod blocking;
#[cfg(feature = "chaos")]
mod chaos;
pub mod command;
pub mod config;
pub mod daemon;
pub mod delivery;
pub mod fs;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod hex;
pub mod http;
pub mod imaging;
pub mod inference;
pub mod intake;
pub mod job;
pub mod journal;
pub mod ledger;
pub mod model;
pub mod notifications;
pub mod percent;
pub mod png_chunks;
pub mod provenance;
pub mod rfc3339;
pub mod shutdown;
pub mod version;
pub mod worker;
