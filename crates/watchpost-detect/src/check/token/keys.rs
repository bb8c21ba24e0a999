//! Keys that tell a genuine signature from an altered one.

use ring::{hmac, signature};

use super::read::{Token, decode};

/// Shorter secrets are refused.
pub const SECRET_BYTES_MIN: usize = 8;
/// HS256 wants a secret as long as its hash (RFC 7518, 3.2); HS384 and HS512 want 48 and 64.
pub const SECRET_BYTES_ADVISED: usize = 32;

/// Why a key could not be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyError {
    /// Not PEM, or not a public key in the usual form (`BEGIN PUBLIC KEY`, `BEGIN RSA PUBLIC KEY`).
    NotAPublicKey,
    /// A key of a kind that is not checked: only RSA and the curve P-256 are.
    KindNotKnown,
    /// An RSA key whose numbers cannot be read, or whose modulus has not 2,048 to 8,192 bits: nothing would verify.
    UnusableRsa,
    /// No uncompressed point of the curve P-256.
    UnusablePoint,
    /// A shared secret without any bytes.
    EmptySecret,
    /// A shared secret that anybody guesses who has one token.
    WeakSecret,
}

impl std::fmt::Display for KeyError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::NotAPublicKey => "not a public key in PEM (BEGIN PUBLIC KEY or BEGIN RSA PUBLIC KEY)",
            Self::KindNotKnown => "only RSA keys and keys of the curve P-256 can check tokens",
            Self::UnusableRsa => {
                "an RSA key that cannot check anything: it needs a modulus of 2,048 to 8,192 bits and an odd exponent"
            }
            Self::UnusablePoint => "the key is no uncompressed point of the curve P-256",
            Self::EmptySecret => "the shared secret is empty",
            Self::WeakSecret => {
                "the shared secret has fewer than 8 bytes: whoever has one token finds it in minutes; RFC 7518 wants 32 or more"
            }
        })
    }
}

impl std::error::Error for KeyError {}

/// What a public key is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA.
    Rsa,
    /// The curve P-256.
    P256,
}

impl KeyKind {
    /// The algorithms whose signatures it checks.
    #[must_use]
    pub const fn algorithms(self) -> &'static [&'static str] {
        match self {
            Self::Rsa => &["RS256", "RS384", "RS512"],
            Self::P256 => &["ES256"],
        }
    }
}

enum Key {
    Shared(Vec<u8>),
    /// DER of an RSA public key.
    Rsa(Vec<u8>),
    /// An uncompressed point on P-256.
    P256(Vec<u8>),
}

/// Keys that check the signatures of tokens; without any, signatures are not checked.
///
/// With keys, every token is expected to be signed by one of them. A key of a named issuer is for tokens whose `iss`
/// claim says so and for those without one; a token of an issuer that no key is for is left alone.
#[derive(Default)]
pub struct TokenKeys {
    keys: Vec<Held>,
}

struct Held {
    key: Key,
    issuer: Option<String>,
}

impl std::fmt::Debug for TokenKeys {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("TokenKeys").field("n_keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl TokenKeys {
    /// Adds the secret of HS256, HS384 and HS512, as bytes: for tokens of `issuer`, or of any.
    ///
    /// # Errors
    /// When it is empty or has fewer than [`SECRET_BYTES_MIN`] bytes.
    pub fn add_secret(&mut self, secret: &[u8], issuer: Option<&str>) -> Result<(), KeyError> {
        match secret.len() {
            0 => return Err(KeyError::EmptySecret),
            1..SECRET_BYTES_MIN => return Err(KeyError::WeakSecret),
            _ => {}
        }
        self.hold(Key::Shared(secret.to_vec()), issuer);
        Ok(())
    }

    /// Adds a public key in PEM: RSA for RS256, RS384 and RS512, P-256 for ES256; for tokens of `issuer`, or of any.
    ///
    /// # Errors
    /// When it is no public key, of another kind, or one that can verify nothing: with such a key every genuine token
    /// would count as forged.
    pub fn add_public_key(&mut self, pem: &str, issuer: Option<&str>) -> Result<KeyKind, KeyError> {
        let is_pkcs1 = pem.contains("BEGIN RSA PUBLIC KEY");
        if !is_pkcs1 && !pem.contains("BEGIN PUBLIC KEY") {
            return Err(KeyError::NotAPublicKey);
        }
        let body: String =
            pem.lines().filter(|line| !line.contains("-----")).flat_map(|line| line.trim().chars()).collect();
        let der = decode(&body).ok_or(KeyError::NotAPublicKey)?;
        if is_pkcs1 {
            usable_rsa(&der)?;
            self.hold(Key::Rsa(der), issuer);
            return Ok(KeyKind::Rsa);
        }
        let (algorithm, key) = spki(&der).ok_or(KeyError::NotAPublicKey)?;
        // 1.2.840.113549.1.1.1 and 1.2.840.10045.3.1.7
        const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
        const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
        let names = |oid: &[u8]| algorithm.windows(oid.len()).any(|window| window == oid);
        let (kind, key) = if names(RSA) {
            usable_rsa(&key)?;
            (KeyKind::Rsa, Key::Rsa(key))
        } else if names(P256) {
            // An uncompressed point: a mark and two coordinates.
            if key.len() != 65 || key[0] != 4 {
                return Err(KeyError::UnusablePoint);
            }
            (KeyKind::P256, Key::P256(key))
        } else {
            return Err(KeyError::KindNotKnown);
        };
        self.hold(key, issuer);
        Ok(kind)
    }

    fn hold(&mut self, key: Key, issuer: Option<&str>) {
        self.keys.push(Held { key, issuer: issuer.map(str::to_owned) });
    }

    /// Is there nothing to check with?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Is the token's signature not one of the configured keys'? Algorithms without a key to check are left alone,
    /// but for a shared secret where only public keys are in use: that is how keys are confused.
    pub(super) fn is_forged(&self, token: &Token<'_>, alg: &str) -> bool {
        if self.keys.is_empty() || token.parts.len() != 3 {
            return false;
        }
        let issuer = token.claim("iss").and_then(serde_json::Value::as_str);
        let is_for =
            |held: &&Held| held.issuer.is_none() || issuer.is_none() || held.issuer.as_deref() == issuer;
        let mut keys = self.keys.iter().filter(is_for).map(|held| &held.key).peekable();
        if keys.peek().is_none() {
            return false;
        }
        let Some(signature) = decode(token.signature()) else { return true };
        let signed = token.signed();
        let checks: Vec<bool> =
            keys.filter_map(|key| key.check(alg, signed.as_bytes(), &signature)).collect();
        let is_shared = alg.starts_with("HS");
        if checks.is_empty() { is_shared } else { !checks.contains(&true) }
    }
}

impl TokenKeys {
    /// Is the token said to be signed with a shared secret where only public keys are in use?
    pub(super) fn is_confused(&self, token: &Token<'_>, alg: &str) -> bool {
        let issuer = token.claim("iss").and_then(serde_json::Value::as_str);
        let mut keys = self
            .keys
            .iter()
            .filter(|held| held.issuer.is_none() || issuer.is_none() || held.issuer.as_deref() == issuer)
            .peekable();
        alg.starts_with("HS")
            && token.parts.len() == 3
            && keys.peek().is_some()
            && keys.all(|held| !matches!(held.key, Key::Shared(_)))
    }
}

impl Key {
    /// `None` where the key is not for the algorithm.
    fn check(&self, alg: &str, signed: &[u8], signature: &[u8]) -> Option<bool> {
        match self {
            Self::Shared(secret) => {
                let algorithm = match alg {
                    "HS256" => hmac::HMAC_SHA256,
                    "HS384" => hmac::HMAC_SHA384,
                    "HS512" => hmac::HMAC_SHA512,
                    _ => return None,
                };
                Some(hmac::verify(&hmac::Key::new(algorithm, secret), signed, signature).is_ok())
            }
            Self::Rsa(key) => {
                let parameters = match alg {
                    "RS256" => &signature::RSA_PKCS1_2048_8192_SHA256,
                    "RS384" => &signature::RSA_PKCS1_2048_8192_SHA384,
                    "RS512" => &signature::RSA_PKCS1_2048_8192_SHA512,
                    _ => return None,
                };
                Some(signature::UnparsedPublicKey::new(parameters, key).verify(signed, signature).is_ok())
            }
            Self::P256(key) => {
                if alg != "ES256" {
                    return None;
                }
                let key = signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, key);
                Some(key.verify(signed, signature).is_ok())
            }
        }
    }
}

/// Algorithm and key of a `SubjectPublicKeyInfo`: a sequence of a sequence and a bit string.
fn spki(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (tag, inside, _) = element(der)?;
    let (algorithm_tag, algorithm, rest) = element(inside)?;
    let (key_tag, key, _) = element(rest)?;
    let is_shape = (tag, algorithm_tag, key_tag) == (0x30, 0x30, 0x03) && key.first() == Some(&0);
    is_shape.then(|| (algorithm.to_vec(), key[1..].to_vec()))
}

/// Checks that RSA signatures can be verified with `der`: a sequence of modulus and exponent.
fn usable_rsa(der: &[u8]) -> Result<(), KeyError> {
    let numbers = || {
        let (tag, inside, _) = element(der)?;
        let (modulus_tag, modulus, rest) = element(inside)?;
        let (exponent_tag, exponent, _) = element(rest)?;
        ((tag, modulus_tag, exponent_tag) == (0x30, 0x02, 0x02)).then_some((modulus, exponent))
    };
    let (modulus, exponent) = numbers().ok_or(KeyError::UnusableRsa)?;
    let digits = |number: &[u8]| number.iter().skip_while(|byte| **byte == 0).count();
    let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
    let first = modulus.iter().find(|byte| **byte != 0).map_or(0, |byte| byte.leading_zeros() as usize);
    let bits = (digits(modulus) * 8).saturating_sub(first);
    let is_exponent =
        is_odd(exponent) && (digits(exponent) > 1 || exponent.last().is_some_and(|&byte| byte >= 3));
    let is_usable =
        (2_048..=8_192).contains(&bits) && is_odd(modulus) && is_exponent && digits(exponent) <= 4;
    if is_usable { Ok(()) } else { Err(KeyError::UnusableRsa) }
}

/// Tag, content and what follows of one DER element.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let n = usize::from(first & 0x7f);
        let digits = rest.get(..n).filter(|_| (1..=4).contains(&n))?;
        (digits.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte)), &rest[n..])
    };
    Some((tag, rest.get(..length)?, &rest[length..]))
}
