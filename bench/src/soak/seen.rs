//! What dialers saw, by phases. Pure.

use std::collections::BTreeMap;

/// How many services there are.
pub(super) const SERVICES: usize = 3;
/// What they are called in the report: two nodes of one cluster, and a service alone with its SQLite file.
pub(super) const NAMES: [&str; SERVICES] = ["node one", "node two", "alone"];
/// The nodes among them.
pub(super) const NODES: [usize; 2] = [0, 1];
/// The one with a SQLite file.
pub(super) const ALONE: usize = 2;

/// What came of asking for a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// A number.
    Number,
    /// None is free, or the agent is over the limit: why.
    Refused(String),
    /// 503, or `UNAVAILABLE`.
    Unavailable,
    /// None: nobody was there, the connection ended, or it took too long.
    NoAnswer,
}

/// A service was asked for a number.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// Seconds since the soak began, when it was over.
    pub(super) at: f64,
    pub(super) service: usize,
    pub(super) what: What,
    /// How long it took.
    pub(super) ms: f64,
}

/// A part of the soak, in which one thing was broken, or none.
#[derive(Debug, Clone)]
pub(super) struct Phase {
    pub(super) name: &'static str,
    /// Which services it concerned.
    pub(super) hits: &'static [usize],
    /// Seconds since the soak began.
    pub(super) from: f64,
    pub(super) to: f64,
    /// So many seconds after what was broken was whole again each of them handed out numbers; none: they never did.
    pub(super) again: Option<f64>,
}

/// What was seen in phases of one name.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Summary {
    pub(super) times: usize,
    pub(super) numbers: usize,
    /// By cause.
    pub(super) refused: BTreeMap<String, usize>,
    pub(super) unavailable: usize,
    pub(super) no_answer: usize,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    /// The longest that one of the services concerned gave nobody a number or a reason, in seconds, and which.
    pub(super) gap: (f64, usize),
}

/// Adds up the phases of each name, in the order in which they first came.
pub(super) fn summaries(events: &[Event], phases: &[Phase]) -> Vec<(&'static str, Summary)> {
    let mut names: Vec<&'static str> = Vec::new();
    for phase in phases {
        if !names.contains(&phase.name) {
            names.push(phase.name);
        }
    }
    let of = |name| phases.iter().filter(move |phase| phase.name == name);
    let sums = names.into_iter().map(|name| {
        let phases: Vec<_> = of(name).collect();
        (name, summary(events, &phases))
    });
    sums.collect()
}

fn summary(events: &[Event], phases: &[&Phase]) -> Summary {
    let mut sum = Summary {
        times: phases.len(),
        ..Summary::default()
    };
    let mut took = Vec::new();
    for phase in phases {
        let within = |event: &&Event| phase.from <= event.at && event.at < phase.to;
        let events: Vec<_> = events.iter().filter(within).collect();
        for event in &events {
            match &event.what {
                What::Number => sum.numbers += 1,
                What::Refused(cause) => *sum.refused.entry(cause.clone()).or_default() += 1,
                What::Unavailable => sum.unavailable += 1,
                What::NoAnswer => sum.no_answer += 1,
            }
            if event.what != What::NoAnswer {
                took.push(event.ms);
            }
        }
        for service in phase.hits {
            let gap = gap(&events, *service, phase);
            if gap > sum.gap.0 {
                sum.gap = (gap, *service);
            }
        }
    }
    took.sort_by(f64::total_cmp);
    (sum.p50_ms, sum.p99_ms) = (share(&took, 0.5), share(&took, 0.99));
    sum
}

/// The longest time of the phase in which the service gave neither a number nor a reason.
fn gap(events: &[&Event], service: usize, phase: &Phase) -> f64 {
    let good = |what: &What| matches!(what, What::Number | What::Refused(_));
    let answers = events
        .iter()
        .filter(|event| event.service == service && good(&event.what));
    let mut instants: Vec<f64> = answers.map(|event| event.at).collect();
    instants.extend([phase.from, phase.to]);
    instants.sort_by(f64::total_cmp);
    let between = instants.windows(2).map(|pair| pair[1] - pair[0]);
    between.fold(0.0, f64::max)
}

fn share(sorted: &[f64], share: f64) -> f64 {
    let place = (sorted.len() as f64 * share) as usize;
    let last = sorted.len().saturating_sub(1);
    sorted.get(place.min(last)).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(at: f64, service: usize, what: What) -> Event {
        Event {
            at,
            service,
            what,
            ms: at * 10.0,
        }
    }

    fn phase(name: &'static str, from: f64, to: f64) -> Phase {
        Phase {
            name,
            hits: &[0, 1],
            from,
            to,
            again: Some(0.0),
        }
    }

    #[test]
    fn phases_of_one_name_are_added_up_and_what_is_between_counts_nowhere() {
        let refused = || What::Refused("cooldown".to_owned());
        let events = [
            event(0.5, 0, What::Number),
            event(1.5, 0, What::Number),
            event(2.5, 1, refused()),
            event(2.6, 1, What::Unavailable),
            event(3.5, 0, What::NoAnswer),
            event(4.5, 1, refused()),
        ];
        let phases = [
            phase("calm", 1.0, 2.0),
            phase("kill", 2.0, 4.0),
            phase("calm", 4.0, 5.0),
        ];
        let found = summaries(&events, &phases);
        let names: Vec<_> = found.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["calm", "kill"]);
        let (calm, kill) = (&found[0].1, &found[1].1);
        assert_eq!(
            (calm.times, calm.numbers, calm.refused["cooldown"]),
            (2, 1, 1)
        );
        assert_eq!((calm.p50_ms, calm.p99_ms), (45.0, 45.0));
        assert_eq!((kill.numbers, kill.unavailable, kill.no_answer), (0, 1, 1));
        assert_eq!(kill.p50_ms, 26.0, "who was not answered took no time");
    }

    #[test]
    fn the_gap_is_the_longest_time_without_a_number_or_a_reason_of_one_service() {
        let events = [
            event(1.0, 0, What::Number),
            event(1.5, 1, What::Number),
            event(2.0, 0, What::Unavailable),
            event(3.5, 0, What::Refused("agent".to_owned())),
            event(3.6, 1, What::Number),
        ];
        let found = summaries(&events, &[phase("kill", 1.0, 4.0)]);
        assert_eq!(found[0].1.gap, (2.5, 0));
        let silent = summaries(&[], &[phase("kill", 1.0, 4.0)]);
        assert_eq!(silent[0].1.gap, (3.0, 0), "the whole phase");
    }
}
