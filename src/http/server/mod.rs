//! Accepts connections, enforces limits, checks authorisation and converts refusals to answers. Must not depend on photos.

pub(super) mod answer;
pub(super) mod body;
pub(super) mod etag;
pub(super) mod flow_gate;
pub(super) mod guard;
pub(super) mod refusal;
pub(super) mod serve;
pub(super) mod work_or_refusal;
