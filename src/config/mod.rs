//! Configuration: TOML text -> validated values. The only room that names `toml`.

mod card;

pub use card::{Activation, CardError, Divisor, ModelCard};
