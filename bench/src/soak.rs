//! Load and faults for a while: two nodes on one Redis and one PostgreSQL, and beside them a service alone with a SQLite file. Dialers
//! ask over HTTP and FastAGI and report how calls ended, people look on, and one thing after the other is broken. In the end it is
//! judged: whether the rules held for every number, whether anything that was answered is missing, and whether memory and handles
//! are as after the warm-up. How fast it went is printed, and not judged.

mod agi;
mod dialer;
mod faults;
mod field;
mod judge;
mod office;
mod places;
mod report;
mod seen;
mod stock;

use std::thread;

use anyhow::{Context, ensure};
use caller_id_testkit::stock::AGENT_LIMIT;
use caller_id_testkit::told::evidence::agents_over_their_limit;
use caller_id_testkit::told::{Certainty, faults};

use self::dialer::{Dialer, Notes, Way};
use self::faults::{Fault, ROUND};
use self::judge::{Evidence, Rest, Service, verdict};
use self::office::{Done, look_on, work_on};
use self::places::{PATIENCE_S, Places};
use self::seen::{ALONE, NAMES, NODES, Phase, SERVICES, summaries};

/// A round of faults takes so many seconds, or all there is.
const ROUND_S: f64 = 60.0;
/// The share of the time that the warm-up takes.
const WARM_UP: f64 = 0.15;
/// Nothing that was asked goes on so many seconds later.
const REST_S: f64 = 4.0;
/// Shorter ones show nothing.
const SECONDS_LEAST: u32 = 30;
/// Longer ones are no soak of one machine with all in memory.
const SECONDS_MOST: u32 = 3_600;

/// Who dials: how, whom, and how many of them.
const DIALERS: [(Way, &[usize], u64); 4] = [
    (Way::Http, &NODES, 12),
    (Way::Agi, &NODES, 4),
    (Way::Http, &[ALONE], 5),
    (Way::Agi, &[ALONE], 2),
];
/// Open dashboards on each service.
const DASHBOARDS: usize = 4;

/// Soaks for about so many seconds, and prints the report. An error: something did not hold.
pub(crate) fn run(seconds: u32) -> anyhow::Result<()> {
    ensure!(
        (SECONDS_LEAST..=SECONDS_MOST).contains(&seconds),
        "{seconds} seconds: {SECONDS_LEAST} to {SECONDS_MOST} expected"
    );
    println!(
        "## {seconds} s of load and faults: two nodes on Redis and PostgreSQL, and one alone with SQLite"
    );
    let mut places = Places::start()?;
    let seconds = f64::from(seconds);
    let mut soak = Soak::default();
    let warm_up = seconds * WARM_UP;
    soak.load(&mut places, 0, |places| {
        let end = places.field.seconds() + warm_up;
        places.field.wait_until(end);
        Ok(())
    })?;
    let warm = rest(&places)?;
    let handed = [0, 1, 2].map(|service| places.field.handed(service));
    let untried = untried(&places);
    let phases = soak.load(&mut places, 1, |places| {
        break_things(places, seconds - warm_up)
    })?;
    let end = rest(&places)?;
    let services = (0..SERVICES).map(|service| Service {
        name: NAMES[service],
        warm: warm[service],
        end: end[service],
        calls: places.field.handed(service) - handed[service],
    });
    let services = services.collect();
    let mut evidence = Evidence {
        summaries: summaries(&soak.nodes.events_with(&soak.alone), &phases),
        phases,
        services,
        odd: places.end()?,
        happened: soak.happened(),
        ..Evidence::default()
    };
    evidence.faults = soak.faults(&places)?;
    let found = verdict(&evidence);
    report::print(&evidence, &untried, &found);
    ensure!(found.is_empty(), "{} things did not hold", found.len());
    Ok(())
}

/// What cannot be broken here.
fn untried(places: &Places) -> Vec<&'static str> {
    match places.disk {
        Some(_) => Vec::new(),
        None => vec!["a full disk: this process may not mount a small one (root may)"],
    }
}

/// All faults in turn, as often as there is time.
fn break_things(places: &mut Places, seconds: f64) -> anyhow::Result<Vec<Phase>> {
    let rounds = (seconds / ROUND_S).round().max(1.0);
    let each = seconds / rounds / ROUND.len() as f64;
    let mut phases = Vec::new();
    let begun = places.field.seconds();
    while places.field.seconds() - begun < seconds - each {
        for fault in ROUND {
            if fault != Fault::DiskFull || places.disk.is_some() {
                phases.push(fault.phase(places, each)?);
            }
        }
    }
    Ok(phases)
}

/// Waits until the services have nothing left to do, and looks at what they take.
fn rest(places: &Places) -> anyhow::Result<[Rest; SERVICES]> {
    let field = &places.field;
    let empty = || NODES.iter().all(|node| places.waiting(*node) == Some(0));
    let emptied = field.wait(PATIENCE_S, empty);
    emptied.context("what waits in Redis never came to PostgreSQL")?;
    field.wait_until(field.seconds() + REST_S);
    places.at_rest()
}

/// What all who take part have seen.
#[derive(Default)]
struct Soak {
    nodes: Notes,
    alone: Notes,
    done: Done,
}

impl Soak {
    /// Puts load on the services while `meanwhile` runs.
    fn load<T>(
        &mut self,
        places: &mut Places,
        part: u64,
        meanwhile: impl FnOnce(&mut Places) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let field = places.field.clone();
        field.set_over(false);
        let (field, done) = (&*field, &self.done);
        let (result, notes) = thread::scope(|scope| {
            for service in 0..SERVICES {
                for _ in 0..DASHBOARDS {
                    scope.spawn(move || look_on(field, service, done));
                }
                scope.spawn(move || work_on(field, service, done));
            }
            let mut dialers = Vec::new();
            for (kind, (way, services, count)) in DIALERS.into_iter().enumerate() {
                for place in 0..count {
                    let seed = part * 1_000 + kind as u64 * 100 + place;
                    let named = (format!("s{seed}"), seed);
                    let dialer = Dialer::new(field, way, services, named);
                    dialers.push((services, scope.spawn(move || dialer.dial())));
                }
            }
            let over = Over(field);
            let result = meanwhile(places);
            drop(over);
            let notes = dialers.into_iter().map(|(services, dialer)| {
                let notes = dialer
                    .join()
                    .ok()
                    .context("a dialer was told what it does not know");
                Ok((services, notes?))
            });
            (result, notes.collect::<anyhow::Result<Vec<_>>>())
        });
        for (services, notes) in notes? {
            match services {
                [ALONE] => self.alone.take(notes),
                _ => self.nodes.take(notes),
            }
        }
        result
    }

    /// What history does not say as callers were told it, or that breaks a rule.
    fn faults(&self, places: &Places) -> anyhow::Result<Vec<String>> {
        let [of_nodes, of_alone] = places.histories()?;
        // Redis lost its state: what nobody was told may be forgotten with it.
        let (of_a_cluster, whole) = (Certainty::Acknowledged, Certainty::Whole);
        let mut found = faults(&of_nodes, &self.nodes.log, of_a_cluster, stock::rules);
        found.extend(faults(&of_alone, &self.alone.log, whole, stock::rules));
        found.extend(agents_over_their_limit(&of_alone, AGENT_LIMIT));
        Ok(found)
    }

    fn happened(&self) -> Vec<(String, usize)> {
        use std::sync::atomic::Ordering::Relaxed;
        let (mut happened, done) = (Vec::new(), &self.done);
        for (name, notes) in [("the nodes", &self.nodes), ("the one alone", &self.alone)] {
            let log = &notes.log;
            let mut was = |what: String, times| happened.push((format!("{what}, {name}"), times));
            was("numbers".to_owned(), log.handed.len());
            was("numbers over FastAGI".to_owned(), notes.by_agi);
            was("reservations that were ended".to_owned(), log.ended.len());
            was("results that were kept".to_owned(), log.reported.len());
            was("results over FastAGI".to_owned(), notes.kept_by_agi);
            for cause in stock::CAUSES {
                let refused = usize::from(log.causes.contains(cause));
                was(format!("or more refused for {cause}"), refused);
            }
        }
        for (what, times) in [
            ("bytes of events to dashboards", &done.events),
            ("imports", &done.imports),
            ("exports", &done.exports),
            ("other looks", &done.looks),
        ] {
            happened.push((what.to_owned(), times.load(Relaxed)));
        }
        happened
    }
}

/// Ends the load, also when what goes on meanwhile fails.
struct Over<'a>(&'a field::Field);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.set_over(true);
    }
}
