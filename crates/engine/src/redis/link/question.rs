//! Questions to the server outside the link: each has its answer in time, and a refusal is an answer.

use redis::{Cmd, ErrorKind, FromRedisValue, Value};

use super::super::Settings;
use super::super::inspect::Mode;
use super::super::keys::Keys;
use super::dial::Dialer;
use super::error::{BadAddress, Unreachable};
use super::find::{Finder, Found};

/// A connection of its own to the server that holds the tenant's keys.
pub(in crate::redis) struct Question {
    found: Found,
    dialer: Dialer,
}

/// What came of a question.
pub(in crate::redis) enum Told<T> {
    /// The answer.
    Answered(T),
    /// The server does not do that, or not for us: what it says.
    Refused(String),
}

/// Why there was no question.
#[derive(Debug, thiserror::Error)]
pub(in crate::redis) enum NotFound {
    /// The settings name no server.
    #[error(transparent)]
    BadAddress(#[from] BadAddress),
    /// It cannot be reached.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
}

/// Looks once for the server, as the link does.
pub(in crate::redis) async fn find(
    settings: &Settings,
    keys: &Keys,
) -> Result<(Question, Mode), NotFound> {
    let (mut finder, _) = Finder::of(settings, keys)?;
    let found = finder.find().await?;
    let mode = match (finder.asks_sentinels(), found.greeting.cluster) {
        (true, _) => Mode::Sentinel,
        (false, true) => Mode::Cluster,
        (false, false) => Mode::Standalone,
    };
    let dialer = finder.into_dialer();
    Ok((Question { found, dialer }, mode))
}

impl Question {
    /// Where the server is.
    pub(in crate::redis) fn address(&self) -> String {
        self.found.node.to_string()
    }

    /// The answer to a command, or that it was refused.
    pub(in crate::redis) async fn tell<T: FromRedisValue>(
        &mut self,
        command: &Cmd,
    ) -> Result<Told<T>, Unreachable> {
        let Found {
            node, connection, ..
        } = &mut self.found;
        let answer = command.query_async::<Value>(connection);
        let refused = |kind| matches!(kind, ErrorKind::Server(_) | ErrorKind::Extension);
        match self.dialer.within(node, answer).await {
            Ok(value) => match redis::from_redis_value(value) {
                Ok(answer) => Ok(Told::Answered(answer)),
                Err(error) => Ok(Told::Refused(error.to_string())),
            },
            Err(Unreachable::Refused { error, .. }) if refused(error.kind()) => {
                Ok(Told::Refused(error.to_string()))
            }
            Err(error) => Err(error),
        }
    }

    /// The answer to a command; none when it was refused.
    pub(in crate::redis) async fn ask<T: FromRedisValue>(
        &mut self,
        command: &Cmd,
    ) -> Result<Option<T>, Unreachable> {
        Ok(match self.tell(command).await? {
            Told::Answered(answer) => Some(answer),
            Told::Refused(_) => None,
        })
    }

    /// The answer to a command without which nothing works.
    pub(in crate::redis) async fn must<T: FromRedisValue>(
        &mut self,
        command: &Cmd,
    ) -> Result<T, Unreachable> {
        match self.tell(command).await? {
            Told::Answered(answer) => Ok(answer),
            Told::Refused(what) => Err(Unreachable::Unusable {
                at: self.found.at.clone(),
                what,
            }),
        }
    }
}
