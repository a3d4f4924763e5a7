//! Writes one log line for each finding about the ledger and each step on it. Must not act on them.

use std::io;
use std::path::Path;

use crate::delivery::Rebuilt;
use crate::ledger::{LedgerError, OpenStep};
use crate::percent;

pub(in crate::daemon) fn damaged(aside: &Path) {
    let aside = percent::display(aside);
    tracing::error!(
        aside,
        "the ledger was damaged; it is set aside and made anew from the cutouts"
    );
}

pub(in crate::daemon) fn not_closed(error: &LedgerError) {
    tracing::warn!(
        %error,
        "the ledger could not be closed: a copy of ledger.db needs ledger.db-wal too, and the next start reads the whole ledger"
    );
}

pub(in crate::daemon) fn forgotten(count: usize) {
    tracing::info!(
        count,
        "records of photos that are gone and older than `remember` are removed from the ledger"
    );
}

pub(in crate::daemon) fn restored() {
    tracing::info!(
        "the ledger is a backup that was restored; what was done since is learned from the cutouts"
    );
}

pub(in crate::daemon) fn ledger_step(step: &OpenStep) {
    match step {
        OpenStep::StaleWal(_) | OpenStep::Check(_) => tracing::warn!("{step}"),
        OpenStep::Checked(_) | OpenStep::Copy { .. } | OpenStep::Migrate { .. } => {
            tracing::info!("{step}");
        }
    }
}

/// `is_first`: hotcut has never served from this state directory.
pub(in crate::daemon) fn rebuilt(rebuilt: &Rebuilt, is_first: bool) {
    for error in &rebuilt.unreadable {
        if is_first && error.io().kind() == io::ErrorKind::NotFound {
            continue;
        }
        tracing::error!(%error, "an output folder could not be searched for cutouts; run `hotcut rebuild` when it can be read");
    }
    if rebuilt.cutouts + rebuilt.unclear > 0 {
        tracing::warn!(
            cutouts = rebuilt.cutouts,
            unclear = rebuilt.unclear,
            "the ledger was rebuilt from the cutouts"
        );
    }
}
