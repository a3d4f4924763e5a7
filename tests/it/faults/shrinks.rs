//! Tests smaller pictures from a worker in its sandbox, addressed as by the daemon. Knows the frames; starts no daemon.

use std::io::{Cursor, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use image::GenericImageView as _;
use serde_json::{Value, json};

use crate::support::binary::{MODELS, hotcut};
use crate::support::photos::{Quarter, dark_png, large_jpeg};

struct Worker {
    child: Child,
    orders: ChildStdin,
    replies: ChildStdout,
}

impl Worker {
    fn start() -> Worker {
        let mut child = hotcut()
            .args(["worker", "--parent", &std::process::id().to_string()])
            .args(["--threads", "1", "--megapixels-max", "20"])
            .args(["--memory-bytes", "2147483648"])
            .args(["--models-dir", MODELS, "--model", "luma"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (orders, replies) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut worker = Worker {
            child,
            orders,
            replies,
        };
        let ready = worker.header();
        assert_eq!(ready["Ready"]["seccomp"], true, "{ready}");
        worker
    }

    fn header(&mut self) -> Value {
        let mut length = [0; 4];
        self.replies.read_exact(&mut length).unwrap();
        let mut header = vec![0; u32::from_le_bytes(length) as usize];
        self.replies.read_exact(&mut header).unwrap();
        serde_json::from_slice(&header).unwrap()
    }

    /// The last reply to a task, and the files that preceded it.
    fn ask(&mut self, task: &Value, photo: &[u8]) -> (Value, Vec<Vec<u8>>) {
        let order = json!({ "task": task, "len": photo.len() }).to_string();
        let length = u32::try_from(order.len()).unwrap().to_le_bytes();
        for bytes in [&length[..], order.as_bytes(), photo] {
            self.orders.write_all(bytes).unwrap();
        }
        let mut files = Vec::new();
        loop {
            let reply = self.header();
            let Some(length) = reply["File"].as_u64() else {
                return (reply, files);
            };
            let mut file = vec![0; usize::try_from(length).unwrap()];
            self.replies.read_exact(&mut file).unwrap();
            files.push(file);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Fails when one task is mistaken for the other, when shrinking needs a right or a model that it does not have, when the worker's
/// own cutout is refused, or when an invalid picture kills the worker.
#[test]
fn one_worker_cuts_out_and_shrinks() {
    let mut worker = Worker::start();
    let shrink = json!({ "Shrink": { "side": 90 } });
    let cut = |outputs: Value| {
        json!({ "Cut": {
        "model": "luma", "source": "a.jpg", "zeros": "Refuse", "edges": "auto", "outputs": outputs
    } })
    };
    let (png, two) = (
        json!([{ "format": "png" }]),
        json!([{ "format": "png" }, { "format": "png" }]),
    );
    let photo = large_jpeg(Quarter::TopLeft);
    let (report, small) = worker.ask(&shrink, &photo);
    let picture = image::load_from_memory(&small[0]).unwrap();
    assert_eq!(picture.dimensions(), (90, 60), "{report}");
    assert!(!picture.color().has_alpha());
    let (reply, cutouts) = worker.ask(&cut(two), &photo);
    assert!(reply["Done"].is_object(), "{reply}");
    let [cutout, other] = &cutouts[..] else {
        panic!("two files, not {}", cutouts.len())
    };
    assert!(cutout == other, "the outputs are of one inference");
    let (reply, _) = worker.ask(&cut(png), cutout);
    assert_eq!(reply["Failed"], "OwnOutput");
    let (report, small) = worker.ask(&shrink, cutout);
    let done = &report["Done"];
    assert_eq!((&done["width"], &done["height"]), (&json!(90), &json!(60)));
    let small = Cursor::new(&small[0]);
    let reader = image::ImageReader::with_format(small, image::ImageFormat::Png);
    let small = reader.decode().unwrap().to_rgba8();
    // The subject is lit: it is in the first quarter; the other quarters are transparent.
    assert!(small.get_pixel(20, 15)[3] > 200 && small.get_pixel(70, 45)[3] < 60);
    let (reply, files) = worker.ask(&shrink, b"<!DOCTYPE html><html>");
    assert!(reply["Failed"]["NotAnImage"].is_string(), "{reply}");
    assert!(files.is_empty());
    // The network would find nothing in it, and is not used.
    let (reply, _) = worker.ask(&shrink, &dark_png());
    assert!(reply["Done"].is_object(), "{reply}");
}
