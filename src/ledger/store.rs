//! The operations that any ledger has. Must not know how they are stored.

use super::attempts::AttemptStore;
use super::error::LedgerError;
use super::explanations::ExplanationStore;
use super::forget::ForgetStore;
use super::history::HistoryStore;
use super::mounts::MountStore;
use super::names::NameStore;
use super::page::PageStore;
use super::rebuild::RebuildStore;
use super::recovery::RecoveryStore;
use super::redo::RedoStore;
use super::summary::SummaryStore;

/// A ledger. Every change is durable before its method returns.
pub trait LedgerStore:
    AttemptStore
    + RecoveryStore
    + ExplanationStore
    + NameStore
    + MountStore
    + HistoryStore
    + PageStore
    + SummaryStore
    + RedoStore
    + RebuildStore
    + ForgetStore
    + Send
{
    /// Eight hexadecimal digits that distinguish this ledger's temporary files from those of others.
    fn id(&self) -> &str;

    /// Returns a number that changes when another process has written to the ledger.
    fn foreign_changes(&mut self) -> Result<i64, LedgerError>;

    /// Moves recent changes to where they take no extra space, as far as readers of the ledger allow, without waiting.
    fn checkpoint(&mut self) -> Result<(), LedgerError>;

    /// Closes the ledger.
    fn close(self: Box<Self>) -> Result<(), LedgerError>;
}
