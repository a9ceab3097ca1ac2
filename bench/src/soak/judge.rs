//! Whether all of it held. Pure. Nothing here depends on how fast the machine is.

use super::seen::{Phase, Summary};

/// A service that rests after load may have so many more handles than the first time: connections to databases, files of logs.
const HANDLES_MORE: usize = 32;
/// It may have so much more memory, in MB, and beside that so many bytes for each call: a call is known for a day.
const MB_MORE: f64 = 64.0;
const BYTES_A_CALL: f64 = 1_000.0;

/// What a service takes while nobody asks it anything.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rest {
    /// Resident memory in MB of 1,000,000 bytes.
    pub(super) mb: f64,
    /// Open files and connections.
    pub(super) handles: usize,
}

/// A service after the warm-up and at the end.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: &'static str,
    pub(super) warm: Rest,
    pub(super) end: Rest,
    /// Numbers that it handed out between the two.
    pub(super) calls: usize,
}

/// Everything that is judged.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    pub(super) phases: Vec<Phase>,
    pub(super) summaries: Vec<(&'static str, Summary)>,
    pub(super) services: Vec<Service>,
    /// What history does not say as callers were told it, or that breaks a rule.
    pub(super) faults: Vec<String>,
    /// What else went wrong: a service that panicked, or did not end when told to.
    pub(super) odd: Vec<String>,
    /// What must have happened, or the soak shows little; and how often it did.
    pub(super) happened: Vec<(String, usize)>,
}

/// What did not hold, a sentence each.
pub(super) fn verdict(evidence: &Evidence) -> Vec<String> {
    let mut found = evidence.faults.clone();
    found.extend(evidence.odd.iter().cloned());
    let never = evidence.phases.iter().filter(|phase| phase.again.is_none());
    found.extend(never.map(|phase| {
        let (name, from) = (phase.name, phase.from);
        format!("after `{name}` at {from:.0} s some service handed out no more numbers")
    }));
    let silent = evidence
        .summaries
        .iter()
        .filter(|(_, sum)| sum.numbers == 0);
    found.extend(silent.map(|(name, _)| format!("no number was handed out in `{name}`")));
    found.extend(evidence.services.iter().flat_map(leaks));
    let missing = evidence.happened.iter().filter(|(_, times)| *times == 0);
    found.extend(missing.map(|(what, _)| format!("not once: {what}")));
    found
}

fn leaks(service: &Service) -> Vec<String> {
    let Service {
        name,
        warm,
        end,
        calls,
    } = service;
    let mut found = Vec::new();
    let most = warm.mb + MB_MORE + *calls as f64 * BYTES_A_CALL / 1e6;
    if end.mb > most {
        found.push(format!(
            "{name} had {:.0} MB after the warm-up and has {:.0} after {calls} calls: more than {most:.0}",
            warm.mb, end.mb
        ));
    }
    if end.handles > warm.handles + HANDLES_MORE {
        found.push(format!(
            "{name} had {} handles after the warm-up and has {}",
            warm.handles, end.handles
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const WARM: Rest = Rest {
        mb: 50.0,
        handles: 40,
    };

    fn good() -> Evidence {
        let phase = Phase {
            name: "calm",
            hits: &[0],
            from: 0.0,
            to: 5.0,
            again: Some(0.1),
        };
        let summary = Summary {
            numbers: 7,
            ..Summary::default()
        };
        Evidence {
            phases: vec![phase],
            summaries: vec![("calm", summary)],
            services: vec![Service {
                name: "node one",
                warm: WARM,
                end: Rest {
                    mb: 123.0,
                    handles: 72,
                },
                calls: 10_000,
            }],
            happened: vec![("an import".to_owned(), 1)],
            ..Evidence::default()
        }
    }

    /// What is found when this is changed.
    fn found(change: impl FnOnce(&mut Evidence)) -> Vec<String> {
        let mut evidence = good();
        change(&mut evidence);
        verdict(&evidence)
    }

    #[test]
    fn where_all_is_well_nothing_is_found() {
        assert_eq!(found(|_| ()), Vec::<String>::new());
    }

    #[test]
    fn a_broken_rule_and_a_panic_are_told_as_they_are() {
        let told = found(|evidence| {
            evidence
                .faults
                .push("+13125550001 was held twice".to_owned());
            evidence.odd.push("alone panicked".to_owned());
        });
        assert_eq!(told, ["+13125550001 was held twice", "alone panicked"]);
    }

    #[test]
    fn a_service_that_does_not_come_back_and_a_phase_without_numbers_are_found() {
        let told = found(|evidence| evidence.phases[0].again = None);
        assert_eq!(
            told,
            ["after `calm` at 0 s some service handed out no more numbers"]
        );
        let told = found(|evidence| evidence.summaries[0].1.numbers = 0);
        assert_eq!(told, ["no number was handed out in `calm`"]);
    }

    #[test]
    fn memory_beyond_what_calls_take_and_handles_that_stay_open_are_found() {
        let told = found(|evidence| evidence.services[0].end.mb = 125.0);
        let expected =
            "node one had 50 MB after the warm-up and has 125 after 10000 calls: more than 124";
        assert_eq!(told, [expected]);
        let told = found(|evidence| evidence.services[0].end.handles = 73);
        assert_eq!(
            told,
            ["node one had 40 handles after the warm-up and has 73"]
        );
    }

    #[test]
    fn what_never_happened_is_found() {
        let told = found(|evidence| evidence.happened[0].1 = 0);
        assert_eq!(told, ["not once: an import"]);
    }
}
