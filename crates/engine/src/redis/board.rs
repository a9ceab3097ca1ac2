//! What people are shown on every node, whichever it happened on.

use async_trait::async_trait;
use caller_id_core::AllocatorError;
use caller_id_core::shared::Board;

use super::RedisAllocator;
use super::step::Arguments;

/// Lines of one script: while it runs nobody is given a number.
const LINES_AT_ONCE: usize = 100;

#[async_trait]
impl Board for RedisAllocator {
    async fn post(&self, lines: Vec<String>, most: usize) -> Result<(), AllocatorError> {
        let engine = &self.engine;
        for some in lines.chunks(LINES_AT_ONCE) {
            let mut arguments: Arguments = vec![most.to_string().into()];
            arguments.extend(some.iter().map(|line| line.as_bytes().to_vec()));
            let _: i64 = engine.run(&engine.scripts.post, &arguments).await?;
        }
        Ok(())
    }

    async fn posted(&self, most: usize) -> Result<Vec<String>, AllocatorError> {
        let engine = &self.engine;
        let arguments = [most.to_string().into()];
        engine.run(&engine.scripts.posted, &arguments).await
    }
}
