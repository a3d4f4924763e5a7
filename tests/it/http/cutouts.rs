//! Tests the answers of the API: cutouts, files in hot folders, states. No abuse.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::binary::{CHECKOUT, MODELS, said, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, assert_cutout, jpeg, large_jpeg};
use crate::support::processes;
use crate::support::requests::{Answer, begin, get, metric, post, post_form, send, wait_ready};
use crate::support::setup::Setup;
use rustix::process::Signal;

fn listening() -> HotFolder {
    HotFolder::start_with(Setup::new().listens())
}

/// Fails when the API decodes, marks or encodes differently from a folder.
#[test]
fn api_and_folder_give_the_same_bytes() {
    let hot = HotFolder::start_with(Setup::new().listens().folder("edges", "auto"));
    let photo = large_jpeg(Quarter::TopRight);
    hot.drop_file("a.jpg", &photo);
    let of_folder = fs::read(hot.wait_output("a.png")).unwrap();
    let of_form = post_form(&hot, "/remove-background/", &[("a.jpg", &photo)]);
    let of_body = post(&hot, "/remove-background?name=a.jpg", &photo);
    for answer in [of_form, of_body] {
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("image/png"));
        assert!(answer.body == of_folder, "other bytes than the folder's");
    }
}

/// Fails when the cutting model is not the requested one. The other one finds no subject in any photo.
#[test]
fn model_that_is_asked_for_is_used() {
    let setup = Setup::new().listens().another_folder("portraits");
    let hot = HotFolder::start_with(setup.folder("model", "blank"));
    let photo = jpeg(Quarter::TopLeft);
    let cut = "/remove-background";
    assert_eq!(post(&hot, &format!("{cut}?model=luma"), &photo).status, 200);
    let answer = post(&hot, &format!("{cut}?model=blank"), &photo);
    assert_eq!(
        (answer.status, answer.problem()),
        (422, "no_subject".to_owned())
    );
    for (model, finds_none) in [("luma", false), ("blank", true)] {
        let path = format!("/batch?model={model}");
        let answer = post_form(&hot, &path, &[("a.jpg", &photo)]);
        assert_eq!(answer.status, 200, "{model}");
        let zip = String::from_utf8_lossy(&answer.body);
        assert_eq!(zip.contains("\"no_subject\""), finds_none, "{model}");
        assert_eq!(zip.contains("a.png"), !finds_none, "{model}");
    }
}

/// P6: fails when bodies or answers stay in the state directory.
#[test]
fn nothing_of_a_request_is_left_on_disk() {
    let hot = listening();
    assert_eq!(
        post(&hot, "/remove-background", &jpeg(Quarter::TopLeft)).status,
        200
    );
    post(&hot, "/remove-background", b"no photo");
    let names = || {
        let mut names: Vec<String> = fs::read_dir(hot.setup().path("state"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.starts_with("ledger.db"))
            .collect();
        names.sort();
        names
    };
    // The status itself is first written under another name.
    wait_for("nothing else", || {
        names() == ["canary", "lock", "status.json"]
    });
}

/// P3: fails when a photo is visible in its hot folder before it is complete, or takes another's name.
#[test]
fn photo_that_is_sent_into_a_folder_is_treated_like_any_other() {
    let hot = listening();
    let (first, second) = (jpeg(Quarter::TopLeft), jpeg(Quarter::TopRight));
    let path = "/api/folders/products/photos";
    let answer = post_form(&hot, path, &[("../a.jpg", &first)]);
    assert_eq!(
        (answer.status, &answer.json()["source"]),
        (201, &"a.jpg".into())
    );
    let answer = post_form(&hot, path, &[("a.jpg", &second)]);
    assert_eq!(
        (answer.status, &answer.json()["source"]),
        (201, &"a-2.jpg".into())
    );
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
    assert_cutout(&hot.wait_output("a-2.png"), Quarter::TopRight);
    assert_eq!(fs::read(hot.input("a.jpg")).unwrap(), first);
    let refused = post_form(&hot, path, &[("a.exe", &first)]);
    assert_eq!(
        (refused.status, refused.problem()),
        (422, "not_included".to_owned())
    );
    let unknown = post_form(&hot, "/api/folders/nobody/photos", &[("a.jpg", &first)]);
    assert_eq!(
        (unknown.status, unknown.problem()),
        (404, "unknown_folder".to_owned())
    );
    assert!(hot.temporaries().is_empty());
}

/// P10: fails when the status over HTTP differs from the real state of the folders.
#[test]
fn status_tells_of_each_folder() {
    let hot = listening();
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.drop_file("b.jpg", b"no photo");
    hot.wait_quarantined("b.jpg");
    hot.wait_output("a.png");
    wait_for("both in the status", || {
        let status = get(&hot, "/api/status").json();
        let folder = &status["folders"][0];
        folder["done"] == 1 && folder["quarantined"] == 1 && folder["state"] == "online"
    });
}

/// Fails when readiness does not require a worker.
#[test]
fn ready_only_while_a_worker_can_cut() {
    let setup = Setup::new().listens().daemon("workers", "1");
    let models = setup.path("models");
    fs::create_dir(&models).unwrap();
    for name in ["luma.toml", "luma.onnx"] {
        fs::copy(Path::new(MODELS).join(name), models.join(name)).unwrap();
    }
    let setup = setup.daemon("models_dir", &models.display().to_string());
    let hot = HotFolder::start_with(setup);
    wait_ready(&hot);
    fs::rename(models.join("luma.onnx"), models.join("away")).unwrap();
    processes::signal(hot.workers()[0], Signal::KILL);
    wait_for("not ready", || get(&hot, "/readyz").status == 503);
    assert_eq!(metric(&hot, "hotcut_worker_deaths_total"), 1, "an idle one");
    assert_eq!(get(&hot, "/healthz").status, 200);
    fs::rename(models.join("away"), models.join("luma.onnx")).unwrap();
    wait_ready(&hot);
}

/// P10: fails when an address in use stops the folders, or is not reported.
#[test]
fn address_that_is_taken_is_told_and_tried_again() {
    let squatter = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = squatter.local_addr().unwrap().to_string();
    let setup = Setup::new().listens().http("listen", &address);
    let hot = HotFolder::start_with(setup);
    hot.wait_log("cannot listen on the address");
    wait_http(&hot, &format!("{address} cannot be used"));
    // The address is tried again every other second; the absence of messages can only be observed by waiting.
    let begun = Instant::now();
    wait_for("two more tries", || {
        begun.elapsed() > Duration::from_secs(5)
    });
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_output("a.png");
    drop(squatter);
    wait_ready(&hot);
    wait_http(&hot, &format!("listening on {address}"));
    assert_eq!(hot.log_lines("cannot listen on the address"), 1);
}

/// Waits until both forms of `hotcut status` show this state of the listener.
#[track_caller]
fn wait_http(hot: &HotFolder, state: &str) {
    wait_for(state, || {
        let text = said(&hot.command("status", [] as [&str; 0]));
        let told = hot.whole_status().http.unwrap_or_default();
        told.starts_with(state) && text.contains(&format!("http: {state}"))
    });
}

/// P8: fails when a stop drops the photo of a request or is held up by it, or when the daemon seems ready while it accepts no more
/// requests.
#[test]
fn request_under_way_is_answered_before_the_daemon_stops() {
    let setup = Setup::new().listens().daemon("workers", "1");
    let mut hot = HotFolder::start_with(setup);
    wait_ready(&hot);
    let worker = hot.stop_worker();
    let photo = jpeg(Quarter::TopLeft);
    let mut stream = begin(&hot, "POST /remove-background", &[], &photo);
    wait_for("the request has the worker", || {
        let metrics = get(&hot, "/metrics").body;
        String::from_utf8(metrics)
            .unwrap()
            .contains("hotcut_running_requests 1\n")
    });
    hot.signal(Signal::TERM);
    hot.wait_log("draining");
    assert_eq!(get(&hot, "/readyz").status, 503);
    assert_eq!(metric(&hot, "hotcut_ready"), 0);
    let another = post(&hot, "/remove-background", &photo);
    assert_eq!(
        (another.status, another.problem()),
        (503, "closed".to_owned())
    );
    processes::signal(worker, Signal::CONT);
    let answer = Answer::read(&mut stream);
    assert_eq!((answer.status, &answer.body[1..4]), (200, &b"PNG"[..]));
    assert_eq!(hot.wait_exit().code(), Some(0));
}

const QUARANTINED: &str = "hotcut_photos_total{folder=\"products\",result=\"quarantined\"}";

/// Fails when the metrics for Prometheus lack a counter, start one too late, or name a file.
#[test]
fn metrics_count_photos_and_name_no_file() {
    let hot = listening();
    // A counter that begins at 1 shows no increase to Prometheus: the first quarantined photo would be missed.
    assert_eq!(metric(&hot, QUARANTINED), 0);
    hot.drop_file("secret-name.jpg", &jpeg(Quarter::TopLeft));
    hot.drop_file("secret-junk.jpg", b"no photo");
    hot.wait_output("secret-name.png");
    hot.wait_quarantined("secret-junk.jpg");
    let text = || String::from_utf8(get(&hot, "/metrics").body).unwrap();
    for line in [
        "hotcut_photos_total{folder=\"products\",result=\"done\"} 1",
        "hotcut_photos_total{folder=\"products\",result=\"quarantined\"} 1",
        "hotcut_files_settled_total{folder=\"products\",by=\"event\"} 2",
        "hotcut_stage_seconds_count{stage=\"inference\"} 1",
        "hotcut_folder_state{folder=\"products\",state=\"online\"} 1",
        "hotcut_worker_deaths_total 0",
        "hotcut_ready 1",
    ] {
        wait_for(line, || text().lines().any(|found| found == line));
    }
    assert!(!text().contains("secret"), "{}", text());
}

/// Fails when a metric is renamed and the documentation or dashboard keeps the old name, or when a metric is not explained.
#[test]
fn documentation_and_dashboard_name_the_metrics_that_there_are() {
    let hot = listening();
    let photo = jpeg(Quarter::TopLeft);
    assert_eq!(post(&hot, "/remove-background", &photo).status, 200);
    hot.drop_file("a.jpg", &photo);
    wait_for("both are counted", || {
        let photos = metric(
            &hot,
            "hotcut_photos_total{folder=\"products\",result=\"done\"}",
        );
        (
            photos,
            metric(&hot, "hotcut_requests_total{result=\"cut\"}"),
        ) == (1, 1)
    });
    let metrics = String::from_utf8(get(&hot, "/metrics").body).unwrap();
    let named = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| !c.is_ascii_lowercase() && c != '_');
        let metrics = words.filter(|word| word.starts_with("hotcut_"));
        let endings = ["_total", "_bucket", "_sum", "_count"];
        let bare = metrics.map(|word| {
            let ending = endings.iter().find_map(|ending| word.strip_suffix(ending));
            ending.unwrap_or(word).to_owned()
        });
        // A cookie, and the prefix of a package's name.
        bare.filter(|word| !["hotcut_session", "hotcut_"].contains(&word.as_str()))
            .collect()
    };
    let there = named(&metrics);
    let read = |path: &str| fs::read_to_string(Path::new(CHECKOUT).join(path)).unwrap();
    assert_eq!(named(&read("docs/operations.md")), there);
    let shown = named(&read("config/grafana.json"));
    assert!(shown.is_subset(&there), "{:?}", shown.difference(&there));
}

/// Fails when the API description omits a path, or is not valid.
#[test]
fn description_lists_every_path() {
    let hot = listening();
    let description = send(&hot, "GET /openapi.json", &[], &[]).json();
    for path in [
        "/remove-background",
        "/batch",
        "/api/status",
        "/api/events",
        "/metrics",
        "/healthz",
    ] {
        assert!(description["paths"][path].is_object(), "{path}");
    }
}
