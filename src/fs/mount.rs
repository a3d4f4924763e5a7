//! Finds the mount point of a path, and whether its file system reports every change. Must not open users' files.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::StatFs;

use super::path_error::{AtPath as _, PathError};

/// The kernel's list of mounts, as this process sees it.
const MOUNTINFO: &str = "/proc/self/mountinfo";

/// File systems on which other machines write without a notification by the local kernel.
const DEAF: &[(u32, &str)] = &[
    (0x6969, "nfs"),
    (0xFE53_4D42, "smb2"),
    (0xFF53_4D42, "cifs"),
    (0x517B, "smb"),
    (0x6573_5546, "fuse"),
    (0x0102_1997, "9p"),
    (0x00C3_6400, "ceph"),
    (0x794C_7630, "overlay"),
    (0x5346_414F, "afs"),
    (0x4750_4653, "gpfs"),
    (0x0BD0_0BD0, "lustre"),
    (0x7665_7266, "vboxsf"),
];

/// Returns the mount point of `path`. The path need not exist. A directory mounted on itself is skipped.
pub fn point_of(path: &Path) -> Result<PathBuf, PathError> {
    let table = std::fs::read(MOUNTINFO).at(Path::new(MOUNTINFO))?;
    Ok(longest_prefix(&table, path))
}

/// Returns the name of the file system under `path` when it does not report what other machines write.
pub fn deaf_kind(path: &Path) -> Result<Option<&'static str>, PathError> {
    Ok(kind_of(&rustix::fs::statfs(path).at(path)?))
}

/// Returns the name of a file system that does not report what other machines write.
pub fn kind_of(found: &StatFs) -> Option<&'static str> {
    let magic = magic(found);
    DEAF.iter()
        .find(|(number, _)| *number == magic)
        .map(|(_, name)| *name)
}

/// Returns the name of a file system for messages.
pub fn name_of(found: &StatFs) -> String {
    kind_of(found).map_or_else(|| format!("type {:#x}", magic(found)), str::to_owned)
}

/// The magic number is the low 32 bits; on some architectures the field is signed and wider.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "see above"
)]
fn magic(found: &StatFs) -> u32 {
    found.f_type as u32
}

/// Whether a file system of this name is an SMB share.
pub fn is_smb(kind: &str) -> bool {
    matches!(kind, "smb" | "smb2" | "cifs")
}

/// Checks that a folder has the mount point of its first use. The error says what to do.
pub fn check(expected: &Path, actual: &Path) -> io::Result<()> {
    if actual.starts_with(expected) {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::NotFound,
        format!("{} is not mounted", expected.display()),
    ))
}

/// One line of the mount list.
struct Mount<'a> {
    id: &'a [u8],
    parent: &'a [u8],
    /// Major and minor number.
    device: &'a [u8],
    /// The directory of the device that is mounted.
    root: PathBuf,
    point: PathBuf,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a [u8]) -> Option<Self> {
        let mut fields = line.split(|byte| *byte == b' ');
        Some(Self {
            id: fields.next()?,
            parent: fields.next()?,
            device: fields.next()?,
            root: unescape(fields.next()?),
            point: unescape(fields.next()?),
        })
    }

    /// Whether the mount shows the same directory as without it. Systemd creates such mounts for a service's `ReadWritePaths=`;
    /// they belong to the unit, not to a disk.
    fn is_bound_to_itself(&self, mounts: &[Mount<'_>]) -> bool {
        let Some(parent) = mounts.iter().find(|mount| mount.id == self.parent) else {
            return false;
        };
        let below = self.point.strip_prefix(&parent.point);
        self.device == parent.device
            && below.is_ok_and(|below| {
                parent
                    .root
                    .components()
                    .chain(below.components())
                    .eq(self.root.components())
            })
    }
}

fn longest_prefix(table: &[u8], path: &Path) -> PathBuf {
    let lines = table.split(|byte| *byte == b'\n');
    let mounts: Vec<Mount<'_>> = lines.filter_map(Mount::parse).collect();
    mounts
        .iter()
        .filter(|mount| path.starts_with(&mount.point) && !mount.is_bound_to_itself(&mounts))
        .map(|mount| mount.point.clone())
        .max_by_key(|point| point.components().count())
        .unwrap_or_else(|| PathBuf::from("/"))
}

/// Decodes the kernel's `\040` notation for blanks in mount points.
fn unescape(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, tail)) = rest.split_first() {
        let digits = tail.get(..3).filter(|_| byte == b'\\');
        let code = digits
            .and_then(|text| std::str::from_utf8(text).ok())
            .and_then(|text| u8::from_str_radix(text, 8).ok());
        match code {
            Some(value) => {
                bytes.push(value);
                rest = tail.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[u8] = b"1 0 8:1 / / rw - ext4 /dev/sda rw\n\
        2 1 0:5 / /mnt/the\\040share rw - cifs //nas/x rw\n\
        3 2 0:6 / /mnt/the\\040share/deep rw - tmpfs none rw\n";

    #[test]
    fn the_deepest_mount_above_a_path_is_found() {
        let point = |path: &str| longest_prefix(TABLE, Path::new(path));
        assert_eq!(point("/srv/hot"), Path::new("/"));
        assert_eq!(point("/mnt/the share/hot"), Path::new("/mnt/the share"));
        assert_eq!(
            point("/mnt/the share/deep/a"),
            Path::new("/mnt/the share/deep")
        );
        assert_eq!(point("/mnt/the shared"), Path::new("/"));
    }

    /// P10: fails when a directory that a unit makes writable counts as a disk: with another folder in the unit, that disk would
    /// count as missing forever.
    #[test]
    fn a_place_that_is_mounted_on_itself_is_no_disk() {
        let table = b"1 0 0:30 /@ / ro - btrfs /dev/sda rw\n\
            2 1 0:30 /@/srv/hot /srv/hot rw - btrfs /dev/sda rw\n\
            3 2 0:30 /@/srv/hot/deep /srv/hot/deep rw - btrfs /dev/sda rw\n\
            4 1 0:30 /@/opt/disk /mnt/disk rw - btrfs /dev/sda rw\n\
            5 4 0:30 /@/opt/disk/a\\040hot /mnt/disk/a\\040hot rw - btrfs /dev/sda rw\n\
            6 1 8:17 / /mnt/whole rw - ext4 /dev/sdb rw\n\
            7 6 8:17 / /mnt/whole rw - ext4 /dev/sdb rw\n\
            8 1 8:33 /srv/hot /srv/other rw - ext4 /dev/sdc rw\n";
        let point = |path: &str| longest_prefix(table, Path::new(path));
        assert_eq!(point("/srv/hot/deep/in"), Path::new("/"));
        assert_eq!(point("/mnt/disk/a hot/in"), Path::new("/mnt/disk"));
        assert_eq!(point("/mnt/whole/in"), Path::new("/mnt/whole"));
        assert_eq!(point("/srv/other/in"), Path::new("/srv/other"));
    }

    #[test]
    fn a_mount_that_went_away_is_told_from_one_that_came() {
        assert!(check(Path::new("/mnt/share"), Path::new("/")).is_err());
        assert!(check(Path::new("/"), Path::new("/mnt/share")).is_ok());
        assert!(check(Path::new("/"), Path::new("/")).is_ok());
    }
}
