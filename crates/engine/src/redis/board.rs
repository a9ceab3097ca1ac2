//! What people are shown on every node, whichever it happened on.

use std::ops::Range;

use async_trait::async_trait;
use caller_id_core::AllocatorError;
use caller_id_core::shared::{Board, BoardList};

use super::step::Arguments;
use super::{RedisAllocator, keys};

/// What was counted is kept for so long, in milliseconds: an hour and a minute.
const COUNTS_KEPT_MS: u32 = 3_660_000;
/// Steps of one script that writes: each is a key of its own.
const STEPS_AT_ONCE: usize = 50;
/// Steps of one script that reads.
const STEPS_READ_AT_ONCE: i64 = 500;

/// Lines of one script: while it runs nobody is given a number.
const LINES_AT_ONCE: usize = 100;

#[async_trait]
impl Board for RedisAllocator {
    async fn post(
        &self,
        list: BoardList,
        lines: Vec<String>,
        most: usize,
    ) -> Result<(), AllocatorError> {
        let engine = &self.engine;
        for some in lines.chunks(LINES_AT_ONCE) {
            let mut arguments: Arguments = vec![name(list).into(), most.to_string().into()];
            arguments.extend(some.iter().map(|line| line.as_bytes().to_vec()));
            let _: i64 = engine.run(&engine.scripts.post, &arguments).await?;
        }
        Ok(())
    }

    async fn posted(&self, list: BoardList, most: usize) -> Result<Vec<String>, AllocatorError> {
        let engine = &self.engine;
        let arguments = [name(list).into(), most.to_string().into()];
        engine.run(&engine.scripts.posted, &arguments).await
    }

    async fn tell_counts(
        &self,
        node: &str,
        counts: &[(i64, String)],
    ) -> Result<(), AllocatorError> {
        let engine = &self.engine;
        for some in counts.chunks(STEPS_AT_ONCE) {
            let mut arguments: Arguments =
                vec![COUNTS_KEPT_MS.to_string().into(), node.as_bytes().to_vec()];
            for (step, counted) in some {
                arguments.extend([step.to_string().into(), counted.as_bytes().to_vec()]);
            }
            let _: i64 = engine.run(&engine.scripts.tell_counts, &arguments).await?;
        }
        Ok(())
    }

    async fn told_counts(
        &self,
        steps: Range<i64>,
    ) -> Result<Vec<Vec<(String, String)>>, AllocatorError> {
        let engine = &self.engine;
        let mut told = Vec::new();
        let mut first = steps.start;
        while first < steps.end {
            let most = (steps.end - first).min(STEPS_READ_AT_ONCE);
            let arguments = [first.to_string().into(), most.to_string().into()];
            let some: Vec<String> = engine.run(&engine.scripts.told_counts, &arguments).await?;
            told.extend(some.iter().map(|lines| nodes(lines)));
            first += most;
        }
        Ok(told)
    }
}

const fn name(list: BoardList) -> &'static str {
    match list {
        BoardList::Requests => keys::REQUESTS,
        BoardList::Refusals => keys::REFUSALS,
    }
}

/// A line of each node: its name, a blank, and what it counted.
fn nodes(lines: &str) -> Vec<(String, String)> {
    let lines = lines.lines().filter_map(|line| line.split_once(' '));
    lines
        .map(|(node, counted)| (node.to_owned(), counted.to_owned()))
        .collect()
}
