//! Reads files in the kernel's own format.
#![expect(
    clippy::disallowed_methods,
    reason = "the files stand for those of the kernel, which no test can write"
)]

use super::*;

/// A folder with the files of `/proc` and of a hierarchy of version 2, in the kernel's own format: the unit's group below a
/// slice, both with a limit.
pub(crate) struct Machine {
    root: tempfile::TempDir,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let machine = Self {
            root: tempfile::tempdir().unwrap(),
        };
        machine.write("proc/self/cgroup", "0::/system.slice/hotcut.service\n");
        let point = machine.root.path().join("cgroup").display().to_string();
        machine.write(
            "proc/self/mountinfo",
            &format!("31 23 0:28 / /proc rw - proc proc rw\n35 31 0:29 / {point} rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"),
        );
        machine.write("proc/vmstat", "nr_free_pages 5\noom_kill 7\n");
        machine.write(
            "proc/meminfo",
            "MemTotal:        2097152 kB\nMemFree: 12 kB\n",
        );
        for group in ["system.slice", "system.slice/hotcut.service"] {
            machine.events(group, 0, 0);
            machine.write(&format!("cgroup/{group}/memory.max"), "536870912\n");
            machine.write(&format!("cgroup/{group}/pids.events"), "max 0\n");
            machine.write(&format!("cgroup/{group}/pids.max"), "max\n");
        }
        machine
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Sets how often the limit of `group` was reached, and how many of its processes were killed.
    pub(crate) fn events(&self, group: &str, hits: u64, kills: u64) {
        let text = |hits| {
            format!("low 0\nhigh 0\nmax 40\noom {hits}\noom_kill {kills}\noom_group_kill 0\n")
        };
        self.write(&format!("cgroup/{group}/memory.events"), &text(hits));
    }

    pub(crate) fn proc(&self) -> PathBuf {
        self.root.path().join("proc")
    }
}

fn names(groups: &[ControlGroup]) -> Vec<&str> {
    groups.iter().map(|group| group.name.as_str()).collect()
}

#[test]
fn own_group_and_those_around_it_are_found_and_read() {
    let machine = Machine::new();
    machine.events("system.slice/hotcut.service", 3, 2);
    let found = Surroundings::below(&machine.proc());
    assert_eq!(
        names(&found.memory),
        ["/system.slice/hotcut.service", "/system.slice", "/"]
    );
    assert_eq!(found.kills(), Some(2));
    let hits: Vec<_> = found.memory.iter().map(ControlGroup::hits).collect();
    assert_eq!(hits, [3, 0, 0]);
    assert_eq!(found.memory[0].limit(), Some(512 << 20));
    assert_eq!(found.pids[0].limit(), None);
    assert_eq!(found.machine_bytes(), Some(2 << 30));
}

/// Fails where version 1 is mounted, completely or as a container sees it, or where the controller does not count.
#[test]
fn version_1_is_read_where_it_has_the_controller() {
    let dir = tempfile::tempdir().unwrap();
    let own = "9:name=systemd:/\n4:cpu,memory:/docker/ab\n0::/\n";
    let point = dir.path().display();
    let v2 = "41 31 0:38 / /unified rw - cgroup2 cgroup2 rw\n";
    let v1 = |root: &str| {
        format!("{v2}35 31 0:32 {root} {point} rw master:3 - cgroup cgroup rw,cpu,memory\n")
    };
    let find = |mounts: &str| groups(own, mounts, "memory", [&MEMORY_V1, &MEMORY_V2]);
    assert_eq!(names(&find(&v1("/"))), ["/docker/ab", "/docker", "/"]);
    let found = find(&v1("/docker/ab"));
    assert_eq!(names(&found), ["/"]);
    for (name, text) in [
        (
            "memory.oom_control",
            "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n",
        ),
        ("memory.failcnt", "31\n"),
        ("memory.memsw.failcnt", "1\n"),
        ("memory.limit_in_bytes", "9223372036854771712\n"),
    ] {
        fs::write(dir.path().join(name), text).unwrap();
    }
    assert_eq!(
        (found[0].kills(), found[0].hits(), found[0].limit()),
        (Some(4), 32, None)
    );
    assert!(find("").is_empty());
    let machine = Machine::new();
    machine.write("proc/self/cgroup", "");
    assert_eq!(Surroundings::below(&machine.proc()).kills(), Some(7));
}
