//! Where nodes agree on who of them tells people of what is wrong with all of them, and on what was told.

use std::time::Duration;

use async_trait::async_trait;

use crate::allocator::AllocatorError;

/// One node at a time leads: it alone tells of what all nodes share, and what it told is there for the next one.
#[async_trait]
pub trait AlertBoard: Send + Sync {
    /// Leads for `lead` from now on, unless another node does: then `None`. Gives what was told so far, empty where nothing
    /// was; `told` takes its place first, where it is given. `node` is no other process's.
    ///
    /// # Errors
    /// [`AllocatorError`]: nobody knows who leads.
    async fn lead_alerts(
        &self,
        node: &str,
        told: Option<&str>,
        lead: Duration,
    ) -> Result<Option<String>, AllocatorError>;

    /// Lets another node lead at once.
    ///
    /// # Errors
    /// [`AllocatorError`]: another one waits until the lead is over.
    async fn leave_alerts(&self, node: &str) -> Result<(), AllocatorError>;
}
