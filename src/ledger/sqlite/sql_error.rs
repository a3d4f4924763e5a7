//! Converts an error of `SQLite` to the ledger's error. Must not decide what follows.

use rusqlite::ErrorCode;

use crate::ledger::error::LedgerError;

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store {
            remedy: remedy(&error),
            source: Box::new(error),
        }
    }
}

/// The code of an error of `SQLite`; `None` for any other error.
pub(super) fn code(error: &LedgerError) -> Option<ErrorCode> {
    let LedgerError::Store { source, .. } = error else {
        return None;
    };
    source
        .downcast_ref::<rusqlite::Error>()?
        .sqlite_error_code()
}

/// What a person can do about the error, if known.
fn remedy(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "; make space there",
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) => {
            "; see that it can be written to and has space and inodes left"
        }
        _ => "",
    }
}
