//! One function for each operation that file systems offer in different ways. Must not depend on photos or the configuration.

pub mod detached;
pub mod disk;
pub mod disk_space;
pub mod mount;
pub mod path_error;
pub mod rename;
pub mod resolve;
pub mod root;
pub mod stamp;
