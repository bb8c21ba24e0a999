//! Places of addresses, from files in the MaxMind DB format that the user supplies.
//!
//! Takes bytes: reading files, noticing that they changed and naming them in errors is the caller's work. Understands the
//! layout of MaxMind and DB-IP (`country.iso_code`) and the flat one of others (`country_code`).

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use maxminddb::{MaxMindDbError, PathElement, Reader, path};
use watchpost_model::place::{Place, may_have_place};

/// Longest text taken from a file.
const TEXT_CHARS_MAX: usize = 100;

/// Why a location file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GeoError {
    /// It is not in the format, or was cut off: what makes it readable stands at its end.
    #[error("it is no MaxMind DB file, or a part of it is missing ({0})")]
    NotReadable(MaxMindDbError),
    /// A record of it points where nothing is.
    #[error("it is damaged ({0})")]
    Damaged(MaxMindDbError),
}

/// One location or network file.
#[derive(Debug)]
pub struct GeoFile {
    reader: Reader<Vec<u8>>,
}

impl GeoFile {
    /// Opens the content of a file.
    ///
    /// # Errors
    /// `NotReadable` if it is something else or was cut off.
    pub fn new(bytes: Vec<u8>) -> Result<Self, GeoError> {
        Ok(Self { reader: Reader::from_source(bytes).map_err(GeoError::NotReadable)? })
    }

    /// What its maker calls it: `GeoLite2-City`.
    #[must_use]
    pub fn kind(&self) -> String {
        self.reader.metadata().database_type.chars().take(TEXT_CHARS_MAX).collect()
    }

    /// When it was made: the age of the data. `None` if it does not say.
    #[must_use]
    pub fn built_at(&self) -> Option<DateTime<Utc>> {
        let seconds =
            i64::try_from(self.reader.metadata().build_epoch).ok().filter(|seconds| *seconds > 0)?;
        DateTime::from_timestamp(seconds, 0)
    }

    /// Adds to `place` what this file knows and `place` does not.
    fn add_to(&self, place: &mut Place, address: IpAddr) -> Result<(), GeoError> {
        let found = self.reader.lookup(address).map_err(GeoError::Damaged)?;
        if !found.has_data() {
            return Ok(());
        }
        let text = |path: &[PathElement<'_>]| {
            Ok::<_, GeoError>(known(found.decode_path::<String>(path))?.as_deref().and_then(clean))
        };
        if place.country.is_none() {
            place.country = first([
                text(&path!["country", "iso_code"]),
                text(&path!["country_code"]),
                text(&path!["country"]),
            ])?
            .filter(|code| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic()))
            .map(|code| code.to_ascii_uppercase());
        }
        if place.city.is_none() {
            place.city = first([text(&path!["city", "names", "en"]), text(&path!["city"])])?;
        }
        if place.point().is_none() {
            let number = |path: &[PathElement<'_>]| known(found.decode_path::<f64>(path));
            let degrees = |text: Option<String>| text.and_then(|text| text.parse::<f64>().ok());
            let lat = match number(&path!["location", "latitude"])? {
                None => degrees(first([text(&path!["latitude"]), text(&path!["lat"])])?),
                known => known,
            };
            let lon = match number(&path!["location", "longitude"])? {
                None => degrees(first([text(&path!["longitude"]), text(&path!["lng"])])?),
                known => known,
            };
            if let (Some(lat), Some(lon)) = (lat, lon)
                && lat.abs() <= 90.0
                && lon.abs() <= 180.0
            {
                (place.lat, place.lon) = (Some(lat), Some(lon));
            }
        }
        if place.asn.is_none() {
            place.asn = match known(found.decode_path::<u32>(&path!["autonomous_system_number"]))? {
                None => text(&path!["asn"])?
                    .and_then(|asn| asn.to_ascii_uppercase().trim_start_matches("AS").parse().ok()),
                known => known,
            };
        }
        if place.org.is_none() {
            place.org = first([text(&path!["autonomous_system_organization"]), text(&path!["as_name"])])?;
        }
        Ok(())
    }
}

/// A value of another type than asked for is a value that the file does not have.
fn known<T>(value: Result<Option<T>, MaxMindDbError>) -> Result<Option<T>, GeoError> {
    match value {
        Ok(value) => Ok(value),
        Err(MaxMindDbError::Decoding { .. }) => Ok(None),
        Err(error) => Err(GeoError::Damaged(error)),
    }
}

fn first<const N: usize>(values: [Result<Option<String>, GeoError>; N]) -> Result<Option<String>, GeoError> {
    for value in values {
        if let Some(value) = value? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

fn clean(text: &str) -> Option<String> {
    let text: String = text.trim().chars().filter(|ch| !ch.is_control()).take(TEXT_CHARS_MAX).collect();
    (!text.is_empty()).then_some(text)
}

/// The location file and the network file, each if there is one.
#[derive(Debug, Default)]
pub struct Geo {
    /// Countries or cities.
    pub city: Option<GeoFile>,
    /// Autonomous systems.
    pub asn: Option<GeoFile>,
}

impl Geo {
    /// Is there no file at all?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.city.is_none() && self.asn.is_none()
    }

    /// Where `address` is; `None` where the files do not know it, and for private and reserved addresses.
    ///
    /// # Errors
    /// `Damaged` if a file leads nowhere for this address.
    pub fn place(&self, address: IpAddr) -> Result<Option<Place>, GeoError> {
        let address = address.to_canonical();
        if !may_have_place(address) {
            return Ok(None);
        }
        let mut place = Place::default();
        for file in [&self.city, &self.asn].into_iter().flatten() {
            file.add_to(&mut place, address)?;
        }
        Ok((!place.is_empty()).then_some(place))
    }
}
