//! Converts `--help`, the source of the man pages, to sentences that `docs/commands.md` must contain. Must not know a command.

use std::path::Path;

use super::read;
use crate::support::binary::{finish, hotcut, said};

/// The help of a command.
#[derive(Debug, Default)]
struct Help {
    /// Its paragraphs.
    about: Vec<String>,
    /// Arguments and options: their syntax and description.
    entries: Vec<(String, String)>,
    /// The description of the values of an option.
    values: Vec<String>,
}

impl Help {
    fn of(arguments: &[&str]) -> Self {
        let run = finish(hotcut().args(arguments).arg("--help"));
        assert!(run.status.success(), "{run:?}");
        let said = said(&run);
        let lines: Vec<&str> = said.lines().map(str::trim_end).collect();
        Self::parse(&lines.join("\n"))
    }

    fn parse(text: &str) -> Self {
        let (about, rest) = text.split_once("\nUsage:").unwrap();
        let about = about
            .split("\n\n")
            .map(joined)
            .filter(|text| !text.is_empty());
        let mut help = Self {
            about: about.collect(),
            ..Self::default()
        };
        let paragraphs = rest
            .split("\n\n")
            .flat_map(|part| part.split("Arguments:\n"))
            .flat_map(|part| part.split("Options:\n"));
        for paragraph in paragraphs {
            let text = paragraph.trim_matches('\n');
            let head = text.lines().next().unwrap_or_default();
            let indent = head.len() - head.trim_start().len();
            let is_entry =
                (2..=6).contains(&indent) && head.trim_start().starts_with(['-', '<', '[']);
            if let Some(values) = text.trim_start().strip_prefix("Possible values:") {
                let values = values.split("\n          - ").skip(1);
                help.values
                    .extend(values.filter_map(|value| Some(joined(value.split_once(':')?.1))));
            } else if is_entry {
                let said = text.lines().skip(1).collect::<Vec<_>>().join(" ");
                help.entries.push((head.trim().to_owned(), joined(&said)));
            }
        }
        help
    }
}

/// On one line, without a full stop at its end.
fn joined(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").trim_end_matches('.').to_owned()
}

/// The part of the page below a second-level heading.
fn section<'a>(page: &'a str, name: &str) -> &'a str {
    let (_, after) = page
        .split_once(&format!("\n## {name}\n"))
        .unwrap_or_else(|| panic!("docs/commands.md has no {name}"));
    after.split("\n## ").next().unwrap_or_default()
}

#[track_caller]
fn assert_says(section: &str, name: &str, sentence: &str) {
    assert!(
        joined(section).contains(sentence),
        "docs/commands.md does not say of {name}: {sentence}"
    );
}

/// Fails when a command or an option is added, renamed or described differently, and the page stays unchanged.
#[test]
fn the_page_says_what_help_and_man_pages_say() {
    let (page, words) = (
        read(Path::new("docs/commands.md")),
        read(Path::new("docs/configuration.md")),
    );
    let listed = said(&finish(hotcut().arg("--help")));
    let commands = listed
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1);
    let commands = commands
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with("   "));
    let commands: Vec<&str> = commands
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.len() > 10, "{commands:?}");
    let mut entries = 0;
    for command in commands.into_iter().filter(|command| *command != "help") {
        let help = Help::of(&[command]);
        let own = section(&page, command);
        assert!(!help.about.is_empty());
        for paragraph in &help.about {
            assert_says(own, command, paragraph);
        }
        for (written, sentence) in &help.entries {
            if written.starts_with("-h, ") {
                continue;
            }
            let own = if written.starts_with("--log-format") {
                section(&page, "Log")
            } else {
                own
            };
            let name = written
                .split_whitespace()
                .find(|word| word.starts_with("--"))
                .unwrap_or(written);
            let name = name.trim_matches(|c| "<>[].".contains(c));
            assert!(
                own.contains(&format!("`{name}")),
                "docs/commands.md has no `{name}` of {command}"
            );
            assert_says(own, command, sentence);
            entries += 1;
        }
        let of_log = ["Plain text", "One JSON object per line"];
        for value in help
            .values
            .iter()
            .filter(|value| !of_log.contains(&value.as_str()))
        {
            assert!(
                joined(&words).contains(value),
                "docs/configuration.md does not say: {value}"
            );
        }
    }
    assert!(entries > 30, "{entries}");
}
