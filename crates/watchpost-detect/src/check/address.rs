//! What a host means, however it is spelled.
//!
//! Resolvers, browsers and libraries read more as an address than the dotted form: one number, octal and hexadecimal
//! parts, parts that overflow, digits of other scripts, IPv6 forms that carry an IPv4 address, names that resolve to
//! addresses of the machine itself. A host is internal when any of these readings is.

use std::net::{Ipv4Addr, Ipv6Addr};

use watchpost_model::text::is_invisible;

/// What a host is to a server that is made to ask it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// The service that hands out a cloud machine's credentials.
    Metadata,
    /// The machine itself, its network, or a name that leads there.
    Internal,
    /// A service that records who asks it, to find blind requests.
    Callback,
}

/// The host and whether it is spelled as nobody writes it who wants to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) place: Place,
    /// Anything but plain dotted IPv4, plain IPv6 or a name.
    pub(crate) is_disguised: bool,
}

const METADATA_NAMES: &[&str] = &[
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "instance-data",
    "instance-data.ec2.internal",
    "rancher-metadata",
    "metadata.azure.internal",
    "metadata.tencentyun.com",
    "metadata.platformequinix.com",
    "metadata.packet.net",
    "api.metadata.cloud.ibm.com",
    "metadata.oraclecloud.internal",
    "metadata.nic.internal",
    "metadata.google.com.internal",
];

const INTERNAL_NAMES: &[&str] = &[
    "localhost",
    "localhost4",
    "localhost6",
    "ip6-localhost",
    "ipv6-localhost",
    "host.docker.internal",
    "ip6-loopback",
    "loopback",
    "broadcasthost",
    "localdomain",
    "intranet",
    "kubernetes",
    "kubernetes.default",
    // What services are called between containers.
    "redis",
    "vault",
    "elasticsearch",
    "etcd",
    "rabbitmq",
    "mongodb",
    "memcached",
    "zookeeper",
    "minio",
    "postgres",
    "kibana",
    "spoofed.burpcollaborator.net",
    "bugbounty.dod.network",
    "mail.ebc.apple.com",
];

const INTERNAL_SUFFIXES: &[&str] = &[
    ".localhost",
    ".localdomain",
    ".localdomain4",
    ".localdomain6",
    ".local",
    ".internal",
    ".intranet",
    ".lan",
    ".corp",
    ".private",
    ".home.arpa",
    ".cluster.local",
    ".svc",
    ".consul",
    ".docker",
    ".localtest.me",
    ".lvh.me",
    ".vcap.me",
    ".lacolhost.com",
    ".localh.st",
    ".rbndr.us",
    ".1u.ms",
    ".127-0-0-1.org.uk",
    ".local.gd",
    ".localdev.me",
    ".fuf.me",
    ".lndo.site",
    ".yoogle.com",
];

/// Names that answer with the address that is written in front of them.
const MIRRORS: &[&str] = &[
    ".nip.io",
    ".sslip.io",
    ".xip.io",
    ".xip.name",
    ".backname.io",
    ".traefik.me",
    ".ipq.co",
    ".ip.addr.tools",
];

const CALLBACKS: &[&str] = &[
    ".burpcollaborator.net",
    ".oastify.com",
    ".interact.sh",
    ".interactsh.com",
    ".oast.fun",
    ".oast.pro",
    ".oast.live",
    ".oast.site",
    ".oast.online",
    ".oast.me",
    ".dnslog.cn",
    ".ceye.io",
    ".bxss.me",
    ".xss.ht",
    ".requestrepo.com",
    ".dnsbin.zhack.ca",
    ".r87.me",
];

/// What `host` (without port and brackets are allowed) is, when it is anything but somebody else's.
pub(crate) fn read_host(host: &str) -> Option<Reading> {
    let plain = plain(host);
    let is_folded = !host.is_ascii() && plain.is_ascii();
    let name = plain.trim_end_matches('.');
    if name.is_empty() || name.len() > 253 {
        return None;
    }
    if let Some((place, is_disguised)) = read_v6(name).or_else(|| read_v4(name)) {
        return Some(Reading { place, is_disguised: is_disguised || is_folded });
    }
    let place = read_name(name)?;
    Some(Reading { place, is_disguised: is_folded })
}

fn read_name(name: &str) -> Option<Place> {
    if METADATA_NAMES.contains(&name) {
        return Some(Place::Metadata);
    }
    let is_under =
        |suffix: &&str| name.ends_with(*suffix) || (suffix[1..].contains('.') && name == &suffix[1..]);
    if let Some(mirror) = MIRRORS.iter().find(|suffix| name.ends_with(**suffix)) {
        return mirrored(&name[..name.len() - mirror.len()]);
    }
    if CALLBACKS.iter().any(|suffix| name.ends_with(suffix)) && !INTERNAL_NAMES.contains(&name) {
        return Some(Place::Callback);
    }
    (INTERNAL_NAMES.contains(&name) || INTERNAL_SUFFIXES.iter().any(is_under)).then_some(Place::Internal)
}

/// The address in front of a mirror: `a.127.0.0.1`, `app-127-0-0-1`, `7f000001`, `0--1` for `::1`.
fn mirrored(text: &str) -> Option<Place> {
    let dotted = |text: &str, separator: char| {
        let mut parts: Vec<&str> = text.rsplitn(5, separator).take(4).collect();
        parts.reverse();
        parts.join(".").parse::<Ipv4Addr>().ok().and_then(place_v4)
    };
    let last = text.rsplit('.').next().unwrap_or(text);
    dotted(text, '.')
        .or_else(|| dotted(last, '-'))
        .or_else(|| {
            let hex = last.rsplit('-').next().unwrap_or(last);
            (hex.len() == 8)
                .then(|| u32::from_str_radix(hex, 16).ok())
                .flatten()
                .and_then(|bits| place_v4(Ipv4Addr::from(bits)))
        })
        .or_else(|| last.replace('-', ":").parse::<Ipv6Addr>().ok().and_then(place_v6))
}

/// Lower case, digits and letters of other alphabets as ASCII, other full stops as a dot, without what cannot be seen.
fn plain(host: &str) -> String {
    host.chars()
        .filter(|ch| !is_invisible(*ch) && !matches!(ch, '\t' | '\n' | '\r' | '\u{ad}'))
        .flat_map(|ch| folded(ch).to_lowercase())
        .collect()
}

fn folded(ch: char) -> char {
    let code = u32::from(ch);
    let shifted = |from: u32, to: u8| char::from_u32(code - from + u32::from(to)).unwrap_or(ch);
    match code {
        0..=0x7f => ch,
        0xff01..=0xff5e => shifted(0xff01, b'!'),
        0x3002 | 0xff61 | 0x2024 | 0xfe52 => '.',
        0x24ea | 0x24ff | 0x1f10b | 0x1f10c => '0',
        0x2460..=0x2468 => shifted(0x2460, b'1'),
        0x2474..=0x247c => shifted(0x2474, b'1'),
        0x2776..=0x277e => shifted(0x2776, b'1'),
        0x2780..=0x2788 => shifted(0x2780, b'1'),
        0x278a..=0x2792 => shifted(0x278a, b'1'),
        0x24f5..=0x24fd => shifted(0x24f5, b'1'),
        0x24b6..=0x24cf => shifted(0x24b6, b'a'),
        0x24d0..=0x24e9 => shifted(0x24d0, b'a'),
        0x249c..=0x24b5 => shifted(0x249c, b'a'),
        0x1d7ce..=0x1d7ff => shifted(code - (code - 0x1d7ce) % 10, b'0'),
        0x1d400..=0x1d6a3 => shifted(code - (code - 0x1d400) % 26, b'a'),
        0x1f130..=0x1f149 => shifted(0x1f130, b'a'),
        0x2070 | 0x2074..=0x2079 => shifted(0x2070, b'0'),
        0xb9 => '1',
        0xb2 => '2',
        0xb3 => '3',
        0x2080..=0x2089 => shifted(0x2080, b'0'),
        0x660..=0x669 => shifted(0x660, b'0'),
        0x6f0..=0x6f9 => shifted(0x6f0, b'0'),
        0x966..=0x96f => shifted(0x966, b'0'),
        0x212a => 'k',
        0x17f => 's',
        0x2113 => 'l',
        0x2134 => 'o',
        _ => ch,
    }
}

/// One part of a dotted address; the flag says that it is not plain decimal.
fn part(text: &str) -> Option<(u128, bool)> {
    let digits = |text: &str, radix: u32| {
        let short = text.trim_start_matches('0');
        // Longer numbers are cut by those who read them at all; what is left is the low end.
        let tail = &short[short.len().saturating_sub(24)..];
        if tail.is_empty() { Some(0) } else { u128::from_str_radix(tail, radix).ok() }
    };
    if !text.is_ascii() || text.is_empty() {
        return None;
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return digits(hex, 16).map(|value| (value, true));
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return digits(octal, 8).map(|value| (value, true));
    }
    if text.len() > 1 && text.starts_with('0') && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
        return digits(text, 8).map(|value| (value, true));
    }
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits(text, 10))
        .flatten()
        .map(|value| (value, false))
}

/// As `inet_aton` reads it: one to four parts, the last one fills what is left. Then the lenient readings.
fn read_v4(name: &str) -> Option<(Place, bool)> {
    if !name.starts_with(|ch: char| ch.is_ascii_digit()) {
        return None;
    }
    if let Ok(address) = name.parse::<Ipv4Addr>() {
        return place_v4(address).map(|place| (place, false));
    }
    let parts: Vec<(u128, bool)> = name.split('.').map(part).collect::<Option<_>>()?;
    if parts.len() > 4 {
        return None;
    }
    let (last, heads) = parts.split_last()?;
    let n_rest = 8 * (4 - heads.len());
    let mask = (1_u128 << n_rest) - 1;
    let bits =
        heads.iter().fold(0_u128, |bits, (value, _)| bits << 8 | (value & 0xff)) << n_rest | (last.0 & mask);
    let strict = Ipv4Addr::from(u32::try_from(bits & 0xffff_ffff).unwrap_or(0));
    // Zero-padded decimal, as libraries read it that know no octal: 010.0.0.1 is 10.0.0.1 to them.
    let padded = || {
        let decimal: Vec<&str> = name.split('.').map(|text| text.trim_start_matches('0')).collect();
        let decimal: Vec<&str> =
            decimal.into_iter().map(|text| if text.is_empty() { "0" } else { text }).collect();
        decimal.join(".").parse::<Ipv4Addr>().ok().and_then(place_v4)
    };
    place_v4(strict).or_else(padded).map(|place| (place, true))
}

fn read_v6(name: &str) -> Option<(Place, bool)> {
    let inside = name.strip_prefix('[').map_or(name, |rest| rest.trim_end_matches(']'));
    if !inside.contains(':') {
        return None;
    }
    let (address, zone) =
        inside.split_once('%').map_or((inside, None), |(address, zone)| (address, Some(zone)));
    let parsed: Ipv6Addr = match address.parse() {
        Ok(parsed) => parsed,
        Err(_) => repaired_v6(address)?,
    };
    let carries_v4 = parsed.to_ipv4_mapped().is_some() || address.contains('.');
    place_v6(parsed)
        .or_else(|| zone.map(|_| Place::Internal))
        .map(|place| (place, carries_v4 || zone.is_some()))
}

/// Forms that only some parsers take: leading zeros beyond four digits, a dotted tail in octal or hexadecimal.
fn repaired_v6(address: &str) -> Option<Ipv6Addr> {
    let groups: Vec<String> = address
        .split(':')
        .map(|group| {
            if group.contains('.') {
                let parts: Option<Vec<(u128, bool)>> = group.split('.').map(part).collect();
                parts.filter(|parts| parts.len() == 4).map_or_else(
                    || group.to_owned(),
                    |parts| {
                        parts
                            .iter()
                            .map(|(value, _)| (value & 0xff).to_string())
                            .collect::<Vec<_>>()
                            .join(".")
                    },
                )
            } else {
                let short = group.trim_start_matches('0');
                if short.is_empty() && !group.is_empty() { "0".to_owned() } else { short.to_owned() }
            }
        })
        .collect();
    groups.join(":").parse().ok()
}

fn place_v4(address: Ipv4Addr) -> Option<Place> {
    let [a, b, c, d] = address.octets();
    match (a, b, c, d) {
        (169, 254, 169, 254)
        | (169, 254, 169, 253)
        | (169, 254, 170, 2 | 23)
        | (169, 254, 42, 42)
        | (100, 100, 100, 200)
        | (192, 0, 0, 192)
        | (168, 63, 129, 16) => Some(Place::Metadata),
        (0 | 10 | 127, ..)
        | (100, 64..=127, ..)
        | (169, 254, ..)
        | (172, 16..=31, ..)
        | (192, 168, ..)
        | (192, 0, 0, _)
        | (198, 18..=19, ..)
        | (255, 255, 255, 255) => Some(Place::Internal),
        _ => None,
    }
}

fn place_v6(address: Ipv6Addr) -> Option<Place> {
    let groups = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match groups {
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254 | 0x253 | 0x23] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] | [0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42] => {
            Some(Place::Metadata)
        }
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Some(Place::Internal),
        // Mapped, compatible and translated addresses; NAT64; SIIT.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        // 6to4 and ISATAP.
        | [0x2002, high, low, ..]
        | [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => place_v4(v4(high, low)),
        [0x64, 0xff9b, 1, ..] => Some(Place::Internal),
        // Teredo hides the client's address inverted.
        [0x2001, 0, _, _, _, _, high, low] => place_v4(v4(!high, !low)),
        // Only 2000::/3 is anybody's; the rest is local, reserved or multicast.
        [first, ..] => (first & 0xe000 != 0x2000).then_some(Place::Internal),
    }
}
