//! Runs the daemon under `strace`: records its system calls on the files of its tree, and makes one of them fail. Must not know a
//! photo.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::binary::skip;
use super::setup::Setup;

/// Every call that changes a file or a folder, or makes a change durable.
const CALLS: &str = "write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,link,linkat,mkdir,mkdirat,\
    ftruncate,openat,fchmod,utimensat,copy_file_range";

/// A system call on one file or folder of the tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// The path below the root of the tree.
    pub(crate) path: PathBuf,
}

/// Whether this machine has `strace` and lets a test use it; if not, reports that past the capture of the test runner.
pub(crate) fn strace_works(test: &str) -> bool {
    let works = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "true"])
        .status()
        .is_ok_and(|exit| exit.success());
    if !works {
        skip(test, "`strace` is missing or not permitted here");
    }
    works
}

/// The daemon under `strace`, which records its calls on its tree.
pub(crate) fn observed(setup: Setup) -> Setup {
    let log = log(&setup).display().to_string();
    let calls = format!("trace={CALLS}");
    traced(setup, &["-y", "-s", "256", "-o", &log, "-e", &calls])
}

/// The daemon under `strace`, which does `fault` (`signal=KILL`, `error=EIO`) at the `number`th such call of one thread.
pub(crate) fn faulty(setup: Setup, call: &Call, number: u32, fault: &str) -> Setup {
    let named = setup.path(&call.path);
    // The path as the kernel knows it, since `done` may lead out of the tree.
    let real = match call.path.strip_prefix("done") {
        Ok(below) => fs::canonicalize(setup.path("done")).unwrap().join(below),
        Err(_) => named.clone(),
    };
    let [named, real] = [named, real].map(|path| path.display().to_string());
    let inject = format!("inject={}:{fault}:when={number}", call.name);
    let options = ["-P", &named, "-P", &real, "-e", &inject];
    spoiled(setup, &call.name, &options)
}

/// How often the fault of a [`faulty`] daemon occurred: once in each thread that made the call often enough.
pub(crate) fn faults(setup: &Setup) -> usize {
    let log = fs::read_to_string(log(setup)).unwrap();
    log.matches("(INJECTED)").count()
}

/// The daemon on a kernel that lacks the system calls `names`, separated by commas.
pub(crate) fn without(setup: Setup, names: &str) -> Setup {
    let inject = format!("inject={names}:error=ENOSYS");
    spoiled(setup, names, &["-e", &inject])
}

/// As [`without`], but only for calls on the folder `folder` itself: on entries in it whose names are given relative to it.
pub(crate) fn without_on(setup: Setup, folder: &Path, names: &str) -> Setup {
    let inject = format!("inject={names}:error=ENOSYS");
    let folder = folder.display().to_string();
    spoiled(setup, names, &["-P", &folder, "-e", &inject])
}

/// As [`without`], and the trace records each rename.
pub(crate) fn without_and_observed(setup: Setup, names: &str) -> Setup {
    let inject = format!("inject={names}:error=ENOSYS");
    let calls = format!("rename,renameat,{names}");
    spoiled(setup, &calls, &["-y", "-s", "256", "-e", &inject])
}

/// The daemon under `strace`, which records how it asks for the stamps of files.
pub(crate) fn stamps_observed(setup: Setup) -> Setup {
    spoiled(setup, "statx,fstat,newfstatat", &["-y"])
}

/// How a [`stamps_observed`] daemon asked for the stamp of the open file `path`.
pub(crate) fn stamps_of(setup: &Setup, path: &Path) -> Vec<String> {
    let log = fs::read_to_string(log(setup)).unwrap();
    let open = format!("<{}>", path.display());
    let calls = log.lines().filter(|line| line.contains(&open));
    calls.map(str::to_owned).collect()
}

/// The names below the tree that plain renames gave to files, for a [`without_and_observed`] daemon.
pub(crate) fn names_given_by_rename(setup: &Setup) -> Vec<String> {
    let log = fs::read_to_string(log(setup)).unwrap();
    let root = setup.path("").display().to_string();
    let is_done = |line: &&str| line.contains(&root) && !line.contains("INJECTED");
    let calls = log.lines().filter(is_done);
    // `PID renameat(3<folder>, "old", 4<folder>, "new") = 0`
    let names = calls.filter_map(|line| line.rsplit('"').nth(1));
    names.map(str::to_owned).collect()
}

/// As [`without`], and killed when one thread makes one of the calls `fatal` for the `number`th time.
pub(crate) fn lacking_and_killed(setup: Setup, names: &str, fatal: &str, number: u32) -> Setup {
    let lack = format!("inject={names}:error=ENOSYS");
    let kill = format!("inject={fatal}:signal=KILL:when={number}");
    let calls = format!("{names},{fatal}");
    spoiled(setup, &calls, &["-e", &lack, "-e", &kill])
}

/// The daemon with `wait` before each system call `name`.
pub(crate) fn slow(setup: Setup, name: &str, wait: Duration) -> Setup {
    let inject = format!("inject={name}:delay_enter={}", wait.as_micros());
    spoiled(setup, name, &["-e", &inject])
}

fn spoiled(setup: Setup, name: &str, options: &[&str]) -> Setup {
    let calls = format!("trace={name}");
    let log = log(&setup).display().to_string();
    let options = [&["-o", &log, "-e", &calls], options].concat();
    traced(setup, &options)
}

/// The tracer is the grandchild, so that pids stay the same.
fn traced(setup: Setup, options: &[&str]) -> Setup {
    let command = [&["strace", "-D", "-f", "-qqq"], options].concat();
    setup.under(command.into_iter().map(str::to_owned).collect())
}

/// The calls of an observed daemon on its tree, each with the highest count in one thread.
pub(crate) fn calls(setup: &Setup) -> BTreeMap<Call, u32> {
    let mut counts: BTreeMap<(Call, String), u32> = BTreeMap::new();
    for (thread, call) in sequence(setup) {
        *counts.entry((call, thread)).or_default() += 1;
    }
    let mut most = BTreeMap::new();
    for ((call, _), count) in counts {
        let known: &mut u32 = most.entry(call).or_default();
        *known = count.max(*known);
    }
    most
}

/// The calls of an observed daemon on its tree, in the order of their beginnings: thread and call.
pub(crate) fn sequence(setup: &Setup) -> Vec<(String, Call)> {
    // `done` may lead out of the tree.
    let roots = ["done", ""].map(|name| {
        let path = fs::canonicalize(setup.path(name)).ok();
        (Path::new(name), path)
    });
    let mut sequence = Vec::new();
    for line in fs::read_to_string(log(setup)).unwrap().lines() {
        // `PID name(arguments) = result`. The rest of an interrupted call is joined with its beginning.
        let Some((head, arguments)) = line.split_once('(') else {
            continue;
        };
        let (thread, name) = head.split_once(' ').expect("the pid comes first");
        let is_change = name != "openat" || arguments.contains("O_CREAT");
        let found = arguments.split(['<', '"']).find_map(|part| {
            let path = Path::new(part.split(['>', '"']).next()?);
            let mut below = roots.iter().filter_map(|(name, root)| {
                let below = path.strip_prefix(root.as_ref()?).ok()?;
                Some(name.join(below))
            });
            below.next()
        });
        if let Some(path) = found.filter(|_| is_change) {
            let name = name.trim().to_owned();
            sequence.push((thread.to_owned(), Call { name, path }));
        }
    }
    sequence
}

fn log(setup: &Setup) -> PathBuf {
    setup.path("strace.log")
}
