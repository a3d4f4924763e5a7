//! Tests `hotcut cut`: its inputs, and the place of a single cutout.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rustix::process::Signal;

use crate::support::binary::{MODELS, files_below, finish, hotcut, identity, said, wait_for};
use crate::support::photos::{
    Quarter, assert_cutout, huge_jpeg, jpeg, marked_model, marked_source, noise_jpeg,
};
use crate::support::processes;
use crate::support::setup::Setup;

/// P2, P4: fails when a cutout replaces the cutout of another photo or a user's file, or gets a name that was not requested.
#[test]
fn named_file_is_the_cutout_of_its_photo_and_of_no_other() {
    let setup = Setup::new();
    let [one, two] = [("one", Quarter::TopLeft), ("two", Quarter::TopRight)].map(|(dir, lit)| {
        let photo = setup.path(dir).join("a.jpg");
        fs::create_dir(photo.parent().unwrap()).unwrap();
        fs::write(&photo, jpeg(lit)).unwrap();
        photo
    });
    let folder = setup.path("new/folder");
    let named = folder.join("shop.PNG");
    let run = cut(&one, &named);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert!(said(&run).contains("shop.PNG"), "{run:?}");
    assert_cutout(&named, Quarter::TopLeft);

    let before = identity(&named);
    let run = cut(&two, &named);
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    let (told, name) = (said(&run), named.display().to_string());
    assert!(told.contains(&name) && told.contains("remove it"), "{told}");
    let again = cut(&one, &named);
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    assert_eq!(identity(&named), before);

    // Now the same photo is requested with another model.
    let models = setup.path("models");
    fs::create_dir(&models).unwrap();
    for name in ["luma.onnx", "luma.toml"] {
        fs::copy(Path::new(MODELS).join(name), models.join(name)).unwrap();
    }
    fs::rename(models.join("luma.toml"), models.join("other.toml")).unwrap();
    let mut other = hotcut();
    other.arg("cut").arg(&one).arg("-o").arg(&named);
    other
        .args(["--model", "other", "--models-dir"])
        .arg(&models);
    let run = finish(&mut other);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert_eq!(marked_model(&named), "other");

    fs::write(&named, b"retouched").unwrap();
    assert_eq!(cut(&one, &named).status.code(), Some(1));
    assert_eq!(fs::read(&named).unwrap(), b"retouched");
    assert_eq!(files_below(&folder), [Path::new("shop.PNG")]);
}

/// Fails when an impossible request is started, or when the error does not say what to do instead.
#[test]
fn order_that_cannot_be_carried_out_touches_nothing() {
    let setup = Setup::new();
    let photo = setup.path("a.jpg");
    fs::write(&photo, jpeg(Quarter::TopLeft)).unwrap();
    let shoot = setup.path("shoot");
    fs::create_dir(&shoot).unwrap();
    let output = setup.path("out");
    let (file, dash) = (output.join("x.png"), PathBuf::from("-"));
    for (inputs, output, words) in [
        (vec![&photo, &photo], &file, "name one photo"),
        (vec![&shoot], &file, "is a folder"),
        (vec![&photo, &photo], &dash, "name one photo"),
        (vec![&shoot], &dash, "is a folder"),
        (vec![&dash], &output, "-o FILE.png"),
        (vec![&dash, &photo], &output, "no other input"),
    ] {
        let mut command = hotcut();
        command.arg("cut").args(&inputs).arg("-o").arg(output);
        let run = finish(&mut command);
        assert_eq!(run.status.code(), Some(2), "{inputs:?}: {run:?}");
        assert!(said(&run).contains(words), "{inputs:?}: {run:?}");
        assert!(run.stdout.is_empty(), "{run:?}");
    }
    assert!(!output.exists());
}

/// Fails when a folder counts as a file because of its name.
#[test]
fn folder_whose_name_ends_like_a_file_is_a_folder() {
    let setup = Setup::new();
    let photo = setup.path("a.jpg");
    fs::write(&photo, jpeg(Quarter::TopLeft)).unwrap();
    let folder = setup.path("shop.png");
    fs::create_dir(&folder).unwrap();
    assert!(cut(&photo, &folder).status.success());
    assert_cutout(&folder.join("a.png"), Quarter::TopLeft);
}

/// P3: fails when a byte that is not part of the cutout goes to stdout, or when the photo or its cutout stays on the disk.
#[test]
fn stdin_and_stdout_carry_one_photo_and_its_cutout() {
    let setup = Setup::new();
    let (mut command, temp) = through_pipes(&setup);
    let photo = setup.path("a.jpg");
    fs::write(&photo, jpeg(Quarter::TopLeft)).unwrap();
    command.stdin(fs::File::open(&photo).unwrap());
    let run = finish(command.args(["-", "-o", "-"]));
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let piped = setup.path("piped.png");
    fs::write(&piped, &run.stdout).unwrap();
    assert_cutout(&piped, Quarter::TopLeft);
    assert_eq!(marked_source(&piped), "stdin");
    assert_eq!(fs::read_dir(&temp).unwrap().count(), 0);

    let (mut command, temp) = through_pipes(&setup);
    command.stdin(fs::File::open(&photo).unwrap());
    let named = setup.path("named.png");
    let run = finish(command.args(["-", "-o"]).arg(&named));
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert_eq!(fs::read(&named).unwrap(), fs::read(&piped).unwrap());
    assert_eq!(fs::read_dir(&temp).unwrap().count(), 0);

    let (mut command, _) = through_pipes(&setup);
    command
        .args(["--log-format", "json", "-o", "-"])
        .arg(&photo);
    let run = finish(&mut command);
    let stderr = String::from_utf8(run.stderr).unwrap();
    let first: serde_json::Value = serde_json::from_str(stderr.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["result"], &first["output"]),
        (&"done".into(), &"stdout".into())
    );
    assert!(run.stdout.starts_with(b"\x89PNG"));
}

/// Fails when empty input counts as a photo, or when a failed photo causes output on stdout.
#[test]
fn stdin_without_a_photo_is_told() {
    let setup = Setup::new();
    for (content, words) in [
        ("", "stdin: it is empty"),
        ("<html>", "stdin: not a picture"),
    ] {
        let (mut command, temp) = through_pipes(&setup);
        let photo = setup.path("photo");
        fs::write(&photo, content).unwrap();
        command.stdin(fs::File::open(&photo).unwrap());
        let run = finish(command.args(["-", "-o", "-"]));
        assert_eq!(run.status.code(), Some(1), "{run:?}");
        assert!(said(&run).contains(words), "{run:?}");
        assert!(run.stdout.is_empty(), "{run:?}");
        assert_eq!(fs::read_dir(&temp).unwrap().count(), 0);
    }
}

/// Fails when a reader that stops early causes a panic or a message, or when the cutout stays on the disk.
#[test]
fn closed_stdout_ends_it_quietly() {
    let setup = Setup::new();
    let photo = setup.path("a.jpg");
    // More than the capacity of a pipe.
    fs::write(&photo, noise_jpeg(400)).unwrap();
    let (mut command, temp) = through_pipes(&setup);
    command.arg(&photo).args(["-o", "-"]);
    let mut child = spawn(&mut command);
    drop(child.stdout.take());
    let run = end(child);
    assert_eq!(run.status.code(), Some(128 + 13), "{run:?}");
    assert!(run.stderr.is_empty(), "{run:?}");
    assert_eq!(fs::read_dir(&temp).unwrap().count(), 0);
}

/// Fails when Ctrl-C waits for a pipe without data, when it is ignored after another signal, or when the data received stays on the
/// disk.
#[test]
fn stop_does_not_wait_for_stdin() {
    let setup = Setup::new();
    let (mut command, temp) = through_pipes(&setup);
    command.args(["-", "-o", "-"]).stdin(Stdio::piped());
    let mut child = spawn(&mut command);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&jpeg(Quarter::TopLeft)[..100]).unwrap();
    let has_come = |path: &PathBuf| fs::metadata(temp.join(path)).is_ok_and(|it| it.len() == 100);
    wait_for("it is kept", || files_below(&temp).iter().any(has_come));
    processes::signal(child.id(), Signal::HUP);
    processes::signal(child.id(), Signal::INT);
    let run = end(child);
    drop(stdin);
    assert_eq!(run.status.code(), Some(130), "{run:?}");
    assert!(said(&run).contains("0 failed, 1 not done"), "{run:?}");
    assert_eq!(fs::read_dir(&temp).unwrap().count(), 0);
}

/// Fails when the error for a photo that is too large does not name the option, or when the option has no effect.
#[test]
fn largest_photo_is_as_large_as_the_option_says() {
    let setup = Setup::new();
    let photo = setup.path("a.jpg");
    fs::write(&photo, huge_jpeg(Quarter::TopLeft)).unwrap();
    let output = setup.path("out");
    let mut command = cut_command();
    command.arg(&photo).arg("-o").arg(&output);
    let run = finish(command.args(["--max-megapixels", "23"]));
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    let told = said(&run);
    assert!(told.contains("24 megapixels: more than the 23"), "{told}");
    assert!(told.contains("`--max-megapixels N`"), "{told}");
    let mut command = cut_command();
    command.arg(&photo).arg("-o").arg(&output);
    command.args(["--edges", "off"]);
    let run = finish(command.args(["--max-megapixels", "24"]));
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let none = finish(cut_command().args(["a.jpg", "-o", "out", "--max-megapixels", "0"]));
    assert_eq!(none.status.code(), Some(2), "{none:?}");
}

/// `hotcut cut` with the test model.
fn cut_command() -> Command {
    let mut command = hotcut();
    command.args(["cut", "--model", "luma", "--models-dir", MODELS]);
    command
}

/// As above, with its own folder for temporary files.
fn through_pipes(setup: &Setup) -> (Command, PathBuf) {
    let temp = setup.path("temp");
    fs::create_dir_all(&temp).unwrap();
    let mut command = cut_command();
    command.env("TMPDIR", &temp);
    (command, temp)
}

#[track_caller]
fn cut(input: &Path, output: &Path) -> Output {
    finish(cut_command().arg(input).arg("-o").arg(output))
}

fn spawn(command: &mut Command) -> Child {
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

#[track_caller]
fn end(mut child: Child) -> Output {
    wait_for("it ends", || child.try_wait().unwrap().is_some());
    child.wait_with_output().unwrap()
}
