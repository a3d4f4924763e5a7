//! Converts log events to the formats of systemd's journal: entries with fields, or lines with a priority prefix. Must not depend
//! on the meaning of events.

use std::fmt::{self, Write as _};
use std::io::{self, stderr};
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

/// The journal's socket for entries with fields (systemd.journal-fields(7), and "Native Journal Protocol" of systemd).
pub const SOCKET: &str = "/run/systemd/journal/socket";

/// Whether stderr goes to the journal, which adds the time itself.
pub fn is_stderr() -> bool {
    let Ok(stat) = rustix::fs::fstat(stderr()) else {
        return false;
    };
    // Systemd sets the variable for services; the numbers show whether stderr was redirected later.
    std::env::var("JOURNAL_STREAM")
        .is_ok_and(|stream| stream == format!("{}:{}", stat.st_dev, stat.st_ino))
}

fn priority(event: &Event<'_>) -> u8 {
    match *event.metadata().level() {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

/// Sends each event to the journal as one entry. The message is the whole line. The fields allow searches such as
/// `journalctl FOLDER=products`.
#[derive(Debug)]
pub struct Entries {
    socket: UnixDatagram,
}

impl Entries {
    /// Connects to the journal at `socket`.
    pub fn connect(socket: &Path) -> io::Result<Self> {
        let sender = UnixDatagram::unbound()?;
        sender.connect(socket)?;
        Ok(Self { socket: sender })
    }
}

impl<S: Subscriber> Layer<S> for Entries {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut entry = JournalEntry::default();
        event.record(&mut entry);
        let JournalEntry { line, fields } = entry;
        let mut bytes = Vec::new();
        push(&mut bytes, "PRIORITY", &priority(event).to_string());
        push(&mut bytes, "SYSLOG_IDENTIFIER", "hotcut");
        push(&mut bytes, "MESSAGE", &line);
        for (name, value) in fields {
            push(&mut bytes, &name, &value);
        }
        if self.socket.send(&bytes).is_err() {
            // The journal is being restarted, or the entry is too long. Lines on stderr reach the journal in both cases.
            let mut out = stderr().lock();
            for line in line.lines() {
                io::Write::write_fmt(&mut out, format_args!("<{}>{line}\n", priority(event))).ok();
            }
        }
    }
}

/// Appends one field. A value of several lines is preceded by its length in 8 bytes, little-endian.
fn push(bytes: &mut Vec<u8>, name: &str, value: &str) {
    bytes.extend(name.bytes());
    if value.contains('\n') {
        bytes.push(b'\n');
        bytes.extend((value.len() as u64).to_le_bytes());
    } else {
        bytes.push(b'=');
    }
    bytes.extend(value.bytes());
    bytes.push(b'\n');
}

/// The parts of an event.
#[derive(Default)]
struct JournalEntry {
    /// The message, then each field as `name=value`.
    line: String,
    fields: Vec<(String, String)>,
}

impl JournalEntry {
    fn take(&mut self, field: &Field, value: String, shown: &str) {
        if field.name() == "message" {
            self.line.insert_str(0, &value);
            return;
        }
        // Writing to a string cannot fail.
        write!(self.line, " {}={shown}", field.name()).ok();
        let name = match field.name() {
            "source" => "PHOTO".to_owned(),
            "error" => "REASON".to_owned(),
            name => name.to_ascii_uppercase(),
        };
        self.fields.push((name, value));
    }
}

impl Visit for JournalEntry {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, value.to_owned(), &format!("{value:?}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        self.take(field, text.clone(), &text);
    }
}

/// Prefixes each line that `F` writes with its priority.
#[derive(Debug)]
pub struct Prioritized<F>(pub F);

impl<S, N, F> FormatEvent<S, N> for Prioritized<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut text = String::new();
        self.0
            .format_event(context, Writer::new(&mut text), event)?;
        let priority = priority(event);
        // The journal makes one entry per line.
        for line in text.lines() {
            writeln!(writer, "<{priority}>{line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    /// P10: fails when an entry lacks its folder, photo or reason, as a field or in its line.
    #[test]
    fn an_event_is_an_entry_with_fields() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let journal = UnixDatagram::bind(&path).unwrap();
        let log = tracing_subscriber::registry().with(Entries::connect(&path).unwrap());
        tracing::subscriber::with_default(log, || {
            let reason = "two\nlines";
            tracing::error!(
                folder = "products",
                source = "sub/a.jpg",
                reason,
                attempts = 3,
                "quarantined"
            );
        });
        let mut bytes = [0; 1_024];
        let length = journal.recv(&mut bytes).unwrap();
        let entry = String::from_utf8(bytes[..length].to_vec()).unwrap();
        for line in [
            "PRIORITY=3\n",
            "SYSLOG_IDENTIFIER=hotcut\n",
            "FOLDER=products\n",
            "PHOTO=sub/a.jpg\n",
            "ATTEMPTS=3\n",
            "REASON\n\u{9}\0\0\0\0\0\0\0two\nlines\n",
        ] {
            assert!(entry.contains(line), "{line}: {entry}");
        }
        let message = "MESSAGE=quarantined folder=\"products\" source=\"sub/a.jpg\" reason=\"two\\nlines\" attempts=3\n";
        assert!(entry.contains(message), "{entry}");
    }
}
