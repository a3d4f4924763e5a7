//! The system's own lists of users and groups -> names, and what a user may do with a folder by its mode. Opens no folder.

/// Mode bits by which whoever is neither owner nor in the group may list a folder.
pub(super) const LISTED_BY_OTHERS: u32 = 0o005;

/// A user and the groups that it is in.
#[derive(Debug)]
pub(super) struct Account {
    id: u32,
    groups: Vec<u32>,
}

impl Account {
    /// Finds the user `name` in the content of `/etc/passwd` and `/etc/group`.
    pub(super) fn find(name: &str, users: &[u8], groups: &[u8]) -> Option<Self> {
        let user = rows(users).find(|row| row.first() == Some(&name.as_bytes()))?;
        let mut ids = vec![number(user.get(3)?)?];
        ids.extend(rows(groups).filter_map(|row| {
            let mut members = row.get(3)?.split(|byte| *byte == b',');
            members
                .any(|member| member == name.as_bytes())
                .then(|| number(row.get(2)?))?
        }));
        Some(Self {
            id: number(user.get(2)?)?,
            groups: ids,
        })
    }

    /// Tells whether the rights of a folder's owner or group are the user's.
    pub(super) fn is_owner_or_member(&self, owner: u32, group: u32) -> bool {
        self.id == owner || self.groups.contains(&group)
    }

    /// Tells whether the user may list a folder of this mode, owner and group.
    pub(super) fn may_list(&self, mode: u32, owner: u32, group: u32) -> bool {
        // The first that fits is what counts: an owner without rights has none as a member of the group either.
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

/// The name of the group with this number, or the number.
pub(super) fn group_name(id: u32) -> String {
    let groups = std::fs::read("/etc/group").unwrap_or_default();
    let mut named =
        rows(&groups).filter(|row| row.get(2).and_then(|field| number(field)) == Some(id));
    let name = named.next().and_then(|row| row.first().copied());
    name.map_or(id.to_string(), |name| {
        String::from_utf8_lossy(name).into_owned()
    })
}

/// The fields of each line.
fn rows(table: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let lines = table.split(|byte| *byte == b'\n');
    lines.map(|line| line.split(|byte| *byte == b':').collect())
}

fn number(field: &[u8]) -> Option<u32> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when `hotcut init` asks for what is there already, or does not see what the service lacks.
    #[test]
    fn the_first_rights_that_fit_count() {
        let users = b"root:x:0:0:root:/root:/bin/sh\nhotcut:x:990:991:remover:/var/lib/hotcut:/sbin/nologin\n";
        let groups = b"root:x:0:\nhotcut:x:991:\nstudio:x:500:anna,hotcut\nhotcuts:x:501:anna\n";
        let account = Account::find("hotcut", users, groups).unwrap();
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
        assert!(Account::find("nobody", users, groups).is_none());
    }
}
