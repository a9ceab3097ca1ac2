use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use caller_id_core::job_board::{JobAsked, JobStanding, JobTold, JobWord};
use caller_id_core::{Clock, ManualClock, Timestamp};

use super::*;
use crate::jobs::{Ending, JobKind};
use crate::rows::{BadRow, Watcher, WriteMode};

/// What Redis keeps, in memory; it may be emptied, and be away.
struct Wall {
    clock: Arc<ManualClock>,
    jobs: Mutex<HashMap<String, Kept>>,
    away: Mutex<bool>,
}

#[derive(Clone)]
struct Kept {
    word: JobWord,
    more: String,
    heard: Timestamp,
    to_end: bool,
}

impl Wall {
    fn reached(&self) -> Result<(), AllocatorError> {
        match *self.away.lock().expect("whole") {
            true => Err(AllocatorError::Stopped),
            false => Ok(()),
        }
    }

    fn told(&self, kept: &Kept) -> JobTold {
        JobTold {
            standing: kept.word.standing,
            ago_ms: self.clock.now().ms_since(kept.heard),
            text: kept.word.text.clone(),
            more: kept.more.clone(),
        }
    }
}

#[async_trait]
impl JobBoard for Wall {
    async fn tell_job(&self, word: &JobWord, _: usize, _: i64) -> Result<JobAsked, AllocatorError> {
        self.reached()?;
        let mut jobs = self.jobs.lock().expect("whole");
        let before = jobs.get(&word.id).cloned();
        let more = before.as_ref().map(|before| before.more.clone());
        let to_end = before.as_ref().is_some_and(|before| before.to_end);
        let kept = Kept {
            word: word.clone(),
            more: word.more.clone().or(more).unwrap_or_default(),
            heard: self.clock.now(),
            to_end,
        };
        jobs.insert(word.id.clone(), kept);
        Ok(JobAsked {
            to_end,
            is_new: before.is_none(),
        })
    }

    async fn told_jobs(&self) -> Result<Vec<JobTold>, AllocatorError> {
        self.reached()?;
        let jobs = self.jobs.lock().expect("whole");
        let brief = |kept| JobTold {
            more: String::new(),
            ..self.told(kept)
        };
        Ok(jobs.values().map(brief).collect())
    }

    async fn told_job(&self, id: &str) -> Result<Option<JobTold>, AllocatorError> {
        self.reached()?;
        let jobs = self.jobs.lock().expect("whole");
        Ok(jobs.get(id).map(|kept| self.told(kept)))
    }

    async fn end_job(&self, id: &str) -> Result<bool, AllocatorError> {
        self.reached()?;
        let mut jobs = self.jobs.lock().expect("whole");
        let job = jobs.get_mut(id).map(|kept| kept.to_end = true);
        Ok(job.is_some())
    }
}

struct Cluster {
    clock: Arc<ManualClock>,
    wall: Arc<Wall>,
    one: Jobs,
    other: Jobs,
}

impl Cluster {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_ms(1_795_348_800_000)));
        let wall = Arc::new(Wall {
            clock: clock.clone(),
            jobs: Mutex::default(),
            away: Mutex::default(),
        });
        let node = || Jobs::new(clock.clone(), CancellationToken::new(), Some(wall.clone()));
        Self {
            one: node(),
            other: node(),
            clock,
            wall,
        }
    }

    async fn tell(&self) {
        let told = self.one.tell_all(&*self.wall).await;
        told.expect("it is there");
    }

    async fn seen(&self, id: Uuid) -> JobShown {
        let found = self.other.find(id).await.expect("it is there");
        found.expect("the other node knows it")
    }
}

fn bad_row(line: u64) -> BadRow {
    BadRow {
        line,
        caller_id: "x".to_owned(),
        reason: "it is none".to_owned(),
    }
}

#[tokio::test]
async fn a_job_is_followed_and_cancelled_through_another_node() {
    let cluster = Cluster::new();
    let running = cluster.one.begin(JobKind::Import, "ann", WriteMode::Write);
    let running = running.expect("there is room");
    let (job, id) = (running.job().clone(), running.job().id);
    assert_eq!(cluster.other.find(id).await.expect("there"), None);
    cluster.one.tell(&job).await;
    assert_eq!(cluster.seen(id).await, JobShown::whole(&job));

    job.progress().bad_row(bad_row(2));
    job.progress().tally.added = 7;
    cluster.tell().await;
    assert_eq!(cluster.seen(id).await, JobShown::whole(&job));
    let (listed, all_nodes) = cluster.other.everywhere().await;
    assert_eq!((listed.len(), all_nodes), (1, true));
    assert_eq!(listed[0], JobShown::brief(&job));

    let cancelled = cluster.other.cancel(id).await.expect("there");
    assert!(cancelled.is_some() && !job.is_cancelled());
    cluster.tell().await;
    assert!(job.is_cancelled());
    running.end(Ending::Cancelled);
    cluster.tell().await;
    assert_eq!(
        cluster.seen(id).await.progress.ending,
        Some(Ending::Cancelled)
    );
    // It ended: no silence makes it something else.
    cluster.clock.advance_ms(60_000);
    assert_eq!(cluster.seen(id).await, JobShown::whole(&job));
}

#[tokio::test]
async fn a_job_whose_node_falls_silent_was_interrupted_when_it_was_last_heard_of() {
    let cluster = Cluster::new();
    let running = cluster.one.begin(JobKind::Bulk, "ann", WriteMode::Write);
    let running = running.expect("there is room");
    let id = running.job().id;
    running.job().progress().changed = 5;
    cluster.clock.advance_ms(2_000);
    cluster.tell().await;
    let heard = cluster.clock.now();
    cluster.clock.advance_ms(5_000);
    assert!(cluster.seen(id).await.is_running());
    cluster.clock.advance_ms(1);
    let seen = cluster.seen(id).await.progress;
    assert_eq!(
        (seen.ending, seen.ended_at),
        (Some(Ending::Interrupted), Some(heard))
    );
    assert_eq!(seen.changed, 5);
    // It was only cut off.
    cluster.tell().await;
    assert!(cluster.seen(id).await.is_running());
}

#[tokio::test]
async fn what_the_wall_lost_is_told_again_with_the_bad_rows() {
    let cluster = Cluster::new();
    let running = cluster.one.begin(JobKind::Import, "ann", WriteMode::Write);
    let running = running.expect("there is room");
    let job = running.job().clone();
    job.progress().bad_row(bad_row(2));
    cluster.tell().await;
    cluster.wall.jobs.lock().expect("whole").clear();
    cluster.tell().await;
    assert_eq!(cluster.seen(job.id).await, JobShown::whole(&job));
}

#[tokio::test]
async fn a_node_that_reaches_nobody_shows_its_own_and_says_so() {
    let cluster = Cluster::new();
    let running = cluster.one.begin(JobKind::Bulk, "ann", WriteMode::Write);
    let id = running.as_ref().expect("there is room").job().id;
    cluster.tell().await;
    *cluster.wall.away.lock().expect("whole") = true;
    let (listed, all_nodes) = cluster.one.everywhere().await;
    assert_eq!((listed.len(), all_nodes), (1, false));
    assert!(
        cluster
            .one
            .find(id)
            .await
            .is_ok_and(|found| found.is_some())
    );
    assert!(cluster.other.find(id).await.is_err());
    assert!(cluster.other.cancel(id).await.is_err());
}

#[tokio::test]
async fn the_end_of_a_job_that_could_not_be_told_is_told_later() {
    let cluster = Cluster::new();
    let running = cluster.one.begin(JobKind::Bulk, "ann", WriteMode::Write);
    let running = running.expect("there is room");
    let id = running.job().id;
    cluster.tell().await;
    *cluster.wall.away.lock().expect("whole") = true;
    running.end(Ending::Done);
    assert!(cluster.one.tell_all(&*cluster.wall).await.is_err());
    *cluster.wall.away.lock().expect("whole") = false;
    cluster.tell().await;
    let kept = cluster.wall.jobs.lock().expect("whole")[&id.to_string()].clone();
    assert_eq!(kept.word.standing, JobStanding::Ended);
}
