//! The guard that keeps people and the engine from blocking themselves. Pure: the addresses to protect are arguments.
//!
//! An IPv6 address can stand for an IPv4 address (mapped, compatible, 6to4, NAT64, Teredo, ISATAP): a proxy on the way may
//! turn one into the other. So the guard compares every reading of the target with every reading of what it protects.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{AllowEntry, BlockTarget};

/// Why a target must not be blocked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuardRefusal {
    /// It holds an address of this console or of its servers.
    #[error("{target} holds {own}, an address of this machine or of a server that Watchpost uses")]
    OwnAddress {
        /// What was to be blocked.
        target: BlockTarget,
        /// The address inside it.
        own: IpAddr,
    },
    /// It overlaps an entry of the allowlist.
    #[error("{target} overlaps {entry} of the allowlist ({note})")]
    Allowlisted {
        /// What was to be blocked.
        target: BlockTarget,
        /// The entry.
        entry: BlockTarget,
        /// Why the entry is there.
        note: String,
    },
    /// Loopback, unspecified, link-local or multicast.
    #[error(
        "{target} is a loopback, unspecified, link-local or multicast address; no client comes from there"
    )]
    NotAClient {
        /// What was to be blocked.
        target: BlockTarget,
    },
    /// It overlaps a proxy or a machine with a sensor.
    #[error("{target} overlaps {entry}, a trusted proxy or a machine with a sensor")]
    Infrastructure {
        /// What was to be blocked.
        target: BlockTarget,
        /// The entry of the response policy.
        entry: BlockTarget,
    },
    /// A private or reserved range; only people may block there unless the policy says otherwise.
    #[error(
        "{target} is in {range}, which is not public; the response policy leaves such addresses to people"
    )]
    NotPublic {
        /// What was to be blocked.
        target: BlockTarget,
        /// The range.
        range: &'static str,
    },
}

/// Addresses from which no client comes.
const NEVER: [&str; 9] = [
    "255.255.255.255/32",
    "127.0.0.0/8",
    "0.0.0.0/8",
    "169.254.0.0/16",
    "224.0.0.0/4",
    "::1/128",
    "::/128",
    "fe80::/10",
    "ff00::/8",
];

/// Private and reserved ranges (IANA special-purpose registries). The ranges for documentation are absent: nobody comes
/// from there, and examples, demos and tests use them as attackers.
const NOT_PUBLIC: [&str; 10] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "192.0.0.0/24",
    "198.18.0.0/15",
    "240.0.0.0/4",
    "fc00::/7",
    "fec0::/10",
    "100::/64",
];

fn nets(table: &[&str]) -> Vec<IpNet> {
    table.iter().map(|net| net.parse().expect("the table holds valid ranges")).collect()
}

static NEVER_NETS: LazyLock<Vec<IpNet>> = LazyLock::new(|| nets(&NEVER));
static NOT_PUBLIC_NETS: LazyLock<Vec<IpNet>> = LazyLock::new(|| nets(&NOT_PUBLIC));
static SCHEMES: LazyLock<Vec<Scheme>> = LazyLock::new(schemes);

/// A way to write an IPv4 address inside an IPv6 address.
struct Scheme {
    /// Addresses of this kind.
    prefix: Ipv6Net,
    /// Bits before the IPv4 address, counted from the left.
    at: u8,
    /// Teredo hides the client's address by inverting it.
    inverted: bool,
}

fn schemes() -> Vec<Scheme> {
    [
        ("::ffff:0:0/96", 96, false),   // IPv4-mapped, RFC 4291.
        ("::/96", 96, false),           // IPv4-compatible, RFC 4291.
        ("::ffff:0:0:0/96", 96, false), // IPv4-translated, RFC 2765.
        ("64:ff9b::/96", 96, false),    // NAT64, RFC 6052.
        ("64:ff9b:1::/48", 96, false),  // NAT64 of a site, RFC 8215, with a prefix of 96 bits.
        ("2002::/16", 16, false),       // 6to4, RFC 3056.
        ("2001::/32", 32, false),       // Teredo, RFC 4380: the server.
        ("2001::/32", 96, true),        // Teredo: the client.
    ]
    .into_iter()
    .map(|(prefix, at, inverted)| Scheme {
        prefix: prefix.parse().expect("the table holds valid ranges"),
        at,
        inverted,
    })
    .collect()
}

/// The IPv4 ranges that addresses of `net` can stand for.
fn embedded(net: Ipv6Net) -> Vec<Ipv4Net> {
    let (bits, len) = (net.network().to_bits(), net.prefix_len());
    let mut found: Vec<Ipv4Net> = SCHEMES
        .iter()
        .filter(|scheme| scheme.prefix.contains(&net) || net.contains(&scheme.prefix))
        .filter_map(|scheme| {
            let known = if scheme.prefix.contains(&net) { len.saturating_sub(scheme.at).min(32) } else { 0 };
            let text = low_32(bits >> (96 - u32::from(scheme.at)));
            v4(if scheme.inverted { !text } else { text }, known)
        })
        .collect();
    // NAT64 of a site with a prefix of 48 bits: the IPv4 address goes around the octet that RFC 6052 keeps zero.
    let site: Ipv6Net = "64:ff9b:1::/48".parse().expect("a valid range");
    if site.contains(&net) {
        let text = (low_32(bits >> 64) & 0xffff) << 16 | (low_32(bits >> 40) & 0xffff);
        let known = len.min(64).saturating_sub(48) + len.min(88).saturating_sub(72);
        found.extend(v4(text, known));
    }
    // ISATAP, RFC 5214: any prefix, then a marked interface identifier.
    if len >= 96 && matches!(low_32(bits >> 32), 0x0000_5efe | 0x0200_5efe) {
        found.extend(v4(low_32(bits), len - 96));
    }
    found
}

fn low_32(bits: u128) -> u32 {
    u32::try_from(bits & 0xffff_ffff).expect("32 bits are left")
}

fn v4(text: u32, known: u8) -> Option<Ipv4Net> {
    Ipv4Net::new(Ipv4Addr::from_bits(text), known).ok().map(|net| net.trunc())
}

/// Every reading of a target: itself, and what it can stand for.
fn readings(target: BlockTarget) -> Vec<IpNet> {
    let mut all = vec![target.net()];
    if let IpNet::V6(net) = target.net() {
        all.extend(embedded(net).into_iter().map(IpNet::V4));
    }
    all
}

/// Every reading of something protected. A wide IPv6 range that could stand for most of IPv4 does not protect all of it.
fn protected(target: BlockTarget) -> Vec<IpNet> {
    let mut all = readings(target);
    let itself = all.remove(0);
    all.retain(|net| net.prefix_len() >= 8);
    all.push(itself);
    all
}

fn overlap(some: &[IpNet], others: &[IpNet]) -> bool {
    some.iter().any(|one| others.iter().any(|other| one.contains(other) || other.contains(one)))
}

/// Refuses targets that would lock people or machines out. Cannot be bypassed: every block passes here.
///
/// # Errors
/// The first reason that holds: not a client address, own address, allowlisted.
pub fn guard(
    target: BlockTarget,
    own_addresses: &[IpAddr],
    allowlist: &[AllowEntry],
) -> Result<(), GuardRefusal> {
    let readings = readings(target);
    if overlap(&readings, &NEVER_NETS) {
        return Err(GuardRefusal::NotAClient { target });
    }
    if let Some(&own) =
        own_addresses.iter().find(|own| overlap(&readings, &protected(BlockTarget::from(**own))))
    {
        return Err(GuardRefusal::OwnAddress { target, own });
    }
    if let Some(entry) = allowlist.iter().find(|entry| overlap(&readings, &protected(entry.target))) {
        return Err(GuardRefusal::Allowlisted { target, entry: entry.target, note: entry.note.clone() });
    }
    Ok(())
}

/// What an automatic action must pass besides [`guard`]: proxies and sensors, and ranges that are not public unless
/// `private_ranges` allows them.
///
/// # Errors
/// The first reason that holds.
pub fn guard_automatic(
    target: BlockTarget,
    infrastructure: &[BlockTarget],
    private_ranges: bool,
) -> Result<(), GuardRefusal> {
    let readings = readings(target);
    if let Some(&entry) = infrastructure.iter().find(|entry| overlap(&readings, &protected(**entry))) {
        return Err(GuardRefusal::Infrastructure { target, entry });
    }
    let inside = NOT_PUBLIC.iter().zip(NOT_PUBLIC_NETS.iter()).find(|(_, net)| overlap(&readings, &[**net]));
    match inside {
        Some((range, _)) if !private_ranges => Err(GuardRefusal::NotPublic { target, range }),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use super::super::{AllowEntry, BlockTarget};
    use super::{GuardRefusal, guard, guard_automatic};

    fn own() -> Vec<IpAddr> {
        vec!["192.0.2.10".parse().unwrap(), "2001:db8::10".parse().unwrap()]
    }

    fn allow(target: &str) -> AllowEntry {
        AllowEntry {
            target: target.parse().unwrap(),
            note: "office".into(),
            added_by: "a".into(),
            added_at: chrono::DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn guard_refuses() {
        let (own, allow) = (own(), [allow("198.51.100.0/24")]);
        let check = |text: &str| guard(text.parse().unwrap(), &own, &allow);
        for text in
            ["203.0.113.7", "64:ff9b::203.0.113.7", "2002:cb00:7107::1", "2a00:1450::/32", "2001:db8:1::/64"]
        {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        for text in [
            "192.0.2.10",
            "192.0.0.0/16",
            "::ffff:192.0.2.10",
            "2001:db8::/32",
            "::192.0.2.10",
            "64:ff9b::192.0.2.10",
        ] {
            assert!(matches!(check(text), Err(GuardRefusal::OwnAddress { .. })), "{text}");
        }
        for text in ["198.51.100.9", "198.51.0.0/16", "198.51.100.128/25", "2002:c633:6409::/48"] {
            assert!(matches!(check(text), Err(GuardRefusal::Allowlisted { .. })), "{text}");
        }
        for text in ["127.0.0.1", "::1", "fe80::1", "239.1.1.1", "0.0.0.0", "::127.0.0.1", "2002:7f00:1::"] {
            assert!(matches!(check(text), Err(GuardRefusal::NotAClient { .. })), "{text}");
        }
    }

    #[test]
    fn what_is_protected_in_ipv6_form_is_protected_in_ipv4_form() {
        let allow = [allow("64:ff9b::198.51.100.0/120"), allow("2001::/32")];
        let check = |text: &str| guard(text.parse().unwrap(), &[], &allow);
        assert!(matches!(check("198.51.100.4"), Err(GuardRefusal::Allowlisted { .. })));
        assert_eq!(check("203.0.113.7"), Ok(()), "a Teredo range does not protect all of IPv4");
    }

    #[test]
    fn automatic_actions_leave_proxies_and_private_ranges_alone() {
        let proxies: Vec<BlockTarget> = vec!["203.0.113.200/29".parse().unwrap()];
        let check = |text: &str, private| guard_automatic(text.parse().unwrap(), &proxies, private);
        for text in ["203.0.113.201", "203.0.113.0/24", "::203.0.113.203"] {
            for private in [true, false] {
                assert!(matches!(check(text, private), Err(GuardRefusal::Infrastructure { .. })), "{text}");
            }
        }
        for text in ["10.1.2.3", "172.20.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "64:ff9b::10.0.0.1"] {
            assert!(matches!(check(text, false), Err(GuardRefusal::NotPublic { .. })), "{text}");
            assert_eq!(check(text, true), Ok(()), "{text}");
        }
        assert_eq!(check("203.0.113.7", false), Ok(()));
    }

    /// A small generator, so that the forms are the same in every run.
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % sides
        }

        fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
            words[usize::try_from(self.roll(words.len() as u64)).unwrap()]
        }
    }

    fn groups(ip: Ipv6Addr, dice: &mut Dice) -> String {
        let zeros = dice.roll(2) == 0;
        let upper = dice.roll(2) == 0;
        let text: Vec<String> = ip
            .segments()
            .iter()
            .map(|group| match (zeros, upper) {
                (true, true) => format!("{group:04X}"),
                (true, false) => format!("{group:04x}"),
                (false, true) => format!("{group:X}"),
                (false, false) => format!("{group:x}"),
            })
            .collect();
        text.join(":")
    }

    /// An IPv6 address that stands for `ip`.
    fn v6_of(ip: Ipv4Addr, dice: &mut Dice) -> Ipv6Addr {
        let v4 = u128::from(ip.to_bits());
        let noise = u128::from(dice.roll(u64::MAX)) << 64 | u128::from(dice.roll(u64::MAX));
        let bits = match dice.roll(9) {
            0 => 0xffff << 32 | v4,
            1 => v4,
            2 => 0xffff << 48 | v4,
            3 => 0x64_ff9b << 96 | v4,
            4 => (0x64_ff9b_0001 << 80) | (noise & 0xffff_ffff_ffff << 32) | v4,
            5 => 0x2002 << 112 | v4 << 80 | (noise & ((1 << 80) - 1)),
            6 => 0x2001_0000 << 96 | (noise & (u128::from(u64::MAX) << 32)) | (v4 ^ 0xffff_ffff),
            7 => 0x64_ff9b_0001 << 80 | (v4 >> 16) << 64 | (v4 & 0xffff) << 40,
            _ => (0x2a00 << 112 | 0x5efe << 32) | (noise & 0xffff << 96) | v4,
        };
        Ipv6Addr::from_bits(bits)
    }

    /// One of very many ways to write an address, right and wrong ones.
    fn form(ip: IpAddr, dice: &mut Dice) -> String {
        let text = match ip {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                let zeros = "0".repeat(usize::try_from(dice.roll(4)).unwrap());
                match dice.roll(14) {
                    0 => v4.to_string(),
                    1 => format!("{zeros}{a}.{b}.{zeros}{c}.{d}"),
                    2 => format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
                    3 => format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
                    4 => format!("{}", v4.to_bits()),
                    5 => format!("0x{:08x}", v4.to_bits()),
                    6 => format!("{a}.{b}.{}", u32::from(c) << 8 | u32::from(d)),
                    7 => format!("{a}.{}", v4.to_bits() & 0xff_ffff),
                    8 => v4.to_string().replace('1', "１").replace('2', "２"),
                    9 => v4.to_string().replace('.', "。"),
                    10 => format!("{d}.{c}.{b}.{a}.in-addr.arpa"),
                    11 => {
                        let v6 = v6_of(v4, dice);
                        groups(v6, dice)
                    }
                    12 => v6_of(v4, dice).to_string(),
                    _ => format!("::FFFF:{v4}"),
                }
            }
            IpAddr::V6(v6) => match dice.roll(3) {
                0 => v6.to_string(),
                1 => v6.to_string().to_uppercase(),
                _ => groups(v6, dice),
            },
        };
        let text = match dice.roll(12) {
            0 => format!("[{text}]"),
            // Behind an IPv6 address without brackets a port is one more group, and the address another one.
            1 if !text.contains(':') => format!("{text}:{}", dice.roll(65_536)),
            2 => format!("[{text}]:443"),
            3 => format!("{text}%{}", dice.pick(&["eth0", "1", "25eth0"])),
            _ => text,
        };
        let prefix = if dice.roll(3) == 0 {
            let slash = dice.pick(&["/", "/", "/0", "/+", " /", "/ "]);
            format!("{slash}{}", dice.roll(129))
        } else {
            String::new()
        };
        if dice.roll(4) > 0 {
            return text + &prefix;
        }
        let space = [" ", "\t", "\n", "\r\n", "\u{a0}", "\u{200b}", "\u{feff}", "\0"];
        format!("{}{text}{prefix}{}", dice.pick(&space), dice.pick(&space))
    }

    #[test]
    fn no_form_of_a_protected_address_passes() {
        let allow = [allow("198.51.100.0/24"), allow("2001:db8:77::/48")];
        let own = own();
        let mut dice = Dice(0x5eed_0000_0001);
        let (mut refused, mut unread) = (0_u32, 0_u32);
        for n in 0..40_000_u32 {
            let ip: IpAddr = match dice.roll(4) {
                0 => own[0],
                1 => own[1],
                2 => IpAddr::V4(Ipv4Addr::new(198, 51, 100, u8::try_from(dice.roll(256)).unwrap())),
                _ => IpAddr::V6(Ipv6Addr::from_bits(
                    0x2001_0db8_0077_u128 << 80 | u128::from(dice.roll(u64::MAX)) << 8,
                )),
            };
            let text = form(ip, &mut dice);
            match text.parse::<BlockTarget>() {
                Err(_) => unread += 1,
                // A range this wide is itself and not the ISATAP addresses that every range of this size holds.
                Ok(target) if text.to_lowercase().contains("5efe") && target.net().prefix_len() < 96 => {}
                Ok(target) => {
                    assert!(
                        guard(target, &own, &allow).is_err(),
                        "form {n} of {ip} passes: {text:?} is {target}"
                    );
                    refused += 1;
                }
            }
        }
        assert!(
            refused > 10_000 && unread > 10_000,
            "both happen often: {refused} refused, {unread} not read"
        );
    }

    #[test]
    fn forms_of_other_addresses_pass() {
        let allow = [allow("198.51.100.0/24"), allow("2001:db8:77::/48")];
        let own = own();
        let mut dice = Dice(77);
        for _ in 0..2_000 {
            let v4 = Ipv4Addr::new(203, 0, 113, u8::try_from(dice.roll(256)).unwrap());
            let ip = if dice.roll(2) == 0 { IpAddr::V4(v4) } else { IpAddr::V6(v6_of(v4, &mut dice)) };
            // Another reading of a Teredo or site NAT64 address may be one that no client has.
            let doubtful = matches!(ip, IpAddr::V6(v6) if matches!(v6.segments()[..3], [0x2001, 0, _] | [0x64, 0xff9b, 1]));
            assert!(doubtful || guard(BlockTarget::from(ip), &own, &allow).is_ok(), "{ip} is refused");
        }
    }
}
