//! Walks the audit log and tells whether it holds: a change in the past breaks the chain of its hashes.

use std::str::FromStr;

use caller_id_core::audit::{AuditEntry, AuditFilter, Link};
use caller_id_core::{AuditLog, StoreError, text};

/// So many entries are read at once: one of a large import has some hundred kilobytes.
const AT_ONCE: usize = 100;

/// A place of the log and the hash that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The place.
    pub place: i64,
    /// The hash of the entry there and of all before it.
    pub link: Link,
}

impl Head {
    /// Before the first entry.
    pub const START: Self = Self {
        place: 0,
        link: Link::START,
    };

    /// Where an entry stands.
    pub const fn of(entry: &AuditEntry) -> Self {
        Self {
            place: entry.place,
            link: entry.link,
        }
    }
}

impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.place, self.link)
    }
}

impl FromStr for Head {
    type Err = String;

    /// Reads what `Display` writes.
    ///
    /// # Errors
    /// Says what was given and what was expected.
    fn from_str(given: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{}` is no head of an audit log, expected PLACE:HASH, as `caller-id audit verify` prints it",
                text::shown(given)
            )
        };
        let (place, hash) = given.trim().split_once(':').ok_or_else(wrong)?;
        let place: i64 = place.parse().map_err(|_| wrong())?;
        if place < 0 || hash.len() != 64 || !hash.is_ascii() {
            return Err(wrong());
        }
        let mut link = [0; 32];
        for (byte, pair) in link.iter_mut().zip(hash.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        Ok(Self {
            place,
            link: Link(link),
        })
    }
}

/// What a walk found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Every entry follows the one before.
    Whole {
        /// How many were looked at.
        entries: u64,
        /// The last one.
        head: Head,
    },
    /// It does not hold.
    Broken {
        /// How many entries before that place hold.
        entries: u64,
        /// The first place that is not as it was written.
        place: i64,
        /// What is wrong there.
        why: String,
    },
}

/// Walks from behind `start` to the end. What the log said was its end when the walk began, and `kept`, which somebody kept
/// elsewhere, must be passed on the way.
///
/// # Errors
/// [`StoreError`] when the log cannot be read; an entry that nobody can read is a broken place.
pub async fn walk(
    log: &dyn AuditLog,
    start: Head,
    kept: Option<Head>,
) -> Result<Found, StoreError> {
    let (end, no_end) = known_end(log).await?;
    let other_end = "the end of the log is not what it was when it was written";
    let mut marks: Vec<_> = end.map(|end| (end, other_end)).into_iter().collect();
    marks.extend(kept.map(|kept| (kept, "it is not what was there when that head was kept")));
    let mut walk = Walk {
        last: start,
        entries: 0,
        marks,
    };
    if let Some(broken) = walk.compare() {
        return Ok(broken);
    }
    if let Some(broken) = before_all(log, &walk).await? {
        return Ok(broken);
    }
    let mut most = AT_ONCE;
    loop {
        let page = match log.after(Some(walk.last.place), most).await {
            Ok(page) => page,
            // One of them: which, is seen by reading one at a time.
            Err(StoreError::Unreadable(_)) if most > 1 => {
                most = 1;
                continue;
            }
            Err(StoreError::Unreadable(why)) => return Ok(walk.broken(walk.last.place + 1, why)),
            Err(error) => return Err(error),
        };
        if page.is_empty() {
            break;
        }
        for entry in &page {
            if let Some(broken) = walk.step(entry) {
                return Ok(broken);
            }
        }
    }
    if let Some(why) = no_end {
        return Ok(walk.broken(walk.last.place + 1, why));
    }
    // An entry and the end that it makes are one transaction: whoever saw the one must see the other.
    let (end, _) = known_end(log).await?;
    match end.filter(|end| end.place < walk.last.place) {
        Some(end) => {
            let why = format!("the log ends at {}, and the entry is behind it", end.place);
            Ok(walk.broken(end.place + 1, why))
        }
        None => Ok(walk.end()),
    }
}

/// The end of the log, or why nobody knows it.
async fn known_end(log: &dyn AuditLog) -> Result<(Option<Head>, Option<String>), StoreError> {
    match log.head().await {
        Ok((place, link)) => Ok((Some(Head { place, link }), None)),
        Err(StoreError::Unreadable(why)) => Ok((None, Some(why))),
        Err(error) => Err(error),
    }
}

/// An entry at a place where none can be: the first is 1.
async fn before_all(log: &dyn AuditLog, walk: &Walk) -> Result<Option<Found>, StoreError> {
    let lowest = match log.after(None, 1).await {
        Ok(lowest) => lowest,
        Err(StoreError::Unreadable(why)) => return Ok(Some(walk.broken(1, why))),
        Err(error) => return Err(error),
    };
    let forged = lowest.first().filter(|entry| entry.place < 1);
    Ok(forged.map(|entry| {
        let why = "an entry is before the first, whose place is 1".to_owned();
        walk.broken(entry.place, why)
    }))
}

/// Walks through the last entries, at most `most` of them; what is before them is taken for good.
///
/// # Errors
/// As [`walk`].
pub async fn walk_end(log: &dyn AuditLog, most: u32) -> Result<Found, StoreError> {
    let end = match known_end(log).await? {
        (Some(end), _) => end.place,
        (None, why) => {
            return Ok(Found::Broken {
                entries: 0,
                place: 1,
                why: why.unwrap_or_default(),
            });
        }
    };
    let behind = end - i64::from(most) + 1;
    let last_trusted = log.newest(&AuditFilter::default(), Some(behind), 1).await?;
    let start = last_trusted.first().map_or(Head::START, Head::of);
    walk(log, start, None).await
}

struct Walk {
    last: Head,
    entries: u64,
    marks: Vec<(Head, &'static str)>,
}

impl Walk {
    fn step(&mut self, entry: &AuditEntry) -> Option<Found> {
        let next = self.last.place + 1;
        if entry.place != next {
            return Some(self.broken(next, "the entry is missing".to_owned()));
        }
        if !entry.follows((self.last.place, self.last.link)) {
            let why = "the entry, or its hash, is not what was written".to_owned();
            return Some(self.broken(next, why));
        }
        self.last = Head::of(entry);
        self.entries += 1;
        self.compare()
    }

    /// Whether it is at a place whose hash is known otherwise.
    fn compare(&self) -> Option<Found> {
        let last = self.last;
        let differs = |(mark, _): &&(Head, _)| mark.place == last.place && mark.link != last.link;
        let (_, why) = self.marks.iter().find(differs)?;
        Some(self.broken(last.place, (*why).to_owned()))
    }

    fn end(&self) -> Found {
        let gone = |(mark, _): &&(Head, _)| mark.place > self.last.place;
        match self.marks.iter().find(gone) {
            Some((mark, _)) => self.broken(
                self.last.place + 1,
                format!("the entries up to {} are missing", mark.place),
            ),
            None => Found::Whole {
                entries: self.entries,
                head: self.last,
            },
        }
    }

    fn broken(&self, place: i64, why: String) -> Found {
        Found::Broken {
            entries: self.entries,
            place,
            why,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_reads_back_what_it_prints() {
        let head = Head {
            place: 7,
            link: Link([0xab; 32]),
        };
        assert_eq!(head.to_string().parse(), Ok(head));
        let hash = "0".repeat(64);
        for wrong in [
            "",
            "7",
            "7:ab",
            &format!("-1:{hash}"),
            &format!("x:{hash}"),
            &format!("1:é{}", &hash[2..]),
        ] {
            assert!(wrong.parse::<Head>().is_err(), "{wrong}");
        }
    }
}
