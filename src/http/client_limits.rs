//! Limits how many photos each client may send in a minute. Must not know requests.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

use super::server::refusal::Refusal;

/// The rate limit of every client that has sent photos recently.
#[derive(Debug)]
pub(super) struct ClientLimits {
    allowances: DefaultKeyedRateLimiter<IpAddr>,
}

impl ClientLimits {
    /// Permits each client so many photos a minute, and at least one.
    pub(super) fn new(photos_per_minute: u32) -> Self {
        let per_minute = NonZeroU32::new(photos_per_minute).unwrap_or(NonZeroU32::MIN);
        Self {
            allowances: DefaultKeyedRateLimiter::keyed(Quota::per_minute(per_minute)),
        }
    }

    /// Takes one photo off the client's limit; refuses when none is left.
    pub(super) fn allow(&self, client: IpAddr) -> Result<(), Refusal> {
        self.allowances
            .check_key(&whole_client(client))
            .map_err(|until| {
                let wait = until.wait_time_from(DefaultClock::default().now());
                Refusal::TooMany(wait + Duration::from_millis(999))
            })
    }

    /// Forgets clients whose limit is fully restored.
    pub(super) fn forget_idle(&self) {
        self.allowances.retain_recent();
        self.allowances.shrink_to_fit();
    }
}

/// An IPv6 client owns a whole /64 network, so the network counts as the client.
fn whole_client(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => IpAddr::V4(mapped),
            None => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_an_ipv4_address_or_an_ipv6_network() {
        let client = |text: &str| whole_client(text.parse().unwrap());
        assert_eq!(client("2001:db8::1"), client("2001:db8::2"));
        assert_ne!(client("2001:db8::1"), client("2001:db8:0:1::1"));
        assert_eq!(client("::ffff:10.0.0.1"), client("10.0.0.1"));
    }
}
