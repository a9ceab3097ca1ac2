//! What may go wrong between us and Redis.

use std::error::Error;
use std::sync::Arc;

use caller_id_core::AllocatorError;
use thiserror::Error;

/// Something in Redis is not what this program writes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("redis gave something this version cannot read: {0}")]
pub(super) struct Unreadable(pub(super) String);

/// Redis did not answer in time.
#[derive(Debug, Error)]
#[error("{at} did not answer within {ms} ms -> see whether it, or the network to it, is busy")]
pub(super) struct Late {
    pub(super) at: String,
    pub(super) ms: u128,
}

/// Redis answered that it does not do it.
#[derive(Debug, Error)]
#[error("{at} refuses: {error}")]
pub(super) struct Refused {
    pub(super) at: String,
    #[source]
    pub(super) error: redis::RedisError,
}

/// A step failed inside Redis.
#[derive(Debug, Error)]
#[error("redis did not do it: {0}")]
pub(super) struct Failed(pub(super) String);

/// Rights are missing.
#[derive(Debug, Error)]
#[error(
    "the user of REDIS_URL may not run {0}: give it the rights that stand in docs/redis-keys.md"
)]
pub(super) struct Forbidden(pub(super) String);

/// More cannot be read than is kept for another version.
#[derive(Debug, Error)]
#[error(
    "{events} events of the outbox cannot be read by this version, the first, at {place}, because {why}; no more than {most} are \
     set aside: start a node of the version that wrote them"
)]
pub(super) struct TooManyUnread {
    pub(super) events: usize,
    pub(super) place: String,
    pub(super) why: String,
    pub(super) most: u32,
}

/// A pool's local days are asked for again and again.
#[derive(Debug, Error)]
#[error("the local days of pool `{0}` are missing, though they were put")]
pub(super) struct NoDays(pub(super) String);

/// The state is not whole.
#[derive(Debug, Error)]
#[error("redis lost some of its state, which is being rebuilt from the store")]
pub(super) struct Lost;

/// The claim to rebuild is another's by now, or the state was lost once more.
#[derive(Debug, Error)]
#[error("another node rebuilds the state, or it was lost once more")]
pub(super) struct Superseded;

/// The engine's answer when Redis failed.
pub(super) fn unavailable(error: impl Error + Send + Sync + 'static) -> AllocatorError {
    AllocatorError::Unavailable(Arc::new(error))
}

impl From<Unreadable> for AllocatorError {
    fn from(error: Unreadable) -> Self {
        unavailable(error)
    }
}
