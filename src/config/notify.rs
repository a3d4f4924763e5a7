//! Reads and validates the `[notify]` table. Must not contact a receiver.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::http::Uri;

use super::WebhookSecret;
use super::error::{FaultKind, FaultList};
use super::fields::Fields;
use super::located::LocatedTable;

/// The `[notify]` table: receivers of messages about finished folders and quarantined photos. At least one receiver is set.
#[derive(Clone, Debug, PartialEq)]
pub struct NotifyConfig {
    /// The address to which messages are posted.
    pub webhook: Option<Webhook>,
    /// The key that signs posted messages.
    pub secret: Option<WebhookSecret>,
    /// The program that is run for each message.
    pub command: Option<NotifyCommand>,
    /// How long a folder must be quiet before it counts as finished.
    pub quiet: Duration,
}

/// An `http` or `https` address. Only scheme, host and port are ever displayed: the rest may contain secrets.
#[derive(Clone, PartialEq)]
pub struct Webhook(Uri);

/// A program that is run for each message, with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifyCommand {
    /// An absolute path.
    pub program: PathBuf,
    /// The arguments as given; no shell interprets them.
    pub arguments: Vec<String>,
}

impl Webhook {
    /// The whole address. Must not be displayed.
    pub fn uri(&self) -> &Uri {
        &self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        let authority = uri.authority()?;
        let (host, port) = (authority.host(), authority.port_u16());
        // The host may be followed only by a port.
        let has_odd_port = port.is_none() && !authority.as_str().ends_with(host);
        (is_web && !host.is_empty() && !has_odd_port).then_some(Self(uri))
    }
}

impl fmt::Display for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.0.scheme_str().unwrap_or_default();
        write!(f, "{scheme}://{}", self.0.host().unwrap_or_default())?;
        match self.0.port_u16() {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Webhook({self}/..)")
    }
}

/// Reads the table; `None` if it is absent or names no receiver. Records a missing receiver as a fault.
pub(super) fn read(table: LocatedTable, faults: &mut FaultList) -> Option<NotifyConfig> {
    let mut fields = Fields::new("[notify]", table, faults);
    let has_webhook = fields.has("webhook");
    let has_receiver = has_webhook || fields.has("command");
    let webhook = fields.text("webhook");
    let webhook = webhook.and_then(|text| {
        let webhook = Webhook::parse(&text);
        if webhook.is_none() {
            fields.fault("webhook", |table| FaultKind::Webhook { table });
        }
        webhook
    });
    let secret_file = fields.path("secret_file");
    if let Some(file) = secret_file.as_ref().filter(|_| !has_webhook) {
        fields.fault("secret_file", |table| FaultKind::Value {
            table,
            key: "secret_file",
            expected: "left out unless `webhook` is given: it signs what is posted there",
            found: format!("{:?}", file.display().to_string()),
        });
    }
    let secret = secret_file
        .filter(|_| has_webhook)
        .and_then(|file| WebhookSecret::read(file, "secret_file", &mut fields));
    let command = fields.take(
        "command",
        "a list of texts, first the absolute path of a program, as in [\"/usr/local/bin/told\", \"studio\"]",
        command,
    );
    let quiet = fields
        .duration("quiet", Duration::from_millis(1))
        .unwrap_or(Duration::from_secs(30));
    if !has_receiver {
        fields.fault("notify", |table| FaultKind::NoReceiver { table });
    }
    fields.finish();
    has_receiver.then_some(NotifyConfig {
        webhook,
        secret,
        command,
        quiet,
    })
}

fn command(value: &toml::Value) -> Option<NotifyCommand> {
    let texts: Option<Vec<&str>> = value.as_array()?.iter().map(toml::Value::as_str).collect();
    let texts = texts?;
    let (program, arguments) = texts.split_first()?;
    let program = Path::new(OsStr::new(program));
    let has_nul = texts.iter().any(|text| text.contains('\0'));
    (program.is_absolute() && !has_nul).then(|| NotifyCommand {
        program: program.to_owned(),
        arguments: arguments.iter().map(ToString::to_string).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> (Option<NotifyConfig>, Vec<String>) {
        let mut faults = FaultList::new(text);
        let notify = read(LocatedTable::parse(text).unwrap(), &mut faults);
        let faults = faults.sorted();
        (notify, faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let (notify, faults) = read_text("command = [\"/bin/told\", \"a b\"]");
        let notify = notify.unwrap();
        assert_eq!(faults, [] as [&str; 0]);
        assert_eq!(notify.quiet, Duration::from_secs(30));
        assert_eq!(notify.webhook, None);
        let command = notify.command.unwrap();
        assert_eq!(command.program, Path::new("/bin/told"));
        assert_eq!(command.arguments, ["a b"]);
    }

    /// Fails when a key is ignored, when one fault hides another, or when a fault names no key or no remedy.
    #[test]
    fn every_fault_is_named_at_once() {
        let (_, faults) = read_text(
            "webhook = \"ftp://host\"\nsecret_file = \"/no/such\"\ncommand = [\"told\"]\nquiet = \"0s\"\nquite = 1",
        );
        let words = [
            "`webhook`",
            "`secret_file`",
            "`command`",
            "`quiet`",
            "`quite`",
        ];
        assert_eq!(faults.len(), words.len(), "{faults:#?}");
        for word in words {
            assert!(faults.iter().any(|fault| fault.contains(word)), "{word}");
        }
        for (text, word) in [
            ("", "needs `webhook` or `command`"),
            ("command = []", "absolute"),
            (
                "command = [\"/bin/told\"]\nsecret_file = \"/etc/passwd\"",
                "left out unless `webhook`",
            ),
        ] {
            let (_, faults) = read_text(text);
            assert!(
                faults.len() == 1 && faults[0].contains(word),
                "{text}: {faults:?}"
            );
        }
    }

    #[test]
    fn only_an_address_of_the_web_is_taken() {
        for sound in [
            "http://127.0.0.1:80/a",
            "https://example.org",
            "https://u:p@example.org/a?b=c",
            "http://[::1]:8080/",
        ] {
            assert!(Webhook::parse(sound).is_some(), "{sound}");
        }
        for wrong in [
            "example.org",
            "/a",
            "https://",
            "https://:80/",
            "file:///etc/passwd",
            "ws://example.org",
            "https://example.org:http/",
            "https://example.org:99999/",
            "https://exa mple.org/",
        ] {
            assert!(Webhook::parse(wrong).is_none(), "{wrong}");
        }
    }

    /// Fails when a user name, password, path or query of the address can get into the log, or into the text of a fault.
    #[test]
    fn secrets_of_an_address_are_not_shown() {
        let webhook = Webhook::parse("https://user:word@example.org:8443/secret?key=1").unwrap();
        assert_eq!(webhook.to_string(), "https://example.org:8443");
        assert_eq!(
            format!("{webhook:?}"),
            "Webhook(https://example.org:8443/..)"
        );
        let (_, faults) = read_text("webhook = \"htps://user:word@example.org/\"");
        assert!(!faults[0].contains("word@"), "{faults:?}");
    }
}
