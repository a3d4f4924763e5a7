//! `hotcut unit`: prints the systemd drop-in that gives the service the rights that the configuration needs. Must not read folders.

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

/// Paths that the unit hides from the service, and the setting that makes each visible. Write access is granted separately.
pub(super) const HIDDEN: &[(&str, &str)] = &[
    ("/home", "ProtectHome=read-only"),
    ("/root", "ProtectHome=read-only"),
    ("/run/user", "ProtectHome=read-only"),
    ("/tmp", "PrivateTmp=no"),
    ("/var/tmp", "PrivateTmp=no"),
];

/// Mount points that hold more than photos and stay mounted while the system runs.
const OF_THE_SYSTEM: &[&str] = &["/", "/home", "/srv", "/tmp", "/var", "/var/lib", "/var/tmp"];

/// The directory of the unit's `StateDirectory=`.
const STATE_DIRECTORY: &str = "/var/lib/hotcut";

/// How much longer than `drain_timeout` a stop may take. The unit's `TimeoutStopSec=` is the default `drain_timeout` plus this.
const STOP_MARGIN: Duration = Duration::from_secs(15);

/// The unit's `TimeoutStopSec=`.
const STOP_TIMEOUT: Duration = Duration::from_secs(45);

/// The path of the drop-in.
pub(super) const DROP_IN: &str = "/etc/systemd/system/hotcut.service.d/folders.conf";

/// Prints the drop-in, or the error that prevents one.
pub fn run(config_file: &Path) -> Result<ExitCode, CommandError> {
    let config = Config::load(config_file)?;
    let text = drop_in(config_file, &config)?;
    stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The drop-in for `config`.
pub(super) fn drop_in(config_file: &Path, config: &Config) -> Result<String, CommandError> {
    let folders = folders(config);
    let targets = disk::real_paths(folders.iter().copied());
    let mut mounts = Vec::new();
    let mut service = Vec::new();
    for folder in &folders {
        mounts.push(format!("RequiresMountsFor={}", quoted("", folder)?));
        // Systemd does not follow links when it determines the mounts of a path.
        let led_to = target(&targets, folder);
        if led_to != *folder {
            mounts.push(format!("RequiresMountsFor={}", quoted("", &led_to)?));
        }
        // With the minus sign, the service starts even when the folder does not exist yet.
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

/// Every path that hotcut reads or writes, as configured and with links resolved.
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

/// Every folder that hotcut writes to. This includes hot folders: hotcut leaves notes there and takes photos away.
pub(super) fn folders(config: &Config) -> Vec<&Path> {
    let state_dir = Some(config.daemon.state_dir.as_path());
    let mut folders: Vec<&Path> = state_dir
        .into_iter()
        .filter(|path| *path != Path::new(STATE_DIRECTORY))
        .collect();
    for folder in &config.folders {
        folders.push(&folder.input);
        folders.extend(folder.output_paths());
        folders.extend(folder.own_folders());
    }
    folders.sort_unstable();
    folders.dedup();
    folders
}

/// The path that must be writable so that `folder`, resolved to `real`, is writable: the folder, or the mount point of its disk.
///
/// A folder below a mount point becomes a mount in the service's namespace. This mount keeps the disk visible to the service after
/// it is unmounted; a disk mounted later lies beneath it, and its photos are never seen.
fn writable(folder: &Path, real: &Path) -> Result<PathBuf, PathError> {
    let disk = mount::point_of(real)?;
    let is_of_the_system = OF_THE_SYSTEM.iter().any(|place| disk == Path::new(place));
    Ok(if is_of_the_system {
        folder.to_owned()
    } else {
        disk
    })
}

/// `path` with links resolved. On a disk that does not respond, the path counts as free of links.
pub(super) fn target(targets: &BTreeMap<PathBuf, PathBuf>, path: &Path) -> PathBuf {
    targets.get(path).map_or(path.to_owned(), Clone::clone)
}

/// The settings that allow the network access that `config` needs.
pub(super) fn network(config: &Config) -> &'static [&'static str] {
    let has_webhook = config
        .notify
        .as_ref()
        .is_some_and(|it| it.webhook.is_some());
    match &config.http {
        // To look up a name, the resolver asks the kernel for the local addresses (netlink).
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

/// `path` as one quoted word of a unit file, after `mark`.
fn quoted(mark: &str, path: &Path) -> Result<String, CommandError> {
    let climbs = path
        .components()
        .any(|component| component == Component::ParentDir);
    // Unit files cannot contain a line break within a word, and systemd ignores paths with `..`.
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
