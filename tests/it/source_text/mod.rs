//! The text of the sources and of the documentation -> what must be true of it. Must not run hotcut, but to ask for its options.

pub(crate) mod architecture;
mod documentation;
mod glossary;
mod promises;
