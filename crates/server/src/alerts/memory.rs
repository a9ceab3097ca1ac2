//! What was told, and what still is to be posted, in a file: a start tells nothing twice, and forgets nothing.

use std::io::Write;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ledger::Ledger;
use super::message::Message;
use super::outgoing::WAITING_MOST;

/// Its name in the folder of what this machine keeps to itself.
const FILE: &str = "alerts.json";
/// The name of the messages that wait, where nodes agree.
const WAITING: &str = "waiting";

/// Where it is kept; nowhere: a start tells again what lasts.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    path: Option<PathBuf>,
    node: String,
}

/// As it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    /// Whose it is: two nodes in one folder would tell each other's end.
    pub(super) node: String,
    /// What this node tells of itself, see [`super::ledger::Ledger::written`].
    pub(super) own: String,
    /// The rest, where no other node tells it.
    pub(super) shared: String,
    /// Who guesses, see [`super::attacks::Attacks::written`].
    pub(super) attacks: String,
    /// Messages that are neither delivered nor given up, see [`read_messages`].
    pub(super) waiting: Vec<Value>,
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

    /// Keeps it; gives whether that could be done. What cannot be kept is told again after the next start: no
    /// more than a line of the log.
    pub(super) async fn write(&self, kept: Kept) -> bool {
        let Some(path) = self.path.clone() else {
            return false;
        };
        let written = tokio::task::spawn_blocking(move || {
            let text = serde_json::to_string(&kept)?;
            replace(&path, &text)
        });
        match written.await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::debug!(%error, "which alerts were told is not kept for the next start");
                false
            }
            Err(_) => false,
        }
    }
}

/// Messages as they are kept.
pub(super) fn write_messages<'a>(messages: impl IntoIterator<Item = &'a Message>) -> Vec<Value> {
    let write = |message| serde_json::to_value(message).expect("texts are JSON");
    messages.into_iter().map(write).collect()
}

/// Messages that were kept; without those that another version wrote and this one does not know. As many as may wait, and as many
/// that are held until quiet hours are over.
pub(super) fn read_messages(kept: Vec<Value>) -> Vec<Message> {
    let read = |message| serde_json::from_value(message).ok();
    let kept = kept.into_iter().take(2 * WAITING_MOST);
    kept.filter_map(read).collect()
}

/// What nodes share, as it is kept where all of them find it: the ledger, and which of its messages wait.
pub(super) fn on_board(ledger: &Ledger, waiting: Vec<Value>) -> String {
    let mut board: Value = serde_json::from_str(&ledger.written()).expect("just written");
    board[WAITING] = waiting.into();
    board.to_string()
}

/// The messages of [`on_board`] that wait; [`Ledger::read`] reads the rest.
pub(super) fn waiting_on(board: &str) -> Vec<Message> {
    let board: Value = serde_json::from_str(board).unwrap_or_default();
    read_messages(board[WAITING].as_array().cloned().unwrap_or_default())
}

/// Whole, or as it was, also where power fails; for its owner alone.
fn replace(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    let new = path.with_extension("json.new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(new, path)
}
