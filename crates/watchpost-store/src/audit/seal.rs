//! Sealed payloads: XChaCha20-Poly1305 under a key of the actor, with a commitment that anyone can check without it.

use chacha20poly1305::aead::{Aead, KeyInit, Payload as AeadPayload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use watchpost_model::audit::Change;
use zeroize::Zeroizing;

use crate::error::StoreError;

const CONTEXT: &[u8] = b"watchpost/audit/v1";

/// A key that seals; wiped on drop.
#[derive(Clone)]
pub(crate) struct SubjectKey {
    pub(crate) id: String,
    secret: Zeroizing<[u8; 32]>,
}

/// What is sealed. Fields in the order of their names, so that the JSON is canonical.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Payload {
    pub(crate) actor: String,
    pub(crate) changes: Vec<Change>,
    pub(crate) host: String,
    pub(crate) object: String,
    pub(crate) origin: String,
    pub(crate) reason: Option<String>,
    pub(crate) risk: u8,
    pub(crate) role: String,
}

/// Nonce and ciphertext.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) nonce: Vec<u8>,
    pub(crate) ciphertext: Vec<u8>,
}

impl SubjectKey {
    pub(crate) fn random() -> Self {
        Self { id: random_id(), secret: Zeroizing::new(rand::random()) }
    }

    pub(crate) fn from_stored(id: String, secret: Vec<u8>) -> Result<Self, StoreError> {
        let secret = Zeroizing::new(secret);
        let bytes = secret
            .as_slice()
            .try_into()
            .map_err(|_| StoreError::Corrupt(format!("the key {id} does not have 32 bytes")))?;
        Ok(Self { id, secret: Zeroizing::new(bytes) })
    }

    pub(crate) fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// Binds a record to this key: the cipher alone would let one ciphertext open under two keys.
    pub(crate) fn check(&self) -> String {
        let digest = Sha256::new().chain_update(b"watchpost/kc").chain_update(*self.secret).finalize();
        hex::encode(&digest[..16])
    }

    pub(crate) fn seal(&self, payload: &Payload) -> Result<Sealed, StoreError> {
        let plain = Zeroizing::new(serde_json::to_vec(payload).map_err(StoreError::Encode)?);
        self.seal_bytes(&plain, CONTEXT)
    }

    /// `None` if it was not sealed by this key or was altered.
    pub(crate) fn open(&self, sealed: &Sealed) -> Option<Payload> {
        serde_json::from_slice(&self.open_bytes(sealed)?).ok()
    }

    /// The canonical JSON that was sealed.
    pub(crate) fn open_bytes(&self, sealed: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
        self.open_sealed(sealed, CONTEXT)
    }

    /// Seals bytes that are no payload of the trail; `context` says what they belong to.
    pub(crate) fn seal_bytes(&self, plain: &[u8], context: &[u8]) -> Result<Sealed, StoreError> {
        let nonce: [u8; 24] = rand::random();
        let ciphertext = self
            .cipher()
            .encrypt(&XNonce::from(nonce), AeadPayload { msg: plain, aad: context })
            .map_err(|_| StoreError::Validation("a value is too large to seal".to_owned()))?;
        Ok(Sealed { nonce: nonce.to_vec(), ciphertext })
    }

    /// Those bytes; `None` if they were sealed by another key, belong to something else or were altered.
    pub(crate) fn open_sealed(&self, sealed: &Sealed, context: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let nonce: [u8; 24] = sealed.nonce.as_slice().try_into().ok()?;
        let message = AeadPayload { msg: sealed.ciphertext.as_slice(), aad: context };
        self.cipher().decrypt(&XNonce::from(nonce), message).ok().map(Zeroizing::new)
    }

    /// The key of ChaCha20 that XChaCha20 makes for one nonce (HChaCha20): it opens this one and tells nothing of others.
    pub(crate) fn of_one(&self, sealed: &Sealed) -> Option<[u8; 32]> {
        let nonce: [u8; 16] = sealed.nonce.get(..16)?.try_into().ok()?;
        Some(hchacha20(&self.secret, &nonce))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.secret).into())
    }
}

impl Sealed {
    /// `SHA-256(0x02 || nonce || ciphertext)`, hex.
    pub(crate) fn commitment(&self) -> String {
        let digest = Sha256::new()
            .chain_update([2])
            .chain_update(&self.nonce)
            .chain_update(&self.ciphertext)
            .finalize();
        hex::encode(digest)
    }
}

/// Opens a record with the key of its own ([`SubjectKey::of_one`]): the second step of XChaCha20-Poly1305.
pub(crate) fn open_one(key: &[u8; 32], nonce: &[u8; 24], ciphertext: &[u8]) -> Option<Vec<u8>> {
    let mut short = [0; 12];
    let (_, rest) = nonce.split_at(16);
    short.get_mut(4..)?.copy_from_slice(rest);
    let message = AeadPayload { msg: ciphertext, aad: CONTEXT };
    ChaCha20Poly1305::new(key.into()).decrypt(&Nonce::from(short), message).ok()
}

/// HChaCha20 (draft-irtf-cfrg-xchacha, section 2.2): twenty rounds of ChaCha20 without the final addition.
fn hchacha20(key: &[u8; 32], nonce: &[u8; 16]) -> [u8; 32] {
    const ROUNDS: [[usize; 4]; 8] = [
        [0, 4, 8, 12],
        [1, 5, 9, 13],
        [2, 6, 10, 14],
        [3, 7, 11, 15],
        [0, 5, 10, 15],
        [1, 6, 11, 12],
        [2, 7, 8, 13],
        [3, 4, 9, 14],
    ];
    let mut x = [0_u32; 16];
    let words = b"expand 32-byte k".iter().chain(key).chain(nonce);
    for (index, byte) in words.enumerate() {
        x[index / 4] |= u32::from(*byte) << (8 * (index % 4));
    }
    for _ in 0..10 {
        for [a, b, c, d] in ROUNDS {
            for (to, by, on, turn) in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)] {
                x[to] = x[to].wrapping_add(x[by]);
                x[on] = (x[on] ^ x[to]).rotate_left(turn);
            }
        }
    }
    let mut out = [0; 32];
    for (word, bytes) in x[..4].iter().chain(&x[12..]).zip(out.chunks_exact_mut(4)) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    out
}

/// 128 random bits, hex: an id that says nothing.
pub(crate) fn random_id() -> String {
    hex::encode(rand::random::<[u8; 16]>())
}

#[cfg(test)]
mod tests {
    use super::{Payload, SubjectKey, hchacha20, open_one};

    /// The test vector of draft-irtf-cfrg-xchacha-03, section 2.2.1.
    #[test]
    fn makes_the_published_key() {
        let key: [u8; 32] = std::array::from_fn(|index| u8::try_from(index).unwrap());
        let nonce: [u8; 16] = hex::decode("000000090000004a0000000031415927").unwrap().try_into().unwrap();
        let expect = "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc";
        assert_eq!(hex::encode(hchacha20(&key, &nonce)), expect);
    }

    #[test]
    fn opens_with_its_key_and_unaltered_only() {
        let payload = Payload {
            actor: "dana".into(),
            changes: Vec::new(),
            host: "desk".into(),
            object: "incident/4".into(),
            origin: "window".into(),
            reason: Some("false alarm".into()),
            risk: 3,
            role: "analyst".into(),
        };
        let key = SubjectKey::random();
        let mut sealed = key.seal(&payload).unwrap();
        assert_eq!(key.open(&sealed), Some(payload));
        assert_eq!(SubjectKey::random().open(&sealed), None, "another key");
        let (one, nonce) = (key.of_one(&sealed).unwrap(), sealed.nonce.as_slice().try_into().unwrap());
        assert_eq!(
            open_one(&one, nonce, &sealed.ciphertext),
            key.open_bytes(&sealed).map(|plain| plain.to_vec())
        );
        assert_eq!(open_one(&[7; 32], nonce, &sealed.ciphertext), None, "another key of one record");
        let commitment = sealed.commitment();
        sealed.ciphertext[0] ^= 1;
        assert_eq!(key.open(&sealed), None, "a flipped bit");
        assert_ne!(sealed.commitment(), commitment);
    }
}
