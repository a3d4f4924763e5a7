//! Tests the reports of `hotcut cut` for people and programs, per photo and in total, and that it repeats no work.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::binary::{
    MODELS, files_below, finish, hotcut, is_temporary, said, skip, wait_for,
};
use crate::support::photos::{
    HTML, Quarter, SIZE, assert_cutout, jpeg, marked_model, noise_jpeg, png,
};
use crate::support::processes;
use crate::support::setup::Setup;

/// P2: fails when a done photo is cut out again, when another one is skipped, or when a model is loaded needlessly.
#[test]
fn done_photos_are_skipped_without_a_model() {
    let setup = Setup::new();
    let (shoot, output) = (setup.path("shoot"), setup.path("cut"));
    fs::create_dir_all(shoot.join("sub")).unwrap();
    fs::write(shoot.join("a.jpg"), jpeg(Quarter::TopLeft)).unwrap();
    fs::write(shoot.join("a.png"), png(Quarter::TopRight)).unwrap();
    fs::write(shoot.join("sub/b.jpg"), jpeg(Quarter::BottomLeft)).unwrap();
    let first = finish(cut(&shoot, &output).arg("--skip-done"));
    assert!(said(&first).contains("3 cut out, 0 skipped"), "{first:?}");

    // No worker can start.
    let mut idle = json(cut(&shoot, &output).arg("--skip-done"));
    let run = finish(idle.env("ORT_DYLIB_PATH", setup.path("nowhere.so")));
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let told = photos(&run);
    assert_eq!(told.len(), 3, "{told:?}");
    for photo in &told {
        assert_eq!(
            (&photo["result"], &photo["reason"]),
            (&"skipped".into(), &"there already".into())
        );
        assert!(
            Path::new(photo["output"].as_str().unwrap()).is_file(),
            "{photo}"
        );
    }
    let of_b = told
        .iter()
        .find(|photo| photo["photo"] == shoot.join("sub/b.jpg").to_str().unwrap());
    assert_eq!(
        of_b.unwrap()["output"],
        output.join("sub/b.png").to_str().unwrap()
    );
    assert_eq!(summary(&run), (0, 3, 0, 0));

    fs::write(shoot.join("sub/b.jpg"), jpeg(Quarter::TopRight)).unwrap();
    let run = finish(cut(&shoot, &output).arg("--skip-done"));
    assert!(
        said(&run).contains("1 cut out, 2 skipped, 0 failed"),
        "{run:?}"
    );
    let printed = String::from_utf8(run.stdout).unwrap();
    assert_eq!(
        printed.trim_end(),
        output.join("sub/b.jpg.png").to_str().unwrap()
    );
    assert_cutout(&output.join("sub/b.jpg.png"), Quarter::TopRight);
    assert_cutout(&output.join("sub/b.png"), Quarter::BottomLeft);
}

/// Fails when cutouts by another model count as the requested ones, or get a second name.
#[test]
fn cutouts_of_another_model_are_not_done() {
    let setup = Setup::new();
    let (photo, output) = (setup.path("a.jpg"), setup.path("cut"));
    fs::write(&photo, jpeg(Quarter::TopLeft)).unwrap();
    assert!(finish(&mut cut(&photo, &output)).status.success());
    let models = setup.path("models");
    fs::create_dir(&models).unwrap();
    fs::copy(
        Path::new(MODELS).join("luma.onnx"),
        models.join("luma.onnx"),
    )
    .unwrap();
    fs::copy(
        Path::new(MODELS).join("luma.toml"),
        models.join("other.toml"),
    )
    .unwrap();
    let mut command = hotcut();
    command
        .arg("cut")
        .arg(&photo)
        .arg("-o")
        .arg(&output)
        .arg("--skip-done");
    let run = finish(
        command
            .args(["--model", "other", "--models-dir"])
            .arg(&models),
    );
    assert!(said(&run).contains("1 cut out, 0 skipped"), "{run:?}");
    assert_eq!(marked_model(&output.join("a.png")), "other");
    assert_eq!(files_below(&output), [Path::new("a.png")]);
}

/// P3, P10: fails when a stop does not report the remaining work, or leaves a partial cutout.
#[test]
fn stopped_batch_tells_what_is_not_done() {
    const PHOTOS: usize = 64;
    for signal in [Signal::INT, Signal::TERM] {
        let setup = Setup::new();
        let (shoot, output) = (setup.path("shoot"), setup.path("cut"));
        fs::create_dir(&shoot).unwrap();
        let photo = noise_jpeg(700);
        for number in 0..PHOTOS {
            fs::write(shoot.join(format!("{number:02}.jpg")), &photo).unwrap();
        }
        let mut command = json(&mut cut(&shoot, &output));
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut first).unwrap();
        for worker in processes::workers_of(child.id()) {
            processes::signal(worker, Signal::STOP);
        }
        processes::signal(child.id(), signal);
        wait_for("it ends", || child.try_wait().unwrap().is_some());
        let more = stdout.lines().count();
        let run = child.wait_with_output().unwrap();
        assert_eq!(run.status.code(), Some(130), "{run:?}");
        let (done, skipped, failed, not_done) = summary(&run);
        assert_eq!((done, skipped, failed), (1 + more, 0, 0), "{run:?}");
        assert!(not_done > 0 && done + not_done == PHOTOS, "{run:?}");
        let files = files_below(&output);
        assert!(!files.iter().any(|file| is_temporary(file)), "{files:?}");
        for file in files {
            image::open(output.join(file)).unwrap();
        }
    }
}

/// P10: fails when the result of a photo is not clear to a program, or when its output has a line for people.
#[test]
fn each_photo_is_one_object() {
    let setup = Setup::new();
    let (shoot, output) = (setup.path("shoot"), setup.path("cut"));
    fs::create_dir(&shoot).unwrap();
    fs::write(
        shoot.join(OsStr::from_bytes(b"b\xff.jpg")),
        jpeg(Quarter::TopLeft),
    )
    .unwrap();
    fs::write(shoot.join("page.jpg"), HTML).unwrap();
    fs::write(shoot.join("c.heic"), b"not taken").unwrap();
    let mut command = cut(&shoot, &output);
    command.arg(setup.path("nowhere.jpg"));
    let run = finish(&mut json(&mut command));
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    let told = photos(&run);
    assert_eq!(told.len(), 3, "{told:?}");
    let of = |ending: &str| {
        let is_it = |photo: &&Value| photo["photo"].as_str().unwrap().ends_with(ending);
        told.iter().find(is_it).unwrap()
    };
    let done = of("/b%FF.jpg");
    assert_eq!(done["result"], "done");
    assert!(
        done["output"].as_str().unwrap().ends_with("/cut/b%FF.png"),
        "{done}"
    );
    assert_eq!(
        (done["width"].as_u64(), done["height"].as_u64()),
        (Some(SIZE.0.into()), Some(SIZE.1.into()))
    );
    assert_eq!(
        (&done["model"], &done["edges"], &done["doubtful"]),
        (&"luma".into(), &"auto".into(), &false.into())
    );
    for stage in ["decode", "inference", "refine", "colour", "encode"] {
        assert!(done["stages_ms"][stage].is_u64(), "{done}");
    }
    assert!(
        done["duration_ms"].is_u64() && done["bytes"].is_u64(),
        "{done}"
    );
    let failed = of("/page.jpg");
    assert_eq!(failed["result"], "failed");
    assert!(
        failed["reason"].as_str().unwrap().contains("HTML"),
        "{failed}"
    );
    assert_eq!(of("/nowhere.jpg")["result"], "failed");
    assert_eq!(summary(&run), (1, 0, 2, 0));
    let stderr = String::from_utf8(run.stderr).unwrap();
    assert!(stderr.contains("heic"), "{stderr}");
    for line in stderr.lines() {
        serde_json::from_str::<Value>(line).expect(line);
    }
}

/// P10: fails when a person at a terminal does not see the progress, or sees a PNG, or when a program sees the progress.
#[test]
fn terminal_tells_that_the_model_is_loading() {
    if Command::new("script").arg("--version").output().is_err() {
        return skip(
            "terminal_tells_that_the_model_is_loading",
            "there is no `script`",
        );
    }
    let setup = Setup::new();
    let photo = setup.path("a.jpg");
    fs::write(&photo, jpeg(Quarter::TopLeft)).unwrap();
    for (format, is_seen) in [("text", true), ("json", false)] {
        let (program, photo) = (env!("CARGO_BIN_EXE_hotcut"), photo.display());
        let line = format!(
            "{program} cut {photo} -o {} --model luma --models-dir {MODELS} --log-format {format}",
            setup.path(format).display()
        );
        let run = on_terminal(&line);
        let seen = said(&run);
        assert_eq!(seen.contains("loading the model"), is_seen, "{seen}");
        let last = seen.rfind("1/1 photos");
        assert_eq!(last.is_some(), is_seen, "{seen}");
        assert!(last >= seen.find("loading the model"), "{seen}");
        assert!(run.status.success(), "{seen}");
    }
    let line = format!(
        "{} cut {} -o -",
        env!("CARGO_BIN_EXE_hotcut"),
        photo.display()
    );
    let run = on_terminal(&line);
    assert_eq!(run.status.code(), Some(2), "{run:?}");
    assert!(said(&run).contains("stdout is a terminal"), "{run:?}");
}

#[track_caller]
fn on_terminal(line: &str) -> Output {
    finish(
        Command::new("script")
            .args(["-qec", line, "/dev/null"])
            .stdin(Stdio::null()),
    )
}

fn cut(input: &Path, output: &Path) -> Command {
    let mut command = hotcut();
    command.arg("cut").arg(input).arg("-o").arg(output);
    command.args(["--model", "luma", "--models-dir", MODELS]);
    command
}

/// The same command, for a program.
fn json(command: &mut Command) -> Command {
    let mut json = hotcut();
    json.args(command.get_args()).args(["--log-format", "json"]);
    json
}

#[track_caller]
fn photos(run: &Output) -> Vec<Value> {
    let lines = run
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

/// The counts in the last line on stderr: done, skipped, failed, not done.
#[track_caller]
fn summary(run: &Output) -> (usize, usize, usize, usize) {
    let stderr = String::from_utf8_lossy(&run.stderr);
    let last: Value = serde_json::from_str(stderr.lines().last().unwrap()).unwrap();
    let count = |name: &str| usize::try_from(last["summary"][name].as_u64().unwrap()).unwrap();
    (
        count("done"),
        count("skipped"),
        count("failed"),
        count("not_done"),
    )
}
