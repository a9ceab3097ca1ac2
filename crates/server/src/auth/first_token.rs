//! The admin token that is made at the first start, and kept in a file only its owner can read.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::config::secret::Secret;

/// The file beside the database.
pub const FILE_NAME: &str = "admin-token";
const RANDOM_BYTES: usize = 32;
const LENGTH_LEAST: usize = 32;

/// The token that was made for this installation.
#[derive(Debug)]
pub struct FirstToken {
    /// The token.
    pub token: Secret,
    /// Where it is kept.
    pub path: PathBuf,
    /// It was made just now.
    pub new: bool,
}

/// Reads the token kept in `folder`, or makes one of 32 random bytes and keeps it there, mode 0600.
///
/// # Errors
/// Names the file that cannot be read or written, or holds something else.
pub fn obtain(folder: &Path) -> anyhow::Result<FirstToken> {
    let path = folder.join(FILE_NAME);
    match fs::read_to_string(&path) {
        Ok(text) => read(text.trim(), path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn read(text: &str, path: PathBuf) -> anyhow::Result<FirstToken> {
    ensure!(
        text.len() >= LENGTH_LEAST && text.bytes().all(|byte| byte.is_ascii_graphic()),
        "{} holds no admin token: remove it, and one is made at the next start",
        path.display()
    );
    narrow(&path)
        .with_context(|| format!("cannot make {} readable for its owner only", path.display()))?;
    Ok(FirstToken {
        token: Secret::new(text),
        path,
        new: false,
    })
}

fn make(path: PathBuf) -> anyhow::Result<FirstToken> {
    let bytes: [u8; RANDOM_BYTES] = rand::random();
    let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    write(&path, &token).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(FirstToken {
        token: Secret::new(token),
        path,
        new: true,
    })
}

/// Whole or not at all: a start that is cut off leaves no half token.
fn write(path: &Path, token: &str) -> io::Result<()> {
    let draft = path.with_extension("new");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    writeln!(file, "{token}")?;
    file.sync_all()?;
    fs::rename(draft, path)
}

/// Takes from everybody else what somebody gave them.
#[cfg(unix)]
fn narrow(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        tracing::warn!(file = %path.display(), "the admin token was readable for others: mode set to 0600");
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn narrow(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &Path) -> u32 {
        let metadata = fs::metadata(path).expect("the file is there");
        metadata.permissions().mode() & 0o777
    }

    #[test]
    fn a_token_is_made_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = obtain(folder.path()).unwrap();
        assert!(first.new && first.token.reveal().len() == 64);
        assert_eq!(mode(&first.path), 0o600);
        let second = obtain(folder.path()).unwrap();
        assert!(!second.new);
        assert_eq!(second.token, first.token);
    }

    #[test]
    fn a_token_that_others_could_read_is_taken_from_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = obtain(folder.path()).unwrap().path;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        obtain(folder.path()).unwrap();
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn a_file_that_holds_no_token_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE_NAME), "abc\n").unwrap();
        let error = obtain(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("admin-token holds no admin token"),
            "{error}"
        );
    }
}
