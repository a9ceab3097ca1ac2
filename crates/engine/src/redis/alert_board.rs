//! Which node tells people of what is wrong with all nodes.

use std::time::Duration;

use async_trait::async_trait;
use caller_id_core::AllocatorError;
use caller_id_core::alert_board::AlertBoard;

use super::RedisAllocator;
use super::step::Arguments;

/// What was told is kept for so long after it was written, in milliseconds: a week.
const KEPT_MS: u32 = 7 * 86_400_000;

#[async_trait]
impl AlertBoard for RedisAllocator {
    async fn lead_alerts(
        &self,
        node: &str,
        told: Option<&str>,
        lead: Duration,
    ) -> Result<Option<String>, AllocatorError> {
        let told = told.map(|told| format!("+{told}"));
        let arguments: Arguments = vec![
            node.into(),
            lead.as_millis().max(1).to_string().into(),
            told.unwrap_or_default().into(),
            KEPT_MS.to_string().into(),
        ];
        let engine = &self.engine;
        let told: Vec<String> = engine.run(&engine.scripts.lead_alerts, &arguments).await?;
        Ok(told.into_iter().next())
    }

    async fn leave_alerts(&self, node: &str) -> Result<(), AllocatorError> {
        let engine = &self.engine;
        let arguments = [node.into()];
        let _: i64 = engine.run(&engine.scripts.leave_alerts, &arguments).await?;
        Ok(())
    }
}
