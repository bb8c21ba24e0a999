//! Where an address is, as far as a location file says.
//!
//! Deliberately absent: guessing. An address that no file knows, and every private or reserved address, has no place.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Mean radius of the earth in kilometres.
const EARTH_KM: f64 = 6_371.0;

/// What the location and network files say about an address. Every part may be missing.
///
/// The strings come from files that the user chose; they are at most 100 characters each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Place {
    /// ISO 3166-1 alpha-2, upper case: `DE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub country: Option<String>,
    /// English name of the city.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub city: Option<String>,
    /// Latitude in degrees, -90 to 90. Present exactly when `lon` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub lat: Option<f64>,
    /// Longitude in degrees, -180 to 180. Present exactly when `lat` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub lon: Option<f64>,
    /// Number of the autonomous system.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub asn: Option<u32>,
    /// Organisation behind that number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub org: Option<String>,
}

impl Place {
    /// Does it say anything?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Latitude and longitude in degrees, if known.
    #[must_use]
    pub fn point(&self) -> Option<(f64, f64)> {
        Some((self.lat?, self.lon?))
    }

    /// Great-circle distance in kilometres, if both points are known (haversine formula on a sphere: within 0.6 %).
    #[must_use]
    pub fn distance_km(&self, other: &Self) -> Option<f64> {
        let (lat_a, lon_a) = self.point()?;
        let (lat_b, lon_b) = other.point()?;
        let (phi_a, phi_b) = (lat_a.to_radians(), lat_b.to_radians());
        let half_lat = ((phi_b - phi_a) / 2.0).sin();
        let half_lon = ((lon_b - lon_a).to_radians() / 2.0).sin();
        let h = half_lat * half_lat + phi_a.cos() * phi_b.cos() * half_lon * half_lon;
        Some(2.0 * EARTH_KM * h.clamp(0.0, 1.0).sqrt().asin())
    }
}

impl std::fmt::Display for Place {
    /// For people: `Berlin, DE, AS3320 Deutsche Telekom AG`, or `no location data`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let network = match (self.asn, &self.org) {
            (Some(asn), Some(org)) => Some(format!("AS{asn} {org}")),
            (Some(asn), None) => Some(format!("AS{asn}")),
            (None, org) => org.clone(),
        };
        let point = match (&self.city, &self.country, self.point()) {
            (None, None, Some((lat, lon))) => Some(format!("{lat:.2}, {lon:.2}")),
            _ => None,
        };
        let parts: Vec<String> =
            [self.city.clone(), self.country.clone(), point, network].into_iter().flatten().collect();
        if parts.is_empty() { f.write_str("no location data") } else { f.write_str(&parts.join(", ")) }
    }
}

/// Can this address be somewhere? False for private, loopback, link-local, shared, multicast and reserved addresses
/// (RFC 6890); an IPv4 address in IPv6 form counts as its IPv4 address.
///
/// Addresses for documentation are not excluded: no published file lists them, and the file of a demo may.
#[must_use]
pub fn may_have_place(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            !(a == 0
                || a == 10
                || a == 127
                || a >= 224
                || (a == 100 && (64..128).contains(&b))
                || (a == 169 && b == 254)
                || (a == 172 && (16..32).contains(&b))
                || (a == 192 && b == 168)
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (b == 18 || b == 19)))
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => may_have_place(IpAddr::V4(v4)),
            // Global unicast is 2000::/3.
            None => v6.segments()[0] & 0xe000 == 0x2000,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, may_have_place};

    fn at(lat: f64, lon: f64) -> Place {
        Place { lat: Some(lat), lon: Some(lon), ..Place::default() }
    }

    #[test]
    fn distances_are_those_of_an_atlas() {
        let check = |a: &Place, b: &Place, km: f64| {
            let seen = a.distance_km(b).expect("both points are given");
            assert!((seen - km).abs() < km * 0.01 + 0.001, "{seen} km, expected {km}");
            assert_eq!(a.distance_km(b), b.distance_km(a), "the way back is as long");
        };
        let berlin = at(52.52, 13.405);
        check(&berlin, &at(48.8566, 2.3522), 878.0);
        check(&berlin, &at(-33.8688, 151.2093), 16_090.0);
        check(&berlin, &berlin, 0.0);
        check(&at(0.0, 179.5), &at(0.0, -179.5), 111.2);
        check(&at(90.0, 0.0), &at(-90.0, 77.0), 20_015.0);
        assert_eq!(berlin.distance_km(&Place::default()), None, "nowhere is not far away");
    }

    #[test]
    fn says_what_it_knows() {
        let check = |place: Place, text: &str| assert_eq!(place.to_string(), text);
        check(Place::default(), "no location data");
        let berlin = Place { country: Some("DE".into()), city: Some("Berlin".into()), ..at(52.52, 13.405) };
        check(berlin, "Berlin, DE");
        check(at(52.52, 13.405), "52.52, 13.40");
        check(Place { asn: Some(64_500), ..Place::default() }, "AS64500");
    }

    #[test]
    fn reserved_addresses_are_nowhere() {
        let reserved = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "::ffff:10.0.0.1",
        ];
        for text in reserved {
            assert!(!may_have_place(text.parse().expect("a literal of this test")), "{text}");
        }
        for text in [
            "8.8.8.8",
            "100.63.255.255",
            "172.32.0.1",
            "198.20.0.1",
            "203.0.113.7",
            "2001:db8::1",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
        ] {
            assert!(may_have_place(text.parse().expect("a literal of this test")), "{text}");
        }
    }
}
