//! Decides from the kernel's counters before and after a worker's end whether the machine was short of something. Must not end
//! processes.

use std::fmt;
use std::io;

use bytesize::ByteSize;
use rustix::io::Errno;

use super::cgroup::{ControlGroup, Surroundings};

/// What the machine was short of. The photo is not at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shortage {
    /// The kernel killed a worker because a control group had reached its limit of memory.
    GroupMemory {
        /// The group's path.
        group: String,
        /// Its limit.
        bytes: u64,
    },
    /// The kernel killed a worker because the machine had no memory left.
    MachineMemory {
        /// The machine's memory, if known.
        bytes: Option<u64>,
    },
    /// A process or thread could not be created because a control group had reached its limit.
    GroupTasks {
        /// The group's path.
        group: String,
        /// Its limit.
        count: u64,
    },
    /// The system refused to create a process.
    MachineTasks,
}

/// The limit that was reached, and the setting that raises it.
struct Owner<'a> {
    group: &'a str,
    /// The unit's key for the limit.
    key: &'static str,
    what: &'static str,
}

impl fmt::Display for Owner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group, key, what } = self;
        let unit = group.rsplit('/').next().unwrap_or_default();
        match unit.rsplit_once('.') {
            Some((_, "service" | "slice" | "scope")) => write!(f, "`{key}=` of {unit}"),
            _ if unit.is_empty() => write!(f, "the {what} limit of the container"),
            _ => write!(f, "the {what} limit of control group {group}"),
        }
    }
}

impl Shortage {
    /// The control group with the limit; `None` when the machine itself was short.
    fn owner(&self) -> Option<Owner<'_>> {
        let (group, key, what) = match self {
            Self::GroupMemory { group, .. } => (group, "MemoryMax", "memory"),
            Self::GroupTasks { group, .. } => (group, "TasksMax", "process"),
            Self::MachineMemory { .. } | Self::MachineTasks => return None,
        };
        Some(Owner { group, key, what })
    }

    /// Whether memory was short.
    pub fn is_memory(&self) -> bool {
        matches!(self, Self::GroupMemory { .. } | Self::MachineMemory { .. })
    }

    /// What to do about it, besides using fewer workers.
    pub fn remedy(&self) -> String {
        match (self.owner(), self) {
            (Some(owner), _) => format!("raise {owner}"),
            (None, Self::MachineTasks) => "raise the limit of processes (`ulimit -u`)".to_owned(),
            (None, _) => "free or add memory".to_owned(),
        }
    }

    /// The shortage behind a failure to start a process; `None` if it is another failure.
    pub(crate) fn of_spawn(error: &io::Error, around: &Surroundings) -> Option<Self> {
        match Errno::from_io_error(error)? {
            Errno::NOMEM => Some(Self::MachineMemory {
                bytes: around.machine_bytes(),
            }),
            Errno::AGAIN => {
                let full = around.pids.iter().find_map(Self::tasks_of);
                Some(full.unwrap_or(Self::MachineTasks))
            }
            _ => None,
        }
    }

    fn tasks_of(group: &ControlGroup) -> Option<Self> {
        let count = group.limit()?;
        let group = group.name.clone();
        Some(Self::GroupTasks { group, count })
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_memory() {
            "memory is short"
        } else {
            "no further process can be started"
        })?;
        match (self.owner(), self) {
            (Some(owner), Self::GroupMemory { bytes, .. }) => {
                write!(f, ": {owner} is {}", ByteSize(*bytes))
            }
            (Some(owner), Self::GroupTasks { count, .. }) => write!(f, ": {owner} is {count}"),
            (_, Self::MachineMemory { bytes: Some(bytes) }) => {
                write!(f, ": the machine's {} are in use", ByteSize(*bytes))
            }
            _ => Ok(()),
        }
    }
}

/// The counters before an order.
#[derive(Debug)]
pub(crate) struct Baseline {
    kills: Option<u64>,
    memory: Vec<u64>,
    pids: Vec<u64>,
}

impl Baseline {
    /// Reads the current counters.
    pub(crate) fn take(around: &Surroundings) -> Self {
        Self {
            kills: around.kills(),
            memory: around.memory.iter().map(ControlGroup::hits).collect(),
            pids: around.pids.iter().map(ControlGroup::hits).collect(),
        }
    }

    /// The shortage for which the kernel has killed a process since the baseline; `None` if it has killed none.
    pub(crate) fn kill_since(&self, around: &Surroundings) -> Option<Shortage> {
        if around.kills()? <= self.kills? {
            return None;
        }
        let mut full = risen(&around.memory, &self.memory)
            .chain(around.memory.iter().filter(|group| group.was_full()));
        let group = full.find_map(|group| {
            let (group, bytes) = (group.name.clone(), group.limit()?);
            Some(Shortage::GroupMemory { group, bytes })
        });
        Some(group.unwrap_or_else(|| Shortage::MachineMemory {
            bytes: around.machine_bytes(),
        }))
    }

    /// The group that has refused a process or a thread since the baseline.
    pub(crate) fn refusal_since(&self, around: &Surroundings) -> Option<Shortage> {
        risen(&around.pids, &self.pids).find_map(|group| {
            // The kernel counts in the requesting group; the limit may belong to a surrounding group.
            let mut outwards = around.pids.iter().skip_while(|one| *one != group);
            outwards.find_map(Shortage::tasks_of)
        })
    }
}

/// The groups whose limit has been reached since `before`, the innermost first.
fn risen<'a>(groups: &'a [ControlGroup], before: &[u64]) -> impl Iterator<Item = &'a ControlGroup> {
    let pairs = groups.iter().zip(before);
    pairs.filter_map(|(group, before)| (group.hits() > *before).then_some(group))
}

#[cfg(test)]
mod tests {
    use super::super::cgroup::tests::Machine;
    use super::*;

    const UNIT: &str = "system.slice/hotcut.service";

    fn machine_is_short() -> Shortage {
        let bytes = Some(2 << 30);
        Shortage::MachineMemory { bytes }
    }

    /// P5: fails when a kill by the kernel is not recognised, when another kill is taken for one, or when the wrong limit is named.
    #[test]
    fn a_kill_for_memory_is_told_from_any_other_and_the_limit_is_named() {
        let machine = Machine::new();
        let around = Surroundings::below(&machine.proc());
        let before = Baseline::take(&around);
        assert_eq!(before.kill_since(&around), None);
        // Memory reclaim met the limit; no process was killed.
        machine.events(UNIT, 1, 0);
        assert_eq!(before.kill_since(&around), None);
        machine.events(UNIT, 1, 1);
        let short = before.kill_since(&around).unwrap();
        assert_eq!(
            short.to_string(),
            "memory is short: `MemoryMax=` of hotcut.service is 512.0 MiB"
        );
        assert_eq!(short.remedy(), "raise `MemoryMax=` of hotcut.service");
        // Only the kill was counted, and the use reached the unit's limit.
        machine.events(UNIT, 0, 1);
        assert_eq!(before.kill_since(&around), Some(machine_is_short()));
        machine.write(&format!("cgroup/{UNIT}/memory.peak"), "536870912\n");
        assert_eq!(before.kill_since(&around), Some(short));
        machine.write(&format!("cgroup/{UNIT}/memory.peak"), "5368709\n");
        // The slice around the unit was full.
        machine.events(UNIT, 0, 1);
        machine.events("system.slice", 1, 1);
        let short = before.kill_since(&around).unwrap();
        assert!(short.to_string().contains("of system.slice is"), "{short}");
        // No limit was reached: the machine itself was full.
        machine.events("system.slice", 0, 1);
        let short = before.kill_since(&around).unwrap();
        assert_eq!(
            short.to_string(),
            "memory is short: the machine's 2.0 GiB are in use"
        );
        let later = Baseline::take(&around);
        assert_eq!(later.kill_since(&around), None);
    }

    #[test]
    fn a_refused_process_names_the_limit_of_processes() {
        let machine = Machine::new();
        let around = Surroundings::below(&machine.proc());
        let before = Baseline::take(&around);
        assert_eq!(before.refusal_since(&around), None);
        machine.write(&format!("cgroup/{UNIT}/pids.events"), "max 2\n");
        machine.write("cgroup/system.slice/pids.max", "20\n");
        let short = before.refusal_since(&around).unwrap();
        assert_eq!(
            short.to_string(),
            "no further process can be started: `TasksMax=` of system.slice is 20"
        );
        let again = Shortage::of_spawn(&Errno::AGAIN.into(), &around);
        assert_eq!(again, Some(short));
        let memory = Shortage::of_spawn(&Errno::NOMEM.into(), &around).unwrap();
        assert!(memory.to_string().contains("memory is short"), "{memory}");
        assert_eq!(Shortage::of_spawn(&Errno::NOENT.into(), &around), None);
    }

    #[test]
    fn a_group_that_is_no_unit_is_called_by_its_path_or_as_the_container() {
        let told = |group: &str| {
            let (group, bytes) = (group.to_owned(), 300 << 20);
            Shortage::GroupMemory { group, bytes }.to_string()
        };
        assert!(told("/lab/small").contains("control group /lab/small is 300.0 MiB"));
        assert!(told("/").contains("limit of the container is 300.0 MiB"));
    }
}
