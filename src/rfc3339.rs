//! Formats a time as RFC 3339: local time with its offset for people, UTC for programs. Must not decide which is shown.

use std::fmt;
use std::sync::LazyLock;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// Read once, at first use: a confined worker cannot open files.
static ZONE: LazyLock<TimeZone> = LazyLock::new(TimeZone::system);

/// Returns `ms`, milliseconds since the epoch, as RFC 3339: `2026-05-04T11:30:00.120+02:00`.
pub fn local(ms: i64) -> String {
    text(
        Timestamp::from_millisecond(ms).unwrap_or_default(),
        ZONE.clone(),
    )
}

/// Returns `at` as RFC 3339 in UTC, to the millisecond: `2026-05-04T09:30:00.120Z`.
pub fn utc(at: SystemTime) -> String {
    humantime::format_rfc3339_millis(at).to_string()
}

fn text(moment: Timestamp, zone: TimeZone) -> String {
    let local = moment.to_zoned_datetime(zone);
    local.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

/// The local time for lines of the log.
#[derive(Clone, Copy, Debug)]
pub struct LocalTime;

impl FormatTime for LocalTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        writer.write_str(&text(Timestamp::now(), ZONE.clone()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    /// P10: fails when a time has no offset, or is shifted the wrong way.
    #[test]
    fn a_moment_is_shown_in_its_zone() {
        let moment = Timestamp::from_millisecond(1_777_887_000_120).unwrap();
        let berlin = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(text(moment, berlin), "2026-05-04T11:30:00.120+02:00");
        assert_eq!(text(moment, TimeZone::UTC), "2026-05-04T09:30:00.120+00:00");
        assert_eq!(
            utc(UNIX_EPOCH + Duration::from_millis(1_777_887_000_120)),
            "2026-05-04T09:30:00.120Z"
        );
    }
}
