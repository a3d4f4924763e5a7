//! Tests the word for edges in a configuration, a request and on the command line: what is made again, refused and reported. Looks
//! at no pixel.

use std::fs;

use crate::support::binary::{MODELS, finish, hotcut, identity, said, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, assert_cutout, jpeg};
use crate::support::requests::{get, post_form};
use crate::support::setup::Setup;
use rustix::process::Signal;

const WORDS: [&str; 4] = ["auto", "soft", "hard", "off"];

/// P2, P9: fails when other edges alone cause a new cutout, at a reload or a start, or make the workers load their models again; or
/// when a requested redo is not done.
#[test]
fn other_edges_cut_out_again_only_what_was_asked_for() {
    let mut hot = HotFolder::start_with(Setup::new().folder("edges", "off"));
    for name in ["a", "b"] {
        hot.drop_file(format!("{name}.jpg"), &jpeg(Quarter::TopLeft));
        hot.wait_output(format!("{name}.png"));
    }
    hot.wait_status("done", |status| status.done == 2);
    wait_for("both workers", || hot.workers().len() == 2);
    let (workers, before) = (hot.workers(), cutouts(&hot));
    hot.change_setup(|setup| setup.folder("edges", "auto"));
    hot.signal(Signal::HUP);
    hot.wait_log("reloaded");
    hot.drop_file("c.jpg", &jpeg(Quarter::TopRight));
    assert_cutout(&hot.wait_output("c.png"), Quarter::TopRight);
    hot.wait_status("the third", |status| {
        status.done == 3 && status.running == 0
    });
    assert_eq!(hot.workers(), workers, "the models are the same");
    hot.stop();
    hot.restart();
    hot.wait_status("all are known", |status| {
        status.done == 3 && status.queued == 0 && status.running == 0
    });
    assert_eq!(cutouts(&hot), before, "edges are a choice");

    let output = hot.command("redo", [hot.input("b.jpg").as_os_str()]);
    assert!(said(&output).contains("its folder: 1"), "{}", said(&output));
    wait_for("b", || cutouts(&hot)[1] != before[1]);
    assert_cutout(&hot.output("b.png"), Quarter::TopLeft);
    hot.wait_status("done", |status| status.running == 0 && status.queued == 0);
    assert_eq!(cutouts(&hot)[0], before[0]);
}

/// Fails when `check` does not show the edges of a folder.
#[test]
fn check_tells_the_edges_of_each_folder() {
    let setup = Setup::new().another_folder("portraits");
    let setup = setup.folder("edges", "soft");
    let setup = setup.folder_of("products", "edges", "auto");
    setup.write_config();
    let check = finish(
        hotcut()
            .args(["check", "--config"])
            .arg(setup.config_file()),
    );
    assert_eq!(check.status.code(), Some(0), "{}", said(&check));
    for words in ["edges \"auto\"", "edges \"soft\""] {
        assert!(said(&check).contains(words), "{}", said(&check));
    }
}

/// Fails when a request for unknown edges is accepted, or its error does not list the known ones.
#[test]
fn request_for_edges_that_there_are_not_is_refused() {
    let hot = HotFolder::start_with(Setup::new().listens().http("edges", "hard"));
    let photo = jpeg(Quarter::TopLeft);
    let ask = |path: &str, word: &str| {
        let files: [(&str, &[u8]); 1] = [("a.jpg", &photo)];
        post_form(&hot, &format!("{path}?model=luma&edges={word}"), &files)
    };
    let description = get(&hot, "/openapi.json").json();
    for path in ["/remove-background", "/batch"] {
        for word in WORDS {
            assert_eq!(ask(path, word).status, 200, "{path}, {word}");
        }
        for word in ["sharp", "Auto", ""] {
            let answer = ask(path, word);
            let told = (answer.status, answer.problem());
            assert_eq!(told, (422, "unknown_edges".to_owned()), "{path}, {word:?}");
            let detail = answer.json()["detail"].to_string();
            assert!(detail.contains("auto, soft, hard, off"), "{detail}");
        }
        let parameters = &description["paths"][path]["post"]["parameters"];
        let mut parameters = parameters.as_array().unwrap().iter();
        let described = parameters.find(|it| it["name"] == "edges").unwrap();
        assert_eq!(described["schema"]["enum"], serde_json::json!(WORDS));
        assert_ne!(described["required"], true, "{described}");
    }
    assert_eq!(get(&hot, "/api/status").json()["default_edges"], "hard");
}

/// Fails when a known word is refused on the command line, or an unknown one accepted.
#[test]
fn cut_takes_the_edges_that_there_are() {
    let setup = Setup::new();
    let photo = setup.path("a.jpg");
    fs::write(&photo, jpeg(Quarter::TopLeft)).unwrap();
    let cut = |word: &str| {
        let mut command = hotcut();
        command.args(["cut", "--model", "luma", "--models-dir", MODELS]);
        command.args(["--edges", word]).arg(&photo).arg("-o");
        finish(command.arg(setup.path(word)))
    };
    for word in WORDS {
        let run = cut(word);
        assert_eq!(run.status.code(), Some(0), "{word}: {run:?}");
        assert_cutout(&setup.path(word).join("a.png"), Quarter::TopLeft);
    }
    let run = cut("sharp");
    assert_eq!(run.status.code(), Some(2), "{run:?}");
    let told = said(&run);
    assert!(told.contains("auto, soft, hard, off"), "{told}");
    assert!(!setup.path("sharp").exists());
}

fn cutouts(hot: &HotFolder) -> [(u64, i64, i64); 2] {
    ["a.png", "b.png"].map(|name| identity(&hot.output(name)))
}
