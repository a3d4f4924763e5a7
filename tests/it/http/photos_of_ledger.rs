//! Tests `/api/photos`: the ledger's records, the pictures that belong to them, and retries.

use std::fs;

use crate::support::binary::wait_for;
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, jpeg, large_jpeg};
use crate::support::processes;
use crate::support::requests::{Answer, begin, get, metric, post, send};
use crate::support::setup::Setup;
use rustix::process::Signal;

fn listening() -> HotFolder {
    HotFolder::start_with(Setup::new().listens())
}

/// The id of the only photo in this state.
#[track_caller]
fn only(hot: &HotFolder, state: &str) -> i64 {
    let mut id = None;
    wait_for(&format!("one photo {state}"), || {
        let page = get(hot, &format!("/api/photos?state={state}")).json();
        id = page["photos"][0]["id"].as_i64();
        id.is_some()
    });
    id.expect("waited for")
}

/// Fails when a page omits or repeats a photo, or a filter lets others through.
#[test]
fn photos_are_listed_in_pages_newest_first() {
    let hot = HotFolder::start_with(Setup::new().listens().another_folder("portraits"));
    for number in 0..5 {
        hot.drop_file(format!("{number}.jpg"), &jpeg(Quarter::TopLeft));
        hot.wait_output(format!("{number}.png"));
    }
    hot.drop_file("junk.jpg", b"no photo");
    only(&hot, "quarantined");
    wait_for("all are done", || {
        get(&hot, "/api/status").json()["folders"][0]["done"] == 5
    });
    let mut found = Vec::new();
    let mut path = "/api/photos?state=done&folder=products&count=2".to_owned();
    loop {
        let page = get(&hot, &path).json();
        let photos = page["photos"].as_array().unwrap().iter();
        found.extend(photos.map(|photo| photo["source"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_i64() else {
            break;
        };
        path = format!("/api/photos?state=done&folder=products&count=2&after={next}");
    }
    assert_eq!(found, ["4.jpg", "3.jpg", "2.jpg", "1.jpg", "0.jpg"]);
    let others = get(&hot, "/api/photos?folder=portraits").json();
    assert_eq!(others["photos"].as_array().unwrap().len(), 0);
    for path in [
        "/api/photos?state=lost",
        "/api/photos?count=0",
        "/api/photos?count=201",
    ] {
        assert_eq!(get(&hot, path).status, 400, "{path}");
    }
    assert_eq!(get(&hot, "/api/photos/999").status, 404);
}

/// Fails when a picture is of another version, or is sent again to a browser that already has it.
#[test]
fn photo_and_cutout_are_given_as_they_lie() {
    let hot = listening();
    let photo = jpeg(Quarter::TopLeft);
    hot.drop_file("a.jpg", &photo);
    let cutout = fs::read(hot.wait_output("a.png")).unwrap();
    let id = only(&hot, "done");
    let source = get(&hot, &format!("/api/photos/{id}/source"));
    assert_eq!(
        (source.header("content-type"), &source.body),
        (Some("image/jpeg"), &photo)
    );
    let answer = get(&hot, &format!("/api/photos/{id}/cutout"));
    assert_eq!(
        (answer.header("content-type"), &answer.body),
        (Some("image/png"), &cutout)
    );
    let tag = format!("If-None-Match: {}", answer.header("etag").unwrap());
    let again = send(&hot, &format!("GET /api/photos/{id}/cutout"), &[&tag], &[]);
    assert_eq!((again.status, again.body.len()), (304, 0));
    // A compressing proxy makes the tag weak, and asks for all tags that it stores.
    let tag = tag.replace("h: ", "h: \"other\", W/");
    let again = send(&hot, &format!("GET /api/photos/{id}/cutout"), &[&tag], &[]);
    assert_eq!((again.status, again.body.len()), (304, 0), "{tag}");
    hot.drop_file("a.jpg", &jpeg(Quarter::TopRight));
    wait_for("the photo of then is gone", || {
        get(&hot, &format!("/api/photos/{id}/source")).status == 404
    });
}

/// P10: two photos of one name were moved away. Fails when the page shows one of them with the picture of the other, or with none.
#[test]
fn photos_of_one_name_are_shown_with_their_own_pictures() {
    let hot = HotFolder::start_with(Setup::new().listens().moves_sources());
    let photos = [jpeg(Quarter::TopLeft), jpeg(Quarter::BottomRight)];
    for (photo, count) in photos.iter().zip(1..) {
        hot.drop_file("a.jpg", photo);
        hot.wait_status("done", |status| status.done == count);
        wait_for("the photo is gone", || !hot.input("a.jpg").exists());
    }
    let page = get(&hot, "/api/photos?state=done").json();
    for (index, name) in [(0, "a-2.png"), (1, "a.png")] {
        let id = page["photos"][index]["id"].as_i64().unwrap();
        let source = get(&hot, &format!("/api/photos/{id}/source"));
        assert_eq!(source.body, photos[1 - index], "{name}");
        let cutout = get(&hot, &format!("/api/photos/{id}/cutout"));
        assert_eq!(cutout.body, fs::read(hot.output(name)).unwrap());
    }
}

/// P6: fails when a small picture is not small, or is made again each time.
#[test]
fn thumbnail_is_made_once_and_kept() {
    let hot = listening();
    hot.drop_file("a.jpg", &large_jpeg(Quarter::TopLeft));
    hot.wait_output("a.png");
    let id = only(&hot, "done");
    for of in ["cutout", "source"] {
        let path = format!("/api/photos/{id}/thumb?of={of}");
        let first = get(&hot, &path);
        let picture = image::load_from_memory(&first.body).unwrap();
        let longest = picture.width().max(picture.height());
        assert_eq!(longest, 320, "{of}");
        assert_eq!(get(&hot, &path).body, first.body);
    }
    let kept = fs::read_dir(hot.setup().path("state/thumbs")).unwrap();
    assert_eq!(kept.count(), 2);
    let metrics = String::from_utf8(get(&hot, "/metrics").body).unwrap();
    assert!(
        metrics.contains("hotcut_requests_total{result=\"shrunk\"} 2\n"),
        "{metrics}"
    );
    assert_eq!(
        get(&hot, &format!("/api/photos/{id}/thumb?side=321")).status,
        400
    );
}

/// P5: fails when a picture that cannot be made small is given to a worker at each request of the page.
#[test]
fn picture_that_cannot_be_made_small_is_tried_once() {
    let hot = listening();
    hot.drop_file("a.jpg", b"no photo");
    let id = only(&hot, "quarantined");
    let path = format!("/api/photos/{id}/thumb?of=source");
    assert_eq!(get(&hot, &path).status, 415);
    for _ in 0..3 {
        let answer = get(&hot, &path);
        assert_eq!(
            (answer.status, answer.problem()),
            (404, "no_thumb".to_owned())
        );
    }
    assert_eq!(metric(&hot, "hotcut_requests_total{result=\"refused\"}"), 1);
}

/// P5: fails when each of several simultaneous requests for it takes a worker.
#[test]
fn picture_that_many_ask_for_is_tried_by_those_only_who_are_served_at_once() {
    let hot = HotFolder::start_with(Setup::new().listens().daemon("workers", "1"));
    hot.drop_file("a.jpg", b"no photo");
    let id = only(&hot, "quarantined");
    let worker = hot.stop_worker();
    let line = format!("GET /api/photos/{id}/thumb?of=source");
    let mut asked: Vec<_> = (0..6).map(|_| begin(&hot, &line, &[], &[])).collect();
    wait_for("one is with the worker, another waits for it", || {
        (
            metric(&hot, "hotcut_running_requests"),
            metric(&hot, "hotcut_queued_requests"),
        ) == (1, 1)
    });
    wait_for("the others have their copies", || unnamed_files(&hot) >= 8);
    processes::signal(worker, Signal::CONT);
    for stream in &mut asked {
        assert!([404, 415].contains(&Answer::read(stream).status));
    }
    let refused = metric(&hot, "hotcut_requests_total{result=\"refused\"}");
    assert!(refused <= 2, "{refused} were tried");
}

/// The nameless files that the daemon has open in its state directory.
fn unnamed_files(hot: &HotFolder) -> usize {
    let state = hot.setup().path("state");
    let open = fs::read_dir(format!("/proc/{}/fd", hot.pid())).unwrap();
    let open = open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    open.filter(|path| path.starts_with(&state) && path.to_string_lossy().ends_with(" (deleted)"))
        .count()
}

/// Fails when a link, or a manipulated path in the ledger, leads out of the folders.
#[test]
fn what_lies_outside_of_the_folders_is_not_given() {
    let hot = listening();
    let secret = hot.setup().path("secret.png");
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    let output = hot.wait_output("a.png");
    let id = only(&hot, "done");
    fs::rename(&output, &secret).unwrap();
    std::os::unix::fs::symlink(&secret, &output).unwrap();
    let answer = get(&hot, &format!("/api/photos/{id}/cutout"));
    assert_eq!((answer.status, answer.problem()), (404, "gone".to_owned()));
    for path in [
        "/api/photos/1%2f..%2f..%2fsecret.png/source",
        "/api/photos/../../secret.png",
    ] {
        assert_eq!(get(&hot, path).status, 404, "{path}");
    }
}

/// Fails when a quarantined photo cannot be retried, or another photo can.
#[test]
fn photo_that_was_set_aside_is_retried() {
    let hot = listening();
    hot.drop_file("a.jpg", b"no photo");
    let id = only(&hot, "quarantined");
    let photo = get(&hot, &format!("/api/photos/{id}")).json();
    assert!(
        photo["reason"].as_str().unwrap().contains("picture"),
        "{photo}"
    );
    let retry = post(&hot, &format!("/api/photos/{id}/retry"), &[]);
    assert_eq!(retry.status, 204, "{retry:?}");
    wait_for("it is tried and set aside again", || {
        hot.log_lines("quarantined") == 2
    });
    hot.drop_file("b.jpg", &jpeg(Quarter::TopLeft));
    let done = only(&hot, "done");
    let refused = post(&hot, &format!("/api/photos/{done}/retry"), &[]);
    assert_eq!(
        (refused.status, refused.problem()),
        (409, "not_quarantined".to_owned())
    );
    assert_eq!(post(&hot, "/api/photos/999/retry", &[]).status, 404);
}
