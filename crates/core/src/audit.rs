//! Who changed what: an append-only log whose entries are chained by hash, so that a change in the past is found.

use std::fmt;
use std::net::IpAddr;

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use crate::number::PhoneNumber;
use crate::store::StoreError;
use crate::time::Timestamp;

/// Who changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// By what we know them.
    pub kind: AuthorKind,
    /// Their name: of the key, of the person, of the command. No secret, no more than 256 bytes.
    pub name: String,
    /// Where the request came from; none for a command on this machine.
    pub address: Option<IpAddr>,
}

impl Author {
    /// A command of ours on this machine, named by `command`.
    pub fn command(command: &str) -> Self {
        Self {
            kind: AuthorKind::Command,
            name: command.to_owned(),
            address: None,
        }
    }

    /// A migration that carries the audit log itself: what it writes is told there already, so stores make no entry for it.
    pub fn restoring() -> Self {
        Self::command(RESTORING)
    }

    /// Whether this is a migration or a restore, which copies what there was as it was.
    pub fn is_migration(&self) -> bool {
        let copies = |command: &str| self.name.starts_with(command);
        self.kind == AuthorKind::Command && COPYING.into_iter().any(copies)
    }

    /// Whether this is [`Author::restoring`].
    pub fn is_restoring(&self) -> bool {
        self.kind == AuthorKind::Command && self.name == RESTORING
    }
}

/// How the names of migrations and restores begin.
const COPYING: [&str; 2] = ["migrate", "restore"];
/// The name of who makes no entries.
const RESTORING: &str = "migrate, with the audit log";

/// By what an author is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorKind {
    /// The admin token of the settings.
    Token,
    /// An API key; the name is the key's.
    Key,
    /// A person: the name is what the JWT or the identity provider calls them.
    User,
    /// A command of ours on a machine that reaches the database.
    Command,
    /// The service itself.
    Service,
}

impl AuthorKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Token,
        Self::Key,
        Self::User,
        Self::Command,
        Self::Service,
    ];

    /// The word used in columns and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Key => "key",
            Self::User => "user",
            Self::Command => "command",
            Self::Service => "service",
        }
    }

    /// The kind of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for AuthorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that an author did, before it has its place in the log. None of its texts has the character U+0000: PostgreSQL
/// keeps none, and the entry would be refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// Who did it.
    pub author: Author,
    /// What: a thing and a verb, like `number.create`, `pool.put`, `key.revoke`, `session.begin`.
    pub action: String,
    /// To which thing: a number, the name of a pool, the id of a key; of many at once how many (`2000 numbers`).
    pub subject: String,
    /// What it was before, as JSON; none where there was nothing. Never a secret.
    pub before: Option<String>,
    /// What it is now, as JSON; none where there is nothing. Never a secret.
    pub after: Option<String>,
}

/// A hash of the log so far.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Link(pub [u8; 32]);

impl Link {
    /// What the first entry follows.
    pub const START: Self = Self([0; 32]);
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its place: the first is 1, and none is left out.
    pub place: i64,
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub event: AuditEvent,
    /// The hash of this entry and of all before it.
    pub link: Link,
}

impl AuditEntry {
    /// The entry that follows `previous`.
    pub fn following(previous: (i64, Link), at: Timestamp, event: AuditEvent) -> Self {
        let (place, before) = (previous.0 + 1, previous.1);
        let link = Self::link(before, place, at, &event);
        Self {
            place,
            at,
            event,
            link,
        }
    }

    /// Whether it follows an entry with the place and the hash `previous`, unchanged.
    pub fn follows(&self, previous: (i64, Link)) -> bool {
        self.place == previous.0 + 1
            && self.link == Self::link(previous.1, self.place, self.at, &self.event)
    }

    /// SHA-256 over the hash before and every field with its length, so that no field runs into the next.
    fn link(before: Link, place: i64, at: Timestamp, event: &AuditEvent) -> Link {
        let mut hash = Sha256::new();
        hash.update(before.0);
        hash.update(place.to_be_bytes());
        hash.update(at.as_ms().to_be_bytes());
        let address = event.author.address.map(|address| address.to_string());
        let fields = [
            Some(event.author.kind.as_str()),
            Some(&event.author.name),
            address.as_deref(),
            Some(&event.action),
            Some(&event.subject),
            event.before.as_deref(),
            event.after.as_deref(),
        ];
        for field in fields {
            // A field that is not there has a length that no field has.
            let length = field.map_or(u64::MAX, |text| text.len() as u64);
            hash.update(length.to_be_bytes());
            hash.update(field.unwrap_or_default());
        }
        Link(hash.finalize().into())
    }
}

/// Which entries are asked for. Nothing given: all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// By this author's name.
    pub author: Option<String>,
    /// Actions that begin with this: `number.` or `number.create`.
    pub action: Option<String>,
    /// To this very thing.
    pub subject: Option<String>,
    /// Made at this instant or later.
    pub since: Option<Timestamp>,
    /// Made before this instant.
    pub until: Option<Timestamp>,
}

/// So many entries of many numbers are looked into at once: one has up to some hundred kilobytes, and a database is to answer
/// within a second.
pub const MANY_AT_ONCE: usize = 100;

/// What in the text of an entry names a number.
pub fn mark_of(number: PhoneNumber) -> String {
    format!(r#""caller_id":"{number}""#)
}

/// Keeper of the audit log.
///
/// What implementers hold: entries are only ever added, one after the other, also where many nodes add them; a change of the
/// inventory or of keys and its entry are one transaction.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Adds an entry of something that is no change of the inventory or of keys.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is added then.
    async fn add(&self, event: AuditEvent) -> Result<(), StoreError>;

    /// The place and the hash of the last entry that was added; 0 and [`Link::START`] where none was. Whoever keeps them, or
    /// walks up to them, finds also entries that were taken off the end.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Unreadable`] where that is not known any more.
    async fn head(&self) -> Result<(i64, Link), StoreError>;

    /// The newest entries that are asked for, newest first, at most `most`, before the place `before` where it is given.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn newest(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        most: usize,
    ) -> Result<Vec<AuditEntry>, StoreError>;

    /// The newest entries that touched a number, newest first, at most `most`, before the place `before` where it is given, and of them
    /// those that `filter` asks for; its subject counts beside the number. Also of many numbers at once: of these a call looks
    /// into the next [`MANY_AT_ONCE`]. Tells before which place to go on; none: that was all.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn touching(
        &self,
        number: PhoneNumber,
        filter: &AuditFilter,
        before: Option<i64>,
        most: usize,
    ) -> Result<(Vec<AuditEntry>, Option<i64>), StoreError>;

    /// The next entries after the place `after`, oldest first, at most `most`; none: from the lowest place that there is, also
    /// where that is one that nobody wrote. Fewer are the last ones. For checking the chain.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn after(&self, after: Option<i64>, most: usize) -> Result<Vec<AuditEntry>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_and_restores_copy_and_no_other_command_does() {
        for (name, copies) in [
            ("migrate (maria)", true),
            ("restore (maria)", true),
            ("import (maria)", false),
        ] {
            assert_eq!(Author::command(name).is_migration(), copies, "{name}");
        }
        assert!(Author::restoring().is_migration());
        let key = Author {
            kind: AuthorKind::Key,
            ..Author::command("restore")
        };
        assert!(!key.is_migration(), "a key may have any name");
    }

    fn event(subject: &str, before: Option<&str>, after: Option<&str>) -> AuditEvent {
        AuditEvent {
            author: Author::command("import"),
            action: "number.create".to_owned(),
            subject: subject.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        }
    }

    fn log() -> Vec<AuditEntry> {
        let mut last = (0, Link::START);
        let events = ["a", "b", "c"].map(|subject| event(subject, None, Some("{}")));
        let entries = events.into_iter().enumerate().map(|(at, event)| {
            let entry = AuditEntry::following(last, Timestamp::from_ms(at as i64), event);
            last = (entry.place, entry.link);
            entry
        });
        entries.collect()
    }

    fn holds(log: &[AuditEntry]) -> bool {
        let mut last = (0, Link::START);
        log.iter().all(|entry| {
            let follows = entry.follows(last);
            last = (entry.place, entry.link);
            follows
        })
    }

    #[test]
    fn a_log_that_nobody_touched_holds() {
        assert!(holds(&log()));
    }

    #[test]
    fn whatever_is_changed_taken_out_or_moved_breaks_the_chain() {
        let changes: [fn(&mut Vec<AuditEntry>); 9] = [
            |log| log[1].event.subject.push('x'),
            |log| log[1].event.author.name = "somebody".to_owned(),
            |log| log[1].event.author.kind = AuthorKind::User,
            |log| log[1].event.author.address = Some(IpAddr::from([127, 0, 0, 1])),
            |log| log[1].at = Timestamp::from_ms(7),
            |log| log[1].event.after = None,
            |log| log[1].event.before = Some(String::new()),
            |log| drop(log.remove(1)),
            |log| log.swap(0, 1),
        ];
        for (place, change) in changes.iter().enumerate() {
            let mut log = log();
            change(&mut log);
            assert!(!holds(&log), "change {place}");
        }
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        let link = |event| AuditEntry::following((0, Link::START), Timestamp::ZERO, event).link;
        let (one, other) = (event("ab", None, Some("c")), event("a", None, Some("bc")));
        assert_ne!(link(one), link(other));
        assert_ne!(
            link(event("a", None, None)),
            link(event("a", Some(""), None))
        );
    }
}
