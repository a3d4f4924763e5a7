//! Describes the files that a folder does not take: how many, why, and what to do. Must not read files.

use crate::config::Include;
use crate::imaging::{is_read_ending, is_unsupported_ending};
use crate::intake::{Judgement, NotTaken};

/// How to take a file that hotcut can read but that is not included.
#[derive(Clone, Copy)]
pub(super) enum Remedy {
    /// Add a pattern to `include`.
    Include,
    /// Name the file as an input.
    Name,
}

/// The sentences about these files.
pub(super) fn sentences(not_taken: &NotTaken, remedy: Remedy) -> Vec<String> {
    let mut sentences = Vec::new();
    if not_taken.files() > 0 {
        sentences.push(format!("{not_taken}{}", advice(not_taken, remedy)));
    }
    let more = [
        (
            not_taken.conflicts,
            "is a copy that a sync program made because of a conflict; give it another name to have it cut out",
            "are copies that a sync program made because of a conflict; give them other names to have them cut out",
        ),
        (
            not_taken.links,
            "is a link, which is not followed; copy or move the photos themselves",
            "are links, which are not followed; copy or move the photos themselves",
        ),
        (
            not_taken.empty,
            "is empty; it is taken once it has content",
            "are empty; they are taken once they have content",
        ),
        (
            not_taken.hidden,
            "is a photo that was hidden to be moved more than an hour ago, as .hotcut-*.source; restart hotcut, and if it is \
             still there, give it a name that ends like a photo's to have it cut out",
            "are photos that were hidden to be moved more than an hour ago, as .hotcut-*.source; restart hotcut, and if they are \
             still there, give them names that end like a photo's to have them cut out",
        ),
    ];
    for (count, one, many) in more {
        match count {
            0 => {}
            1 => sentences.push(format!("1 file {one}")),
            count => sentences.push(format!("{count} files {many}")),
        }
    }
    sentences
}

fn advice(not_taken: &NotTaken, remedy: Remedy) -> String {
    let of = |is_known: fn(&str) -> bool| {
        let endings = not_taken.endings.keys();
        let endings = endings.filter(|ending| is_known(ending));
        let endings: Vec<String> = endings.map(|ending| format!("*.{ending}")).collect();
        endings.join(", ")
    };
    let read = of(is_read_ending);
    let not_read = of(is_unsupported_ending);
    let remedy = match remedy {
        Remedy::Include => format!("; to take {read}, add it to `include`"),
        Remedy::Name => format!("; to cut out {read}, name the files themselves"),
    };
    let export = format!("; {not_read} cannot be read: export such photos as JPEG or TIFF");
    [(read, remedy), (not_read, export)]
        .into_iter()
        .filter(|(endings, _)| !endings.is_empty())
        .map(|(_, sentence)| sentence)
        .collect()
}

/// The endings in patterns of `include` that no decoder reads. Patterns without an ending are skipped.
pub(super) fn endings_not_read(include: &Include) -> Vec<String> {
    let mut not_read = Vec::new();
    for pattern in include.patterns() {
        let Some((_, ending)) = pattern.rsplit_once('.') else {
            continue;
        };
        let choices = ending
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'));
        for ending in choices.unwrap_or(ending).split(',') {
            let ending = ending.trim().to_ascii_lowercase();
            let is_plain = ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if is_plain && !ending.is_empty() && !is_read_ending(&ending) {
                not_read.push(format!("*.{ending}"));
            }
        }
    }
    not_read
}

/// Why a file is not taken; `None` when it is.
pub(super) fn reason(judgement: Judgement) -> Option<&'static str> {
    match judgement {
        Judgement::Taken => None,
        Judgement::NotIncluded => Some("its name is not taken: no pattern of `include` matches it"),
        Judgement::Conflict => Some(
            "its name is not taken: a sync program made this copy because of a conflict; give it another name to have it cut out",
        ),
        Judgement::Excluded => Some(
            "its name is not taken: a pattern of `exclude` matches it or a folder that it lies in",
        ),
        Judgement::Litter => Some(
            "its name is not taken: it is hidden, temporary, or lies in a bin, a snapshot or a cache",
        ),
        Judgement::Own => Some("it lies in a folder into which hotcut moves photos"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_file_is_told_with_what_to_do() {
        let not_taken = NotTaken {
            endings: [("heic", 10), ("bmp", 2), ("zip", 1)]
                .map(|(ending, count)| (ending.to_owned(), count))
                .into(),
            others: 0,
            conflicts: 1,
            links: 2,
            empty: 0,
            hidden: 1,
        };
        assert_eq!(
            sentences(&not_taken, Remedy::Include),
            [
                "13 files are not taken: *.heic 10, *.bmp 2, *.zip 1; to take *.bmp, add it to `include`; \
                 *.heic cannot be read: export such photos as JPEG or TIFF",
                "1 file is a copy that a sync program made because of a conflict; give it another name to have it cut out",
                "2 files are links, which are not followed; copy or move the photos themselves",
                "1 file is a photo that was hidden to be moved more than an hour ago, as .hotcut-*.source; restart hotcut, and if \
                 it is still there, give it a name that ends like a photo's to have it cut out",
            ]
        );
        assert!(sentences(&NotTaken::default(), Remedy::Name).is_empty());
    }

    #[test]
    fn patterns_that_no_decoder_reads_are_found() {
        let patterns = [
            "*.JPG",
            "*.{png,heic}",
            "raw/*.nef",
            "*",
            "*.[jJ]pg",
            "a.b/*",
        ];
        let include = Include::new(patterns.map(str::to_owned).into()).unwrap();
        assert_eq!(endings_not_read(&include), ["*.heic", "*.nef"]);
    }
}
