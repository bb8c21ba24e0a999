//! As much of DER as requests for time stamps and their answers take.

use chrono::{DateTime, NaiveDateTime, Utc};

use crate::audit::tree::Hash;

const INTEGER: u8 = 0x02;
const BOOLEAN: u8 = 0x01;
const OCTETS: u8 = 0x04;
const NULL: u8 = 0x05;
const OID: u8 = 0x06;
const TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// `[0]`, constructed.
const TAGGED_0: u8 = 0xa0;
/// `[4]`, constructed: a name of a directory among the general names.
const TAGGED_4: u8 = 0xa4;

/// 2.16.840.1.101.3.4.2.1
const SHA256: [u8; 9] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// 1.2.840.113549.1.7.2
const SIGNED_DATA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// 1.2.840.113549.1.9.16.1.4
const TST_INFO: [u8; 11] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
/// The common name and the organisation of a person or thing: 2.5.4.3, 2.5.4.10
const NAMES: [[u8; 3]; 2] = [[0x55, 0x04, 0x03], [0x55, 0x04, 0x0a]];

/// What an answer says, as far as it is read. Nobody has checked who signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The SHA-256 that it is about.
    pub(crate) digest: Hash,
    /// The number that the authority gave it, as its DER has it.
    pub(crate) serial: Vec<u8>,
    /// When, to the second.
    pub(crate) at: DateTime<Utc>,
    /// The number of the request, as its DER has it.
    pub(crate) nonce: Option<Vec<u8>>,
    /// The authority, as it names itself.
    pub(crate) authority: Option<String>,
}

/// Why an answer is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error("the authority refused: status {0}")]
    Refused(u8),
    #[error("it is about another hash than a SHA-256")]
    OtherHash,
    #[error("it is no answer of a time stamp authority (RFC 3161, DER)")]
    Unreadable,
}

/// A `TimeStampReq` for a digest, with a number and the wish to get the certificate (RFC 3161, 2.4.1).
pub(crate) fn request(digest: &Hash, nonce: &[u8]) -> Vec<u8> {
    let algorithm = wrap(SEQUENCE, &[wrap(OID, &[SHA256.to_vec()]), wrap(NULL, &[])]);
    let imprint = wrap(SEQUENCE, &[algorithm, wrap(OCTETS, &[digest.to_vec()])]);
    let version = wrap(INTEGER, &[vec![1]]);
    wrap(SEQUENCE, &[version, imprint, wrap(INTEGER, &[nonce.to_vec()]), wrap(BOOLEAN, &[vec![0xff]])])
}

/// Reads a `TimeStampResp` (RFC 3161, 2.4.2).
pub(crate) fn answer(bytes: &[u8]) -> Result<Answer, NoAnswer> {
    let mut outer = Der(bytes);
    let mut response = Der(outer.take(SEQUENCE).ok_or(NoAnswer::Unreadable)?);
    let mut status = Der(response.take(SEQUENCE).ok_or(NoAnswer::Unreadable)?);
    match status.take(INTEGER).ok_or(NoAnswer::Unreadable)? {
        // Granted, and granted with changes.
        [0 | 1] => {}
        [other] => return Err(NoAnswer::Refused(*other)),
        _ => return Err(NoAnswer::Unreadable),
    }
    if !outer.0.is_empty() {
        return Err(NoAnswer::Unreadable);
    }
    told(token(&mut response).ok_or(NoAnswer::Unreadable)?)
}

/// The `TSTInfo` of a token: what is signed in it.
fn token<'a>(response: &mut Der<'a>) -> Option<&'a [u8]> {
    let mut content = Der(response.take(SEQUENCE)?);
    (content.take(OID)? == SIGNED_DATA).then_some(())?;
    let mut signed = Der(Der(content.take(TAGGED_0)?).take(SEQUENCE)?);
    signed.take(INTEGER)?;
    signed.take(SET)?;
    let mut inner = Der(signed.take(SEQUENCE)?);
    (inner.take(OID)? == TST_INFO).then_some(())?;
    let octets = Der(inner.take(TAGGED_0)?).take(OCTETS)?;
    Der(octets).take(SEQUENCE)
}

fn told(info: &[u8]) -> Result<Answer, NoAnswer> {
    let mut info = Der(info);
    let (digest, serial, at) = asked(&mut info).ok_or(NoAnswer::Unreadable)?;
    let digest = digest.ok_or(NoAnswer::OtherHash)?;
    let (mut nonce, mut authority) = (None, None);
    while !info.0.is_empty() {
        // Accuracy and ordering may stand before the number, extensions behind the name.
        match info.element().ok_or(NoAnswer::Unreadable)? {
            (INTEGER, number) => nonce = Some(number.to_vec()),
            (TAGGED_0, name) => authority = directory_name(name),
            _ => {}
        }
    }
    Ok(Answer { digest, serial: serial.to_vec(), at, nonce, authority })
}

/// The SHA-256, if it is one, the number of the authority, and the time.
fn asked<'a>(info: &mut Der<'a>) -> Option<(Option<Hash>, &'a [u8], DateTime<Utc>)> {
    (info.take(INTEGER)? == [1]).then_some(())?;
    info.take(OID)?;
    let mut imprint = Der(info.take(SEQUENCE)?);
    let is_sha256 = Der(imprint.take(SEQUENCE)?).take(OID)? == SHA256;
    let digest: Option<Hash> = imprint.take(OCTETS)?.try_into().ok();
    let serial = info.take(INTEGER)?;
    let at = time(info.take(TIME)?)?;
    Some((digest.filter(|_| is_sha256), serial, at))
}

/// `20261122075622Z`, with or without parts of a second, which are left out.
fn time(text: &[u8]) -> Option<DateTime<Utc>> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let whole = text.split('.').next()?;
    if whole.len() != 14 || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(NaiveDateTime::parse_from_str(whole, "%Y%m%d%H%M%S").ok()?.and_utc())
}

/// The common name, else the organisation, of a general name that is one of a directory.
fn directory_name(general: &[u8]) -> Option<String> {
    let mut parts = Der(Der(Der(general).take(TAGGED_4)?).take(SEQUENCE)?);
    let mut found = [None, None];
    while let Some(part) = parts.take(SET) {
        let mut part = Der(Der(part).take(SEQUENCE)?);
        let kind = part.take(OID)?;
        let (_, text) = part.element()?;
        for (known, place) in NAMES.iter().zip(&mut found) {
            if known == kind {
                *place = std::str::from_utf8(text).ok().map(|text| text.chars().take(200).collect());
            }
        }
    }
    found.into_iter().flatten().next()
}

/// What is left of a sequence.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// Tag and content of the next element. Lengths that are not known beforehand are BER, not DER.
    fn element(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, rest) = self.0.split_first()?;
        let (first, mut rest) = rest.split_first()?;
        let mut length = usize::from(*first);
        if length >= 0x80 {
            let n = length - 0x80;
            if !(1..=4).contains(&n) {
                return None;
            }
            let (bytes, behind) = rest.split_at_checked(n)?;
            length = bytes.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
            rest = behind;
        }
        let (content, behind) = rest.split_at_checked(length)?;
        self.0 = behind;
        Some((*tag, content))
    }

    /// The content of the next element, if it has this tag.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.0.first() != Some(&tag) {
            return None;
        }
        self.element().map(|(_, content)| content)
    }
}

fn wrap(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let content = parts.concat();
    let mut out = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let length = content.len().to_be_bytes();
            let length: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
            out.push(0x80 | u8::try_from(length.len()).unwrap_or_default());
            out.extend(length);
        }
    }
    out.extend(content);
    out
}

#[cfg(test)]
pub(super) mod tests {
    use chrono::{TimeZone, Utc};

    use super::{
        Answer, NoAnswer, OCTETS, OID, SEQUENCE, SET, SIGNED_DATA, TAGGED_0, TST_INFO, answer, request, wrap,
    };

    /// SHA-256 of `abc`.
    pub(crate) const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    /// What `openssl ts -query -digest ... -sha256 -cert` of OpenSSL 3.0 wrote for it.
    const QUERY: &str = "30430201013031300d060960864801650304020105000420ba7816bf8f01cfea414140de5dae2223b00361a39617\
        7a9cb410ff61f20015ad020878730ec57f95f4f20101ff";
    /// The `TSTInfo` of what `openssl ts -reply` answered, of an authority that names itself.
    pub(crate) const INFO: &str = "307702010106032a03043031300d060960864801650304020105000420ba7816bf8f01cfea414140de5dae2223b003\
        61a396177a9cb410ff61f20015ad020102180f32303236313132323037353632325a3003020101020878730ec57f95f4f2a017a41530133111\
        300f06035504030c085465737420545341";
    /// What it answers to a question with SHA-1 that it does not take.
    const REFUSED: &str = "3037303502010230\
        2c0c2a4d6573736167652064696765737420616c676f726974686d206973206e6f7420737570706f727465642e03020780";

    fn hex(text: &str) -> Vec<u8> {
        hex::decode(text).unwrap()
    }

    /// The rest of an answer around what is signed in it.
    pub(crate) fn around(status: u8, info: &[u8]) -> Vec<u8> {
        let status = wrap(SEQUENCE, &[wrap(0x02, &[vec![status]])]);
        let octets = wrap(TAGGED_0, &[wrap(OCTETS, &[info.to_vec()])]);
        let inner = wrap(SEQUENCE, &[wrap(OID, &[TST_INFO.to_vec()]), octets]);
        let signed =
            wrap(SEQUENCE, &[wrap(0x02, &[vec![3]]), wrap(SET, &[]), inner, wrap(SET, &[vec![0; 300]])]);
        let token = wrap(SEQUENCE, &[wrap(OID, &[SIGNED_DATA.to_vec()]), wrap(TAGGED_0, &[signed])]);
        wrap(SEQUENCE, &[status, token])
    }

    #[test]
    fn asks_as_openssl_does() {
        let digest = hex(ABC).try_into().unwrap();
        assert_eq!(request(&digest, &hex("78730ec57f95f4f2")), hex(QUERY));
    }

    #[test]
    fn reads_what_openssl_answers() {
        let expect = Answer {
            digest: hex(ABC).try_into().unwrap(),
            serial: vec![2],
            at: Utc.with_ymd_and_hms(2026, 11, 22, 7, 56, 22).unwrap(),
            nonce: Some(hex("78730ec57f95f4f2")),
            authority: Some("Test TSA".to_owned()),
        };
        assert_eq!(answer(&around(0, &hex(INFO))), Ok(expect.clone()));
        assert_eq!(answer(&around(1, &hex(INFO))), Ok(expect), "granted with changes");
        assert_eq!(answer(&around(3, &hex(INFO))), Err(NoAnswer::Refused(3)));
        assert_eq!(answer(&hex(REFUSED)), Err(NoAnswer::Refused(2)));
        let sha1 = INFO.replace("608648016503040201", "608648016503040203");
        assert_eq!(answer(&around(0, &hex(&sha1))), Err(NoAnswer::OtherHash));
    }

    #[test]
    fn what_is_cut_or_no_answer_is_not_read() {
        let whole = around(0, &hex(INFO));
        for end in 0..whole.len() {
            assert_eq!(answer(&whole[..end]), Err(NoAnswer::Unreadable), "cut at {end}");
        }
        let more = [whole.as_slice(), &[0]].concat();
        assert_eq!(answer(&more), Err(NoAnswer::Unreadable), "a byte more");
        let granted_nothing = wrap(SEQUENCE, &[wrap(SEQUENCE, &[wrap(0x02, &[vec![0]])])]);
        assert_eq!(answer(&granted_nothing), Err(NoAnswer::Unreadable), "no token");
        assert_eq!(answer(&hex(QUERY)), Err(NoAnswer::Unreadable), "a request");
    }
}
