//! Failed attempts to be known, counted: whoever guesses is made to wait.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use caller_id_core::Timestamp;

use super::address::Client;
use crate::telemetry::throttle::Throttle;

/// So many failures within a minute are the last that are answered as such.
pub const FAILURES_MOST: u32 = 10;
/// The same for exchanges with the identity provider. Nobody finds a code by trying: this keeps the provider from being flooded.
pub const EXCHANGES_MOST: u32 = 60;
/// How long failures are counted together, in milliseconds.
const WINDOW_MS: i64 = 60_000;
/// How long somebody waits who had too many, in milliseconds.
const WAIT_MS: i64 = 60_000;
/// How many addresses and accounts are remembered at least; twice as many at most.
const REMEMBERED: usize = 8_192;
/// How many that had too many failures are remembered until somebody asks.
const ATTACKS_MOST: usize = 256;

static TOO_MANY: Throttle = Throttle::new();

/// Where somebody tries to get in. Failures at one do not close the other: a dialer with an old key keeps no admin out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Door {
    /// Where people and their programs come in, sign-in pages too.
    People,
    /// Where dialers do.
    Dialers,
    /// Where people sign in with a browser, and are refused for something else than a wrong token or key: what the identity
    /// provider says, or where they are.
    SignIn,
    /// Where what people bring back from the identity provider is exchanged for who they are. Each exchange counts until it
    /// has let somebody in.
    Exchange,
}

impl Door {
    /// So many failures within a minute are the last that are answered as such.
    const fn failures_most(self) -> u32 {
        match self {
            Self::People | Self::Dialers | Self::SignIn => FAILURES_MOST,
            Self::Exchange => EXCHANGES_MOST,
        }
    }
}

/// Who tries: from where, and as whom where that is said.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// Where.
    pub door: Door,
    /// From where.
    pub client: Client,
    /// The id of an API key, or what a sign-in or a token calls the person; nobody has proved it.
    pub account: Option<&'a str>,
    /// When.
    pub now: Timestamp,
}

/// Somebody who had too many failures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attack {
    /// From where, of IPv6 the network; the latest where it is an account that waits. None: nobody can tell.
    pub address: Option<IpAddr>,
    /// Where.
    pub door: Door,
    /// As whom, where that was said; nobody has proved it.
    pub account: Option<String>,
}

/// Those that had too many failures since they were last taken.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The first of them.
    pub attacks: Vec<Attack>,
    /// So many more.
    pub more: u64,
}

/// Who had failures lately. Its memory is bounded: those that were quiet the longest are forgotten first.
#[derive(Debug, Default)]
pub struct Attempts {
    memory: Mutex<Memory>,
    /// Nobody waits any more from then on, in milliseconds.
    quiet_from: AtomicI64,
    failures: AtomicU64,
    attacks: Mutex<Taken>,
}

/// Two generations: what is asked for moves to the young one; when that is full the old one is forgotten.
#[derive(Debug, Default)]
struct Memory {
    young: HashMap<u64, Failures, ahash::RandomState>,
    old: HashMap<u64, Failures, ahash::RandomState>,
    hasher: ahash::RandomState,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    since: Timestamp,
    count: u32,
    wait_until: Option<Timestamp>,
}

impl Attempts {
    /// How many milliseconds this address or account has to wait before it may try again.
    pub fn wait_ms(&self, attempt: &Attempt<'_>) -> Option<i64> {
        let now = attempt.now;
        if now.as_ms() >= self.quiet_from.load(Ordering::Relaxed) {
            return None;
        }
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let names = memory.names(attempt);
        let waits = names.into_iter().flatten().filter_map(|name| {
            let until = memory.find(name)?.wait_until?;
            Some(until.ms_since(now)).filter(|ms| *ms > 0)
        });
        waits.max()
    }

    /// Notes that an attempt failed.
    pub fn failed(&self, attempt: &Attempt<'_>) {
        if attempt.door != Door::Exchange {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let names = memory.names(attempt);
        let mut begins = false;
        for name in names.into_iter().flatten() {
            begins |= memory.note(name, attempt);
        }
        drop(memory);
        if begins {
            let end = attempt.now.as_ms() + WAIT_MS;
            self.quiet_from.fetch_max(end, Ordering::Relaxed);
            self.note_attack(attempt);
            tell(attempt);
        }
    }

    /// Notes that an attempt did not fail that was counted as a failure when it began.
    pub fn succeeded(&self, attempt: &Attempt<'_>) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let names = memory.names(attempt);
        for name in names.into_iter().flatten() {
            memory.forgive(name, attempt.door);
        }
    }

    /// Takes those that had too many failures since they were last taken.
    pub fn take_attacks(&self) -> Taken {
        std::mem::take(&mut *self.attacks.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note_attack(&self, attempt: &Attempt<'_>) {
        let mut taken = self.attacks.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.attacks.len() >= ATTACKS_MOST {
            taken.more += 1;
            return;
        }
        taken.attacks.push(Attack {
            address: attempt.client.seen().map(network),
            door: attempt.door,
            account: attempt.account.map(caller_id_core::text::shown),
        });
    }

    /// How many failed since the start.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
}

fn tell(attempt: &Attempt<'_>) {
    if let Some(times) = TOO_MANY.note() {
        let (client, door) = (attempt.client, attempt.door);
        tracing::warn!(
            %client,
            ?door,
            times,
            "{} wrong tokens, keys or sign-ins within a minute: more are answered with 429 for a minute",
            door.failures_most()
        );
    }
}

impl Memory {
    /// By what the attempt is remembered: its address, and its account.
    fn names(&self, attempt: &Attempt<'_>) -> [Option<u64>; 2] {
        let place = attempt.client.seen().map(network);
        let of_place = self.hasher.hash_one((attempt.door, place));
        let account = attempt.account;
        let of_account = account.map(|name| self.hasher.hash_one((attempt.door, name)));
        [Some(of_place), of_account]
    }

    fn find(&mut self, name: u64) -> Option<Failures> {
        self.young
            .get(&name)
            .or_else(|| self.old.get(&name))
            .copied()
    }

    /// Whether this failure is the one that makes it wait.
    fn note(&mut self, name: u64, attempt: &Attempt<'_>) -> bool {
        let now = attempt.now;
        let before = self.find(name).filter(|before| {
            let ends = before.wait_until;
            now.ms_since(before.since) < WINDOW_MS && ends.is_none_or(|ends| now < ends)
        });
        let mut failures = before.unwrap_or(Failures {
            since: now,
            count: 0,
            wait_until: None,
        });
        failures.count += 1;
        let begins = failures.count == attempt.door.failures_most();
        if begins {
            failures.wait_until = Some(Timestamp::from_ms(now.as_ms() + WAIT_MS));
        }
        if self.young.len() >= REMEMBERED && !self.young.contains_key(&name) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(name, failures);
        begins
    }
}

impl Memory {
    /// Takes one failure back, and the wait that it made.
    fn forgive(&mut self, name: u64, door: Door) {
        let young = self.young.get_mut(&name);
        if let Some(failures) = young.or_else(|| self.old.get_mut(&name)) {
            failures.count = failures.count.saturating_sub(1);
            if failures.count < door.failures_most() {
                failures.wait_until = None;
            }
        }
    }
}

/// Who has one IPv6 address has 2⁶⁴ of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_795_348_800_000;

    fn at(address: &str, ms: i64) -> Attempt<'static> {
        Attempt {
            door: Door::People,
            client: Client::Direct(address.parse().expect("an address")),
            account: None,
            now: Timestamp::from_ms(NOON + ms),
        }
    }

    fn fail(attempts: &Attempts, times: u32, attempt: &Attempt<'_>) {
        (0..times).for_each(|_| attempts.failed(attempt));
    }

    #[test]
    fn the_tenth_failure_within_a_minute_makes_an_address_wait_for_a_minute() {
        let attempts = Attempts::default();
        fail(&attempts, 9, &at("192.0.2.1", 0));
        assert_eq!(attempts.wait_ms(&at("192.0.2.1", 0)), None);
        attempts.failed(&at("192.0.2.1", 59_999));
        assert_eq!(attempts.wait_ms(&at("192.0.2.1", 60_000)), Some(59_999));
        assert_eq!(attempts.wait_ms(&at("192.0.2.2", 60_000)), None);
        assert_eq!(attempts.wait_ms(&at("192.0.2.1", 119_999)), None);
        assert_eq!(attempts.failures(), 10);
    }

    #[test]
    fn failures_further_apart_make_nobody_wait() {
        let attempts = Attempts::default();
        fail(&attempts, 9, &at("192.0.2.1", 0));
        fail(&attempts, 9, &at("192.0.2.1", 60_000));
        assert_eq!(attempts.wait_ms(&at("192.0.2.1", 60_000)), None);
    }

    #[test]
    fn failures_while_one_waits_make_the_wait_no_longer() {
        let attempts = Attempts::default();
        fail(&attempts, 30, &at("192.0.2.1", 0));
        assert_eq!(attempts.wait_ms(&at("192.0.2.1", 59_000)), Some(1_000));
        assert_eq!(attempts.wait_ms(&at("192.0.2.1", 60_000)), None);
        fail(&attempts, 9, &at("192.0.2.1", 60_000));
        assert_eq!(attempts.wait_ms(&at("192.0.2.1", 60_000)), None);
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_as_one() {
        let attempts = Attempts::default();
        for last in 0..10 {
            attempts.failed(&at(&format!("2001:db8:0:1::{last}"), 0));
        }
        assert!(attempts.wait_ms(&at("2001:db8:0:1:ffff::1", 0)).is_some());
        assert_eq!(attempts.wait_ms(&at("2001:db8:0:2::1", 0)), None);
    }

    #[test]
    fn an_account_waits_wherever_it_is_tried_from() {
        let attempts = Attempts::default();
        let guess = |host: u8| Attempt {
            account: Some("ann"),
            client: Client::Direct(IpAddr::from([192, 0, 2, host])),
            ..at("192.0.2.0", 0)
        };
        (0..10).for_each(|host| attempts.failed(&guess(host)));
        assert!(attempts.wait_ms(&guess(99)).is_some());
        assert_eq!(attempts.wait_ms(&at("192.0.2.1", 0)), None);
    }

    #[test]
    fn failures_of_dialers_keep_no_admin_at_the_same_address_out() {
        let attempts = Attempts::default();
        let dialer = Attempt {
            door: Door::Dialers,
            ..at("192.0.2.1", 0)
        };
        fail(&attempts, 10, &dialer);
        assert!(attempts.wait_ms(&dialer).is_some());
        assert_eq!(attempts.wait_ms(&at("192.0.2.1", 0)), None);
    }

    #[test]
    fn exchanges_that_let_somebody_in_make_nobody_wait_and_too_many_others_do() {
        let attempts = Attempts::default();
        let exchange = Attempt {
            door: Door::Exchange,
            ..at("192.0.2.1", 0)
        };
        for _ in 0..3 * EXCHANGES_MOST {
            attempts.failed(&exchange);
            attempts.succeeded(&exchange);
        }
        assert_eq!(attempts.wait_ms(&exchange), None);
        fail(&attempts, EXCHANGES_MOST, &exchange);
        assert!(attempts.wait_ms(&exchange).is_some());
        // One of them was only under way.
        attempts.succeeded(&exchange);
        assert_eq!(attempts.wait_ms(&exchange), None);
        attempts.failed(&exchange);
        assert!(attempts.wait_ms(&exchange).is_some());
        assert_eq!(attempts.wait_ms(&at("192.0.2.1", 0)), None);
        assert_eq!(attempts.failures(), 0, "no wrong tokens or keys");
    }

    #[test]
    fn memory_is_bounded_and_the_longest_quiet_are_forgotten_first() {
        let attempts = Attempts::default();
        fail(&attempts, 10, &at("192.0.2.1", 0));
        for place in 0..3 * REMEMBERED as u32 {
            let client = Client::Direct(IpAddr::from(place.to_be_bytes()));
            let other = Attempt {
                client,
                ..at("192.0.2.1", 0)
            };
            attempts.failed(&other);
        }
        let memory = attempts.memory.lock().expect("whole");
        assert!(memory.young.len() <= REMEMBERED && memory.old.len() <= REMEMBERED);
        drop(memory);
        assert_eq!(attempts.wait_ms(&at("192.0.2.1", 0)), None);
    }
}
