//! Converts a moment to the time of this machine's place, with its offset from UTC. Must not decide where it is shown.

use std::fmt;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// Read once: a worker that has given up its rights opens no file.
static ZONE: LazyLock<TimeZone> = LazyLock::new(TimeZone::system);

/// Returns `ms`, milliseconds since the epoch, as RFC 3339: `2026-05-04T11:30:00.120+02:00`.
pub fn rfc3339(ms: i64) -> String {
    text(
        Timestamp::from_millisecond(ms).unwrap_or_default(),
        ZONE.clone(),
    )
}

fn text(moment: Timestamp, zone: TimeZone) -> String {
    let local = moment.to_zoned_datetime(zone);
    local.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

/// The time of a line of the log.
#[derive(Clone, Copy, Debug)]
pub struct LocalTime;

impl FormatTime for LocalTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        writer.write_str(&text(Timestamp::now(), ZONE.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P10: fails when a time is shown without its offset, or shifted the wrong way.
    #[test]
    fn a_moment_is_shown_in_its_zone() {
        let moment = Timestamp::from_millisecond(1_777_887_000_120).unwrap();
        let berlin = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(text(moment, berlin), "2026-05-04T11:30:00.120+02:00");
        assert_eq!(text(moment, TimeZone::UTC), "2026-05-04T09:30:00.120+00:00");
    }
}
