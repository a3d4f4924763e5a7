//! What tests are made of: a daemon, photos, requests, and faults of disks and of system calls. Must not test anything.

pub(crate) mod binary;
pub(crate) mod cgroup;
pub(crate) mod deaths;
pub(crate) mod dice;
pub(crate) mod drops;
pub(crate) mod fuse;
pub(crate) mod hot_folder;
pub(crate) mod hung;
pub(crate) mod launch;
pub(crate) mod namespace;
pub(crate) mod photos;
pub(crate) mod processes;
pub(crate) mod receiver;
pub(crate) mod requests;
pub(crate) mod setup;
pub(crate) mod snapshot;
pub(crate) mod status;
pub(crate) mod strace;
pub(crate) mod syscall_trace;
