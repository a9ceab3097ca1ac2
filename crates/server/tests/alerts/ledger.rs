//! What is told, and when: pure, with a time that the test sets.

use caller_id::alerts::kind::{Kind, Severity};
use caller_id::alerts::ledger::{Finding, Ledger, Moment};
use caller_id::alerts::message::{Message, State, Teller, Telling};
use caller_id_core::Timestamp;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const NOON_MS: i64 = 1_795_348_800_000;

/// A ledger, looked at every ten seconds.
struct Watched {
    ledger: Ledger,
    at_ms: i64,
    quiet: bool,
    known: bool,
    has_free: bool,
}

impl Watched {
    fn new(repeat_ms: Option<i64>) -> Self {
        Self {
            ledger: Ledger::new(repeat_ms),
            at_ms: 0,
            quiet: false,
            known: true,
            has_free: true,
        }
    }

    /// So long this is wrong; what is told meanwhile, each with when in seconds.
    fn for_ms(&mut self, ms: i64, found: &[Finding]) -> Vec<(i64, Telling)> {
        let mut all = Vec::new();
        for _ in 0..ms / 10_000 {
            let (known, has_free) = (self.known, self.has_free);
            let moment = Moment {
                now: Timestamp::from_ms(NOON_MS + self.at_ms),
                quiet: self.quiet,
                known: &|_| known,
                has_free: &|_| has_free,
            };
            let told = self.ledger.step(&moment, found.to_vec());
            all.extend(told.into_iter().map(|told| (self.at_ms / 1_000, told)));
            self.at_ms += 10_000;
        }
        all
    }

    /// The same as if the process had been started anew.
    fn restart(&mut self, repeat_ms: Option<i64>) {
        self.ledger = Ledger::read(&self.ledger.written(), repeat_ms);
    }
}

fn of(kind: Kind, subject: &str) -> Finding {
    let severity = match kind {
        Kind::PoolExhausted | Kind::StoreAway | Kind::EngineAway => Severity::Serious,
        _ => Severity::Warning,
    };
    Finding {
        kind,
        subject: subject.to_owned(),
        severity,
        text: format!("About {subject}."),
        link: String::new(),
    }
}

fn low(pool: &str) -> Finding {
    of(Kind::PoolLow, pool)
}

fn exhausted(pool: &str) -> Finding {
    of(Kind::PoolExhausted, pool)
}

/// When, which kind, whether it is over, how many.
fn short(told: &[(i64, Telling)]) -> Vec<(i64, &'static str, &'static str, usize)> {
    let short = told.iter().map(|(at, told)| {
        let (kind, state) = (told.kind.as_str(), told.state.as_str());
        (*at, kind, state, told.items.len())
    });
    short.collect()
}

#[test]
fn what_lasts_is_told_once_and_again_after_the_time_between_and_its_end_once() {
    let mut watched = Watched::new(Some(HOUR_MS));
    let told = watched.for_ms(2 * HOUR_MS + 30 * MINUTE_MS, &[low("east")]);
    let times = [(60, false), (3_660, true), (7_260, true)];
    let found: Vec<_> = told.iter().map(|(at, told)| (*at, told.repeated)).collect();
    assert_eq!(found, times);
    let first = &told[0].1.items[0];
    assert_eq!(first.since, Timestamp::from_ms(NOON_MS));
    let over = watched.for_ms(HOUR_MS, &[]);
    assert_eq!(short(&over), [(9_300, "pool_low", "resolved", 1)]);
    assert_eq!(over[0].1.items[0].incident, first.incident);
    assert_eq!(watched.ledger.firing(), 0);
}

#[test]
fn without_repeats_it_is_told_once() {
    let mut watched = Watched::new(None);
    assert_eq!(watched.for_ms(48 * HOUR_MS, &[low("east")]).len(), 1);
}

#[test]
fn what_is_gone_at_once_is_never_told() {
    let mut watched = Watched::new(Some(HOUR_MS));
    let mut told = watched.for_ms(10_000, &[exhausted("east"), low("west")]);
    told.extend(watched.for_ms(HOUR_MS, &[]));
    assert_eq!(short(&told), []);
    assert_eq!(watched.ledger.written(), Ledger::new(None).written());
}

#[test]
fn a_pool_that_flaps_for_hours_tells_little_and_never_hides_that_it_is_empty() {
    let mut watched = Watched::new(Some(HOUR_MS));
    let mut told = Vec::new();
    // Ten minutes empty, ten minutes not, for a day.
    for _ in 0..72 {
        told.extend(watched.for_ms(10 * MINUTE_MS, &[exhausted("east")]));
        told.extend(watched.for_ms(10 * MINUTE_MS, &[]));
    }
    // It begins and ends, and then lasts: ten minutes are not enough to be well again.
    let ends = told
        .iter()
        .filter(|(_, told)| told.state == State::Resolved);
    assert_eq!(ends.count(), 1, "{:?}", short(&told));
    assert!(told.len() <= 3 + 24, "{:?}", short(&told));
    let mut fast = Watched::new(Some(HOUR_MS));
    let mut told = Vec::new();
    for _ in 0..360 {
        told.extend(fast.for_ms(10_000, &[exhausted("east")]));
        told.extend(fast.for_ms(20_000, &[]));
    }
    // It is empty every half a minute, and said so: at once, and an hour later.
    assert!((1..=4).contains(&told.len()), "{:?}", short(&told));
    assert_eq!(told[0].1.state, State::Firing);
}

#[test]
fn many_pools_are_one_message_and_a_wave_is_one_a_minute() {
    let mut watched = Watched::new(Some(HOUR_MS));
    let pools: Vec<Finding> = (0..500).map(|pool| low(&format!("p{pool}"))).collect();
    let told = watched.for_ms(10 * MINUTE_MS, &pools);
    assert_eq!(short(&told), [(60, "pool_low", "firing", 500)]);
    let message = Message::new(&told[0].1, &Teller::default(), Timestamp::from_ms(NOON_MS));
    assert!(message.body.len() < 64 * 1024, "{}", message.body.len());
    let json: serde_json::Value = serde_json::from_str(&message.body).expect("JSON");
    assert_eq!(json["count"], 500);
    let text = json["text"].as_str().expect("a text");
    assert!(
        text.chars().count() < 2_000 && text.contains("And 490 more."),
        "{text}"
    );
    // One after the other, each ten seconds.
    let mut wave = Watched::new(Some(10 * HOUR_MS));
    let mut told = Vec::new();
    for count in 1..=180 {
        told.extend(wave.for_ms(10_000, &pools[..count]));
    }
    assert!(told.len() <= 31, "{}", told.len());
    let named: usize = told.iter().map(|(_, told)| told.items.len()).sum();
    assert_eq!(named, 169, "each that lasted for a minute, once");
}

#[test]
fn a_pool_that_empties_is_told_as_empty_and_no_longer_as_low() {
    let mut watched = Watched::new(Some(HOUR_MS));
    let mut told = watched.for_ms(5 * MINUTE_MS, &[low("east")]);
    told.extend(watched.for_ms(30 * MINUTE_MS, &[exhausted("east")]));
    told.extend(watched.for_ms(20 * MINUTE_MS, &[low("east")]));
    told.extend(watched.for_ms(30 * MINUTE_MS, &[]));
    assert_eq!(
        short(&told),
        [
            (60, "pool_low", "firing", 1),
            (320, "pool_exhausted", "firing", 1),
            (2_400, "pool_exhausted", "resolved", 1),
            (3_600, "pool_low", "resolved", 1),
        ]
    );
}

#[test]
fn what_gets_worse_is_told_at_once() {
    let mut watched = Watched::new(Some(HOUR_MS));
    let behind = of(Kind::OutboxLag, "");
    let worse = Finding {
        severity: Severity::Serious,
        ..behind.clone()
    };
    let mut told = watched.for_ms(10 * MINUTE_MS, std::slice::from_ref(&behind));
    told.extend(watched.for_ms(10 * MINUTE_MS, &[worse]));
    told.extend(watched.for_ms(10 * MINUTE_MS, &[behind]));
    let severities: Vec<_> = told.iter().map(|(at, told)| (*at, told.severity)).collect();
    assert_eq!(
        severities,
        [(60, Severity::Warning), (600, Severity::Serious)]
    );
}

#[test]
fn in_quiet_hours_only_what_is_serious_is_told_and_the_rest_at_their_end_if_it_lasts() {
    let mut watched = Watched::new(Some(24 * HOUR_MS));
    watched.quiet = true;
    let told = watched.for_ms(HOUR_MS, &[low("short"), low("long"), exhausted("east")]);
    assert_eq!(short(&told), [(20, "pool_exhausted", "firing", 1)]);
    // Whoever was woken hears that it is over.
    let told = watched.for_ms(HOUR_MS, &[low("long")]);
    assert_eq!(short(&told), [(3_900, "pool_exhausted", "resolved", 1)]);
    watched.quiet = false;
    let told = watched.for_ms(HOUR_MS, &[low("long")]);
    assert_eq!(short(&told), [(7_200, "pool_low", "firing", 1)]);
    assert_eq!(told[0].1.items[0].subject, "long");
    // What ends at night is told in the morning.
    watched.quiet = true;
    assert_eq!(short(&watched.for_ms(HOUR_MS, &[])), []);
    watched.quiet = false;
    assert_eq!(
        short(&watched.for_ms(10_000, &[])),
        [(14_400, "pool_low", "resolved", 1)]
    );
}

#[test]
fn each_end_says_what_it_is() {
    let end = |found: Finding, has_free| {
        let mut watched = Watched::new(None);
        watched.has_free = has_free;
        watched.for_ms(5 * MINUTE_MS, &[found]);
        let told = watched.for_ms(10 * MINUTE_MS, &[]);
        assert_eq!(told.len(), 1);
        let message = Message::new(&told[0].1, &Teller::default(), Timestamp::from_ms(NOON_MS));
        let json: serde_json::Value = serde_json::from_str(&message.body).expect("JSON");
        let text = json["alerts"][0]["text"].as_str().expect("a text");
        let all = json["text"].as_str().expect("a text");
        assert!(
            all.starts_with(&format!("caller-id, over: {text}")),
            "{all}"
        );
        text.to_owned()
    };
    let aside = "The pool east has no active number any more, and is no campaign's only one.";
    assert_eq!(
        end(exhausted("east"), true),
        "The pool east has free numbers again."
    );
    assert_eq!(end(exhausted("east"), false), aside);
    assert_eq!(end(low("east"), true), "The pool east is no longer low.");
    assert_eq!(end(low("east"), false), aside);
    // What is the service's is no pool.
    assert_eq!(
        end(of(Kind::StoreAway, ""), false),
        "The database takes writes again."
    );
}

#[test]
fn what_nobody_knows_is_not_over() {
    let mut watched = Watched::new(None);
    watched.for_ms(5 * MINUTE_MS, &[low("east")]);
    // It was gone for a moment, and then nobody could look.
    watched.for_ms(10_000, &[]);
    watched.known = false;
    assert_eq!(short(&watched.for_ms(HOUR_MS, &[])), []);
    watched.known = true;
    assert_eq!(watched.for_ms(10 * MINUTE_MS, &[]).len(), 1);
}

#[test]
fn a_start_tells_nothing_again_and_knows_what_is_over() {
    let hour = Some(HOUR_MS);
    let mut watched = Watched::new(hour);
    assert_eq!(
        watched
            .for_ms(5 * MINUTE_MS, &[low("east"), exhausted("west")])
            .len(),
        2
    );
    let before = watched.ledger.written();
    watched.for_ms(5 * MINUTE_MS, &[low("east"), exhausted("west")]);
    assert_eq!(watched.ledger.written(), before, "nothing happened");
    watched.restart(hour);
    assert_eq!(
        short(&watched.for_ms(30 * MINUTE_MS, &[low("east"), exhausted("west")])),
        []
    );
    watched.restart(hour);
    let told = watched.for_ms(10 * MINUTE_MS, &[low("east")]);
    assert_eq!(short(&told), [(2_700, "pool_exhausted", "resolved", 1)]);
    // What is none is like nothing.
    assert_eq!(Ledger::read("{]", hour).firing(), 0);
}
