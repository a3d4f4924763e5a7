//! Pages of photos, and the operations that read them. Must not change anything.

use std::path::PathBuf;

use super::error::LedgerError;
use super::history::PhotoState;
use crate::fs::stamp::Stamp;

/// The most photos on a page.
pub const PAGE_MAX: u32 = 200;

/// Selects photos, newest first.
#[derive(Clone, Debug)]
pub struct PhotoQuery {
    /// Only photos of this hot folder.
    pub folder: Option<String>,
    /// Only photos in this state.
    pub state: Option<PhotoState>,
    /// Only photos with a lower `id`: the last `id` of the previous page.
    pub before: Option<i64>,
    /// The most photos to return, up to [`PAGE_MAX`].
    pub count: u32,
}

/// One version of one source. Times are milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhotoRow {
    /// Greater than the id of every version that was begun earlier.
    pub id: i64,
    /// The name of the hot folder.
    pub folder: String,
    /// The path of the source below it.
    pub source: PathBuf,
    /// Its state.
    pub state: PhotoState,
    /// Its stamp. The inode is lost once the source was moved or deleted; the change time is not stored.
    pub stamp: Stamp,
    /// The paths of its outputs, placed or planned.
    pub outputs: Vec<PathBuf>,
    /// The model.
    pub model: String,
    /// The reason, if it is quarantined or ignored.
    pub reason: Option<String>,
    /// The number of attempts that count.
    pub attempts: u32,
    /// When the last attempt began.
    pub begun_at_ms: i64,
    /// When it ended.
    pub ended_at_ms: Option<i64>,
}

/// Lists photos.
pub trait PageStore {
    /// Returns a page of photos. The cost depends on the page, not on the length of the ledger.
    fn photos(&mut self, query: &PhotoQuery) -> Result<Vec<PhotoRow>, LedgerError>;

    /// Returns one photo, if there is such an `id`.
    fn photo(&mut self, id: i64) -> Result<Option<PhotoRow>, LedgerError>;
}
