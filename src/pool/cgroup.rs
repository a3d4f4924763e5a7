//! `/proc` and the control groups of this process -> the kernel's counters of processes killed for memory and of refused forks.
//! Reads files only; judges nothing.

use std::fs;
use std::path::{Path, PathBuf};

/// A limit of memory this high is none: version 1 has no other word for "unlimited".
const UNLIMITED: u64 = 1 << 62;

/// Where the kernel tells of processes.
const PROC: &str = "/proc";

/// One control group, as far as a controller counts in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// Its path in the hierarchy, as `/proc/self/cgroup` shows it.
    pub(super) name: String,
    dir: PathBuf,
    files: &'static Files,
}

/// The names of the files in which a controller counts, and of the key within each of them.
#[derive(Debug, PartialEq, Eq)]
struct Files {
    /// Processes that were killed because memory was short.
    kills: (&'static str, &'static str),
    /// Times that the limit was reached: counters of which any may rise.
    hits: &'static [(&'static str, &'static str)],
    limit: &'static str,
    /// The most that was ever in use.
    peak: &'static str,
}

const MEMORY_V2: Files = Files {
    kills: ("memory.events", "oom_kill"),
    hits: &[("memory.events", "oom")],
    limit: "memory.max",
    peak: "memory.peak",
};

const MEMORY_V1: Files = Files {
    kills: ("memory.oom_control", "oom_kill"),
    hits: &[("memory.failcnt", ""), ("memory.memsw.failcnt", "")],
    limit: "memory.limit_in_bytes",
    peak: "memory.max_usage_in_bytes",
};

const PIDS: Files = Files {
    kills: ("", ""),
    hits: &[("pids.events", "max")],
    limit: "pids.max",
    peak: "pids.peak",
};

impl Group {
    /// How often its limit was reached, or that of a group below it.
    pub(super) fn hits(&self) -> u64 {
        let files = self.files.hits.iter();
        files
            .filter_map(|(file, key)| counter(&self.dir.join(file), key))
            .sum()
    }

    /// Tells whether as much as it allows was ever in use: version 1 does not count each time.
    pub(super) fn was_full(&self) -> bool {
        let peak = counter(&self.dir.join(self.files.peak), "");
        self.limit().is_some_and(|limit| peak >= Some(limit))
    }

    /// Its limit, if it has one.
    pub(super) fn limit(&self) -> Option<u64> {
        counter(&self.dir.join(self.files.limit), "").filter(|limit| *limit < UNLIMITED)
    }

    fn kills(&self) -> Option<u64> {
        let (file, key) = self.files.kills;
        counter(&self.dir.join(file), key)
    }
}

/// What limits this process: its own control groups and those around them, the innermost first.
#[derive(Debug)]
pub(super) struct Surroundings {
    pub(super) memory: Vec<Group>,
    pub(super) pids: Vec<Group>,
    proc: PathBuf,
}

impl Surroundings {
    /// Finds the groups that this process is in now.
    pub(super) fn find() -> Self {
        Self::below(Path::new(PROC))
    }

    /// As [`Self::find`], with `proc` in the place of `/proc`.
    pub(super) fn below(proc: &Path) -> Self {
        let read = |name: &str| fs::read_to_string(proc.join(name)).unwrap_or_default();
        let (own, mounts) = (read("self/cgroup"), read("self/mountinfo"));
        Self {
            memory: groups(&own, &mounts, "memory", [&MEMORY_V1, &MEMORY_V2]),
            pids: groups(&own, &mounts, "pids", [&PIDS, &PIDS]),
            proc: proc.to_owned(),
        }
    }

    /// Processes that the kernel has killed because memory was short: those of the own group where it counts them, or else those of
    /// the whole machine.
    pub(super) fn kills(&self) -> Option<u64> {
        let own = self.memory.first().and_then(Group::kills);
        own.or_else(|| counter(&self.proc.join("vmstat"), "oom_kill"))
    }

    /// The memory of the machine, in bytes.
    pub(super) fn machine_bytes(&self) -> Option<u64> {
        counter(&self.proc.join("meminfo"), "MemTotal:").map(|kib| kib << 10)
    }
}

/// The number after `key` in the file at `path`; the first word of the file if `key` is empty.
fn counter(path: &Path, key: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    if key.is_empty() {
        return text.split_whitespace().next()?.parse().ok();
    }
    let mut lines = text.lines().map(str::split_whitespace);
    lines.find_map(|mut words| {
        (words.next()? == key)
            .then(|| words.next()?.parse().ok())
            .flatten()
    })
}

/// The groups of `controller` in the texts of `/proc/self/cgroup` and `/proc/self/mountinfo`: in version 1 where it is mounted so,
/// or else in version 2.
fn groups(own: &str, mounts: &str, controller: &str, [v1, v2]: [&'static Files; 2]) -> Vec<Group> {
    let paths = own.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        rest.split_once(':')
    });
    let paths: Vec<(&str, &str)> = paths.collect();
    let has = |names: &str| names.split(',').any(|name| name == controller);
    let (path, files, is_v1) = match paths.iter().find(|(names, _)| has(names)) {
        Some((_, path)) => (*path, v1, true),
        None => match paths.iter().find(|(names, _)| names.is_empty()) {
            Some((_, path)) => (*path, v2, false),
            None => return Vec::new(),
        },
    };
    let mut lines = mounts.lines().filter_map(Mount::parse);
    let mount = lines.find(|mount| match is_v1 {
        true => mount.kind == "cgroup" && has(mount.options),
        false => mount.kind == "cgroup2",
    });
    let Some(mount) = mount else {
        return Vec::new();
    };
    // A container may see its own group alone, as the root of the mount.
    let below = Path::new(path).strip_prefix(mount.root);
    let below = below.unwrap_or(Path::new("")).to_owned();
    let parts = below.ancestors().map(|part| Group {
        name: Path::new("/").join(part).display().to_string(),
        dir: Path::new(mount.point).join(part),
        files,
    });
    parts.collect()
}

/// One line of the list of mounts.
struct Mount<'a> {
    /// Which directory of the file system is shown.
    root: &'a str,
    point: &'a str,
    kind: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (place, file_system) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(3);
        let mut file_system = file_system.split(' ');
        Some(Self {
            root: place.next()?,
            point: place.next()?,
            kind: file_system.next()?,
            options: file_system.nth(1)?,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
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

    #[test]
    fn own_group_and_those_around_it_are_found_and_read() {
        let machine = Machine::new();
        machine.events("system.slice/hotcut.service", 3, 2);
        let found = Surroundings::below(&machine.proc());
        let names: Vec<&str> = found
            .memory
            .iter()
            .map(|group| group.name.as_str())
            .collect();
        assert_eq!(
            names,
            ["/system.slice/hotcut.service", "/system.slice", "/"]
        );
        assert_eq!(found.kills(), Some(2));
        let hits: Vec<_> = found.memory.iter().map(Group::hits).collect();
        assert_eq!(hits, [3, 0, 0]);
        assert_eq!(found.memory[0].limit(), Some(512 << 20));
        assert_eq!(found.pids[0].limit(), None);
        assert_eq!(found.machine_bytes(), Some(2 << 30));
    }

    /// Fails where version 1 is mounted, as a whole or as a container sees it, or where no controller counts at all.
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
        let names = |groups: &[Group]| groups.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
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
}
