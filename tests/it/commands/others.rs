//! Tests the commands besides `run`: their output, their files and their exit codes.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use rustix::process::Signal;

use crate::support::binary::{MODELS, files_below, finish, hotcut, said, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{HTML, Quarter, assert_cutout, jpeg, png};
use crate::support::setup::Setup;

/// One pipeline: fails when the outputs of `cut` and the daemon differ in a single byte, including the provenance.
#[test]
fn cut_and_the_daemon_give_the_same_bytes() {
    let hot = HotFolder::start_with(Setup::new().folder("edges", "auto"));
    let photo = hot.setup().path("a.jpg");
    fs::write(&photo, jpeg(Quarter::TopLeft)).unwrap();
    let output = hot.setup().path("cut");
    assert!(cut(&[&photo], &output).status.success());
    fs::copy(&photo, hot.input("a.jpg")).unwrap();
    let served = fs::read(hot.wait_output("a.png")).unwrap();
    assert_eq!(fs::read(output.join("a.png")).unwrap(), served);
}

/// Fails when sub-folders are flattened, when one of two photos with the same stem is lost, or when litter is cut out.
#[test]
fn cut_of_a_folder_mirrors_its_tree() {
    let setup = Setup::new();
    let shoot = setup.path("shoot");
    fs::create_dir_all(shoot.join("day/one")).unwrap();
    fs::write(shoot.join("a.jpg"), jpeg(Quarter::TopLeft)).unwrap();
    fs::write(shoot.join("a.png"), png(Quarter::TopRight)).unwrap();
    fs::write(shoot.join("day/one/b.png"), png(Quarter::BottomLeft)).unwrap();
    fs::write(shoot.join("Thumbs.db"), b"litter").unwrap();
    let output = setup.path("cut");
    let run = cut(&[&shoot], &output);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert_eq!(files_below(&output).len(), 3, "{:?}", files_below(&output));
    assert_cutout(&output.join("day/one/b.png"), Quarter::BottomLeft);
}

/// P3, P5: fails when the exit code hides a failure, the file is not named, or the other files are not processed.
#[test]
fn cut_names_the_file_that_failed_and_does_the_others() {
    let setup = Setup::new();
    let shoot = setup.path("shoot");
    fs::create_dir(&shoot).unwrap();
    fs::write(shoot.join("a.jpg"), jpeg(Quarter::TopLeft)).unwrap();
    fs::write(shoot.join("page.jpg"), HTML).unwrap();
    fs::write(shoot.join("z.jpg"), jpeg(Quarter::TopRight)).unwrap();
    let output = setup.path("cut");
    let run = cut(&[&shoot], &output);
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    assert!(
        said(&run).contains("page.jpg") && said(&run).contains("HTML"),
        "{run:?}"
    );
    assert_eq!(
        files_below(&output),
        [Path::new("a.png"), Path::new("z.png")]
    );
    assert_eq!(files_below(&shoot).len(), 3, "the inputs are as they were");
}

/// P4: fails when `cut` overwrites a file that is not its own.
#[test]
fn cut_into_the_folder_of_its_input_keeps_the_input() {
    let setup = Setup::new();
    let folder = setup.path("shoot");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a.png"), png(Quarter::TopLeft)).unwrap();
    cut(&[&folder.join("a.png")], &folder);
    assert_eq!(
        fs::read(folder.join("a.png")).unwrap(),
        png(Quarter::TopLeft)
    );
}

/// Fails when a name that does not exist is ignored silently.
#[test]
fn cut_of_a_missing_file_fails_and_names_it() {
    let setup = Setup::new();
    let run = cut(&[&setup.path("nowhere.jpg")], &setup.path("cut"));
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    assert!(said(&run).contains("nowhere.jpg"), "{run:?}");
}

/// P10: fails when the status needs a running daemon, or does not report that there is none.
#[test]
fn status_works_with_the_daemon_running_and_stopped() {
    let mut hot = HotFolder::start();
    hot.wait_status("online", |status| status.state == "online");
    let empty = hot.status();
    assert_eq!(
        (empty.queued, empty.running, empty.done),
        (0, 0, 0),
        "{empty:?}"
    );
    assert!(empty.last_done.is_null(), "{empty:?}");
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.drop_file("page.jpg", HTML);
    let page = hot.wait_quarantined("page.jpg");
    hot.wait_status("done", |status| {
        status.done == 1 && !status.last_done.is_null()
    });
    assert!(hot.status().photos_per_minute > 0.0);
    hot.stop();
    let stopped = hot.status();
    assert_eq!(stopped.state, "offline: hotcut is not running");
    assert_eq!(
        (stopped.done, stopped.quarantined.len()),
        (1, 1),
        "{stopped:?}"
    );
    let people = said(&hot.command("status", [] as [&str; 0]));
    for word in ["products", "page.jpg", &page.reason] {
        assert!(people.contains(word), "{word:?} in {people}");
    }
}

/// P10: fails when `status --check` reports a daemon as healthy that is gone, that hangs or that cannot serve a folder, or reports
/// a serving daemon as unhealthy.
#[test]
fn status_check_tells_a_well_daemon_by_its_exit_code() {
    let mut hot = HotFolder::start_with(Setup::new().daemon("rescan", "1s"));
    let code = |hot: &HotFolder| hot.command("status", ["--check"]).status.code();
    hot.wait_state("online");
    assert_eq!(code(&hot), Some(0));

    let away = hot.setup().path("away");
    fs::rename(hot.input(""), &away).unwrap();
    hot.wait_state("offline");
    assert_eq!(code(&hot), Some(1));
    fs::rename(&away, hot.input("")).unwrap();
    hot.wait_state("online");

    hot.signal(Signal::STOP);
    let written = fs::File::open(hot.setup().path("state/status.json")).unwrap();
    let minute_ago = SystemTime::now() - Duration::from_mins(1);
    written.set_modified(minute_ago).unwrap();
    assert_eq!(code(&hot), Some(1), "the loop does not turn");
    hot.signal(Signal::CONT);
    wait_for("the loop turns", || code(&hot) == Some(0));

    hot.stop();
    assert_eq!(code(&hot), Some(1));
}

/// P5: the photo hung in its only attempt because its worker was stopped. Fails when a person cannot have it tried again.
#[test]
fn retry_puts_a_quarantined_file_back_into_the_queue() {
    let setup = Setup::new().daemon("workers", "1").daemon("timeout", "5s");
    let mut hot = HotFolder::start_with(setup.daemon("max_attempts", "1"));
    for name in ["a", "b"] {
        hot.stop_worker();
        hot.drop_file(format!("{name}.jpg"), &jpeg(Quarter::TopLeft));
        hot.wait_quarantined(&format!("{name}.jpg"));
        // Only a worker that is ready can be stopped during a job.
        hot.drop_file(format!("after-{name}.jpg"), &jpeg(Quarter::TopLeft));
        hot.wait_output(format!("after-{name}.png"));
    }
    let run = hot.command("retry", [hot.input("a.jpg")]);
    assert!(run.status.success(), "{run:?}");
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
    assert!(!hot.output("b.png").exists(), "only the one that was named");
    hot.stop();
    let run = hot.command("retry", [] as [&str; 0]);
    assert!(run.status.success(), "{run:?}");
    hot.restart();
    assert_cutout(&hot.wait_output("b.png"), Quarter::TopLeft);
    hot.wait_status("none left", |status| status.quarantined.is_empty());
}

/// Fails when a name that is not quarantined is ignored silently.
#[test]
fn retry_of_a_file_that_is_not_quarantined_says_so() {
    let hot = HotFolder::start();
    let run = hot.command("retry", [hot.input("nowhere.jpg")]);
    assert!(!run.status.success(), "{run:?}");
    assert!(said(&run).contains("nowhere.jpg"), "{run:?}");
}

/// Fails when a command is not listed, or its `--help` does not describe its arguments.
#[test]
fn help_teaches_every_command() {
    let run = finish(hotcut().arg("--help"));
    assert!(run.status.success(), "{run:?}");
    for command in ["run", "check", "cut", "status", "retry", "unit", "demo"] {
        assert!(said(&run).contains(command), "{command} in\n{}", said(&run));
        let help = finish(hotcut().args([command, "--help"]));
        assert!(
            help.status.success() && said(&help).contains("Usage: hotcut"),
            "{help:?}"
        );
    }
}

/// P10: fails when a JSON log contains a line for people.
#[test]
fn every_line_of_the_json_log_is_json() {
    let mut hot = HotFolder::start();
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.drop_file("page.jpg", HTML);
    hot.wait_output("a.png");
    hot.wait_quarantined("page.jpg");
    hot.stop();
    let log = hot.log();
    for line in log.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect(line);
    }
    let finished = log.lines().filter(|line| line.contains("a.png")).count();
    assert_eq!(finished, 1, "one line for a finished photo");
}

/// Fails when a command has no man page, when a hidden one has one, or when two runs differ in a byte.
#[test]
fn pages_are_those_of_the_commands_that_are_shown() {
    let setup = Setup::new();
    let written = ["one", "two"].map(|name| {
        let dir = setup.path(name);
        let run = finish(hotcut().arg("pages").arg(&dir));
        assert!(run.status.success(), "{run:?}");
        let read = |path: std::path::PathBuf| (fs::read(dir.join(&path)).unwrap(), path);
        files_below(&dir).into_iter().map(read).collect::<Vec<_>>()
    });
    assert_eq!(written[0], written[1]);
    let help = said(&finish(hotcut().arg("--help")));
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands: Vec<&str> = commands
        .take_while(|line| !line.is_empty())
        // Deeper lines continue the description of a command.
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.contains(&"run"), "{help}");
    let man = |name: &str| setup.path(format!("one/man/{name}.1")).is_file();
    assert!(man("hotcut"));
    for command in commands.iter().filter(|command| **command != "help") {
        assert!(man(&format!("hotcut-{command}")), "{command}");
    }
    for (text, path) in &written[0] {
        let text = String::from_utf8_lossy(text);
        assert!(!text.contains("worker"), "{} offers it", path.display());
    }
}

#[track_caller]
fn cut(inputs: &[&Path], output: &Path) -> Output {
    let mut command: Command = hotcut();
    command.arg("cut").args(inputs).arg("-o").arg(output);
    finish(command.args(["--model", "luma", "--models-dir", MODELS]))
}
