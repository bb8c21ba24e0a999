//! Where this console keeps its files.

use std::path::{Path, PathBuf};

use crate::error::{ErrorCode, OpError};

/// The folders of one console. Created on first use, readable by their owner only.
#[derive(Debug, Clone)]
pub struct Paths {
    /// `connections.toml`.
    config: PathBuf,
    /// The local workspace and everything that must survive.
    data: PathBuf,
    /// The file of secrets that the environment names.
    secrets: Option<PathBuf>,
    /// The file with its passphrase.
    secrets_passphrase: Option<PathBuf>,
}

impl Paths {
    /// The folders named by `WATCHPOST_HOME`, else those that the platform prescribes. The file of secrets is the one that
    /// `WATCHPOST_SECRETS_FILE` names, else one in the configuration folder; its passphrase is in the file that
    /// `WATCHPOST_SECRETS_PASSPHRASE_FILE` names, else in the systemd credential `secrets-passphrase`.
    ///
    /// # Errors
    /// `Unavailable` when the account has no home directory or the folders cannot be made.
    pub fn from_environment() -> Result<Self, OpError> {
        let named =
            |variable: &str| std::env::var_os(variable).filter(|name| !name.is_empty()).map(PathBuf::from);
        let credential = named("CREDENTIALS_DIRECTORY")
            .map(|folder| folder.join("secrets-passphrase"))
            .filter(|file| file.exists());
        let passphrase = named("WATCHPOST_SECRETS_PASSPHRASE_FILE").or(credential);
        Ok(Self::of_folders()?.with_secrets(named("WATCHPOST_SECRETS_FILE"), passphrase))
    }

    fn of_folders() -> Result<Self, OpError> {
        if let Some(home) = std::env::var_os("WATCHPOST_HOME") {
            return Self::below(Path::new(&home));
        }
        let dirs = directories::ProjectDirs::from("dev", "watchpost", "watchpost").ok_or_else(|| {
            OpError::new(ErrorCode::Unavailable, "this account has no home directory")
                .hint("set WATCHPOST_HOME to a folder that Watchpost may use")
        })?;
        Self::new(dirs.config_dir().to_owned(), dirs.data_local_dir().to_owned())
    }

    /// Both folders below one: tests, demonstrations, portable installations.
    ///
    /// # Errors
    /// `Unavailable` when they cannot be made.
    pub fn below(home: &Path) -> Result<Self, OpError> {
        let home = std::path::absolute(home).map_err(|error| unusable(home, &error))?;
        Self::new(home.join("config"), home.join("data"))
    }

    fn new(config: PathBuf, data: PathBuf) -> Result<Self, OpError> {
        let paths = Self { config, data, secrets: None, secrets_passphrase: None };
        for folder in
            [paths.config.clone(), paths.data.clone(), paths.workspace(), paths.witness(), paths.privacy()]
        {
            make_private(&folder).map_err(|error| unusable(&folder, &error))?;
        }
        Ok(paths)
    }

    /// The same with another file of secrets than the one in the configuration folder, and a file with the passphrase.
    #[must_use]
    pub fn with_secrets(self, file: Option<PathBuf>, passphrase: Option<PathBuf>) -> Self {
        Self { secrets: file, secrets_passphrase: passphrase, ..self }
    }

    /// The file of secrets, and whether it was named; it need not be there.
    #[must_use]
    pub fn secrets(&self) -> (PathBuf, bool) {
        match &self.secrets {
            Some(file) => (file.clone(), true),
            None => (self.config.join("secrets.age"), false),
        }
    }

    /// The file with the passphrase of the file of secrets, where there is one.
    #[must_use]
    pub fn secrets_passphrase(&self) -> Option<&Path> {
        self.secrets_passphrase.as_deref()
    }

    /// The file of the secrets that are sealed with a key of the keychain; it need not be there.
    #[must_use]
    pub fn sealed_secrets(&self) -> PathBuf {
        self.config.join("secrets.sealed")
    }

    /// The file that notes, beside the connections, which of their passwords were given; no password is in it.
    pub(crate) fn passwords_given(&self) -> PathBuf {
        self.config.join("passwords-given.json")
    }

    /// The file of the saved connections.
    #[must_use]
    pub fn connections(&self) -> PathBuf {
        self.config.join("connections.toml")
    }

    /// The folder of the local workspace: socket, append-only file, database.
    #[must_use]
    pub fn workspace(&self) -> PathBuf {
        self.data.join("workspace")
    }

    /// The file of where the windows stood when they were closed.
    #[must_use]
    pub fn window(&self) -> PathBuf {
        self.data.join("window.json")
    }

    /// The file of what verifies the passphrase of the window, for a start at which the keychain does not answer.
    #[must_use]
    pub fn window_lock(&self) -> PathBuf {
        self.data.join("window-lock.json")
    }

    /// The file of the bearer token that a daemon on this port made for its run.
    #[must_use]
    pub fn http_token(&self, port: u16) -> PathBuf {
        self.data.join(format!("http-{port}.token"))
    }

    /// The folder of what this console has seen of the audit logs.
    #[must_use]
    pub fn witness(&self) -> PathBuf {
        self.data.join("witness")
    }

    /// The folder of the erasures that this console knows of, for doing them again in an older copy.
    #[must_use]
    pub fn privacy(&self) -> PathBuf {
        self.data.join("privacy")
    }

    /// The folder of the user's own framework files (`*.toml`); it need not be there.
    #[must_use]
    pub fn frameworks(&self) -> PathBuf {
        self.config.join("frameworks")
    }

    /// The directory of the team's own rules; need not be there.
    #[must_use]
    pub fn rules(&self) -> PathBuf {
        self.data.join("rules")
    }

    /// The folder of the journals of interrupted imports.
    #[must_use]
    pub fn imports(&self) -> PathBuf {
        self.data.join("imports")
    }

    /// The folder of the server on which a backup is rehearsed.
    #[must_use]
    pub fn rehearsal(&self) -> PathBuf {
        self.data.join("rehearsal")
    }

    /// The folder in which copies of the database are rehearsed.
    #[must_use]
    pub fn rehearsal_of_database(&self) -> PathBuf {
        self.data.join("rehearsal-of-database")
    }

    /// The folder of copies of a server's database from before its schema was changed, until they go where copies go.
    #[must_use]
    pub fn before_migration(&self) -> PathBuf {
        self.data.join("before-migration")
    }

    /// The file of the nodes of a connection's cluster that were seen last.
    #[must_use]
    pub fn cluster_nodes(&self, name: &str) -> PathBuf {
        self.data.join(format!("{name}.nodes.json"))
    }

    /// The database file of a connection that names none.
    #[must_use]
    pub fn default_database(&self, name: &str) -> PathBuf {
        self.data.join(format!("{name}.db"))
    }

    /// The database file of the local workspace.
    #[must_use]
    pub fn local_database(&self) -> PathBuf {
        self.workspace().join("watchpost.db")
    }
}

fn unusable(folder: &Path, error: &std::io::Error) -> OpError {
    OpError::new(ErrorCode::Unavailable, format!("cannot use the folder {}: {error}", folder.display()))
        .hint("check its permissions, or set WATCHPOST_HOME to another folder")
}

fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    if folder.is_dir() {
        return Ok(());
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
}
