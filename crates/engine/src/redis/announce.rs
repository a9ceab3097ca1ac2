//! What nodes tell one another of themselves.

use caller_id_core::AllocatorError;

use super::RedisAllocator;

/// A node that was not heard of for so long is gone.
const BELIEVED_MS: u32 = 60_000;

/// What a node tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// What it is called.
    pub node: String,
    /// What it tells.
    pub text: String,
}

impl RedisAllocator {
    /// Tells all others that the node of that name tells `text` of itself, for the next minute; empty: it leaves. Gives what
    /// the others tell.
    ///
    /// # Errors
    /// [`AllocatorError::Unavailable`].
    pub async fn announce(
        &self,
        node: &str,
        text: &str,
    ) -> Result<Vec<Announcement>, AllocatorError> {
        let engine = &self.engine;
        let node: String = node.chars().filter(|char| *char != '\n').collect();
        let arguments = [node.into(), text.into(), BELIEVED_MS.to_string().into()];
        let told: Vec<String> = engine.run(&engine.scripts.announce, &arguments).await?;
        let told = told.chunks_exact(2);
        Ok(told
            .map(|told| Announcement {
                node: told[0].clone(),
                text: told[1].clone(),
            })
            .collect())
    }

    /// What all nodes tell of themselves.
    ///
    /// # Errors
    /// [`AllocatorError::Unavailable`].
    pub async fn announced(&self) -> Result<Vec<Announcement>, AllocatorError> {
        self.announce("", "").await
    }
}
