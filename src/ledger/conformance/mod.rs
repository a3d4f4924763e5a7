//! What any ledger must do, as cases that run on a [`Subject`]. Must not know how a ledger is stored.

pub(crate) mod attempts;
pub(crate) mod explanations;
pub(crate) mod forget;
pub(crate) mod history;
pub(crate) mod holds;
pub(crate) mod names;
pub(crate) mod page;
pub(crate) mod rebuild;
pub(crate) mod recovery;
pub(crate) mod redo;
pub(crate) mod summary;

use super::{Arrival, Begun, LedgerStore, OutputName, PlannedOutput, Version};
use crate::config::{OnSameName, OutputSpec};
use crate::fs::stamp::Stamp;

/// A ledger under test.
pub(crate) trait Subject {
    /// Opens the ledger, or opens it again as the process after a crash does.
    fn open(&mut self) -> Box<dyn LedgerStore>;
}

/// Makes one test of each case. `$subject` makes a new, empty ledger.
macro_rules! run_on {
    ($subject:expr) => {
        $crate::ledger::conformance::run_on! { $subject;
            attempts: attempts_count_from_the_beginning_and_are_given_back_when_the_environment_failed,
            attempts: only_final_results_finish_a_version,
            attempts: a_version_that_comes_back_after_its_successor_is_unfinished,
            attempts: a_version_that_is_running_is_not_begun_again,
            attempts: of_attempts_that_do_not_count_the_last_one_is_kept,
            holds: an_attempt_that_is_over_records_nothing,
            holds: a_superseded_version_stays_so,
            holds: a_placed_version_is_resumed_once,
            holds: of_two_that_begin_one_has_it,
            names: a_name_belongs_to_one_source_for_ever,
            names: names_are_reserved_all_or_none,
            names: an_inode_alone_does_not_tell_a_photo,
            recovery: deaths_of_the_daemon_are_forgiven_up_to_a_limit,
            recovery: recovery_names_each_output,
            recovery: only_a_placed_version_is_retired_late,
            recovery: recovery_names_what_was_being_written,
            recovery: a_version_whose_cutout_is_placed_has_only_its_source_left_to_do,
            recovery: a_touched_photo_keeps_its_row,
            recovery: a_version_that_is_begun_again_has_no_cutout_yet,
            summary: a_corrected_file_takes_its_predecessor_off_the_list_of_failures,
            summary: quarantined_sources_are_named_in_pages,
            summary: a_retried_file_has_all_its_attempts_again,
            history: a_history_tells_each_version_and_each_attempt_that_failed,
            redo: a_photo_is_cut_out_again_once,
            rebuild: a_source_owns_the_names_of_all_its_cutouts,
            rebuild: cutouts_of_one_name_in_two_folders_are_one_version,
            explanations: a_quarantined_version_is_unexplained_until_somebody_is_told,
            forget: old_versions_are_those_that_ended_long_ago,
            forget: a_version_whose_path_another_photo_has_waits_for_its_record,
            forget: a_version_is_forgotten_only_as_it_was_listed_and_the_earliest_first,
            page: pages_have_each_photo_once_the_newest_first,
            page: a_row_tells_what_was_recorded,
        }
    };
    ($subject:expr; $($topic:ident: $case:ident,)*) => {
        $(
            #[test]
            fn $case() {
                $crate::ledger::conformance::$topic::$case(&mut $subject);
            }
        )*
    };
}

pub(crate) use run_on;

pub(crate) const ARRIVAL: Arrival = Arrival {
    born_ns: Some(7),
    seen_at_ms: 1_000,
    settled_at_ms: 3_000,
};

pub(crate) fn version(source: &str, number: i64) -> Version {
    Version {
        folder: "products".into(),
        source: source.into(),
        stamp: Stamp {
            len: 10,
            mtime_ns: number,
            ctime_ns: 0,
            // Beyond the signed range, and not an inode that a retired row gets.
            ino: u64::MAX - (1 << 20),
        },
    }
}

pub(crate) fn under(name: &str) -> OutputName {
    OutputName {
        output: "/out".into(),
        name: name.into(),
        folded: name.to_lowercase().into_bytes(),
    }
}

pub(crate) fn begin(ledger: &mut dyn LedgerStore, version: &Version) -> Begun {
    ledger
        .begin(version, ARRIVAL, "u2net", &plain("/out/a.png"))
        .unwrap()
        .expect("nobody is at work on it")
}

/// One plain output at `path`.
pub(crate) fn plain(path: &str) -> Vec<PlannedOutput> {
    vec![PlannedOutput {
        path: path.into(),
        spec: OutputSpec::default(),
    }]
}

pub(crate) fn is_unfinished(ledger: &mut dyn LedgerStore, version: &Version) -> bool {
    ledger
        .unfinished(std::slice::from_ref(version), OnSameName::Replace)
        .unwrap()
        == [true]
}
