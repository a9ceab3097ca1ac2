//! What was told, in a file: a start tells nothing twice.

use std::io::Write;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Its name in the folder of what this machine keeps to itself.
const FILE: &str = "alerts.json";

/// Where it is kept; nowhere: a start tells again what lasts.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    path: Option<PathBuf>,
    node: String,
}

/// As it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Whose it is: two nodes in one folder would tell each other's end.
    #[serde(default)]
    pub(super) node: String,
    /// What this node tells of itself, see [`super::ledger::Ledger::written`].
    #[serde(default)]
    pub(super) own: String,
    /// The rest, where no other node tells it.
    #[serde(default)]
    pub(super) shared: String,
}

impl Memory {
    /// That of this node, in `folder`.
    pub(super) fn new(folder: Option<PathBuf>, node: &str) -> Self {
        Self {
            path: folder.map(|folder| folder.join(FILE)),
            node: node.to_owned(),
        }
    }

    /// What is kept; nothing where that is another's, or cannot be read.
    pub(super) async fn read(&self) -> Kept {
        let memory = self.clone();
        let read = tokio::task::spawn_blocking(move || {
            let text = std::fs::read_to_string(memory.path?).ok()?;
            let kept: Kept = serde_json::from_str(&text).ok()?;
            (kept.node == memory.node).then_some(kept)
        });
        read.await.ok().flatten().unwrap_or_default()
    }

    /// Keeps it. What cannot be kept is told again after the next start: no more than a line of the log.
    pub(super) async fn write(&self, own: String, shared: String) {
        let memory = self.clone();
        let written = tokio::task::spawn_blocking(move || {
            let node = memory.node;
            let text = serde_json::to_string(&Kept { node, own, shared })?;
            memory.path.map_or(Ok(()), |path| replace(&path, &text))
        });
        if let Ok(Err(error)) = written.await {
            tracing::debug!(%error, "which alerts were told is not kept for the next start");
        }
    }
}

/// Whole, or as it was; for its owner alone.
fn replace(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    let new = path.with_extension("json.new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&new)?.write_all(text.as_bytes())?;
    std::fs::rename(new, path)
}
