//! Reads the kernel's counters of processes killed for lack of memory and of refused forks from `/proc` and the control groups of
//! this process. Must not interpret them.

use std::fs;
use std::path::{Path, PathBuf};

/// Memory limits from here on count as none: version 1 has no other value for "unlimited".
const UNLIMITED: u64 = 1 << 62;

/// The kernel's directory of processes.
const PROC: &str = "/proc";

/// One control group of one controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ControlGroup {
    /// Its path in the hierarchy, as `/proc/self/cgroup` shows it.
    pub(crate) name: String,
    dir: PathBuf,
    files: &'static GroupFiles,
}

/// The names of a controller's counter files, and of the key within each file.
#[derive(Debug, PartialEq, Eq)]
struct GroupFiles {
    /// Processes killed because memory was short.
    kills: (&'static str, &'static str),
    /// How often the limit was reached: counters of which any may rise.
    hits: &'static [(&'static str, &'static str)],
    limit: &'static str,
    /// The highest use so far.
    peak: &'static str,
}

const MEMORY_V2: GroupFiles = GroupFiles {
    kills: ("memory.events", "oom_kill"),
    hits: &[("memory.events", "oom")],
    limit: "memory.max",
    peak: "memory.peak",
};

const MEMORY_V1: GroupFiles = GroupFiles {
    kills: ("memory.oom_control", "oom_kill"),
    hits: &[("memory.failcnt", ""), ("memory.memsw.failcnt", "")],
    limit: "memory.limit_in_bytes",
    peak: "memory.max_usage_in_bytes",
};

const PIDS: GroupFiles = GroupFiles {
    kills: ("", ""),
    hits: &[("pids.events", "max")],
    limit: "pids.max",
    peak: "pids.peak",
};

impl ControlGroup {
    /// How often the group's limit, or that of a group below it, was reached.
    pub(crate) fn hits(&self) -> u64 {
        let files = self.files.hits.iter();
        files
            .filter_map(|(file, key)| counter(&self.dir.join(file), key))
            .sum()
    }

    /// Whether the use ever reached the limit. Version 1 does not count each time.
    pub(crate) fn was_full(&self) -> bool {
        let peak = counter(&self.dir.join(self.files.peak), "");
        self.limit().is_some_and(|limit| peak >= Some(limit))
    }

    /// The group's limit, if any.
    pub(crate) fn limit(&self) -> Option<u64> {
        counter(&self.dir.join(self.files.limit), "").filter(|limit| *limit < UNLIMITED)
    }

    fn kills(&self) -> Option<u64> {
        let (file, key) = self.files.kills;
        counter(&self.dir.join(file), key)
    }
}

/// The control groups that limit this process: its own and those around it, innermost first.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) memory: Vec<ControlGroup>,
    pub(crate) pids: Vec<ControlGroup>,
    proc: PathBuf,
}

impl Surroundings {
    /// Finds the current groups of this process.
    pub(crate) fn find() -> Self {
        Self::below(Path::new(PROC))
    }

    /// As [`Self::find`], with `proc` in place of `/proc`.
    pub(crate) fn below(proc: &Path) -> Self {
        let read = |name: &str| fs::read_to_string(proc.join(name)).unwrap_or_default();
        let (own, mounts) = (read("self/cgroup"), read("self/mountinfo"));
        Self {
            memory: groups(&own, &mounts, "memory", [&MEMORY_V1, &MEMORY_V2]),
            pids: groups(&own, &mounts, "pids", [&PIDS, &PIDS]),
            proc: proc.to_owned(),
        }
    }

    /// The number of processes that the kernel killed because memory was short: in the process's own group if the kernel counts
    /// them there, otherwise on the whole machine.
    pub(crate) fn kills(&self) -> Option<u64> {
        let own = self.memory.first().and_then(ControlGroup::kills);
        own.or_else(|| counter(&self.proc.join("vmstat"), "oom_kill"))
    }

    /// The machine's memory, in bytes.
    pub(crate) fn machine_bytes(&self) -> Option<u64> {
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

/// The groups of `controller` according to the texts of `/proc/self/cgroup` and `/proc/self/mountinfo`: version 1 where the
/// controller is mounted, otherwise version 2.
fn groups(
    own: &str,
    mounts: &str,
    controller: &str,
    [v1, v2]: [&'static GroupFiles; 2],
) -> Vec<ControlGroup> {
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
    let mut lines = mounts.lines().filter_map(CgroupMount::parse);
    let mount = lines.find(|mount| {
        if is_v1 {
            mount.kind == "cgroup" && has(mount.options)
        } else {
            mount.kind == "cgroup2"
        }
    });
    let Some(mount) = mount else {
        return Vec::new();
    };
    // A container may see only its own group, as the root of the mount.
    let below = Path::new(path).strip_prefix(mount.root);
    let below = below.unwrap_or(Path::new("")).to_owned();
    let parts = below.ancestors().map(|part| ControlGroup {
        name: Path::new("/").join(part).display().to_string(),
        dir: Path::new(mount.point).join(part),
        files,
    });
    parts.collect()
}

/// One line of the list of mounts.
struct CgroupMount<'a> {
    /// The directory of the file system that is mounted.
    root: &'a str,
    point: &'a str,
    kind: &'a str,
    options: &'a str,
}

impl<'a> CgroupMount<'a> {
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
pub(crate) mod tests;
