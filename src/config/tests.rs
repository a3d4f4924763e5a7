//! Reads configuration texts and checks the result and every fault.

use std::io::Write as _;
use std::path::Path;

use super::*;

pub(super) const MODELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/models");

pub(super) fn load(text: &str) -> Result<Config, Vec<String>> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let loaded = Config::load(file.path());
    loaded.map_err(|error| error.faults.iter().map(ToString::to_string).collect())
}

/// Loads one folder with the input /hot; adds the lines of `daemon` and `folder`.
fn load_with(daemon: &str, folder: &str) -> Result<Config, Vec<String>> {
    load(&format!(
        "[daemon]\nmodels_dir = {MODELS:?}\nstate_dir = \"/state\"\n{daemon}\n\
         [[folder]]\nname = \"a\"\ninput = \"/hot\"\noutput = \"/out\"\nmodel = \"luma\"\n{folder}"
    ))
}

#[track_caller]
pub(super) fn assert_fault(loaded: Result<Config, Vec<String>>, words: &[&str]) {
    let faults = loaded.expect_err("a fault");
    let has_all = |fault: &String| words.iter().all(|word| fault.contains(word));
    assert!(faults.iter().any(has_all), "{words:?} in {faults:#?}");
}

#[test]
fn what_is_left_out_has_its_default() {
    let config = load_with("", "").unwrap();
    assert_eq!(config.daemon.timeout, Duration::from_mins(1));
    assert_eq!(config.daemon.max_attempts, 3);
    assert_eq!(config.daemon.worker_memory_bytes, 2 << 30);
    assert_eq!(config.daemon.remember, Some(Duration::from_hours(365 * 24)));
    let forever = load_with("remember = \"forever\"", "").unwrap();
    assert_eq!(forever.daemon.remember, None);
    let folder = config.folders.first().unwrap();
    assert_eq!(folder.settle, Duration::from_secs(2));
    assert_eq!(folder.source, SourcePolicy::Keep);
    assert_eq!(folder.failed, FailedPolicy::Note);
    assert_eq!(folder.edges, Edges::Auto);
    assert!(folder.include.matches(Path::new("x/A.JPEG")));
    assert_eq!(config.models.keys().collect::<Vec<_>>(), ["luma"]);
}

#[test]
fn an_empty_file_is_a_daemon_without_folders() {
    let config = load("").unwrap();
    assert!(config.folders.is_empty());
    assert_eq!(config.daemon.state_dir, Path::new("/var/lib/hotcut"));
}

#[test]
fn every_fault_names_its_key_and_what_is_accepted() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("workers = 0", "", &["`workers`", "at least 1", "0"]),
        ("workers = \"2\"", "", &["`workers`", "whole number"]),
        ("timeout = 60", "", &["`timeout`", "\"2s\"", "60"]),
        ("timeout = \"0s\"", "", &["`timeout`", "above zero"]),
        ("remember = \"ever\"", "", &["`remember`", "forever"]),
        ("remember = \"0s\"", "", &["`remember`", "365d"]),
        (
            "worker_memory = \"lots\"",
            "",
            &["`worker_memory`", "2 GiB"],
        ),
        ("wrokers = 2", "", &["unknown key `wrokers`", "workers"]),
        ("", "settle = \"-1s\"", &["`settle`", "folder", "\"a\""]),
        ("", "source = \"burn\"", &["`source`", "keep", "burn"]),
        (
            "",
            "on_same_name = \"both\"",
            &["`on_same_name`", "number", "both"],
        ),
        (
            "",
            "edges = \"sharp\"",
            &[
                "`edges`", "folder", "\"a\"", "auto", "soft", "hard", "off", "sharp",
            ],
        ),
        ("", "edges = \"Auto\"", &["`edges`", "\"auto\""]),
        ("", "edges = false", &["`edges`", "\"off\"", "false"]),
        ("", "source = \"move\"", &["needs `done`"]),
        ("", "done = \"/done\"", &["`done`", "source = \"move\""]),
        ("", "failed = \"relative\"", &["`failed`", "absolute"]),
        ("", "include = [\"[\"]", &["`include`"]),
        ("", "include = \"*.jpg\"", &["`include`", "list"]),
        ("", "hot = true", &["unknown key `hot`"]),
    ];
    for (daemon, folder, words) in cases {
        assert_fault(load_with(daemon, folder), words);
    }
    assert_fault(load("[deamon]\n"), &["unknown key `deamon`"]);
    assert_fault(load("[daemon\n"), &["not valid TOML"]);
    assert_fault(load("[[folder]]\nname = \"a/b\"\n"), &["`name`", "letters"]);
    assert_fault(load("[[folder]]\nname = \"a\"\n"), &["needs `input`"]);
}

/// Fails when a word is refused or misread, for a folder or for requests, or when one of the two settings affects the other.
#[test]
fn edges_are_what_the_word_says() {
    let listen = "[http]\nlisten = \"127.0.0.1:0\"\nmodel = \"luma\"\n";
    let edges = |of_folder: &str, of_http: &str| {
        let config = load_with("", &format!("{of_folder}\n{listen}{of_http}")).unwrap();
        (config.folders[0].edges, config.http.unwrap().edges)
    };
    assert_eq!(edges("", ""), (Edges::Auto, Edges::Auto));
    for (word, meant) in [
        ("auto", Edges::Auto),
        ("soft", Edges::Soft),
        ("hard", Edges::Hard),
        ("off", Edges::Off),
    ] {
        let key = format!("edges = \"{word}\"");
        assert_eq!(edges(&key, ""), (meant, Edges::Auto), "{word}");
        assert_eq!(edges("", &key), (Edges::Auto, meant), "{word}");
    }
    assert_fault(
        load(&format!("{listen}edges = \"none\"")),
        &["`edges`", "[http]", "\"off\"", "none"],
    );
}

#[test]
fn faults_are_found_all_at_once() {
    let faults = load_with(
        "workers = 0\nrescan = \"soon\"",
        "model = \"nosuch\"\nsource = \"move\"",
    );
    // The second `model` is a syntax error, so only that error can be reported.
    assert_eq!(faults.unwrap_err().len(), 1);
    let text = "[daemon]\nworkers = 0\nrescan = \"soon\"\nnosuch = 1\n\
        [[folder]]\nname = \"a\"\ninput = \"/hot\"\noutput = \"/hot/out\"\nmodel = \"nosuch\"\n\
        [[folder]]\nname = \"b\"\ninput = \"/b\"\noutput = \"/c\"\nmodel = \"other\"\nsource = \"move\"\n";
    let faults = load(text).unwrap_err();
    for word in [
        "`workers`",
        "`rescan`",
        "`nosuch`",
        "lies inside",
        "\"nosuch\"",
        "\"other\"",
        "`done`",
    ] {
        assert!(
            faults.iter().any(|fault| fault.contains(word)),
            "{word} in {faults:#?}"
        );
    }
    assert_eq!(faults.len(), 7, "{faults:#?}");
}

/// The faults of `text` as `LINE:COLUMN: what is wrong`.
fn placed_faults(text: &str) -> Vec<String> {
    let error = Config::parse(Path::new(""), text).unwrap_err();
    let faults = error
        .faults
        .iter()
        .map(|fault| fault.in_file(Path::new("")));
    faults
        .map(|fault| fault.trim_start_matches(':').to_owned())
        .collect()
}

/// A fault in nearly every line, of every kind.
const FAULTY: &str = "top = 1
[daemon]
models_dir = MODELS
state_dir = \"/a/state\"
workers = 0
  timeout =   60
max_attempts = 99999999999999999999
\"é\" = 1

[[folder]]
name = \"one\"
input = \"/a\"
output = \"/a/out\"
model = \"nosuch\"

[[folder]]
name = \"one\"
input = \"/c\"
output = \"/d\"
source = \"delete\"
include = [\"*.jpg\",
  1]
exclude = [\"[\"]
edges = \"sharp\"

[[folder]]
name = \"three\"
input = \"/c/sub\"
output = \"/e\"
model = \"luma\"
done = \"/done\"
tidy = true

[[folder]]
name = \"four\"
input = \"/e\"
output = \"/c/../f\"
model = \"luma\"
source = \"move\"
failed = \"/\"
[http]
listen = \"0.0.0.0:80\"
model = \"luma\"
[notify]
secret_file = \"/no/such\"
";

/// Fails when a fault has no position or a wrong one, or hides another fault.
#[test]
fn every_fault_has_its_place() {
    let text = FAULTY.replace("MODELS", &format!("{MODELS:?}"));
    let faults = placed_faults(&text);
    for (place, word) in [
        ("1:1: ", "unknown key `top`"),
        ("4:13: ", "`state_dir`"),
        ("5:11: ", "`workers`"),
        ("6:15: ", "`timeout`"),
        ("7:16: ", "`max_attempts`"),
        ("8:1: ", "unknown key `é`"),
        ("13:10: ", "`output` of folder \"one\""),
        ("14:9: ", "model \"nosuch\""),
        ("21:11: ", "`include`"),
        ("23:11: ", "`exclude`"),
        ("24:9: ", "`edges`"),
        ("31:8: ", "`done`"),
        ("34:1: ", "needs `done`"),
        ("42:10: ", "`listen`"),
        ("44:1: ", "[notify] needs"),
        ("45:15: ", "`secret_file`"),
    ] {
        let is_there = |fault: &String| fault.starts_with(place) && fault.contains(word);
        assert!(faults.iter().any(is_there), "{place}{word} in {faults:#?}");
    }
    let lines = faults.iter().map(|fault| {
        let line = fault.split(':').next().and_then(|line| line.parse().ok());
        line.unwrap_or(usize::MAX)
    });
    let lines: Vec<usize> = lines.collect();
    assert!(
        lines.is_sorted() && !lines.contains(&usize::MAX),
        "{faults:#?}"
    );
}

/// Fails when a fault between folders has no position, or that of the wrong folder.
#[test]
fn faults_between_folders_have_the_place_of_the_later_key() {
    let folder = |name: &str, input: &str, output: &str, more: &str| {
        format!(
            "[[folder]]\nname = {name:?}\ninput = {input:?}\noutput = {output:?}\nmodel = \"luma\"\n{more}\n"
        )
    };
    let daemon = format!("[daemon]\nmodels_dir = {MODELS:?}\n");
    let place = |text: &str, word: &str| {
        let faults = placed_faults(&format!("{daemon}{text}"));
        let found = faults.iter().find(|fault| fault.contains(word));
        let found = found.unwrap_or_else(|| panic!("{word} in {faults:#?}"));
        found.split(": ").next().unwrap().to_owned()
    };
    let one = folder("one", "/a", "/b", "");
    assert_eq!(
        place(
            &(one.clone() + &folder("one", "/x", "/y", "")),
            "two folders"
        ),
        "10:8"
    );
    assert_eq!(
        place(&(one.clone() + &folder("two", "/b", "/a", "")), "cycle"),
        "6:10"
    );
    assert_eq!(
        place(
            &(one.clone() + &folder("two", "/a/s", "/y", "source = \"delete\"")),
            "lies inside"
        ),
        "11:9"
    );
    assert_eq!(
        place(&folder("one", "/a/b", "/c", "failed = \"/a\""), "`failed`"),
        "5:9"
    );
    assert_eq!(
        place(
            &folder("one", "/a", "/c", "source = \"move\"\ndone = \"/c/d\""),
            "`done`"
        ),
        "9:8"
    );
    // The directory that the file does not name lies inside one that it names.
    assert_eq!(
        place(&folder("one", "/var/lib", "/c", ""), "`state_dir`"),
        "5:9"
    );
}

/// Fails when a syntax error is reported without its position or key, or in several lines.
#[test]
fn text_that_is_no_toml_is_told_with_its_place() {
    for (text, place, words) in [
        (
            "[daemon]\nworkers = 1\nworkers = 2\n",
            "3:1: ",
            "duplicate key at `workers`",
        ),
        ("[daemon\n", "1:8: ", "not valid TOML"),
        ("[daemon]\n  workers = one\n", "2:13: ", "not valid TOML"),
        ("[daemon]\n[daemon]\n", "2:", "`daemon`"),
    ] {
        let faults = placed_faults(text);
        assert_eq!(faults.len(), 1, "{faults:#?}");
        assert!(
            faults[0].starts_with(place) && faults[0].contains(words),
            "{faults:#?}"
        );
        assert!(!faults[0].contains('\n'), "{faults:#?}");
    }
}

/// Two folders with the given inputs and outputs, and one more line in the second.
fn two(one: (&str, &str), two: (&str, &str), more: &str) -> Result<Config, Vec<String>> {
    let folder = |name: &str, (input, output): (&str, &str)| {
        format!(
            "[[folder]]\nname = {name:?}\ninput = {input:?}\noutput = {output:?}\nmodel = \"luma\"\n"
        )
    };
    let (one, two) = (folder("one", one), folder("two", two));
    load(&format!(
        "[daemon]\nmodels_dir = {MODELS:?}\nstate_dir = \"/state\"\n{one}{two}{more}"
    ))
}

#[test]
fn folders_that_would_feed_on_results_are_refused() {
    assert_fault(
        two(("/a", "/a/out"), ("/x", "/y"), ""),
        &["`output`", "lies inside `input`"],
    );
    assert_fault(two(("/a", "/a"), ("/x", "/y"), ""), &["lies inside"]);
    assert_fault(
        two(("/a/in", "/a"), ("/x", "/y"), ""),
        &["`input`", "lies inside `output`"],
    );
    assert_fault(
        two(("/a", "/b"), ("/b", "/a"), ""),
        &["cycle", "one -> two -> one"],
    );
    two(("/a", "/b"), ("/b", "/c"), "").expect("a chain is no cycle");
    assert_fault(
        load_with("", "").and_then(|_| two(("/", "/out"), ("/x", "/y"), "")),
        &["state_dir"],
    );
}

#[test]
fn two_folders_may_share_an_input_only_if_neither_takes_photos_away() {
    two(("/a", "/b"), ("/a/sub", "/c"), "").expect("both keep");
    assert_fault(
        two(("/a", "/b"), ("/a/sub", "/c"), "source = \"delete\"\n"),
        &["lies inside"],
    );
    assert_fault(
        two(("/a", "/b"), ("/a", "/c"), "failed = \"/f\"\n"),
        &["lies inside"],
    );
}

#[test]
fn a_link_does_not_hide_a_nesting() {
    let dir = tempfile::tempdir().unwrap();
    let hot = dir.path().join("hot");
    std::fs::create_dir(&hot).unwrap();
    std::os::unix::fs::symlink(&hot, dir.path().join("link")).unwrap();
    let output = dir.path().join("link/out");
    let loaded = two(
        (hot.to_str().unwrap(), output.to_str().unwrap()),
        ("/x", "/y"),
        "",
    );
    assert_fault(loaded, &["lies inside"]);
}
