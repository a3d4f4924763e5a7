//! `hotcut unit`: a configuration and what is mounted -> the drop-in by which systemd lets the service do what the configuration
//! says; looks into no folder.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Write as _, stdout};
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use super::CommandError;
use crate::config::{Config, Token, WebhookSecret};
use crate::fs::path_error::PathError;
use crate::fs::{disk, mount};
use crate::percent;

/// What the unit hides from the service, and the setting that shows it again. What must be written is a matter of its own.
pub(super) const HIDDEN: &[(&str, &str)] = &[
    ("/home", "ProtectHome=read-only"),
    ("/root", "ProtectHome=read-only"),
    ("/run/user", "ProtectHome=read-only"),
    ("/tmp", "PrivateTmp=no"),
    ("/var/tmp", "PrivateTmp=no"),
];

/// Mount points that hold more than photos, and stay for as long as the system runs.
const OF_THE_SYSTEM: &[&str] = &["/", "/home", "/srv", "/tmp", "/var", "/var/lib", "/var/tmp"];

/// Where the unit's `StateDirectory=` is.
const STATE_DIRECTORY: &str = "/var/lib/hotcut";

/// How long a stop may take beyond `drain_timeout`; the unit's `TimeoutStopSec=` is this and the default of that.
const STOP_MARGIN: Duration = Duration::from_secs(15);

/// The unit's `TimeoutStopSec=`.
const STOP_TIMEOUT: Duration = Duration::from_secs(45);

/// Where the drop-in goes.
pub(super) const DROP_IN: &str = "/etc/systemd/system/hotcut.service.d/folders.conf";

/// Prints the drop-in, or why the configuration has none.
pub fn run(config_file: &Path) -> Result<ExitCode, CommandError> {
    let config = Config::load(config_file)?;
    let text = drop_in(config_file, &config)?;
    stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The drop-in with which systemd lets the service do what `config` says.
pub(super) fn drop_in(config_file: &Path, config: &Config) -> Result<String, CommandError> {
    let folders = folders(config);
    let targets = disk::real_paths(folders.iter().copied());
    let mut mounts = Vec::new();
    let mut service = Vec::new();
    for folder in &folders {
        mounts.push(format!("RequiresMountsFor={}", quoted("", folder)?));
        // Systemd follows no link when it looks for the mounts that a path needs.
        let led_to = target(&targets, folder);
        if led_to != *folder {
            mounts.push(format!("RequiresMountsFor={}", quoted("", &led_to)?));
        }
        // The minus lets the service start while a folder is not there yet.
        service.push(format!(
            "ReadWritePaths={}",
            quoted("-", &writable(folder, &led_to)?)?
        ));
    }
    service.dedup();
    let used = used(config);
    let mut shown: Vec<_> = HIDDEN
        .iter()
        .filter(|(root, _)| used.iter().any(|path| path.starts_with(root)))
        .map(|(_, setting)| (*setting).to_owned())
        .collect();
    shown.dedup();
    service.extend(shown);
    service.extend(network(config).iter().map(ToString::to_string));
    let stop = config.daemon.drain_timeout.saturating_add(STOP_MARGIN);
    if stop > STOP_TIMEOUT {
        service.push(format!("TimeoutStopSec={}ms", stop.as_millis()));
    }
    let mut text = format!(
        "# Made by `hotcut unit` from {}. When that changes, make this again, and restart the service.\n",
        percent::display(config_file)
    );
    for (title, lines) in [("Unit", mounts), ("Service", service)] {
        if !lines.is_empty() {
            writeln!(text, "\n[{title}]\n{}", lines.join("\n")).map_err(std::io::Error::other)?;
        }
    }
    Ok(text)
}

/// Every path that hotcut reads or writes, as it is written and where it leads.
pub(super) fn used(config: &Config) -> Vec<PathBuf> {
    let notify = config.notify.as_ref();
    let command = notify.and_then(|notify| notify.command.as_ref());
    let secret = notify.and_then(|notify| notify.secret.as_ref());
    let secret = secret.map(WebhookSecret::token);
    let token = config.http.as_ref().and_then(|http| http.token.as_ref());
    let read = command.map(|command| command.program.as_path());
    let read = read
        .into_iter()
        .chain(token.into_iter().chain(secret).map(Token::file));
    let written: Vec<&Path> = folders(config)
        .into_iter()
        .chain(read)
        .chain([config.daemon.models_dir.as_path()])
        .collect();
    let targets = disk::real_paths(written.iter().copied());
    written
        .into_iter()
        .flat_map(|path| [path.to_owned(), target(&targets, path)])
        .collect()
}

/// Every folder that hotcut writes to: a hot folder too, for notes are left there and photos taken away.
pub(super) fn folders(config: &Config) -> Vec<&Path> {
    let state_dir = Some(config.daemon.state_dir.as_path());
    let mut folders: Vec<&Path> = state_dir
        .into_iter()
        .filter(|path| *path != Path::new(STATE_DIRECTORY))
        .collect();
    for folder in &config.folders {
        folders.extend([folder.input.as_path(), folder.output.as_path()]);
        folders.extend(folder.own_folders());
    }
    folders.sort_unstable();
    folders.dedup();
    folders
}

/// What must be writable for `folder`, which leads to `real`, to be: itself, or the disk that it lies on.
///
/// A folder below a mount point becomes a mount of the service's own. That keeps the disk there for the service when it is unmounted,
/// and a disk that is mounted later goes beneath it: photos on that one would never be seen.
fn writable(folder: &Path, real: &Path) -> Result<PathBuf, PathError> {
    let disk = mount::point_of(real)?;
    let is_of_the_system = OF_THE_SYSTEM.iter().any(|place| disk == Path::new(place));
    Ok(if is_of_the_system {
        folder.to_owned()
    } else {
        disk
    })
}

/// Where `path` leads. A disk that does not answer is taken for one without links.
pub(super) fn target(targets: &BTreeMap<PathBuf, PathBuf>, path: &Path) -> PathBuf {
    targets.get(path).map_or(path.to_owned(), Clone::clone)
}

/// The settings that open as much of the network as is used.
pub(super) fn network(config: &Config) -> &'static [&'static str] {
    let has_webhook = config
        .notify
        .as_ref()
        .is_some_and(|it| it.webhook.is_some());
    match &config.http {
        // To look a name up, the resolver asks the kernel for its addresses.
        _ if has_webhook => &[
            "PrivateNetwork=no",
            "IPAddressDeny=",
            "RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK",
        ],
        Some(http) if http.listen.ip().is_loopback() => &[
            "PrivateNetwork=no",
            "IPAddressAllow=localhost",
            "RestrictAddressFamilies=AF_INET AF_INET6",
        ],
        Some(_) => &[
            "PrivateNetwork=no",
            "IPAddressDeny=",
            "RestrictAddressFamilies=AF_INET AF_INET6",
        ],
        None => &[],
    }
}

/// Returns `path` as one word of a unit file, after `mark`.
fn quoted(mark: &str, path: &Path) -> Result<String, CommandError> {
    let climbs = path
        .components()
        .any(|component| component == Component::ParentDir);
    // Systemd has no way to write the end of a line within one, and passes over a path that climbs.
    let text = path
        .to_str()
        .filter(|text| !climbs && !text.chars().any(char::is_control))
        .ok_or_else(|| CommandError::NoUnitPath(path.to_owned()))?;
    let mut word = format!("\"{mark}");
    for char in text.chars() {
        match char {
            '"' | '\\' => word.extend(['\\', char]),
            '%' => word.push_str("%%"),
            _ => word.push(char),
        }
    }
    word.push('"');
    Ok(word)
}
