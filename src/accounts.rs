//! Converts between names and numbers of users and groups, and checks a user's rights to a folder by its mode. Uses the system's
//! name services, so that accounts of LDAP or SSSD are included. Must not open folders.

use std::ffi::CString;
use std::io;

use nix::errno::Errno;
use nix::unistd::{Gid, Group, Uid, User, getgrouplist};

/// Mode bits with which users other than the owner and the group may list a folder.
pub const LISTED_BY_OTHERS: u32 = 0o005;

/// The system's name services failed to say whether there is a user.
#[derive(Debug, thiserror::Error)]
#[error("the system cannot look up the user {user}: {source}")]
pub struct LookupError {
    user: String,
    source: io::Error,
}

/// A user and the user's groups.
#[derive(Debug)]
pub struct Account {
    id: u32,
    groups: Vec<u32>,
}

impl Account {
    /// Finds the user `name`; `None` if there is none. May wait for a name service on the network.
    pub fn find(name: &str) -> Result<Option<Self>, LookupError> {
        let failed = |source: io::Error| LookupError {
            user: name.to_owned(),
            source,
        };
        let user = match User::from_name(name) {
            Ok(user) => user,
            // POSIX permits these for a user that does not exist, too.
            Err(Errno::ENOENT | Errno::ESRCH) => None,
            Err(error) => return Err(failed(error.into())),
        };
        let Some(user) = user else { return Ok(None) };
        let name = CString::new(name).map_err(|error| failed(error.into()))?;
        let groups = getgrouplist(&name, user.gid);
        Ok(Some(Self {
            id: user.uid.as_raw(),
            groups: groups
                .unwrap_or_else(|_| vec![user.gid])
                .into_iter()
                .map(Gid::as_raw)
                .collect(),
        }))
    }

    /// Whether the user is the owner of a folder or a member of its group.
    pub fn is_owner_or_member(&self, owner: u32, group: u32) -> bool {
        self.id == owner || self.groups.contains(&group)
    }

    /// Whether the user may list a folder of this mode, owner and group.
    pub fn may_list(&self, mode: u32, owner: u32, group: u32) -> bool {
        // Only the first matching class counts: an owner without rights does not get the group's rights.
        let granted = if self.id == owner {
            mode >> 6
        } else if self.groups.contains(&group) {
            mode >> 3
        } else {
            mode
        };
        granted & LISTED_BY_OTHERS == LISTED_BY_OTHERS
    }
}

/// The name of the user with this number; `None` if there is none, or if no name service responds.
pub fn user_name(id: u32) -> Option<String> {
    Some(User::from_uid(Uid::from_raw(id)).ok()??.name)
}

/// The name of the group with this number, or the number.
pub fn group_name(id: u32) -> String {
    let group = Group::from_gid(Gid::from_raw(id)).ok().flatten();
    group.map_or_else(|| id.to_string(), |group| group.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when `hotcut init` asks for rights that exist, or overlooks rights that the service lacks.
    #[test]
    fn the_first_rights_that_fit_count() {
        let account = Account {
            id: 990,
            groups: vec![991, 500],
        };
        for (mode, owner, group, wanted) in [
            (0o2770, 990, 7, true),
            (0o2770, 7, 991, true),
            (0o2770, 7, 500, true),
            (0o2770, 7, 501, false),
            (0o2775, 7, 501, true),
            (0o0070, 990, 991, false),
            (0o0707, 7, 500, false),
            (0o2740, 7, 500, false),
        ] {
            assert_eq!(
                account.may_list(mode, owner, group),
                wanted,
                "{mode:o} {owner} {group}"
            );
        }
    }

    /// Fails when users or groups are not found by name and by number.
    #[test]
    fn root_is_known_everywhere() {
        assert_eq!(user_name(0).as_deref(), Some("root"));
        assert_eq!(group_name(0), "root");
        let root = Account::find("root").unwrap().unwrap();
        assert!(root.is_owner_or_member(0, 1) && root.is_owner_or_member(1, 0));
        assert!(Account::find("no such user").unwrap().is_none());
        assert_eq!(user_name(4_294_967_000), None);
        assert_eq!(group_name(4_294_967_000), "4294967000");
    }
}
