//! Where nodes tell one another of long work, so that each of them shows all of it and can end it.

use async_trait::async_trait;

use crate::allocator::AllocatorError;

/// Whether work goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobStanding {
    /// It does, as far as its node knows.
    Running,
    /// It has ended.
    Ended,
}

/// What a node says of a job of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobWord {
    /// Which job: letters, digits and hyphens.
    pub id: String,
    /// Whether it goes on.
    pub standing: JobStanding,
    /// How far it is.
    pub text: String,
    /// What is long and changes seldom; none: as it was.
    pub more: Option<String>,
}

/// What is to be known by the node that runs a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobAsked {
    /// Somebody asked for its end.
    pub to_end: bool,
    /// Nothing was known of it before: what is long has to be said again, if it was left out.
    pub is_new: bool,
}

/// A job, as its node told of it last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobTold {
    /// Whether it went on then.
    pub standing: JobStanding,
    /// How long ago that was, in milliseconds.
    pub ago_ms: i64,
    /// How far it was.
    pub text: String,
    /// What is long, where one job was asked for.
    pub more: String,
}

/// Where nodes tell one another of their jobs. What is there may be lost; a job is forgotten a day after the last word of it.
#[async_trait]
pub trait JobBoard: Send + Sync {
    /// Says how far a job is. Of all nodes the latest `most` jobs are kept, and besides those that go on; a job of which nobody
    /// said anything for `silent_ms` does not go on.
    ///
    /// # Errors
    /// [`AllocatorError`].
    async fn tell_job(
        &self,
        word: &JobWord,
        most: usize,
        silent_ms: i64,
    ) -> Result<JobAsked, AllocatorError>;

    /// The jobs of all nodes, in no certain order, without what is long.
    ///
    /// # Errors
    /// [`AllocatorError`].
    async fn told_jobs(&self) -> Result<Vec<JobTold>, AllocatorError>;

    /// The job of that id.
    ///
    /// # Errors
    /// [`AllocatorError`].
    async fn told_job(&self, id: &str) -> Result<Option<JobTold>, AllocatorError>;

    /// Asks the node that runs that job to end it: it learns that when it next tells of it. `false`: no job has that id.
    ///
    /// # Errors
    /// [`AllocatorError`].
    async fn end_job(&self, id: &str) -> Result<bool, AllocatorError>;
}
