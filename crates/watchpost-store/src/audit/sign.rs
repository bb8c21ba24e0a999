//! C2SP signed notes: the text, a blank line, and one signature line for each key.
//!
//! Source: c2sp.org/signed-note and c2sp.org/tlog-checkpoint. Key id = first four bytes of
//! `SHA-256(name || "\n" || 0x01 || public key)`; verifier key = `name+hex(key id)+base64(0x01 || public key)`.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

/// The algorithm byte of Ed25519.
const ED25519: u8 = 1;
/// That of a witness's timestamped Ed25519 signature.
const COSIGNATURE: u8 = 4;

/// What stands before the 32 bytes of an Ed25519 key in a `SubjectPublicKeyInfo`. Source: RFC 8410, section 4.
const SPKI_ED25519: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Why a key or note is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// Empty, or with white space or a plus sign.
    #[error("the key name {0:?} is empty or has white space or a plus sign")]
    Name(String),
}

/// The key that signs checkpoints. Its bytes are wiped on drop and never shown.
#[derive(Clone)]
pub struct Signer {
    name: String,
    key: SigningKey,
    session: bool,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("name", &self.name)
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

impl Signer {
    /// The key of a kept 32-byte seed. `name` appears in the notes: `watchpost/desk-12`.
    ///
    /// # Errors
    /// `Name` if the name cannot stand in a note.
    pub fn from_seed(seed: &[u8; 32], name: &str) -> Result<Self, SignerError> {
        if name.is_empty() || name.contains('+') || name.chars().any(char::is_whitespace) {
            return Err(SignerError::Name(name.chars().take(80).collect()));
        }
        Ok(Self { name: name.to_owned(), key: SigningKey::from_bytes(seed), session: false })
    }

    /// A key that is forgotten with this process: where there is no place to keep one.
    #[must_use]
    pub fn session() -> Self {
        let seed: [u8; 32] = rand::random();
        let key = SigningKey::from_bytes(&seed);
        let name = format!("watchpost-session/{}", hex::encode(&key.verifying_key().as_bytes()[..4]));
        Self { name, key, session: true }
    }

    /// Is the key forgotten with this process?
    #[must_use]
    pub const fn is_session(&self) -> bool {
        self.session
    }

    /// The name in the notes.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The verifier key in the form of C2SP.
    #[must_use]
    pub fn vkey(&self) -> String {
        VerifierKey { name: self.name.clone(), key: self.key.verifying_key() }.to_string()
    }

    /// Signs a checkpoint as a witness at `time` (seconds): the line of a C2SP cosignature.
    pub(crate) fn cosign(&self, text: &str, time: i64) -> String {
        let id = id_as(&self.name, &self.key.verifying_key(), COSIGNATURE);
        let signature = self.key.sign(cosigned_text(text, time).as_bytes()).to_bytes();
        let bytes = [id.as_slice(), &time.to_be_bytes(), signature.as_slice()].concat();
        format!("\u{2014} {} {}", self.name, STANDARD.encode(bytes))
    }

    /// Signs `text`, which ends with a line feed.
    pub(crate) fn sign_note(&self, text: &str) -> String {
        format!("{text}\n\u{2014} {} {}\n", self.name, self.sign_line(text))
    }

    /// The signature of `text` as it stands in a note: id of the key and signature, base64.
    pub(crate) fn sign_line(&self, text: &str) -> String {
        let id = key_id(&self.name, &self.key.verifying_key());
        let signature = self.key.sign(text.as_bytes()).to_bytes();
        STANDARD.encode([id.as_slice(), signature.as_slice()].concat())
    }
}

/// Under which name a note is signed; the first one, empty for none.
pub(crate) fn note_signer(note: &str) -> &str {
    let signatures = note.split_once("\n\n").map_or("", |(_, signatures)| signatures);
    signatures.lines().find_map(|line| line.strip_prefix("\u{2014} ")?.split(' ').next()).unwrap_or_default()
}

/// Each signature under a note that has the form of one: the name, and the id of the key.
pub(crate) fn note_signers(note: &str) -> impl Iterator<Item = (&str, [u8; 4])> {
    let signatures = note.split_once("\n\n").map_or("", |(_, signatures)| signatures);
    signatures.lines().filter_map(|line| {
        let (name, signature) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let bytes =
            STANDARD.decode(signature).ok().filter(|bytes| bytes.len() == 4 + Signature::BYTE_SIZE)?;
        Some((name, [bytes[0], bytes[1], bytes[2], bytes[3]]))
    })
}

/// A note whose signature holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenNote<'n> {
    /// The signed text, its last line feed included.
    pub text: &'n str,
    /// The name of the key.
    pub name: &'n str,
    /// SHA-256 (hex) of the key as DER, by which people tell keys apart.
    pub key_sha256: String,
}

/// Why a note is not believed with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteProblem {
    /// It is the half that must not leave the console.
    #[error("that is a private key: the public one is wanted, and the private one belongs to nobody else")]
    PrivateKey,
    /// A key with a name, from somebody who vouches for it.
    #[error(
        "that is a certificate: the public key alone is wanted (a file that begins with BEGIN PUBLIC KEY)"
    )]
    Certificate,
    /// RSA, ECDSA, ...
    #[error("that is a public key, but no Ed25519 key: a console signs with no other")]
    OtherAlgorithm,
    /// Not PEM, or cut off.
    #[error("that is no public key: a PEM file is wanted that begins with BEGIN PUBLIC KEY")]
    NoKey,
    /// Another key signed it, or one of them was changed.
    #[error("it is not signed by this key, or one of them was changed")]
    NotSigned,
}

/// Opens a note with the key in `pem`.
///
/// # Errors
/// Why it is not believed.
pub fn open_note<'n>(note: &'n str, pem: &str) -> Result<OpenNote<'n>, NoteProblem> {
    let name = note_signer(note);
    let key = VerifierKey::from_pem(name, pem)?;
    let text = key.open(note).ok_or(NoteProblem::NotSigned)?;
    Ok(OpenNote { text, name, key_sha256: hex::encode(Sha256::digest(key.der())) })
}

fn key_id(name: &str, key: &VerifyingKey) -> [u8; 4] {
    id_as(name, key, ED25519)
}

fn id_as(name: &str, key: &VerifyingKey, algorithm: u8) -> [u8; 4] {
    let digest = Sha256::new()
        .chain_update(name.as_bytes())
        .chain_update(b"\n")
        .chain_update([algorithm])
        .chain_update(key.as_bytes())
        .finalize();
    [digest[0], digest[1], digest[2], digest[3]]
}

/// What a witness signs.
fn cosigned_text(text: &str, time: i64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// The text of a note, its last line feed included; nobody has checked who signed it.
pub(crate) fn signed_text(note: &str) -> Option<&str> {
    let (text, _) = note.split_once("\n\n")?;
    note.get(..=text.len())
}

/// A public key with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VerifierKey {
    name: String,
    key: VerifyingKey,
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = hex::encode(key_id(&self.name, &self.key));
        let key = STANDARD.encode([&[ED25519], self.key.as_bytes().as_slice()].concat());
        write!(f, "{}+{id}+{key}", self.name)
    }
}

impl VerifierKey {
    /// Reads `name+id+key`; `None` if it is malformed or the id is not that of the key.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '+');
        let (name, id, key) = (parts.next()?, parts.next()?, parts.next()?);
        let bytes = STANDARD.decode(key).ok()?;
        let (algorithm, public) = bytes.split_first()?;
        let key = VerifyingKey::from_bytes(public.try_into().ok()?).ok()?;
        let fits = *algorithm == ED25519 && !name.is_empty() && hex::encode(key_id(name, &key)) == id;
        fits.then(|| Self { name: name.to_owned(), key })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Is it the key that a signature names?
    pub(crate) fn is_named(&self, name: &str, id: [u8; 4]) -> bool {
        name == self.name && id == key_id(&self.name, &self.key)
    }

    /// The key alone, as other programs read it: PEM of a `SubjectPublicKeyInfo`.
    pub(crate) fn pem(&self) -> String {
        let key = STANDARD.encode(self.der());
        format!("-----BEGIN PUBLIC KEY-----\n{key}\n-----END PUBLIC KEY-----\n")
    }

    fn der(&self) -> Vec<u8> {
        [SPKI_ED25519.as_slice(), self.key.as_bytes()].concat()
    }

    /// Reads what [`Self::pem`] writes, for the key of this name.
    fn from_pem(name: &str, pem: &str) -> Result<Self, NoteProblem> {
        let label = pem.split_once("-----BEGIN ").and_then(|(_, rest)| rest.split_once("-----"));
        let (label, rest) = label.ok_or(NoteProblem::NoKey)?;
        match label {
            "PUBLIC KEY" => {}
            "CERTIFICATE" => return Err(NoteProblem::Certificate),
            "RSA PUBLIC KEY" => return Err(NoteProblem::OtherAlgorithm),
            _ if label.ends_with("PRIVATE KEY") => return Err(NoteProblem::PrivateKey),
            _ => return Err(NoteProblem::NoKey),
        }
        let (body, _) = rest.split_once("-----END PUBLIC KEY-----").ok_or(NoteProblem::NoKey)?;
        let body: String = body.split_ascii_whitespace().collect();
        let der = STANDARD.decode(body).map_err(|_| NoteProblem::NoKey)?;
        let public = der.strip_prefix(&SPKI_ED25519).ok_or(NoteProblem::OtherAlgorithm)?;
        let public = public.try_into().map_err(|_| NoteProblem::NoKey)?;
        let key = VerifyingKey::from_bytes(public).map_err(|_| NoteProblem::NoKey)?;
        Ok(Self { name: name.to_owned(), key })
    }

    /// When this key signed a checkpoint as a witness (seconds); `None` if it did not.
    pub(crate) fn cosigned(&self, text: &str, line: &str) -> Option<i64> {
        let (name, signature) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let bytes = STANDARD.decode(signature).ok()?;
        let (time, signature) =
            bytes.strip_prefix(&id_as(&self.name, &self.key, COSIGNATURE))?.split_at_checked(8)?;
        let time = i64::from_be_bytes(time.try_into().ok()?);
        let signature = Signature::from_slice(signature).ok()?;
        let good = name == self.name
            && self.key.verify_strict(cosigned_text(text, time).as_bytes(), &signature).is_ok();
        good.then_some(time)
    }

    /// The signed text of a note, if this key signed it. Lines of other keys are ignored.
    pub(crate) fn open<'n>(&self, note: &'n str) -> Option<&'n str> {
        let text = signed_text(note)?;
        let signatures = note.get(text.len() + 1..)?;
        signatures.lines().find_map(|line| {
            let (name, signature) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
            (name == self.name && self.signed(text, signature)).then_some(text)
        })
    }

    /// Is this the signature of `text` by this key, as it stands in a note?
    pub(crate) fn signed(&self, text: &str, signature: &str) -> bool {
        let Ok(bytes) = STANDARD.decode(signature) else { return false };
        let signature = bytes.strip_prefix(&key_id(&self.name, &self.key));
        let signature = signature.and_then(|bytes| Signature::from_slice(bytes).ok());
        signature.is_some_and(|signature| self.key.verify_strict(text.as_bytes(), &signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::{NoteProblem, Signer, SignerError, VerifierKey, open_note};

    /// The example of golang.org/x/mod/sumdb/note, which C2SP took over.
    const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\
        \n\
        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    #[test]
    fn opens_the_published_note() {
        let key = VerifierKey::parse(PETER).unwrap();
        assert_eq!(key.to_string(), PETER);
        assert!(key.open(NOTE).unwrap().ends_with("problem is.\n"));
        assert_eq!(key.open(&NOTE.replace("answer", "Answer")), None, "changed text");
        assert_eq!(key.open(NOTE.split_inclusive("\n\n").next().unwrap()), None, "stripped signature");
    }

    #[test]
    fn a_note_opens_with_its_key_only() {
        let signer = Signer::from_seed(&[7; 32], "watchpost/desk").unwrap();
        let other = Signer::from_seed(&[8; 32], "watchpost/desk").unwrap();
        let note = signer.sign_note("origin\n3\nroot\n");
        assert_eq!(VerifierKey::parse(&signer.vkey()).unwrap().open(&note), Some("origin\n3\nroot\n"));
        assert_eq!(VerifierKey::parse(&other.vkey()).unwrap().open(&note), None);
    }

    #[test]
    fn a_note_opens_with_the_pem_of_its_key() {
        let signer = Signer::from_seed(&[7; 32], "watchpost/desk").unwrap();
        let note = signer.sign_note("report 1\nabc\n");
        let pem = VerifierKey::parse(&signer.vkey()).unwrap().pem();
        let open = open_note(&note, &pem).unwrap();
        assert_eq!((open.text, open.name), ("report 1\nabc\n", "watchpost/desk"));
        assert_eq!(open.key_sha256.len(), 64);
        assert_eq!(open_note(&note, &pem.replace('\n', "\r\n")), Ok(open), "as another system ends lines");
        let signed = NoteProblem::NotSigned;
        assert_eq!(open_note(&note.replace("abc", "abd"), &pem), Err(signed), "changed text");
        let other = Signer::from_seed(&[8; 32], "watchpost/desk").unwrap();
        let other = VerifierKey::parse(&other.vkey()).unwrap().pem();
        assert_eq!(open_note(&note, &other), Err(signed), "other key");
        for (broken, problem) in [
            ("", NoteProblem::NoKey),
            ("x", NoteProblem::NoKey),
            (&pem.replace("MCow", "MCox"), NoteProblem::OtherAlgorithm),
            (&pem.replace("END", "OND"), NoteProblem::NoKey),
            (&pem.replace("PUBLIC", "PRIVATE"), NoteProblem::PrivateKey),
            (&pem.replace("PUBLIC", "EC PRIVATE"), NoteProblem::PrivateKey),
            (&pem.replace("PUBLIC KEY", "CERTIFICATE"), NoteProblem::Certificate),
            (&pem.replace("PUBLIC", "RSA PUBLIC"), NoteProblem::OtherAlgorithm),
        ] {
            assert_eq!(open_note(&note, broken), Err(problem), "{broken}");
        }
    }

    #[test]
    fn a_cosignature_is_of_one_key_one_text_and_one_time() {
        let signer = Signer::from_seed(&[7; 32], "watchpost/desk").unwrap();
        let key = VerifierKey::parse(&signer.vkey()).unwrap();
        let other =
            VerifierKey::parse(&Signer::from_seed(&[8; 32], "watchpost/desk").unwrap().vkey()).unwrap();
        let line = signer.cosign("origin\n3\nroot\n", 1_800_000_000);
        assert_eq!(key.cosigned("origin\n3\nroot\n", &line), Some(1_800_000_000));
        assert_eq!(key.cosigned("origin\n4\nroot\n", &line), None);
        assert_eq!(other.cosigned("origin\n3\nroot\n", &line), None);
        assert_eq!(key.cosigned("origin\n3\nroot\n", &line.replace("desk", "disk")), None);
        let note = signer.sign_note("origin\n3\nroot\n");
        let signature = note.lines().last().unwrap();
        assert_eq!(key.cosigned("origin\n3\nroot\n", signature), None, "a signature is no cosignature");
        let later = signer.cosign("origin\n3\nroot\n", 1_800_000_001);
        assert_ne!(line, later, "the time is signed");
        let with_witness = format!("{note}{line}\n");
        assert_eq!(key.open(&with_witness), Some("origin\n3\nroot\n"), "a note may carry it");
    }

    #[test]
    fn names_that_break_a_note_are_refused() {
        for name in ["", "a b", "a+b", "a\u{a0}b", "a\n"] {
            assert!(matches!(Signer::from_seed(&[1; 32], name), Err(SignerError::Name(_))), "{name:?}");
        }
    }
}
