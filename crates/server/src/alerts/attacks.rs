//! Who guesses: told once in a while, with all addresses that did meanwhile.

use std::collections::BTreeMap;

use caller_id_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::kind::{Kind, Severity};
use super::message::{Item, State, Telling};
use super::plain::plain;
use crate::auth::attempts::{Attack, Door, Taken};

/// So often at most where nothing is told again.
const APART_MS: i64 = 3_600_000;
/// So many addresses are named.
const NAMED_MOST: usize = 5;
/// So many are remembered until they are told.
const KEPT_MOST: usize = 256;

/// Guesses that are still to be told.
#[derive(Debug, Clone, Default)]
pub(super) struct Attacks {
    since: Option<Timestamp>,
    /// By address and door, with an account.
    places: BTreeMap<Place, Option<String>>,
    more: u64,
    told: Option<Timestamp>,
}

/// Address and door, as they are told.
type Place = (String, String);

/// As they are kept where the next run finds them.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Written {
    since: Option<Timestamp>,
    places: Vec<(Place, Option<String>)>,
    more: u64,
    told: Option<Timestamp>,
}

impl Attacks {
    /// What [`Attacks::written`] wrote; none where that cannot be read.
    pub(super) fn read(text: &str) -> Self {
        let written: Written = serde_json::from_str(text).unwrap_or_default();
        Self {
            since: written.since,
            places: written.places.into_iter().take(KEPT_MOST).collect(),
            more: written.more,
            told: written.told,
        }
    }

    /// All that the next run has to know, as JSON.
    pub(super) fn written(&self) -> String {
        let written = Written {
            since: self.since,
            places: self.places.clone().into_iter().collect(),
            more: self.more,
            told: self.told,
        };
        serde_json::to_string(&written).expect("texts and numbers are JSON")
    }

    /// Takes what was noticed.
    pub(super) fn note(&mut self, now: Timestamp, taken: Taken) {
        if taken.attacks.is_empty() && taken.more == 0 {
            return;
        }
        self.since.get_or_insert(now);
        self.more += taken.more;
        for attack in taken.attacks {
            let (place, account) = named(&attack);
            let is_new = !self.places.contains_key(&place);
            if is_new && self.places.len() >= KEPT_MOST {
                self.more += 1;
                continue;
            }
            self.places.insert(place, account);
        }
    }

    /// What is to be told now, if anything.
    pub(super) fn due(
        &mut self,
        now: Timestamp,
        quiet: bool,
        repeat_ms: Option<i64>,
    ) -> Option<Telling> {
        let apart_ms = repeat_ms.unwrap_or(APART_MS);
        // The clock may have been wrong: what was told later than now does not count.
        let lately = self
            .told
            .is_some_and(|told| (0..apart_ms).contains(&now.ms_since(told)));
        if quiet || lately {
            return None;
        }
        let since = self.since.take()?;
        self.told = Some(now);
        let (places, more) = (
            std::mem::take(&mut self.places),
            std::mem::take(&mut self.more),
        );
        let item = Item {
            incident: format!("{}", since.as_ms()),
            subject: String::new(),
            since,
            text: sentence(&places, more),
            link: "/dashboard/requests".to_owned(),
        };
        Some(Telling {
            kind: Kind::SignInAttack,
            severity: Severity::Warning,
            state: State::Firing,
            repeated: false,
            items: vec![item],
        })
    }
}

fn named(attack: &Attack) -> (Place, Option<String>) {
    let address = attack
        .address
        .map_or_else(|| "an unknown address".to_owned(), |it| it.to_string());
    let door = match attack.door {
        Door::People => "people and programs",
        Door::Dialers => "dialers",
        Door::SignIn | Door::Exchange => "sign-in",
    };
    (
        (address, door.to_owned()),
        attack.account.as_deref().map(plain),
    )
}

fn sentence(places: &BTreeMap<Place, Option<String>>, more: u64) -> String {
    let named = places
        .iter()
        .take(NAMED_MOST)
        .map(|((address, door), account)| {
            let account = account.as_ref().map(|account| format!(", as {account}"));
            format!("{address} ({door}{})", account.unwrap_or_default())
        });
    let mut named = named.collect::<Vec<_>>().join(", ");
    let more = more + places.len().saturating_sub(NAMED_MOST) as u64;
    if more > 0 {
        named.push_str(&format!(" and {more} more"));
    }
    format!(
        "Somebody guesses, or a program has an old key: too many wrong tokens, keys or sign-ins within a minute, from {named}. \
         Each of them waits for a minute."
    )
}
