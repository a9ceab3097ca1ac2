//! What is wrong, since when, and what of it was told: decides what is told now. Pure: time comes in.
//!
//! Something is told when it has lasted, and once; again only when it gets worse, or still lasts after the time between two
//! repeats. It is over when it has been gone for a while: twice as long each time that it came back soon, so that what
//! flaps tells little. What comes together is told together, at most one message a minute of a kind.

use std::collections::{BTreeMap, BTreeSet};

use caller_id_core::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::kind::{End, Kind, Severity};
use super::message::{Item, State, Telling};
use super::plain::plain;

/// What was not told yet, and is gone for so long, never was, in milliseconds.
const FORGET_MS: i64 = 30_000;
/// The least time between two messages of a kind, in milliseconds.
const GATHER_MS: i64 = 60_000;
/// What comes back within so long flaps, in milliseconds; and the longest that it has to be gone.
const FLAPS_MS: i64 = 3_600_000;
/// So much is kept at most: an inventory has fewer pools.
const MOST: usize = 4_096;

/// Something that is wrong now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// Which pool; empty: the service.
    pub subject: String,
    /// How bad it is.
    pub severity: Severity,
    /// A sentence for people, fit for a chat program.
    pub text: String,
    /// The path of the page that shows more.
    pub link: String,
}

/// How a moment is.
pub struct Moment<'a> {
    /// Now.
    pub now: Timestamp,
    /// Only what is serious is told.
    pub quiet: bool,
    /// Whether anybody knows how it stands with a kind: what nobody knows stays as it is.
    pub known: &'a (dyn Fn(Kind) -> bool + Sync),
    /// Whether a pool has a free number.
    pub has_free: &'a (dyn Fn(&str) -> bool + Sync),
}

type Key = (Kind, String);

/// What is wrong, and what was told.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    entries: BTreeMap<Key, Entry>,
    /// What was over lately: when, and for how long it had to be gone.
    past: BTreeMap<Key, Past>,
    /// When a kind was told of last.
    last: BTreeMap<(Kind, State), Timestamp>,
    repeat_ms: Option<i64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    kind: Kind,
    subject: String,
    since: Timestamp,
    #[serde(default)]
    gone: Option<Timestamp>,
    #[serde(default)]
    told: Option<Told>,
    calm_ms: i64,
    #[serde(skip)]
    now: Option<(Severity, String, String)>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Told {
    at: Timestamp,
    severity: Severity,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Past {
    at: Timestamp,
    calm_ms: i64,
}

/// As it is kept where the next run, or the next node, finds it.
#[derive(Default, Serialize, Deserialize)]
struct Written {
    #[serde(default)]
    entries: Vec<Entry>,
    #[serde(default)]
    past: Vec<(Kind, String, Past)>,
}

impl Ledger {
    /// Nothing is wrong; what lasts is told again after so many milliseconds.
    pub fn new(repeat_ms: Option<i64>) -> Self {
        Self {
            repeat_ms,
            ..Self::default()
        }
    }

    /// What [`Ledger::written`] wrote; empty where that cannot be read.
    pub fn read(text: &str, repeat_ms: Option<i64>) -> Self {
        let written: Written = serde_json::from_str(text).unwrap_or_default();
        let key = |kind: Kind, subject: &str| (kind, subject.to_owned());
        let entries = written.entries.into_iter().take(MOST);
        let past = written.past.into_iter().take(MOST);
        Self {
            entries: entries
                .map(|entry| (key(entry.kind, &entry.subject), entry))
                .collect(),
            past: past
                .map(|(kind, subject, past)| ((kind, subject), past))
                .collect(),
            ..Self::new(repeat_ms)
        }
    }

    /// All that the next run has to know, as JSON. It changes only when something begins, ends, or is told.
    pub fn written(&self) -> String {
        let past = self.past.iter();
        let written = Written {
            entries: self.entries.values().cloned().collect(),
            past: past
                .map(|((kind, subject), past)| (*kind, subject.clone(), *past))
                .collect(),
        };
        serde_json::to_string(&written).expect("texts and numbers are JSON")
    }

    /// How many things are told and not over.
    pub fn firing(&self) -> usize {
        self.entries
            .values()
            .filter(|entry| entry.told.is_some())
            .count()
    }

    /// Takes what is wrong now, and gives what is to be told: the serious first.
    pub fn step(&mut self, moment: &Moment<'_>, found: Vec<Finding>) -> Vec<Telling> {
        self.note(moment, found);
        let mut told = self.over(moment);
        told.extend(
            Kind::ALL
                .into_iter()
                .filter_map(|kind| self.fire(moment, kind)),
        );
        told.sort_by_key(|telling| {
            (
                telling.state != State::Firing,
                std::cmp::Reverse(telling.severity),
            )
        });
        told
    }

    fn note(&mut self, moment: &Moment<'_>, found: Vec<Finding>) {
        let now = moment.now;
        let mut seen = BTreeSet::new();
        for finding in found {
            let key = (finding.kind, finding.subject.clone());
            seen.insert(key.clone());
            if !self.entries.contains_key(&key) {
                if self.entries.len() >= MOST {
                    continue;
                }
                let entry = self.begun(&key, now);
                self.entries.insert(key.clone(), entry);
            }
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.gone = None;
                entry.now = Some((finding.severity, finding.text, finding.link));
            }
        }
        for (key, entry) in &mut self.entries {
            let (kind, subject) = key;
            let is_worse =
                *kind == Kind::PoolLow && seen.contains(&(Kind::PoolExhausted, subject.clone()));
            if is_worse {
                entry.gone = None;
            } else if !seen.contains(key) && (moment.known)(*kind) {
                entry.gone.get_or_insert(now);
            }
        }
        let never = |entry: &Entry| {
            let gone = entry
                .gone
                .is_some_and(|gone| now.ms_since(gone) >= FORGET_MS);
            gone && entry.told.is_none()
        };
        self.entries.retain(|_, entry| !never(entry));
        self.past.retain(|_, past| now.ms_since(past.at) < FLAPS_MS);
    }

    /// Something begins. What was over a moment ago has to be gone for longer the next time.
    fn begun(&self, key: &Key, now: Timestamp) -> Entry {
        let (kind, subject) = key.clone();
        let before = self.past.get(key).map(|past| 2 * past.calm_ms);
        Entry {
            calm_ms: before.map_or(kind.calm_ms(), |ms| ms.min(FLAPS_MS)),
            kind,
            subject,
            since: now,
            gone: None,
            told: None,
            now: None,
        }
    }

    /// What was told, and is over.
    fn over(&mut self, moment: &Moment<'_>) -> Vec<Telling> {
        let now = moment.now;
        let is_over = |entry: &Entry| {
            let told = entry
                .told
                .is_some_and(|told| told.severity == Severity::Serious || !moment.quiet);
            let calm = entry
                .gone
                .is_some_and(|gone| now.ms_since(gone) >= entry.calm_ms);
            told && calm && (moment.known)(entry.kind)
        };
        let mut all = Vec::new();
        for kind in Kind::ALL {
            if self.told_lately(kind, State::Resolved, now) {
                continue;
            }
            let over = self
                .entries
                .values()
                .filter(|entry| entry.kind == kind && is_over(entry));
            let over: Vec<Entry> = over.cloned().collect();
            let worst = over
                .iter()
                .filter_map(|entry| entry.told)
                .map(|told| told.severity)
                .max();
            let Some(severity) = worst else {
                continue;
            };
            for entry in &over {
                let key = (entry.kind, entry.subject.clone());
                self.entries.remove(&key);
                let calm_ms = entry.calm_ms;
                self.past.insert(key, Past { at: now, calm_ms });
            }
            self.last.insert((kind, State::Resolved), now);
            all.push(Telling {
                kind,
                severity,
                state: State::Resolved,
                repeated: false,
                items: over.iter().map(|entry| entry.over(moment)).collect(),
            });
        }
        all
    }

    /// What of a kind is to be told now, if anything: what lasts and was told before is told again with it.
    fn fire(&mut self, moment: &Moment<'_>, kind: Kind) -> Option<Telling> {
        let now = moment.now;
        if self.told_lately(kind, State::Firing, now) {
            return None;
        }
        let here = self.entries.values().filter(|entry| entry.kind == kind);
        let here = here.filter(|entry| entry.lasts(moment.quiet) && !self.is_worse_told(entry));
        let (told, new): (Vec<&Entry>, Vec<&Entry>) = here.partition(|entry| !entry.is_news());
        let mut due: Vec<Key> = new
            .into_iter()
            .filter(|entry| now.ms_since(entry.since) >= kind.hold_ms())
            .map(Entry::key)
            .collect();
        let is_due = |entry: &&Entry| {
            let at = entry.told.map(|told| told.at);
            let ms = at.map_or(0, |at| now.ms_since(at));
            self.repeat_ms.is_some_and(|repeat_ms| ms >= repeat_ms)
        };
        let repeated = due.is_empty();
        if told.iter().any(is_due) {
            due.extend(told.into_iter().map(Entry::key));
        }
        if due.is_empty() {
            return None;
        }
        let mut items = Vec::new();
        let mut severity = None;
        for key in due {
            let entry = self.entries.get_mut(&key)?;
            let own = entry.severity()?;
            let worst = entry.told.map_or(own, |told| told.severity.max(own));
            entry.told = Some(Told {
                at: now,
                severity: worst,
            });
            severity = severity.max(Some(own));
            items.push(entry.item());
        }
        self.last.insert((kind, State::Firing), now);
        Some(Telling {
            kind,
            severity: severity?,
            state: State::Firing,
            repeated,
            items,
        })
    }

    /// A pool without any free number is not told to have few.
    fn is_worse_told(&self, entry: &Entry) -> bool {
        let worse = (Kind::PoolExhausted, entry.subject.clone());
        let worse = self.entries.get(&worse);
        entry.kind == Kind::PoolLow
            && worse.is_some_and(|worse| worse.gone.is_none() || worse.told.is_some())
    }

    fn told_lately(&self, kind: Kind, state: State, now: Timestamp) -> bool {
        let last = self.last.get(&(kind, state));
        last.is_some_and(|last| now.ms_since(*last) < GATHER_MS)
    }
}

impl Entry {
    fn key(&self) -> Key {
        (self.kind, self.subject.clone())
    }

    fn severity(&self) -> Option<Severity> {
        self.now.as_ref().map(|(severity, ..)| *severity)
    }

    /// Whether it is there, as far as known, and may be told now.
    fn lasts(&self, quiet: bool) -> bool {
        let severity = self.severity();
        self.gone.is_none()
            && severity.is_some_and(|severity| severity == Severity::Serious || !quiet)
    }

    /// Whether it was not told, or not as so bad.
    fn is_news(&self) -> bool {
        let told = self.told.map(|told| told.severity);
        told.is_none_or(|told| self.severity().is_some_and(|now| now > told))
    }

    fn over(&self, moment: &Moment<'_>) -> Item {
        let end = match self.subject.is_empty() || (moment.has_free)(&self.subject) {
            true => End::Well,
            false => End::Aside,
        };
        Item {
            text: self.kind.over(&plain(&self.subject), end),
            ..self.item()
        }
    }

    fn item(&self) -> Item {
        let (text, link) = self
            .now
            .clone()
            .map(|(_, text, link)| (text, link))
            .unwrap_or_default();
        let digest = Sha256::digest(format!(
            "{}\n{}\n{}",
            self.kind.as_str(),
            self.subject,
            self.since
        ));
        let incident = digest[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Item {
            incident,
            subject: self.subject.clone(),
            since: self.since,
            text,
            link,
        }
    }
}
