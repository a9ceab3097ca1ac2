//! What nodes tell one another of their jobs.

use async_trait::async_trait;
use caller_id_core::AllocatorError;
use caller_id_core::job_board::{JobAsked, JobBoard, JobStanding, JobTold, JobWord};

use super::RedisAllocator;
use super::step::Arguments;

/// A job is kept for so long after the last word of it, in milliseconds: a day.
const KEPT_MS: u32 = 86_400_000;
const RUNNING: &str = "running";
const ENDED: &str = "ended";

#[async_trait]
impl JobBoard for RedisAllocator {
    async fn tell_job(
        &self,
        word: &JobWord,
        most: usize,
        silent_ms: i64,
    ) -> Result<JobAsked, AllocatorError> {
        let standing = match word.standing {
            JobStanding::Running => RUNNING,
            JobStanding::Ended => ENDED,
        };
        let more = word.more.as_ref().map(|more| format!("+{more}"));
        let arguments: Arguments = vec![
            word.id.clone().into(),
            standing.into(),
            word.text.clone().into(),
            more.unwrap_or_default().into(),
            most.to_string().into(),
            silent_ms.to_string().into(),
            KEPT_MS.to_string().into(),
        ];
        let engine = &self.engine;
        let (to_end, is_new): (i64, i64) = engine.run(&engine.scripts.tell_job, &arguments).await?;
        Ok(JobAsked {
            to_end: to_end == 1,
            is_new: is_new == 1,
        })
    }

    async fn told_jobs(&self) -> Result<Vec<JobTold>, AllocatorError> {
        self.jobs_told("").await
    }

    async fn told_job(&self, id: &str) -> Result<Option<JobTold>, AllocatorError> {
        if id.is_empty() {
            return Ok(None);
        }
        Ok(self.jobs_told(id).await?.pop())
    }

    async fn end_job(&self, id: &str) -> Result<bool, AllocatorError> {
        let engine = &self.engine;
        let arguments = [id.into()];
        let is_there: i64 = engine.run(&engine.scripts.end_job, &arguments).await?;
        Ok(is_there == 1)
    }
}

impl RedisAllocator {
    async fn jobs_told(&self, id: &str) -> Result<Vec<JobTold>, AllocatorError> {
        let engine = &self.engine;
        let arguments = [id.into()];
        let told: Vec<String> = engine.run(&engine.scripts.told_jobs, &arguments).await?;
        let told = told.chunks_exact(4).map(|told| JobTold {
            standing: match told[0].as_str() {
                RUNNING => JobStanding::Running,
                _ => JobStanding::Ended,
            },
            ago_ms: told[1].parse().unwrap_or(i64::MAX),
            text: told[2].clone(),
            more: told[3].clone(),
        });
        Ok(told.collect())
    }
}
