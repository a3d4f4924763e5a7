//! Reduces a worker's rights, once its models are loaded, to computing and its pipes.
//!
//! Each layer is best effort: what the kernel lacks is reported in [`Confinement`] and never fatal. Landlock binds only the calling
//! thread; seccomp binds all threads, including those that ONNX Runtime has already started.

use std::collections::BTreeMap;
use std::mem::MaybeUninit;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
    RulesetError, RulesetStatus, Scope,
};
use rustix::process::{Pid, Resource, Rlimit, Signal};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use super::protocol::Confinement;

/// System calls that computing needs once everything is loaded: memory, locks between threads, the clock, the pipes, the exit.
const ALLOWED: &[i64] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_lseek,
    libc::SYS_ppoll,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_getcpu,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getrusage,
    libc::SYS_sysinfo,
    libc::SYS_membarrier,
    libc::SYS_rseq,
    libc::SYS_restart_syscall,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// System calls that map memory; allowed only without the right to execute it. Their third argument is the protection.
const MAPPING: &[i64] = &[libc::SYS_mmap, libc::SYS_mprotect];

/// Makes the kernel end this worker with the daemon, before anything is loaded. False if the daemon has already ended.
pub(crate) fn follow_parent(parent: u32) -> bool {
    let tied = rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).is_ok();
    let alive = rustix::process::getppid().map(Pid::as_raw_nonzero);
    tied && alive.is_some_and(|pid| u32::try_from(pid.get()) == Ok(parent))
}

/// Returns the address space of this process, in bytes.
pub(crate) fn address_space_bytes() -> Option<u64> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = pages.split(' ').next()?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// Returns free memory in the middle of the heap to the kernel.
#[expect(unsafe_code, reason = "no safe interface of the allocator's does it")]
pub(crate) fn give_back_holes() {
    // SAFETY: it takes a number of bytes to keep, any number, and touches freed blocks only, under the allocator's own locks.
    unsafe { libc::malloc_trim(0) };
}

/// Waits until the child `pid` has ended, does not reap it, and returns its peak memory in bytes.
#[expect(
    unsafe_code,
    reason = "no safe interface tells what a dead child used and leaves its exit status to whoever waits for it"
)]
pub(crate) fn peak_of_dead(pid: u32) -> Option<u64> {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    let nowhere = std::ptr::null_mut::<libc::siginfo_t>();
    let flags = libc::WEXITED | libc::WNOWAIT;
    // SAFETY: the kernel writes one `rusage` to the last argument, which is as large, and allows the third to be null.
    // Every bit pattern is a valid `rusage`, so what the kernel leaves alone is zero and not undefined.
    let usage = unsafe {
        let answer = libc::syscall(
            libc::SYS_waitid,
            libc::P_PID,
            pid,
            nowhere,
            flags,
            usage.as_mut_ptr(),
        );
        (answer == 0).then(|| usage.assume_init())?
    };
    u64::try_from(usage.ru_maxrss).ok().map(|kib| kib << 10)
}

/// Drops all rights that computing does not need.
pub(crate) fn confine(memory_bytes: u64) -> Confinement {
    limit(Resource::As, memory_bytes);
    limit(Resource::Core, 0);
    let unprivileged = rustix::thread::set_no_new_privs(true).is_ok();
    Confinement {
        landlock: unprivileged
            && deny_paths().is_ok_and(|status| status != RulesetStatus::NotEnforced),
        seccomp: unprivileged && deny_calls().is_some(),
    }
}

fn limit(resource: Resource, bytes: u64) {
    let limit = Rlimit {
        current: Some(bytes),
        maximum: Some(bytes),
    };
    // A limit set lower by the administrator already holds.
    rustix::process::setrlimit(resource, limit).ok();
}

/// Handles all access rights that Linux 6.15 knows and allows none. An older kernel enforces those it knows (paths since 5.13, TCP
/// since 6.7).
fn deny_paths() -> Result<RulesetStatus, RulesetError> {
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V7))?
        .handle_access(AccessNet::from_all(ABI::V7))?
        .scope(Scope::from_all(ABI::V7))?
        .create()?
        .restrict_self()?;
    Ok(status.ruleset)
}

fn deny_calls() -> Option<()> {
    let exec = u64::from(libc::PROT_EXEC.unsigned_abs());
    let not_executable =
        SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(exec), 0).ok()?;
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_poll, Vec::new());
    for call in MAPPING {
        rules.insert(
            *call,
            vec![SeccompRule::new(vec![not_executable.clone()]).ok()?],
        );
    }
    // A thread may send a signal to its own process, as `abort` does, but not to others.
    let own = u64::from(std::process::id());
    let itself = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, own).ok()?;
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![itself]).ok()?]);
    // Returns an error instead of a signal: libraries try calls that they can do without.
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let architecture = std::env::consts::ARCH.try_into().ok()?;
    let filter = SeccompFilter::new(rules, refuse, SeccompAction::Allow, architecture).ok()?;
    let program: BpfProgram = filter.try_into().ok()?;
    seccompiler::apply_filter_all_threads(&program).ok()
}
