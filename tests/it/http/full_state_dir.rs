//! Tests a state directory that is nearly full: requests are refused with a message, and nothing else is affected.

use std::fs;

use crate::support::binary::{namespaces_work, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::namespace::Namespace;
use crate::support::photos::{Quarter, jpeg, noise_jpeg};
use crate::support::requests::{post, post_form, wait_ready};
use crate::support::setup::Setup;

const MIB: u64 = 1 << 20;

/// P6, P10: fails when a photo, or a cutout larger than its photo, uses space that the ledger will need, when that costs a healthy
/// worker, or when it is reported as a fault of the machine.
#[test]
fn what_the_ledger_needs_is_left_to_it() {
    if !namespaces_work("what_the_ledger_needs_is_left_to_it") {
        return;
    }
    let prelude = "mount -t tmpfs -o size=320m tmpfs state";
    let hot = HotFolder::start_with(Setup::patient().listens().in_namespace(prelude));
    let namespace = Namespace::of(&hot);
    let state = namespace.inside(&hot.setup().path("state"));
    wait_ready(&hot);
    wait_for("both workers", || hot.workers().len() == 2);
    let workers = hot.workers();
    let leave = |mib: u64| {
        let filler = state.join("filler");
        fs::write(&filler, b"").unwrap();
        let disk = rustix::fs::statvfs(&state).unwrap();
        let free = disk.f_bavail * disk.f_frsize;
        let file = fs::OpenOptions::new().write(true).open(filler).unwrap();
        rustix::fs::fallocate(
            file,
            rustix::fs::FallocateFlags::empty(),
            0,
            free - mib * MIB,
        )
        .unwrap();
    };
    let (small, large) = (jpeg(Quarter::TopLeft), noise_jpeg(1_500));
    leave(264);
    let cut = "/remove-background";
    assert_eq!(post(&hot, cut, &small).status, 200);
    leave(256 + large.len() as u64 / MIB + 3);
    assert_eq!(post(&hot, cut, &small).status, 200);
    let answer = post(&hot, cut, &large);
    assert_eq!(
        (answer.status, answer.problem()),
        (507, "no_room".to_owned())
    );
    leave(250);
    let drop = "/api/folders/products/photos";
    let answer = post_form(&hot, drop, &[("b.jpg", &small)]);
    assert_eq!(
        (answer.status, answer.problem()),
        (507, "no_room".to_owned())
    );
    assert_eq!(hot.workers(), workers, "{}", hot.log());
    hot.drop_file("a.jpg", &small);
    hot.wait_output("a.png");
}
