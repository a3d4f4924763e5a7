//! Stores the ledger in one `SQLite` file. Must not know folders, jobs or the loop.

mod attempts;
mod backup;
mod check;
mod damage;
mod explanations;
mod forget;
mod header;
mod history;
mod leftovers;
mod mounts;
mod names;
mod open;
mod outputs;
mod page;
mod rebuild;
mod recovery;
mod redo;
mod schema;
mod sql_error;
mod sqlite_ledger;
mod summary;

pub use backup::{Overwrite, back_up};
pub use damage::{LedgerFound, open_whole};
pub use open::{OpenStep, in_memory, open_existing};
pub use page::open_reader;

#[cfg(test)]
mod costs;
#[cfg(test)]
mod tests;
