//! What a Redis is like, as data: whoever sets it up judges it elsewhere.

use std::time::Duration;

use caller_id_core::AllocatorError;

use self::facts::Facts;
use self::measure::{Measured, measure};
use self::probe::probe;
use super::Settings;
use super::error::unavailable;
use super::keys::Keys;
use super::link::{Question, find};

mod facts;
mod measure;
pub(super) mod probe;

/// What the server that holds the tenant's keys says of itself, and how it answers. `None` everywhere: it does not tell,
/// as services that others run often do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Where it is. It always is a master: a replica is refused, by an error that names its master.
    pub address: String,
    /// How it was found.
    pub mode: Mode,
    /// Whose program it is.
    pub flavour: Flavour,
    /// The version of that program, such as `7.0.15`; empty when it does not tell.
    pub version: String,
    /// How many replicas follow it.
    pub replicas: Option<u32>,
    /// How many replicas must follow it or it refuses to write; 0: it does not need any.
    pub min_replicas_to_write: Option<u32>,
    /// Its memory.
    pub memory: Memory,
    /// What it keeps on disk.
    pub disk: Disk,
    /// How far its clock is ahead of ours; half a round trip is taken off. Negative: behind.
    pub clock_ahead_ms: i64,
    /// How long a round trip took.
    pub round_trip: RoundTrip,
    /// Whether a script runs there and may write the tenant's keys.
    pub writes: Writes,
}

/// How the server was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// At an address of the URL.
    Standalone,
    /// In a cluster, as the owner of the tenant's slot.
    Cluster,
    /// By what sentinels say.
    Sentinel,
}

/// Whose program a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flavour {
    /// Redis, or something that says it is.
    Redis,
    /// Valkey.
    Valkey,
    /// Another that speaks the same protocol: what it calls itself.
    Other(String),
}

/// The memory of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// In bytes, of what it holds.
    pub used: Option<u64>,
    /// In bytes, what it may use; 0: no bound.
    pub most: Option<u64>,
    /// What it does when it has no more: `noeviction`, or a policy that drops keys.
    pub policy: Option<String>,
}

/// What a server keeps on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Disk {
    /// Whether it writes each change to an append-only file.
    pub append_only: Option<bool>,
    /// When that is written through: `always`, `everysec`, `no`.
    pub append_fsync: Option<String>,
    /// Whether its last write to that file went well.
    pub append_ok: Option<bool>,
    /// Whether its last snapshot went well; also `true` when it never made one.
    pub snapshot_ok: Option<bool>,
}

/// How long round trips took, while nothing else was asked on that connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundTrip {
    /// The one in the middle.
    pub median: Duration,
    /// The longest.
    pub longest: Duration,
}

/// Whether a script may write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Writes {
    /// It wrote, read and removed one key of each type we use, under the tenant's name.
    Work,
    /// Scripts do not run at all: what the server says.
    NoScripts(String),
    /// A script runs, and may not write the tenant's keys: what the server says.
    Refused(String),
    /// This user may not run these commands, which our scripts or we call: `xadd`, `script|load`.
    Forbidden(Vec<String>),
}

/// Connects once, as an engine with these settings would, and asks.
///
/// # Errors
/// [`AllocatorError::Unavailable`] when the server cannot be found or stops answering; not when it forbids a question.
pub async fn inspect(settings: &Settings) -> Result<Inspection, AllocatorError> {
    let keys = Keys::of(&settings.tenant);
    let (mut server, mode) = find(settings, &keys).await.map_err(unavailable)?;
    let facts = Facts::ask(&mut server).await?;
    let Measured {
        clock_ahead_ms,
        round_trip,
    } = measure(&mut server).await?;
    let writes = probe(&mut server, &keys).await?;
    Ok(Inspection {
        address: server.address(),
        mode,
        flavour: facts.flavour(),
        version: facts.version(),
        replicas: facts.number("connected_slaves"),
        min_replicas_to_write: facts.setting_number("min-replicas-to-write"),
        memory: facts.memory(),
        disk: facts.disk(),
        clock_ahead_ms,
        round_trip,
        writes,
    })
}
