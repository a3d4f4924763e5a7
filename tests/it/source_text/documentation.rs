//! Checks statements in the README and `docs/`: links, configurations, paths, words. Must not change a page.

#[cfg(test)]
mod commands;
#[cfg(test)]
mod help;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::architecture::sources;
use crate::support::binary::{CHECKOUT, hotcut};

const README_LINES_MAX: usize = 150;

/// Words of figurative language, and former names, that no page may use outside code.
const BANNED: &[&str] = &[
    "courier", "desk", "errand", "errands", "herald", "scribe", "seat", "sluice", "whoever",
    "whomever",
];

/// Folders of the checkout whose paths the pages name.
const ROOTS: &[&str] = &[
    ".ci/",
    ".package/",
    "config/",
    "models/",
    "src/",
    "systemd/",
    "tests/",
];

/// The path in the checkout and the text of each page.
fn pages() -> Vec<(PathBuf, String)> {
    let below = fs::read_dir(Path::new(CHECKOUT).join("docs")).unwrap();
    let docs = below.map(|entry| Path::new("docs").join(entry.unwrap().file_name()));
    let docs = docs.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let all = docs.chain([PathBuf::from("README.md")]);
    all.map(|path| (path.clone(), read(&path))).collect()
}

fn read(path: &Path) -> String {
    let whole = Path::new(CHECKOUT).join(path);
    fs::read_to_string(&whole).unwrap_or_else(|error| panic!("{}: {error}", whole.display()))
}

/// The targets of a page's links and pictures.
fn links(page: &str) -> Vec<&str> {
    let after = page.split("](").skip(1);
    after.filter_map(|rest| rest.split(')').next()).collect()
}

/// The link names of the headings of a page.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let named = headings.map(|line| line.trim_start_matches('#').trim().to_lowercase());
    let of_words = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    named
        .map(|heading| heading.chars().filter(of_words).collect::<String>())
        .map(|heading| heading.replace(' ', "-"))
        .collect()
}

/// The code blocks of a page in this language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let parts = page.split("\n```").enumerate();
    let inside = parts.filter(|(index, _)| index % 2 == 1);
    inside
        .filter_map(|(_, part)| part.split_once('\n'))
        .filter(|(head, _)| *head == language)
        .map(|(_, block)| block)
        .collect()
}

/// A page without its code blocks.
fn without_blocks(page: &str) -> String {
    let parts = page.split("\n```").step_by(2);
    parts.collect::<Vec<_>>().join("\n")
}

/// The inline code in the sentences and tables of a page, and the text around it.
fn spans_and_prose(page: &str) -> (Vec<String>, String) {
    let page = without_blocks(page);
    let (mut spans, mut prose) = (Vec::new(), String::new());
    for (index, part) in page.split('`').enumerate() {
        if index % 2 == 1 {
            let part = part.replace("\\|", "|");
            spans.push(part.split_whitespace().collect::<Vec<_>>().join(" "));
        } else {
            prose.push_str(part);
        }
    }
    (spans, prose)
}

/// Fails when a page or heading is renamed and a link keeps the old name.
#[test]
fn every_link_leads_somewhere() {
    let mut count = 0;
    for (path, page) in pages() {
        let outward = ["https://", "http://"];
        let inward = |link: &&str| !outward.iter().any(|start| link.starts_with(start));
        for link in links(&page).into_iter().filter(inward) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                path.clone()
            } else {
                path.parent().unwrap().join(file)
            };
            let there = Path::new(CHECKOUT).join(&target).exists();
            assert!(there, "{}: there is no {file}", path.display());
            if !anchor.is_empty() {
                let anchors = anchors(&read(&target));
                let there = anchors.iter().any(|there| there == anchor);
                assert!(there, "{}: {link} is none of {anchors:?}", path.display());
            }
            count += 1;
        }
    }
    assert!(count > 40, "{count}");
}

/// Fails when a page shows a configuration that hotcut refuses.
#[test]
fn every_configuration_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let mut count = 0;
    for (path, page) in pages() {
        for block in blocks(&page, "toml") {
            let config = folder.path().join("hotcut.toml");
            // The script of a recipe is not installed here, and a command must be there.
            let block = block.replace("/usr/local/bin/hotcut-by-date", "/bin/sh");
            fs::write(&config, block).unwrap();
            let arguments = ["check", "--configuration-only", "--config"];
            let told = hotcut().args(arguments).arg(&config).output().unwrap();
            assert!(told.status.success(), "{}: {told:?}", path.display());
            count += 1;
        }
    }
    assert!(count >= 4, "{count} configurations");
}

/// Fails when a page shows a message that is not JSON.
#[test]
fn every_message_is_json() {
    let mut count = 0;
    for (path, page) in pages() {
        for line in blocks(&page, "json").into_iter().flat_map(str::lines) {
            let parsed = serde_json::from_str::<serde_json::Value>(line);
            assert!(parsed.is_ok(), "{}: {line}", path.display());
            count += 1;
        }
    }
    assert!(count >= 2, "{count} messages");
}

/// Fails when a file is moved, or a test renamed, and a page keeps the old name.
#[test]
fn every_file_and_test_that_is_named_exists() {
    let sources: Vec<_> = ["src", "tests/it"].into_iter().flat_map(sources).collect();
    let (mut files, mut tests) = (0, 0);
    for (path, page) in pages() {
        let (spans, _) = spans_and_prose(&page);
        for span in spans {
            let is_path = ROOTS.iter().any(|root| span.starts_with(root));
            if is_path && !span.contains(' ') && !span.contains("NAME") {
                let file = Path::new(CHECKOUT).join(&span);
                let there = file.exists() || file.with_extension("rs").exists();
                assert!(there, "{}: there is no {span}", path.display());
                files += 1;
            }
            let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if span.chars().all(is_word)
                && span.matches('_').count() >= 3
                && !span.starts_with("hotcut_")
            {
                let test = format!("fn {span}(");
                let there = sources.iter().any(|source| source.text.contains(&test));
                assert!(there, "{}: there is no {span}", path.display());
                tests += 1;
            }
        }
    }
    assert!(files >= 30 && tests >= 10, "{files} files, {tests} tests");
}

/// Fails when a crate is added without a documented reason.
#[test]
fn every_crate_has_its_reason() {
    let manifest = read(Path::new("Cargo.toml"));
    let (_, after) = manifest.split_once("\n[dependencies]\n").unwrap();
    let (section, _) = after.split_once("\n[").unwrap();
    let crates = section.lines().filter(|line| !line.starts_with('#'));
    let crates: Vec<&str> = crates
        .filter_map(|line| Some(line.split_once(" = ")?.0))
        .collect();
    assert!(crates.len() > 30, "{crates:?}");
    let page = read(Path::new("docs/architecture.md"));
    for name in crates {
        assert!(
            page.contains(&format!("`{name}`")),
            "docs/architecture.md has no {name}"
        );
    }
}

/// Fails when a page uses figurative language, or a name that was given up.
#[test]
fn pages_use_plain_words() {
    for (path, page) in pages() {
        let (_, prose) = spans_and_prose(&page);
        let prose = prose.to_lowercase();
        let words: BTreeSet<&str> = prose.split(|c: char| !c.is_alphabetic()).collect();
        for word in BANNED {
            assert!(!words.contains(word), "{}: {word}", path.display());
        }
    }
}

/// Fails when the README becomes as long as a manual.
#[test]
fn readme_is_short_and_names_every_page() {
    let readme = read(Path::new("README.md"));
    let lines = readme.lines().count();
    assert!(lines <= README_LINES_MAX, "README.md has {lines} lines");
    for (path, _) in pages() {
        let path = path.display().to_string();
        assert!(
            path == "README.md" || readme.contains(&format!("]({path})")),
            "{path}"
        );
    }
}
