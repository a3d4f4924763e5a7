//! Tests the messages of the daemon to its supervisor, with a datagram socket in systemd's place.

use std::fs::File;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::support::binary::{hotcut, wait_for};
use crate::support::processes;
use crate::support::setup::Setup;

/// A daemon started as by systemd, with a watchdog of three seconds.
struct Supervised {
    child: Child,
    socket: UnixDatagram,
    _setup: Setup,
}

impl Supervised {
    fn start(setup: Setup) -> Supervised {
        setup.write_config();
        let address = setup.path("notify");
        let socket = UnixDatagram::bind(&address).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_mins(1)))
            .unwrap();
        let child = hotcut()
            .args(["run", "--config"])
            .arg(setup.config_file())
            .env("NOTIFY_SOCKET", &address)
            .env("WATCHDOG_USEC", "3000000")
            .stderr(Stdio::from(File::create(setup.path("log")).unwrap()))
            .spawn()
            .unwrap();
        Supervised {
            child,
            socket,
            _setup: setup,
        }
    }

    /// Waits for the next message except those for the watchdog or more start time.
    fn next(&self) -> String {
        loop {
            let message = self.receive();
            if !is_sign_of_life(&message) {
                return message;
            }
        }
    }

    fn receive(&self) -> String {
        let mut bytes = [0; 1024];
        let length = self
            .socket
            .recv(&mut bytes)
            .expect("a message within a minute");
        String::from_utf8_lossy(bytes.get(..length).unwrap()).into_owned()
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Whether it is a watchdog message, or one that asks for more time to start.
fn is_sign_of_life(message: &str) -> bool {
    message.trim() == "WATCHDOG=1" || message.starts_with("EXTEND_TIMEOUT_USEC=")
}

/// P9, P10: fails when systemd waits for READY for ever, kills a reloading service (a reload without its time), or gets no message
/// about the stop.
#[test]
fn start_reload_and_stop_are_told_to_the_supervisor() {
    let mut daemon = Supervised::start(Setup::new());
    assert!(daemon.next().contains("READY=1"));
    processes::signal(daemon.child.id(), Signal::HUP);
    let reloading = daemon.next();
    assert!(reloading.contains("RELOADING=1"), "{reloading}");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    assert!(daemon.next().contains("READY=1"));
    processes::signal(daemon.child.id(), Signal::TERM);
    assert!(daemon.next().contains("STOPPING=1"));
    wait_for("the end", || daemon.child.try_wait().unwrap().is_some());
}

/// P10: fails when a living daemon sends no watchdog messages, so that systemd kills it; three must come within a minute.
#[test]
fn living_daemon_feeds_the_watchdog() {
    let daemon = Supervised::start(Setup::new());
    assert!(daemon.next().contains("READY=1"));
    for _ in 0..3 {
        assert_eq!(daemon.receive().trim(), "WATCHDOG=1");
    }
}

/// P10: fails when READY is sent although no worker could cut out a picture.
#[test]
fn daemon_without_a_model_is_never_ready() {
    let setup = Setup::new();
    let models = setup.path("models");
    std::fs::create_dir(&models).unwrap();
    let manifest = format!("{}/luma.toml", crate::support::binary::MODELS);
    std::fs::copy(manifest, models.join("luma.toml")).unwrap();
    std::fs::write(models.join("luma.onnx"), b"not the model of the manifest").unwrap();
    let setup = setup.daemon("models_dir", &models.display().to_string());
    let mut daemon = Supervised::start(setup);
    wait_for("it gives up", || daemon.child.try_wait().unwrap().is_some());
    assert_eq!(daemon.child.wait().unwrap().code(), Some(78));
    daemon.socket.set_nonblocking(true).unwrap();
    let mut bytes = [0; 64];
    while let Ok(length) = daemon.socket.recv(&mut bytes) {
        let told = String::from_utf8_lossy(&bytes[..length]);
        assert!(is_sign_of_life(&told), "{told}");
    }
}
