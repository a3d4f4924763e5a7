//! Operations that file systems offer in different ways -> one function each. Knows no photo and no configuration.

pub mod rename;
