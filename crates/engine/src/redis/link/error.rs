//! Why there is no link. No message holds a password.

use redis::RedisError;
use thiserror::Error;

/// Settings that name no server.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadAddress {
    /// The address is none: what is wrong with it, without a password.
    #[error(
        "{0}. Expected is redis://[user:password@]host[:port][,host[:port]...][/database], \
     rediss:// for TLS, unix:///path[?db=database&user=...&pass=...], or \
     redis-sentinel://[user:password@]host[:port][,...][/database]?master=name[&sentinel_user=...][&sentinel_password=...], \
     rediss-sentinel:// for TLS; in user and password stand %40 for @, %3A for :, %2F for /, %3F for ?, %23 for #, %25 for %"
    )]
    Url(String),
    /// The file of those who may sign certificates is none.
    #[error("{file} {why}: expected a file with certificates in PEM form")]
    Authority {
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
}

/// Redis cannot be reached, or what was reached is not what holds our keys.
#[derive(Debug, Clone, Error)]
pub(in crate::redis) enum Unreachable {
    /// The first attempt is not over.
    #[error("redis at {0} has not been reached yet")]
    NotYet(String),
    /// No connection, or it was refused.
    #[error("{at} cannot be reached: {error}")]
    Refused {
        /// What was tried.
        at: String,
        /// What came of it.
        #[source]
        error: RedisError,
    },
    /// It says why it lets nobody in.
    #[error("{at} does not let us in: {what}")]
    TurnedAway {
        /// What was tried.
        at: String,
        /// What it says.
        what: String,
    },
    /// It took too long to say who it is.
    #[error("{at} cannot be reached: no answer within {ms} ms")]
    Late {
        /// What was tried.
        at: String,
        /// How long it was waited.
        ms: u128,
    },
    /// It follows another server.
    #[error("{at} is a replica of {of}, the master is expected")]
    Replica {
        /// What was reached.
        at: String,
        /// Whom it follows.
        of: String,
    },
    /// It says something about itself that is not understood.
    #[error("{at} cannot be used: {what}")]
    Unusable {
        /// What was reached.
        at: String,
        /// What is missing or wrong.
        what: String,
    },
    /// Sentinels do not tell where the master is.
    #[error("no sentinel tells where the master `{master}` is: {why}")]
    NoMaster {
        /// Its name.
        master: String,
        /// What each of them said.
        why: String,
    },
    /// There was a link.
    #[error("the link to {at} was lost: {why} -> see that it runs there, and its log")]
    Lost {
        /// Where it was.
        at: String,
        /// What ended it.
        why: String,
    },
    /// One of these, and what to do about it.
    #[error("{why} -> {advice}")]
    Advised {
        /// What is wrong.
        why: Box<Unreachable>,
        /// What to do, and with which setting.
        advice: String,
    },
    /// None of several.
    #[error("{}", all(.0))]
    Several(Vec<Unreachable>),
}

fn all(reasons: &[Unreachable]) -> String {
    let reasons: Vec<_> = reasons.iter().map(Unreachable::to_string).collect();
    reasons.join("; ")
}
