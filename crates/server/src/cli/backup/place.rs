//! Where a backup goes.

use std::io::{self, ErrorKind, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use caller_id_core::Timestamp;

use crate::app::{self, stores};
use crate::backup::folder::{self, Draft};
use crate::config::ConfigError;
use crate::config::storage::StorageConfig;

/// The folder for backups beside the data.
const FOLDER: &str = "backups";
/// How the name of a file ends that is not there yet: without it nobody knows whether a folder is meant.
const ENDING: &str = ".gz";

/// Where it goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The standard output.
    Stdout,
    /// A file, which may be an older backup.
    File(PathBuf),
    /// A folder, which need not be there.
    Folder(PathBuf),
    /// The folder beside the data, which need not be there.
    Own(PathBuf),
}

impl Place {
    /// What `--to` says. It is only looked at: nothing is made, and nothing opened that is no file.
    ///
    /// # Errors
    /// Where no backup can be written, or it would be at the cost of something else.
    pub(super) fn of(to: Option<&Path>, storage: &StorageConfig) -> anyhow::Result<Self> {
        let Some(to) = to else {
            return Ok(Self::Own(storage.folder()?.join(FOLDER)));
        };
        if to.as_os_str() == "-" {
            ensure!(
                !io::stdout().is_terminal(),
                "a backup is nothing for a terminal: send it to a file or a program"
            );
            return Ok(Self::Stdout);
        }
        if to.is_dir() || to.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return Ok(Self::Folder(to.to_owned()));
        }
        ensure!(
            !app::is_own_file(storage, to)?,
            "{} belongs to the service itself, another file expected",
            to.display()
        );
        match to.symlink_metadata() {
            Err(cause) if cause.kind() == ErrorKind::NotFound => new_file(to)?,
            Err(cause) => return Err(cause).context(format!("cannot read {}", to.display())),
            Ok(_) => check_there(to)?,
        }
        Ok(Self::File(to.to_owned()))
    }

    /// The folder in which backups are kept, where it is one.
    pub(super) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Stdout | Self::File(_) => None,
            Self::Folder(path) | Self::Own(path) => Some(path),
        }
    }

    /// Begins a draft, and makes the folder where it is missing. None for the standard output.
    ///
    /// # Errors
    /// When it cannot be made, or another process writes it.
    pub(super) fn draft(&self) -> anyhow::Result<Option<Draft>> {
        let path = match self {
            Self::Stdout => return Ok(None),
            Self::File(path) => folder::draft_of(path),
            Self::Folder(path) => {
                stores::make_folder(path)?;
                folder::draft_in(path)
            }
            Self::Own(path) => {
                stores::make_folder_within(path)
                    .context("name another place for backups with --to")?;
                folder::draft_in(path)
            }
        };
        Draft::begin(&path).map(Some)
    }

    /// Puts a whole draft there, and gives where it is.
    ///
    /// # Errors
    /// When it cannot be put there.
    pub(super) fn put(&self, draft: Draft, begun: Timestamp) -> anyhow::Result<PathBuf> {
        match self {
            Self::Stdout => bail!("the standard output has no draft"),
            Self::File(path) => draft.place(path).map(|()| path.clone()),
            Self::Folder(path) | Self::Own(path) => draft.place_in(path, begun),
        }
    }
}

/// Whether a name that nothing has yet is that of a file.
fn new_file(to: &Path) -> Result<(), ConfigError> {
    let name = to.file_name().unwrap_or_default().as_encoded_bytes();
    if name.len() > ENDING.len() && name.ends_with(ENDING.as_bytes()) {
        return Ok(());
    }
    let shown = to.display();
    let expected = format!(
        "nothing is there; expected `{shown}/` for a folder, which is made, or a name that ends in {ENDING} for a file, as \
         `{shown}.backup{ENDING}`"
    );
    Err(ConfigError::new("--to", &shown.to_string(), expected))
}

/// Whether what is there may be written over.
fn check_there(to: &Path) -> anyhow::Result<()> {
    // Looked at before it is opened: to open a pipe waits for who reads from it, and to open a device may do anything.
    if to.metadata().is_ok_and(|found| !found.is_file()) {
        let expected =
            "it is no file and no folder; expected one of these, or `-` for the standard output";
        return Err(ConfigError::new("--to", &to.display().to_string(), expected).into());
    }
    ensure!(
        folder::head(to).is_ok(),
        "{} is there and is no backup of caller-id: it stays as it is",
        to.display()
    );
    Ok(())
}
