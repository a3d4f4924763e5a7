//! Converts the reason of a failed attempt to what its photo waits for. Must not read the ledger.

use crate::imaging::CutoutError;
use crate::intake::SourceError;
use crate::ledger::FailedAttempt;

/// What is wrong with a photo that may still be incomplete, and what happens when nothing more arrives. `None` when hotcut does not
/// wait for it.
pub(super) fn waits_for(failed: &FailedAttempt) -> Option<(&'static str, &'static str)> {
    let reasons = [
        (
            CutoutError::Truncated.to_string(),
            ("it ends early", "quarantined"),
        ),
        (
            CutoutError::ZeroEnd.to_string(),
            ("it ends in zeros", "taken as it is"),
        ),
        (
            SourceError::Unwritten.to_string(),
            ("parts of it were never written", "taken as it is"),
        ),
    ];
    let mut reasons = reasons.into_iter().filter(|_| !failed.is_counted);
    let found = reasons.find(|(reason, _)| *reason == failed.reason);
    found.map(|(_, told)| told)
}
