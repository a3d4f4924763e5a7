//! Runs a daemon in a control group with a memory limit, where the kernel kills processes beyond it. Only for root.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::binary::{eventually, skip};
use super::setup::Setup;

const MOUNT: &str = "/sys/fs/cgroup";

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A control group that is removed on drop. Its processes must have ended by then.
#[derive(Debug)]
pub(crate) struct MemoryGroup {
    dir: PathBuf,
}

impl MemoryGroup {
    /// Makes a group with a limit of `mib` MiB; reports `test` as skipped if that is not permitted.
    pub(crate) fn new(test: &str, mib: u64) -> Option<MemoryGroup> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("hotcut-it-{}-{number}", std::process::id());
        let dir = parent()?.join(name);
        let group = fs::create_dir(&dir).map(|()| MemoryGroup { dir });
        let group = group.ok().filter(|group| group.set_limit(mib));
        if group.is_none() {
            skip(test, "no control group with a limit of memory can be made");
        }
        group
    }

    /// Its name, as shown in errors.
    pub(crate) fn name(&self) -> String {
        let name = self.dir.file_name().expect("a name");
        name.to_string_lossy().into_owned()
    }

    /// Sets its limit to `mib` MiB; returns whether that worked.
    pub(crate) fn set_limit(&self, mib: u64) -> bool {
        let files = [
            "memory.memsw.limit_in_bytes",
            "memory.limit_in_bytes",
            "memory.memsw.limit_in_bytes",
            "memory.max",
        ];
        let bytes = (mib << 20).to_string();
        // Version 2 limits swap separately.
        drop(write(&self.dir.join("memory.swap.max"), "0"));
        let taken = files.map(|file| write(&self.dir.join(file), &bytes).is_ok());
        taken.contains(&true)
    }

    /// The setup with its daemon inside the group.
    pub(crate) fn enter(&self, setup: Setup) -> Setup {
        let procs = self.dir.join("cgroup.procs").display().to_string();
        let script = format!("echo $$ > '{procs}'; exec \"$@\"");
        setup.under(["sh", "-ec", &script, "sh"].map(str::to_owned).to_vec())
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        eventually(|| fs::remove_dir(&self.dir).is_ok());
    }
}

/// Writes to an existing file.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut file = fs::OpenOptions::new().write(true).open(path)?;
    file.write_all(text.as_bytes())
}

/// Where groups can be made: beside the current one in version 1, at the top in version 2, where groups with processes cannot have
/// children.
fn parent() -> Option<PathBuf> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let v1 = own.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (names, path) = rest.split_once(':')?;
        let is_memory = names.split(',').any(|name| name == "memory");
        is_memory.then(|| {
            Path::new(MOUNT)
                .join("memory")
                .join(path.trim_start_matches('/'))
        })
    });
    Some(v1.unwrap_or_else(|| MOUNT.into()))
}
