//! Requests -> the answers of the API, the gallery and the page.

mod batch;
mod cutouts;
mod edge_pixels;
mod events;
mod forms;
mod full_state_dir;
mod guard;
mod limits;
mod photos_of_ledger;
mod reloads_of_http;
