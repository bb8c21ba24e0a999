//! Files in the age format (age-encryption.org/v1), which other tools read too: for recipients, or with a passphrase. They
//! are written and read in pieces.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use age::secrecy::SecretString;
use age::stream::StreamReader;
use age::{DecryptError, Decryptor, Encryptor, Identity, Recipient, scrypt, x25519};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use watchpost_model::copies::{CopyEncryption, CopyKey};
use zeroize::Zeroizing;

use crate::error::OpError;
use crate::secrets::Secret;

/// How every file in this format begins.
const FIRST_LINE: &[u8] = b"age-encryption.org/v1";
/// Longer headers are none: fifty recipients take 6 KiB.
const HEADER_BYTES_MAX: u64 = 64 << 10;
/// Of files with identities or a passphrase.
const KEY_BYTES_MAX: u64 = 1 << 20;
/// Work to try one passphrase, as a power of two: what the age tool takes, about a second and 256 MiB.
const WORK: u8 = 18;
/// A file that asks for more was not made by Watchpost and would take minutes and gigabytes: what the age tool refuses.
const WORK_MAX: u8 = 22;

/// What a file is locked with.
pub(crate) enum Locked {
    /// Whoever has one of these keys opens it.
    For(Vec<x25519::Recipient>),
    /// Whoever knows this opens it.
    With(Secret),
}

impl Locked {
    /// What a request or the plan asks for. Files are read here.
    ///
    /// # Errors
    /// `Validation` at `encryption` for what is no recipient or no passphrase, `Unavailable` for a file that cannot be read.
    pub(crate) fn by(encryption: &CopyEncryption) -> Result<Self, OpError> {
        encryption.check().map_err(|problem| OpError::invalid("encryption", problem))?;
        match &encryption.passphrase_file {
            Some(file) => passphrase_in(Path::new(file)).map(Self::With),
            None => encryption
                .recipients
                .iter()
                .map(|text| recipient(text))
                .collect::<Result<_, _>>()
                .map(Self::For),
        }
    }

    /// For people.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::For(recipients) => {
                let names: Vec<String> = recipients.iter().map(ToString::to_string).collect();
                format!("{}: {}", Whom::Recipients(recipients.len()), names.join(", "))
            }
            Self::With(_) => Whom::Passphrase.to_string(),
        }
    }

    /// A writer that locks what goes through it; `finish` it.
    ///
    /// # Errors
    /// What writing the header says.
    pub(crate) fn writer<W: Write>(&self, to: W) -> io::Result<age::stream::StreamWriter<W>> {
        let made = match self {
            Self::For(recipients) => {
                Encryptor::with_recipients(recipients.iter().map(|one| one as &dyn Recipient))
            }
            Self::With(passphrase) => {
                let mut recipient = scrypt::Recipient::new(secret(passphrase));
                recipient.set_work_factor(WORK);
                Encryptor::with_recipients(std::iter::once(&recipient as &dyn Recipient))
            }
        };
        made.map_err(|error| io::Error::other(error.to_string()))?.wrap_output(to)
    }
}

fn recipient(text: &str) -> Result<x25519::Recipient, OpError> {
    let text = text.trim();
    if text.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
        return Err(OpError::invalid("encryption", "a recipient is a public key, and this is a secret one")
            .hint("`age-keygen -y FILE` prints the public key (age1...) of an identity file"));
    }
    text.parse::<x25519::Recipient>().map_err(|why| {
        let shown = watchpost_model::text::visible(text, 80);
        OpError::invalid("encryption", format!("{shown:?} is no age recipient: {why}"))
            .hint("write an X25519 public key, age1..., as `age-keygen` prints it")
    })
}

/// What may open files.
#[derive(Default)]
pub(crate) struct Keys {
    identities: Vec<x25519::Identity>,
    passphrase: Option<Secret>,
}

impl Keys {
    /// What a request or the plan names; none at all if it names nothing. Files are read here.
    ///
    /// # Errors
    /// `Validation` at `key` for a file without identities or a passphrase, `Unavailable` for one that cannot be read.
    pub(crate) fn by(key: Option<&CopyKey>) -> Result<Self, OpError> {
        let Some(key) = key else { return Ok(Self::default()) };
        key.check().map_err(|problem| OpError::invalid("key", problem))?;
        let identities = key.identity.as_deref().map(|file| identities_in(Path::new(file))).transpose()?;
        let passphrase =
            key.passphrase_file.as_deref().map(|file| passphrase_in(Path::new(file))).transpose()?;
        Ok(Self { identities: identities.unwrap_or_default(), passphrase })
    }

    /// A passphrase only.
    pub(crate) fn of_passphrase(passphrase: Secret) -> Self {
        Self { identities: Vec::new(), passphrase: Some(passphrase) }
    }

    fn is_none(&self) -> bool {
        self.identities.is_empty() && self.passphrase.is_none()
    }

    /// The text of a locked file, piece by piece. Its end counts only when it was read without an error.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub(crate) fn reader<R: BufRead>(&self, from: R) -> Result<StreamReader<R>, Problem> {
        let file = Decryptor::new_buffered(from)?;
        let passphrase = self.passphrase.as_ref().filter(|_| file.is_scrypt()).map(|passphrase| {
            let mut identity = scrypt::Identity::new(secret(passphrase));
            identity.set_max_work_factor(WORK_MAX);
            identity
        });
        let keys = self.identities.iter().map(|one| one as &dyn Identity);
        Ok(file.decrypt(keys.chain(passphrase.iter().map(|one| one as &dyn Identity)))?)
    }
}

/// The library keeps passphrases in a type of its own, which wipes itself as well.
fn secret(text: &Secret) -> SecretString {
    SecretString::from(text.as_str().to_owned())
}

/// The passphrase that a file holds: its text without the end of its last line.
///
/// # Errors
/// `Unavailable` if it cannot be read, `Validation` if there is none in it.
pub(crate) fn passphrase_in(file: &Path) -> Result<Secret, OpError> {
    let text = text_of("passphrase_file", file)?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(OpError::invalid("passphrase_file", format!("{} holds no passphrase", file.display())));
    }
    Ok(Zeroizing::new(text.to_owned()))
}

fn identities_in(file: &Path) -> Result<Vec<x25519::Identity>, OpError> {
    let text = text_of("identity", file)?;
    let bad = |what: String| OpError::invalid("identity", format!("{} {what}", file.display()));
    if text.as_bytes().starts_with(FIRST_LINE) {
        return Err(
            bad("is an identity file that is locked itself".to_owned()).hint("open it with `age -d` first")
        );
    }
    let lines = text.lines().map(str::trim).enumerate();
    let keys = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let identities: Result<Vec<x25519::Identity>, OpError> = keys
        // What stands in the line may be a secret.
        .map(|(at, line)| {
            line.parse::<x25519::Identity>().map_err(|_| bad(format!("has no identity in line {}", at + 1)))
        })
        .collect();
    let identities = identities.map_err(|error| {
        error.hint("an identity file has a line AGE-SECRET-KEY-1... of each key, as `age-keygen` writes it")
    })?;
    if identities.is_empty() {
        return Err(bad("holds no identity".to_owned()).hint("`age-keygen -o FILE` makes one"));
    }
    Ok(identities)
}

fn text_of(field: &str, file: &Path) -> Result<Secret, OpError> {
    let mut text = Zeroizing::new(String::with_capacity(4 << 10));
    let read = File::open(file).and_then(|file| file.take(KEY_BYTES_MAX).read_to_string(&mut text));
    read.map_err(|error| OpError::unreadable(field, file, error))?;
    Ok(text)
}

/// For whom a file is, as its header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whom {
    /// So many.
    Recipients(usize),
    /// Whoever knows it.
    Passphrase,
}

impl Whom {
    /// What the header of a file says; `None` if it is not in this format.
    ///
    /// # Errors
    /// What reading says; `InvalidData` for a header that does not end.
    pub(crate) fn of(file: &Path) -> io::Result<Option<Self>> {
        let mut lines = BufReader::new(File::open(file)?.take(HEADER_BYTES_MAX)).split(b'\n');
        if lines.next().transpose()?.is_none_or(|first| first != FIRST_LINE) {
            return Ok(None);
        }
        let mut recipients = 0;
        for line in lines {
            let line = line?;
            if line.starts_with(b"---") {
                return Ok(Some(Self::Recipients(recipients)));
            }
            let Some(stanza) = line.strip_prefix(b"-> ") else { continue };
            let tag = stanza.split(|byte| *byte == b' ').next().unwrap_or_default();
            if tag == b"scrypt" {
                return Ok(Some(Self::Passphrase));
            }
            // Others stand there so that every reader of the format learns to skip what it does not know.
            recipients += usize::from(!tag.ends_with(b"-grease"));
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, "the header of this age file is not whole"))
    }
}

impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recipients(1) => f.write_str("for 1 recipient"),
            Self::Recipients(n) => write!(f, "for {n} recipients"),
            Self::Passphrase => f.write_str("with a passphrase"),
        }
    }
}

/// Why a locked file cannot be opened.
#[derive(Debug)]
pub(crate) enum Problem {
    /// None of the keys, or not this passphrase.
    Closed,
    /// It is not whole, was altered, or is in another format.
    Damaged(String),
    /// It cannot be read or written.
    Io(io::Error),
}

impl From<DecryptError> for Problem {
    fn from(error: DecryptError) -> Self {
        match error {
            DecryptError::NoMatchingKeys
            | DecryptError::DecryptionFailed
            | DecryptError::KeyDecryptionFailed => Self::Closed,
            DecryptError::InvalidHeader | DecryptError::InvalidMac => {
                Self::Damaged("its header was altered or is not whole".to_owned())
            }
            DecryptError::UnknownFormat => Self::Damaged("it is in a newer format".to_owned()),
            DecryptError::ExcessiveWork { required, .. } => {
                Self::Damaged(format!("it asks for 2^{required} steps of work to try a passphrase"))
            }
            DecryptError::Io(error) => error.into(),
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Damaged("it is cut off".to_owned()),
            io::ErrorKind::InvalidData => Self::Damaged("it was altered or is cut off".to_owned()),
            _ => Self::Io(error),
        }
    }
}

impl Problem {
    /// For whoever wanted to open a copy of the database, or a backup of Redis.
    pub(crate) fn of_copy(self, copy: &Path, whom: Whom, keys: &Keys) -> OpError {
        let name = copy.display();
        match self {
            Self::Closed => {
                let why = match whom {
                    _ if keys.is_none() => "nothing that opens it was named",
                    Whom::Recipients(_) if keys.identities.is_empty() => "no identity was named",
                    Whom::Recipients(_) => "it is for none of the identities that were named",
                    Whom::Passphrase if keys.passphrase.is_none() => "no passphrase was named",
                    Whom::Passphrase => "it has another passphrase than was named",
                };
                OpError::invalid("key", format!("{name} is encrypted {whom}, and {why}")).hint(match whom {
                    Whom::Recipients(_) => "name an identity file of one of them: --identity FILE",
                    Whom::Passphrase => "name the file that holds it: --passphrase-file FILE",
                })
            }
            Self::Damaged(what) => OpError::precondition(format!("{name} cannot be decrypted: {what}"))
                .hint("nothing was made of it; use another copy"),
            Self::Io(error) => OpError::unreadable("path", copy, error),
        }
    }
}

/// Locks a file into a new one that nobody else reads, on disk when it returns; the size and SHA-256 of that one.
///
/// # Errors
/// What reading or writing says; `Interrupted` if it was stopped.
pub(crate) fn lock(
    from: &Path,
    to: &Path,
    locked: &Locked,
    stop: &CancellationToken,
) -> io::Result<(u64, String)> {
    let counted = Counted { to: private(to)?, hash: Sha256::new(), bytes: 0 };
    let Counted { to, hash, bytes } = lock_into(from, counted, locked, stop)?;
    to.sync_all()?;
    Ok((bytes, hex::encode(hash.finalize())))
}

/// Locks a file into what is written to, which is given back.
///
/// # Errors
/// What reading or writing says; `Interrupted` if it was stopped.
pub(crate) fn lock_into<W: Write>(
    from: &Path,
    to: W,
    locked: &Locked,
    stop: &CancellationToken,
) -> io::Result<W> {
    let mut plain = File::open(from)?;
    let mut writer = locked.writer(to)?;
    pour(&mut plain, &mut writer, stop)?;
    writer.finish()
}

/// Opens a locked file into a new one that nobody else reads, on disk when it returns. What an error leaves of that one is
/// not to be used.
///
/// # Errors
/// Why it cannot be opened; `Io` of `Interrupted` if it was stopped.
pub(crate) fn unlock(from: &Path, to: &Path, keys: &Keys, stop: &CancellationToken) -> Result<(), Problem> {
    let mut reader = keys.reader(BufReader::new(File::open(from)?))?;
    let mut plain = private(to)?;
    pour(&mut reader, &mut plain, stop)?;
    Ok(plain.sync_all()?)
}

/// A new file that nobody else reads.
pub(crate) fn private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn pour(from: &mut impl Read, to: &mut impl Write, stop: &CancellationToken) -> io::Result<()> {
    let mut piece = vec![0; 1 << 18];
    while !stop.is_cancelled() {
        match from.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(n) => to.write_all(&piece[..n])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::Interrupted, "it was stopped"))
}

/// Tells what went through it.
struct Counted<W> {
    to: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let n = self.to.write(piece)?;
        self.hash.update(&piece[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
