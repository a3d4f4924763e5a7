//! Tests what commands say about a request that cannot be met: which file or key is concerned, and what to do.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use crate::support::binary::{MODELS, finish, hotcut, said, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{HTML, Quarter, jpeg};
use crate::support::setup::Setup;

/// P10: fails when `retry` claims to retry a photo that lies in the `failed` folder, or leaves it waiting for ever.
#[test]
fn retry_of_a_photo_that_was_moved_away_says_where_it_is() {
    let mut hot = HotFolder::start_with(Setup::new().moves_failures());
    hot.drop_file("a.jpg", HTML);
    hot.wait_quarantined("a.jpg");
    let failed = hot.setup().path("failed/a.jpg");
    wait_for("moved", || failed.exists());
    // The last write to the ledger has happened by then.
    hot.stop();
    hot.restart();
    for asked in [hot.input("a.jpg"), failed.clone()] {
        let output = hot.command("retry", [&asked]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let told = said(&output);
        let place = hot.setup().path("failed").display().to_string();
        assert!(told.contains(&format!("was moved to {place}")), "{told}");
        assert!(
            told.contains(
                &format!("move it back to {}", hot.input("").display())
                    .trim_end_matches('/')
                    .to_owned()
            ),
            "{told}"
        );
    }
    let all = hot.command("retry", [""; 0]);
    assert!(all.status.success() && said(&all).contains("was moved to"));
    hot.wait_quarantined("a.jpg");
    fs::write(hot.input("a.jpg"), jpeg(Quarter::TopLeft)).unwrap();
    hot.wait_output("a.png");
}

/// P9: fails when the error about a missing model does not name who asks for it, or which models exist.
#[test]
fn model_that_is_missing_is_named_with_its_table_and_the_others() {
    let setup = Setup::new().folder("model", "lumma");
    setup.write_config();
    let config = setup.config_file();
    let output = finish(hotcut().arg("check").arg("--config").arg(config));
    assert_eq!(output.status.code(), Some(78));
    let told = said(&output);
    for word in ["model \"lumma\"", "[[folder]] \"products\"", "blank, luma"] {
        assert!(told.contains(word), "{word}: {told}");
    }
    let photo = setup.path("a.jpg");
    fs::write(&photo, jpeg(Quarter::TopLeft)).unwrap();
    let cut = finish(
        hotcut()
            .arg("cut")
            .arg(photo)
            .args(["--model", "lumma", "--models-dir", MODELS, "-o"])
            .arg(setup.path("cut")),
    );
    assert!(said(&cut).contains("blank, luma"), "{cut:?}");
}

/// Fails when a reader that stops early, as in `hotcut status | head`, causes an error message.
#[test]
fn reader_that_goes_away_is_no_error() {
    let hot = HotFolder::start();
    for name in ["status", "check"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotcut"));
        command
            .arg(name)
            .arg("--config")
            .arg(hot.setup().config_file());
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = command
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!told.contains("ERROR"), "{told}");
        assert_eq!(output.status.code(), Some(141));
    }
}

/// Fails when a user without a configuration is not told how to get one.
#[test]
fn missing_configuration_comes_with_the_way_to_make_one() {
    for name in ["run", "check", "status"] {
        let output = finish(hotcut().args([name, "--config", "/nowhere/hotcut.toml"]));
        assert_eq!(output.status.code(), Some(78), "{output:?}");
        let told = said(&output);
        for word in ["/nowhere/hotcut.toml", "hotcut init"] {
            assert!(told.contains(word), "{told}");
        }
    }
}

/// P10: fails when a file outside every hot folder is treated as if it were in the first one.
#[test]
fn why_of_a_file_elsewhere_says_that_it_lies_in_no_hot_folder() {
    let hot = HotFolder::start();
    let elsewhere = hot.setup().path("a.jpg");
    fs::write(&elsewhere, jpeg(Quarter::TopLeft)).unwrap();
    let output = hot.command("why", [&elsewhere]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        said(&output).contains("is not in a hot folder"),
        "{output:?}"
    );
}

/// P10: fails when a photo below a link, which is never taken, is said to wait for its turn.
#[test]
fn why_of_a_photo_below_a_link_says_that_links_are_not_followed() {
    let hot = HotFolder::start();
    let elsewhere = hot.setup().path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("a.jpg"), jpeg(Quarter::TopLeft)).unwrap();
    symlink(&elsewhere, hot.input("link")).unwrap();
    symlink(elsewhere.join("a.jpg"), hot.input("b.jpg")).unwrap();
    for asked in ["link/a.jpg", "b.jpg"] {
        let told = said(&hot.command("why", [hot.input(asked)]));
        assert!(
            told.contains("links in a hot folder are not followed"),
            "{told}"
        );
    }
}
