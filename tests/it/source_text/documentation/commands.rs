//! Checks that each program understands the commands that the pages show. Must not run them.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{blocks, pages, read, spans_and_prose};
use crate::source_text::architecture::sources;
use crate::support::binary::{finish, hotcut, said};

/// The `systemctl` actions on the unit.
const VERBS: &[&str] = &[
    "start", "stop", "restart", "reload", "status", "enable", "disable",
];

/// The commands in a shell line or block, each as its words, without comments, redirections, `sudo` and variables.
fn commands(text: &str) -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    let (mut words, mut word) = (Vec::<String>::new(), String::new());
    let (mut quote, mut is_comment) = (None, false);
    for char in text.chars().chain(['\n']) {
        match (quote, char) {
            (_, '\n') if quote.is_none() => is_comment = false,
            _ if is_comment => continue,
            (Some(mark), _) if char == mark => {
                quote = None;
                continue;
            }
            (None, '"' | '\'') => {
                quote = Some(char);
                continue;
            }
            (None, '#') if word.is_empty() => {
                is_comment = true;
                continue;
            }
            (Some(_), _) => {
                word.push(char);
                continue;
            }
            _ => {}
        }
        if !char.is_whitespace() && !"|&;<>".contains(char) {
            word.push(char);
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        match char {
            '\n' | '|' | '&' | ';' => commands.push(std::mem::take(&mut words)),
            '<' | '>' => words.push(char.to_string()),
            _ => {}
        }
    }
    commands
        .iter()
        .map(|words| bare(words))
        .filter(|words| !words.is_empty())
        .collect()
}

/// The words without redirections, leading `sudo` and variables.
fn bare(words: &[String]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if [">", "<"].contains(&word.as_str()) {
            words.next();
            continue;
        }
        let is_variable = word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        });
        if !kept.is_empty() || !(word == "sudo" || is_variable) {
            kept.push(word.clone());
        }
    }
    kept
}

/// The fault of a command, if its program is known here.
fn fault(words: &[String]) -> Option<String> {
    let (program, arguments) = words.split_first()?;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match program.rsplit('/').next()? {
        "hotcut" => fault_of_hotcut(&arguments),
        "make" => fault_of_make(&arguments),
        "systemctl" => fault_of_systemctl(&arguments),
        "journalctl" => fault_of_journalctl(&arguments),
        "curl" => fault_of_curl(&arguments),
        _ => None,
    }
}

/// The program reads its arguments in order, so it reaches `--help` only if it knows the arguments before it.
fn fault_of_hotcut(arguments: &[&str]) -> Option<String> {
    if arguments.is_empty() || arguments.first() == Some(&"COMMAND") {
        return None;
    }
    let run = finish(hotcut().args(arguments).arg("--help"));
    (!run.status.success()).then(|| said(&run))
}

fn fault_of_make(arguments: &[&str]) -> Option<String> {
    let makefile = read(Path::new("Makefile"));
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(target, _)| target)
        .collect();
    arguments
        .iter()
        .find_map(|argument| match argument.split_once('=') {
            Some((variable, _)) if makefile.contains(&format!("$({variable})")) => None,
            None if targets.contains(argument) => None,
            _ => Some(format!("the Makefile has no {argument}")),
        })
}

fn fault_of_systemctl(arguments: &[&str]) -> Option<String> {
    match arguments {
        [] | ["daemon-reload"] => None,
        [verb] | [verb, "hotcut"] if VERBS.contains(verb) => None,
        _ => Some("systemctl takes a known verb and the unit hotcut".to_owned()),
    }
}

fn fault_of_journalctl(arguments: &[&str]) -> Option<String> {
    let has_unit = arguments.windows(2).any(|pair| pair == ["-u", "hotcut"]);
    let mut after_p = arguments
        .windows(2)
        .filter(|pair| pair[0] == "-p")
        .map(|pair| pair[1]);
    let has_level = after_p.all(|level| ["err", "warning", "info"].contains(&level));
    let is_right = arguments.is_empty() || has_unit && has_level;
    (!is_right).then(|| "journalctl takes -u hotcut and a priority".to_owned())
}

/// Returns whether the API has the path.
fn fault_of_curl(arguments: &[&str]) -> Option<String> {
    let url = arguments.iter().find_map(|word| word.split_once("://"))?.1;
    let (_, path) = url.split_once('/')?;
    let path = path.split('?').next()?;
    let sources = sources("src/http");
    let known = sources
        .iter()
        .flat_map(|source| source.text.split("path = \"/").skip(1));
    let mut known = known.filter_map(|rest| rest.split('"').next());
    let fits = |template: &str| {
        let (wanted, given) = (template.split('/'), path.split('/'));
        wanted.clone().count() == given.clone().count()
            && wanted
                .zip(given)
                .all(|(one, other)| one == other || one.starts_with('{'))
    };
    (!known.any(fits)).then(|| format!("the API has no /{path}"))
}

/// Fails when a command of hotcut, a flag, a target of make, the unit or a path of the API is renamed and a page keeps the old name.
#[test]
fn every_command_is_understood() {
    let (mut shown, mut checked) = (BTreeSet::new(), 0);
    for (path, page) in pages() {
        let (spans, _) = spans_and_prose(&page);
        let names = [
            "hotcut ",
            "make ",
            "systemctl ",
            "journalctl ",
            "sudo ",
            "bin/hotcut ",
        ];
        let spans = spans
            .iter()
            .filter(|span| names.iter().any(|name| span.starts_with(name)));
        let texts = blocks(&page, "sh")
            .into_iter()
            .chain(spans.map(String::as_str));
        for words in texts.flat_map(commands) {
            if shown.insert(words.clone()) {
                let fault = fault(&words);
                assert!(
                    fault.is_none(),
                    "{}: {}\n{}",
                    path.display(),
                    words.join(" "),
                    fault.unwrap_or_default()
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 60, "{checked}");
}

/// Fails when a shell cannot parse a block.
#[test]
fn every_block_is_a_script() {
    let mut count = 0;
    for (path, page) in pages() {
        for block in blocks(&page, "sh") {
            let mut shell = Command::new("sh");
            let read = finish(shell.args(["-n", "-c", block]).stdin(Stdio::null()));
            assert!(read.status.success(), "{}: {}", path.display(), said(&read));
            count += 1;
        }
    }
    assert!(count > 10, "{count}");
}

/// Fails when a wrong command passes, so that the tests above prove nothing.
#[test]
fn wrong_commands_are_found() {
    for wrong in [
        "hotcut stauts",
        "hotcut status --jsn",
        "sudo hotcut why a.jpg b.jpg",
        "hotcut cut a.jpg -o b --edges sharp",
        "ls | hotcut cut - -o - --sheets a.png > b.png",
        "make tests",
        "make soak MINUTE=30",
        "sudo systemctl reload hotcutd",
        "journalctl -u hot",
        "curl http://127.0.0.1:8190/api/photo/7 -o a.json",
    ] {
        let commands = commands(wrong);
        assert!(
            commands.iter().any(|words| fault(words).is_some()),
            "{commands:?}"
        );
    }
    let parsed =
        commands("sudo A=1 hotcut cut 'a b.jpg' -o - < x > y # no\nmake lint && make test");
    let wanted = ["hotcut cut a b.jpg -o -", "make lint", "make test"];
    assert_eq!(
        parsed
            .iter()
            .map(|words| words.join(" "))
            .collect::<Vec<_>>(),
        wanted
    );
}
