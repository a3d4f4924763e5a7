//! Connections and requests -> requests that may be handled, and answers: accepting, limits, who may ask, refusals. Knows no photo.

pub(super) mod answer;
pub(super) mod blocking;
pub(super) mod body;
pub(super) mod etag;
pub(super) mod flow_gate;
pub(super) mod guard;
pub(super) mod refusal;
pub(super) mod serve;
