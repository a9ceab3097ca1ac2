//! Backups: everything a database has, as one file that either store is restored from (docs/adr/0020-backups.md).
//!
//! A file is two members of gzip. The first has lines of JSON: a [`Head`], the records part by part, an [`End`] with their counts.
//! The second, stored as it is and so of a known length, has the SHA-256 of all bytes before it: `zcat` shows it all.

pub mod folder;
mod line;
pub mod pack;
pub mod record;
mod ties;
pub mod unpack;

use std::fmt;
use std::io::Write;

use caller_id_core::Timestamp;
use flate2::{Compression, GzBuilder};
use serde::{Deserialize, Serialize};

use record::Part;

/// The form that this program writes, and the newest that it reads.
pub const FORMAT: u32 = 1;
/// Longest line, in bytes: an entry of the audit log of a large import has some megabytes.
pub const LINE_MOST: usize = 64 << 20;
/// Longest first line.
const HEAD_MOST: usize = 4 << 10;

/// What a backup says of itself before everything else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The form of the file. Its name is that by which a backup is known.
    #[serde(rename = "caller-id backup")]
    pub format: u32,
    /// The version of the program that wrote it.
    pub version: String,
    /// What kept the data.
    pub source: Kind,
    /// The version of its tables.
    pub schema: usize,
    /// When it was begun: all that was answered before is in it.
    #[serde(with = "record::instant")]
    pub at: Timestamp,
    /// How many numbers there are.
    pub numbers: u64,
}

/// What keeps data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgresql,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgresql => "PostgreSQL",
        })
    }
}

impl fmt::Display for Head {
    /// For people, on one line, whatever somebody wrote into the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "of {}, from {} with schema version {}, written by caller-id {}",
            self.at,
            self.source,
            self.schema,
            self.version.escape_debug()
        )
    }
}

/// How many records of each part a backup has. The last line of its content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// Pools.
    pub pools: u64,
    /// Numbers.
    pub numbers: u64,
    /// Campaigns.
    pub campaigns: u64,
    /// Calls of history, with how they ended.
    pub calls: u64,
    /// Deleted numbers.
    pub deleted: u64,
    /// API keys, revoked ones too.
    pub keys: u64,
    /// Sums by hour.
    pub hours: u64,
    /// Sums by day.
    pub days: u64,
    /// How far history is summed up: one.
    pub marks: u64,
    /// Entries of the audit log.
    pub entries: u64,
}

impl End {
    /// Counts one in.
    pub const fn count(&mut self, part: Part) {
        *self.of(part) += 1;
    }

    const fn of(&mut self, part: Part) -> &mut u64 {
        match part {
            Part::Pool => &mut self.pools,
            Part::Number => &mut self.numbers,
            Part::Campaign => &mut self.campaigns,
            Part::Call => &mut self.calls,
            Part::Deleted => &mut self.deleted,
            Part::Key => &mut self.keys,
            Part::Hour => &mut self.hours,
            Part::Day => &mut self.days,
            Part::Marks => &mut self.marks,
            Part::Entry => &mut self.entries,
        }
    }
}

/// The second member: the hash of all that comes before it.
fn seal(hash: [u8; 32]) -> Vec<u8> {
    let mut member = builder().write(Vec::new(), Compression::none());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let written = member.write_all(format!("{{\"sha256\":\"{hex}\"}}\n").as_bytes());
    written
        .and_then(|()| member.finish())
        .expect("memory takes all that is written")
}

/// Nothing in its head is of this machine or moment.
fn builder() -> GzBuilder {
    GzBuilder::new().mtime(0).operating_system(255)
}
