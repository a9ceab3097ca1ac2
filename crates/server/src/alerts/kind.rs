//! What is told.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60_000;

/// What an alert is about. The words are those of the overview's `attention`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A pool has no free number.
    PoolExhausted,
    /// A pool has few free numbers, or soon none.
    PoolLow,
    /// The database takes no writes.
    StoreAway,
    /// Redis is away, or not whole.
    EngineAway,
    /// Redis is set as it must not be.
    EngineUnfit,
    /// The database is behind.
    OutboxLag,
    /// Events could not be read.
    OutboxAside,
    /// Somebody guesses tokens or keys.
    SignInAttack,
}

/// How bad it is. What is serious is told at any hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Somebody should look at it.
    Warning,
    /// Calls go without a number, or soon will.
    Serious,
}

/// How something ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It is well again.
    Well,
    /// A pool has no number left that could be free, and no campaign is left with it alone.
    Aside,
}

impl Severity {
    /// That of a word of the overview.
    pub fn of(word: &str) -> Self {
        match word {
            "serious" => Self::Serious,
            _ => Self::Warning,
        }
    }

    /// The word of the overview.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Serious => "serious",
        }
    }
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::PoolExhausted,
        Self::PoolLow,
        Self::StoreAway,
        Self::EngineAway,
        Self::EngineUnfit,
        Self::OutboxLag,
        Self::OutboxAside,
        Self::SignInAttack,
    ];

    /// The kind that goes by this word, where it is one of which alerts are made.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PoolExhausted => "pool_exhausted",
            Self::PoolLow => "pool_low",
            Self::StoreAway => "store_away",
            Self::EngineAway => "engine_away",
            Self::EngineUnfit => "engine_unfit",
            Self::OutboxLag => "outbox_lag",
            Self::OutboxAside => "outbox_aside",
            Self::SignInAttack => "sign_in_attack",
        }
    }

    /// Where it stands what to do.
    pub const fn runbook(self) -> &'static str {
        match self {
            Self::PoolExhausted | Self::PoolLow => "docs/runbook.md#no-number-is-free",
            Self::StoreAway => "docs/runbook.md#the-database-takes-no-writes",
            Self::OutboxLag => "docs/runbook.md#postgresql-is-away",
            Self::EngineAway => "docs/runbook.md#redis-is-away",
            Self::EngineUnfit => "docs/runbook.md#redis-is-set-as-it-must-not-be",
            Self::OutboxAside => "docs/alerts.md#what-is-told",
            Self::SignInAttack => "docs/runbook.md#a-key-leaked",
        }
    }

    /// Whether nodes that share their state share this, too: one of them tells it. What else there is each node tells.
    pub const fn is_shared(self) -> bool {
        match self {
            Self::PoolExhausted
            | Self::PoolLow
            | Self::EngineUnfit
            | Self::OutboxLag
            | Self::OutboxAside => true,
            Self::StoreAway | Self::EngineAway | Self::SignInAttack => false,
        }
    }

    /// For how many milliseconds it has to last before it is told.
    pub(super) const fn hold_ms(self) -> i64 {
        match self {
            Self::PoolExhausted | Self::StoreAway | Self::EngineAway => 20 * SECOND_MS,
            Self::PoolLow | Self::EngineUnfit | Self::OutboxLag | Self::OutboxAside => MINUTE_MS,
            Self::SignInAttack => 0,
        }
    }

    /// For how many milliseconds it has to be gone before it is over.
    pub(super) const fn calm_ms(self) -> i64 {
        match self {
            Self::PoolExhausted | Self::PoolLow => 5 * MINUTE_MS,
            Self::OutboxLag | Self::OutboxAside | Self::EngineUnfit => 2 * MINUTE_MS,
            Self::StoreAway | Self::EngineAway | Self::SignInAttack => MINUTE_MS,
        }
    }

    /// That it is over: why, of pools. `subject` as it may stand in a text.
    pub(super) fn over(self, subject: &str, end: End) -> String {
        match (self, end) {
            (Self::PoolExhausted | Self::PoolLow, End::Aside) => {
                format!(
                    "The pool {subject} has no active number any more, and is no campaign's only one."
                )
            }
            (Self::PoolExhausted, End::Well) => {
                format!("The pool {subject} has free numbers again.")
            }
            (Self::PoolLow, End::Well) => format!("The pool {subject} is no longer low."),
            (Self::StoreAway, _) => "The database takes writes again.".to_owned(),
            (Self::EngineAway, _) => {
                "Redis is there and whole again: numbers are handed out.".to_owned()
            }
            (Self::EngineUnfit, _) => "Redis is set as it should be again.".to_owned(),
            (Self::OutboxLag, _) => "The database has caught up with Redis.".to_owned(),
            (Self::OutboxAside, _) => "No events are set aside in Redis any more.".to_owned(),
            (Self::SignInAttack, _) => "Nobody guesses tokens or keys any more.".to_owned(),
        }
    }

    /// A text for a test.
    pub(super) const fn example(self) -> &'static str {
        match self {
            Self::PoolExhausted => "No number of the pool example is free.",
            Self::PoolLow => "9 of 100 numbers of the pool example are free.",
            Self::StoreAway => "The database takes no writes.",
            Self::EngineAway => "Redis is away.",
            Self::EngineUnfit => "Redis is set as it must not be.",
            Self::OutboxLag => "600000 events wait in Redis for the database.",
            Self::OutboxAside => "2 events could not be read.",
            Self::SignInAttack => "Somebody guesses tokens, from 203.0.113.9.",
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    /// # Errors
    /// Says what was expected.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::of(text.trim()).ok_or_else(|| {
            let all = Self::ALL.map(Self::as_str).join(", ");
            format!("expected one of {all}")
        })
    }
}
