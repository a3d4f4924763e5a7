//! Reads the active systemd unit and reports what it forbids although the configuration needs it, with the command that allows it.
//! Must not change anything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use super::unit::{DROP_IN, HIDDEN, folders, network, target, used};
use super::{CommandError, block_on};
use crate::config::Config;
use crate::fs::disk;
use crate::percent;

/// The name of the unit.
pub(super) const UNIT: &str = "hotcut.service";

/// The configuration file of the shipped unit.
const UNIT_CONFIG: &str = "/etc/hotcut/hotcut.toml";

/// Time limit for systemd's answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// The properties to read.
const PROPERTIES: &str = "LoadState,ExecStart,ProtectSystem,ReadWritePaths,StateDirectory,ProtectHome,PrivateTmp,\
    PrivateNetwork,IPAddressDeny,IPAddressAllow,RestrictAddressFamilies";

/// The unit's settings, as `systemctl show` prints them.
pub(super) struct UnitLimits(BTreeMap<String, String>);

impl UnitLimits {
    /// Reads the unit's settings; `None` when systemd does not respond or no unit serves `config_file`.
    pub(super) fn of(config_file: &Path) -> Result<Option<Self>, CommandError> {
        let mut show = Command::new("systemctl");
        show.args(["show", UNIT, "--property", PROPERTIES]);
        show.stdin(std::process::Stdio::null()).kill_on_drop(true);
        let answer = block_on(async { tokio::time::timeout(ANSWER_LIMIT, show.output()).await })?;
        Ok(match answer {
            Ok(Ok(output)) if output.status.success() => {
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                Some(Self::read(&text)).filter(|limits| limits.serves(config_file))
            }
            // Without systemd, no unit can forbid anything.
            _ => None,
        })
    }

    fn read(text: &str) -> Self {
        let lines = text.lines().filter_map(|line| line.split_once('='));
        Self(
            lines
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    fn serves(&self, config_file: &Path) -> bool {
        let start = self.get("ExecStart");
        let config_file = config_file.display().to_string();
        self.get("LoadState") == "loaded"
            && if start.contains("--config") {
                let named = [' ', '='].map(|mark| format!("--config{mark}{config_file} "));
                named.iter().any(|words| start.contains(words))
            } else {
                config_file == UNIT_CONFIG
            }
    }

    fn get(&self, key: &str) -> &str {
        self.0.get(key).map_or("", String::as_str)
    }

    /// What the unit forbids although `config` needs it, in one sentence with the command that allows it; `None` when it forbids
    /// nothing.
    pub(super) fn forbidden(&self, config_file: &Path, config: &Config) -> Option<String> {
        let mut forbidden = Vec::new();
        let used = used(config);
        for (root, setting) in HIDDEN {
            let (key, _) = setting.split_once('=')?;
            let is_hidden = self.get(key) == "yes";
            forbidden.extend(
                used.iter()
                    .filter(|path| is_hidden && path.starts_with(root))
                    .map(|path| format!("look into {} ({key}=)", percent::display(path))),
            );
        }
        if self.get("ProtectSystem") == "strict" {
            forbidden.extend(
                self.closed(folders(config)).into_iter().map(|folder| {
                    format!("write to {} (ReadWritePaths=)", percent::display(folder))
                }),
            );
        }
        if let Some(key) = self.closes_network(network(config)) {
            forbidden.push(format!("use the network ({key}=)"));
        }
        forbidden.dedup();
        (!forbidden.is_empty()).then(|| {
            format!(
                "the unit {UNIT} does not let hotcut {}; to allow it: {}",
                forbidden.join(", "),
                allowing(config_file)
            )
        })
    }

    /// The `folders` that the service may not write to.
    fn closed<'a>(&self, mut folders: Vec<&'a Path>) -> Vec<&'a Path> {
        let writable = self.writable();
        let paths = writable.iter().map(PathBuf::as_path);
        let targets = disk::real_paths(paths.chain(folders.iter().copied()));
        folders.retain(|folder| {
            let led_to = target(&targets, folder);
            let is_below = |path: &PathBuf| {
                folder.starts_with(path) || led_to.starts_with(target(&targets, path))
            };
            !writable.iter().any(is_below)
        });
        folders
    }

    /// The folders that the service may write to.
    fn writable(&self) -> Vec<PathBuf> {
        let states = words(self.get("StateDirectory"));
        let states = states.iter().map(|name| Path::new("/var/lib").join(name));
        words(self.get("ReadWritePaths"))
            .into_iter()
            .map(|word| PathBuf::from(word.trim_start_matches(['-', '+'])))
            .chain(states)
            .collect()
    }

    /// The first setting that denies the part of the network that `needed` allows.
    fn closes_network(&self, needed: &[&str]) -> Option<&'static str> {
        let is_local = needed.contains(&"IPAddressAllow=localhost");
        for setting in needed {
            let (key, wanted) = setting.split_once('=')?;
            match key {
                "PrivateNetwork" if self.get(key) == "yes" => return Some("PrivateNetwork"),
                "RestrictAddressFamilies" => {
                    let families: Vec<&str> = self.get(key).split(' ').collect();
                    let is_open = self.get(key).starts_with('~');
                    if !is_open && wanted.split(' ').any(|one| !families.contains(&one)) {
                        return Some("RestrictAddressFamilies");
                    }
                }
                "IPAddressDeny" | "IPAddressAllow" => {
                    let allowed = self.get("IPAddressAllow").split_whitespace();
                    let mut allowed = allowed.map(|one| one == "127.0.0.0/8" || one == "::1/128");
                    // A list with other addresses was written by an administrator and is trusted.
                    let is_allowed = allowed.any(|is_loopback| is_loopback == is_local);
                    if self.get("IPAddressDeny").contains("/0") && !is_allowed {
                        return Some("IPAddressDeny");
                    }
                }
                _ => {}
            }
        }
        None
    }
}

/// The command that writes the drop-in for `config_file` and restarts the service.
pub(super) fn allowing(config_file: &Path) -> String {
    let config = if config_file == Path::new(UNIT_CONFIG) {
        String::new()
    } else {
        format!(" --config \"{}\"", config_file.display())
    };
    let folder = Path::new(DROP_IN).parent().unwrap_or(Path::new("/"));
    format!(
        // Writes to a temporary name first: when the configuration has a fault there is no drop-in, and the existing one must stay.
        "sudo sh -c 'mkdir -p {} && hotcut unit{config} >{DROP_IN}.new && mv {DROP_IN}.new {DROP_IN} && systemctl daemon-reload && systemctl restart hotcut'",
        folder.display()
    )
}

/// The words of a list as systemd prints them: quoted and with backslashes where necessary.
fn words(list: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut is_quoted, mut chars) = (String::new(), false, list.chars());
    while let Some(char) = chars.next() {
        match char {
            '\\' => word.extend(chars.next()),
            '"' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(std::mem::take(&mut word)),
            _ => word.push(char),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Output of systemd 252 for the unit with a drop-in of many names.
    const SHOWN: &str = r#"ExecStart={ path=/usr/bin/hotcut ; argv[]=/usr/bin/hotcut run --config /etc/my hot cut/a.toml ; ignore_errors=no ; pid=0 }
IPAddressAllow=::1/128 127.0.0.0/8
IPAddressDeny=::/0 0.0.0.0/0
ReadWritePaths=-/srv/hot -/srv/cutouts "-/mnt/a studio/in" "-/mnt/the \"good\" ones \$1 \`x\` it's 100%" -/mnt/Möbel
PrivateTmp=yes
PrivateNetwork=no
ProtectHome=read-only
ProtectSystem=strict
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
StateDirectory=hotcut
LoadState=loaded
"#;

    /// Fails when the name of a folder makes an allowed folder count as forbidden, or the reverse.
    #[test]
    fn what_systemd_shows_is_read() {
        let limits = UnitLimits::read(SHOWN);
        for allowed in [
            "/srv/hot",
            "/srv/cutouts/a",
            "/mnt/a studio/in",
            "/mnt/the \"good\" ones $1 `x` it's 100%/in",
            "/mnt/Möbel",
            "/var/lib/hotcut",
        ] {
            assert!(
                limits.closed(vec![Path::new(allowed)]).is_empty(),
                "{allowed}"
            );
        }
        for forbidden in ["/srv", "/srv/hotter", "/mnt/a", "/mnt/a studio", "/var/lib"] {
            assert!(
                !limits.closed(vec![Path::new(forbidden)]).is_empty(),
                "{forbidden}"
            );
        }
        assert!(limits.serves(Path::new("/etc/my hot cut/a.toml")));
        assert!(!limits.serves(Path::new(UNIT_CONFIG)));
        assert!(!limits.serves(Path::new("/etc/my hot cut/a.to")));
        let plain =
            UnitLimits::read("ExecStart={ argv[]=/usr/bin/hotcut run ; }\nLoadState=loaded");
        assert!(plain.serves(Path::new(UNIT_CONFIG)));
        let none = UnitLimits::read("LoadState=not-found\n");
        assert!(!none.serves(Path::new(UNIT_CONFIG)));
    }

    /// Fails when a closed network counts as open, or one opened by other settings as closed.
    #[test]
    fn closed_network_is_known() {
        let local: &[&str] = &[
            "PrivateNetwork=no",
            "IPAddressAllow=localhost",
            "RestrictAddressFamilies=AF_INET AF_INET6",
        ];
        let any: &[&str] = &[
            "PrivateNetwork=no",
            "IPAddressDeny=",
            "RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK",
        ];
        let change = |from: &str, to: &str| UnitLimits::read(&SHOWN.replace(from, to));
        let limits = UnitLimits::read(SHOWN);
        assert_eq!(limits.closes_network(&[]), None);
        assert_eq!(limits.closes_network(local), None);
        assert_eq!(limits.closes_network(any), Some("IPAddressDeny"));
        let closed = change("PrivateNetwork=no", "PrivateNetwork=yes");
        assert_eq!(closed.closes_network(local), Some("PrivateNetwork"));
        let open = change("IPAddressDeny=::/0 0.0.0.0/0", "IPAddressDeny=");
        assert_eq!(open.closes_network(any), Some("RestrictAddressFamilies"));
        let chosen = SHOWN
            .replace("127.0.0.0/8", "10.0.0.0/8")
            .replace("AF_UNIX", "AF_NETLINK AF_UNIX");
        assert_eq!(UnitLimits::read(&chosen).closes_network(any), None);
        let families = change("AF_INET AF_INET6 AF_UNIX", "~AF_PACKET");
        assert_eq!(families.closes_network(local), None);
    }
}
