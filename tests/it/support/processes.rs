//! Reads the workers of a daemon, their state, limits and memory from `/proc`. Must not know a folder.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// Sends `signal` to a process that a test started; ignores that it is gone already.
pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .expect("pids are positive");
    kill_process(pid, signal).ok();
}

/// The pids of the living children of `daemon` whose first argument is `worker`.
pub(crate) fn workers_of(daemon: u32) -> Vec<u32> {
    fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|&pid| parent(pid) == Some(daemon) && is_worker(pid))
        .collect()
}

/// Whether `pid` still runs as a worker; a zombie does not.
pub(crate) fn is_worker(pid: u32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline"))
        .is_ok_and(|line| line.split(|&byte| byte == 0).nth(1) == Some(b"worker"))
}

/// Whether a worker has dropped its rights, the last step before it is ready.
pub(crate) fn has_dropped_rights(pid: u32) -> bool {
    status_field(pid, "Seccomp").as_deref() == Some("2")
}

/// A field of `/proc/PID/status`, e.g. `VmHWM` -> `12345 kB`.
pub(crate) fn status_field(pid: u32, name: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(line.trim().to_owned())
}

/// The peak resident memory of a process so far, in MiB.
pub(crate) fn peak_mib(pid: u32) -> u64 {
    let peak = status_field(pid, "VmHWM").expect("the process lives");
    let kib: u64 = peak.trim_end_matches(" kB").parse().unwrap();
    kib / 1024
}

/// The soft limit that `/proc/PID/limits` names `name`, e.g. `Max address space`.
pub(crate) fn limit(pid: u32, name: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .expect("the kernel lists it");
    line.split_whitespace()
        .next()
        .expect("a soft limit")
        .to_owned()
}

/// The targets of the file descriptors above stderr, e.g. `pipe:[123]`.
pub(crate) fn open_files(pid: u32) -> Vec<String> {
    let folder = format!("/proc/{pid}/fd");
    fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|number| !["0", "1", "2"].contains(&number.as_str()))
        .filter_map(|number| fs::read_link(Path::new(&folder).join(number)).ok())
        .map(|target| target.display().to_string())
        .collect()
}

/// Whether a process has `file` open and has read from it.
pub(crate) fn has_read_of(pid: u32, file: &Path) -> bool {
    let Ok(open) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    let mut open = open.filter_map(Result::ok);
    open.any(|entry| {
        let info = Path::new(&format!("/proc/{pid}/fdinfo")).join(entry.file_name());
        let is_it = fs::read_link(entry.path()).is_ok_and(|target| target == file);
        let info = fs::read_to_string(info).unwrap_or_default();
        is_it && !info.starts_with("pos:\t0\n")
    })
}

fn parent(pid: u32) -> Option<u32> {
    status_field(pid, "PPid")?.parse().ok()
}
