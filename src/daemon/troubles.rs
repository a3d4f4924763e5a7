//! What keeps single photos of a folder waiting -> told once, and shown for as long as it lasts; decides nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::percent;

/// Photos that are shown; of very many with the same trouble these tell enough.
const SHOWN_MAX: usize = 20;

/// Photos that are remembered; beyond them more of the same is no news.
const REMEMBERED_MAX: usize = 1_000;

/// A photo that waits, as status shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Its path below the hot folder.
    pub path: String,
    /// What it waits for the end of.
    pub reason: String,
}

/// The troubles of one folder.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    photos: BTreeMap<PathBuf, String>,
    unreadable: Option<String>,
}

impl Troubles {
    /// Notes why a photo waits; tells whether that is news.
    pub(super) fn note(&mut self, relative: &Path, reason: String) -> bool {
        if self.photos.len() >= REMEMBERED_MAX && !self.photos.contains_key(relative) {
            return false;
        }
        self.photos.insert(relative.to_owned(), reason.clone()) != Some(reason)
    }

    /// A photo waits no longer.
    pub(super) fn end(&mut self, relative: &Path) {
        self.photos.remove(relative);
    }

    /// Notes what a listing could not read; tells whether that is news.
    pub(super) fn unreadable(&mut self, reason: Option<String>) -> bool {
        let is_news = reason.is_some() && self.unreadable != reason;
        self.unreadable = reason;
        is_news
    }

    /// The folder is away, and with it all that was known of it.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The photos that wait, the first few of them.
    pub(super) fn waiting(&self) -> Vec<Waiting> {
        let photos = self.photos.iter().take(SHOWN_MAX);
        let shown = photos.map(|(path, reason)| Waiting {
            path: percent::display(path),
            reason: reason.clone(),
        });
        shown.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P6, P10: fails when memory or log grow with the number of photos in a folder that is read-only.
    #[test]
    fn of_very_many_troubles_some_are_remembered() {
        let mut troubles = Troubles::default();
        let names = (0..REMEMBERED_MAX * 2).map(|number| PathBuf::from(format!("{number}.jpg")));
        let told = names.filter(|name| troubles.note(name, "read-only".to_owned()));
        assert_eq!(told.count(), REMEMBERED_MAX);
        assert_eq!(troubles.photos.len(), REMEMBERED_MAX);
        assert!(troubles.note(Path::new("0.jpg"), "no space".to_owned()));
    }

    /// P10: fails when a trouble is told twice, or when one that comes back is not told again.
    #[test]
    fn a_trouble_is_news_until_it_ends() {
        let photo = Path::new("a.jpg");
        let mut troubles = Troubles::default();
        assert!(troubles.note(photo, "read-only".to_owned()));
        assert!(!troubles.note(photo, "read-only".to_owned()));
        assert!(troubles.note(photo, "no space".to_owned()));
        assert_eq!(troubles.waiting().len(), 1);
        troubles.end(photo);
        assert!(troubles.waiting().is_empty());
        assert!(troubles.note(photo, "no space".to_owned()));
        let closed = || Some("sub: permission denied".to_owned());
        assert!(troubles.unreadable(closed()));
        assert!(!troubles.unreadable(closed()));
        assert!(!troubles.unreadable(None));
        assert!(troubles.unreadable(closed()));
    }
}
