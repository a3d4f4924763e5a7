//! Counts, by kind, the files that a listing finds and does not take. Must not keep file names.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

use rustix::fs::FileType;
use serde::{Deserialize, Serialize};

use super::Judgement;
use super::litter::is_hidden_photo;

/// The most endings that are counted separately; files with further endings are counted together.
const ENDINGS_MAX: usize = 20;

/// The longest ending that is shown, in bytes; anything longer is part of a name with a dot in it.
const ENDING_LEN_MAX: usize = 12;

/// The longest time that a photo can have the hidden name under which it is moved: a copy to a slow disk.
const MOVE_LIMIT: Duration = Duration::from_hours(1);

/// The files of a hot folder that are left alone. Not counted: files that `exclude` names, hidden and temporary files, and files in
/// a bin, a snapshot or a cache.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NotTaken {
    /// Files that no pattern of `include` matches, by their ending in lower case; the ending is empty for names without one.
    pub endings: BTreeMap<String, u64>,
    /// Further such files, whose endings are not in `endings`.
    pub others: u64,
    /// Copies that a sync program made because of a conflict.
    pub conflicts: u64,
    /// Links, which are not followed.
    pub links: u64,
    /// Files that are taken once they are not empty any more.
    pub empty: u64,
    /// Photos that were hidden for a move or deletion more than an hour ago: the move hangs, or its ledger is lost.
    pub hidden: u64,
}

impl NotTaken {
    /// Counts a file that is not taken; `age` is the time since the file or its name last changed.
    pub(super) fn count(
        &mut self,
        relative: &Path,
        kind: FileType,
        judgement: Judgement,
        age: Option<Duration>,
    ) {
        match (kind, judgement) {
            (FileType::RegularFile, Judgement::NotIncluded) => {
                self.count_ending(relative.extension());
            }
            (FileType::RegularFile, Judgement::Conflict) => self.conflicts += 1,
            (FileType::RegularFile, Judgement::Litter) => {
                let name = relative.file_name().unwrap_or_default();
                let is_left =
                    is_hidden_photo(name.as_bytes()) && age.is_some_and(|age| age > MOVE_LIMIT);
                self.hidden += u64::from(is_left);
            }
            // A link may lead to a photo or to a whole folder of photos.
            (FileType::Symlink, Judgement::Taken | Judgement::NotIncluded) => self.links += 1,
            _ => {}
        }
    }

    /// Counts a file that no pattern of `include` matches.
    fn count_ending(&mut self, ending: Option<&OsStr>) {
        let ending = ending.unwrap_or_default().as_bytes().to_ascii_lowercase();
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_+".contains(byte);
        let shown = String::from_utf8(ending).ok().filter(|ending| {
            ending.len() <= ENDING_LEN_MAX && ending.as_bytes().iter().all(is_plain)
        });
        let is_full = self.endings.len() >= ENDINGS_MAX;
        match shown.filter(|ending| !is_full || self.endings.contains_key(ending)) {
            Some(ending) => *self.endings.entry(ending).or_default() += 1,
            None => self.others += 1,
        }
    }

    /// The number of files that no pattern of `include` matches.
    pub fn files(&self) -> u64 {
        self.endings.values().sum::<u64>() + self.others
    }

    /// Adds the counts of another listing.
    pub fn add(&mut self, other: &Self) {
        for (ending, count) in &other.endings {
            let is_full = self.endings.len() >= ENDINGS_MAX && !self.endings.contains_key(ending);
            if is_full {
                self.others += count;
            } else {
                *self.endings.entry(ending.clone()).or_default() += count;
            }
        }
        self.others += other.others;
        self.conflicts += other.conflicts;
        self.links += other.links;
        self.empty += other.empty;
        self.hidden += other.hidden;
    }
}

/// `12 files are not taken: *.heic 10, *.jfif 2`; nothing if there are none.
impl fmt::Display for NotTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.files() {
            0 => return Ok(()),
            1 => f.write_str("1 file is not taken: ")?,
            files => write!(f, "{files} files are not taken: ")?,
        }
        let mut endings: Vec<_> = self.endings.iter().collect();
        endings.sort_by_key(|(ending, count)| (std::cmp::Reverse(**count), *ending));
        let endings = endings.iter().map(|(ending, count)| {
            if ending.is_empty() {
                format!("without an ending {count}")
            } else {
                format!("*.{ending} {count}")
            }
        });
        let others = (self.others > 0).then(|| format!("others {}", self.others));
        let parts: Vec<String> = endings.chain(others).collect();
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_counted_the_most_frequent_first() {
        let mut left = NotTaken::default();
        for (ending, count) in [("jfif", 2), ("HEIC", 6), ("heic", 4), ("", 1)] {
            for _ in 0..count {
                left.count_ending(Some(OsStr::new(ending)));
            }
        }
        let words = "13 files are not taken: *.heic 10, *.jfif 2, without an ending 1";
        assert_eq!(left.to_string(), words);
        let mut one = NotTaken::default();
        one.count_ending(Some(OsStr::new("bmp")));
        assert_eq!(one.to_string(), "1 file is not taken: *.bmp 1");
    }

    /// P4: fails when a photo that stays hidden for ever leaves no trace, or when a photo that is being moved is counted.
    #[test]
    fn photo_that_has_long_been_hidden_is_counted() {
        let count = |name: &str, age: Duration| {
            let mut found = NotTaken::default();
            let (kind, judgement) = (FileType::RegularFile, Judgement::Litter);
            found.count(Path::new(name), kind, judgement, Some(age));
            found.hidden
        };
        let hidden = "sub/.hotcut-0a1b2c3d-17.source";
        assert_eq!(count(hidden, MOVE_LIMIT + Duration::from_secs(1)), 1);
        assert_eq!(count(hidden, Duration::from_mins(30)), 0);
        assert_eq!(count("sub/.hotcut-0a1b2c3d-17.tmp", MOVE_LIMIT * 2), 0);
    }

    /// P6: fails when memory grows with the number of endings, or when files are left out of the count because there are many
    /// endings.
    #[test]
    fn of_very_many_endings_some_are_named() {
        let mut left = NotTaken::default();
        for number in 0..1_000 {
            left.count_ending(Some(OsStr::new(&format!("e{number}"))));
        }
        left.count_ending(Some(OsStr::new("of 3 May, the whole shoot")));
        assert_eq!(left.endings.len(), ENDINGS_MAX);
        assert_eq!(left.files(), 1_001);
        let mut sum = left.clone();
        sum.add(&left);
        assert_eq!((sum.endings.len(), sum.files()), (ENDINGS_MAX, 2_002));
    }
}
