//! What nodes tell one another of themselves.

use caller_id_core::AllocatorError;
use caller_id_core::shared::Announcement;

use super::Engine;

/// A node that was not heard of for so long is gone.
const BELIEVED_MS: u32 = 60_000;

impl Engine {
    /// Tells what a node tells of itself, and gives what the others tell. Without a name nothing is told.
    pub(super) async fn announce(
        &self,
        node: &str,
        text: &str,
    ) -> Result<Vec<Announcement>, AllocatorError> {
        let node: String = node.chars().filter(|char| *char != '\n').collect();
        let arguments = [node.into(), text.into(), BELIEVED_MS.to_string().into()];
        let told: Vec<String> = self.run(&self.scripts.announce, &arguments).await?;
        let told = told.chunks_exact(2);
        Ok(told
            .map(|told| Announcement {
                node: told[0].clone(),
                text: told[1].clone(),
            })
            .collect())
    }
}
