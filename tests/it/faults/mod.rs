//! The daemon, workers, disks and memory fail -> nothing is lost, and other photos are not affected.

#[cfg(feature = "chaos")]
mod chaos;
mod churn;
mod folders;
mod foreign_state;
mod full;
mod hangs;
mod hung_mounts;
mod hung_starts;
mod kills;
mod mounts;
mod recovers;
mod same_name_kills;
mod shortage;
mod shrinks;
mod stops;
mod workers;
