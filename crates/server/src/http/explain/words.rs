//! An explanation in plain words.

use caller_id_core::explain::Tried;
use caller_id_core::inspection::Foreseen;
use caller_id_core::ladder::Candidates;
use caller_id_core::{AllocationRequest, Cause, Exhausted, Rung};

use super::counting::Counted;

/// More area codes than these are not listed in a sentence.
const LISTED_MOST: usize = 6;

/// What would be answered, in a sentence.
pub(super) fn choice(foreseen: &Foreseen, request: &AllocationRequest) -> String {
    let to = request.destination;
    match foreseen {
        Foreseen::Repeated { number } => {
            format!("This call asked before and has {number}: it would get the same again.")
        }
        Foreseen::Number { number, pool, rung } => {
            format!(
                "{number} of pool {pool} would be presented to {to}: {}.",
                why(*rung)
            )
        }
        Foreseen::Exhausted(exhausted) => none_free(*exhausted),
        Foreseen::AgentLimited { retry_after_ms } => format!(
            "No number: the agent has used up its limit, and may call again in {}.",
            span(*retry_after_ms)
        ),
    }
}

fn why(rung: Rung) -> &'static str {
    match rung {
        Rung::Sticky => "the destination was shown this number before",
        Rung::AreaCode => "it has the area code of the destination",
        Rung::Overlay => "its area code shares territory with that of the destination",
        Rung::Region => "it is of the destination's state or province",
        Rung::Any => "it has been free the longest of the pool",
    }
}

fn none_free(exhausted: Exhausted) -> String {
    let because = match exhausted.cause {
        Cause::Empty => return "No number: none is active that may be tried.".to_owned(),
        Cause::Reserved => "a live call",
        Cause::Cooldown => "its cooldown",
        Cause::HourlyLimit => "its hourly limit",
        Cause::DailyLimit => "its daily limit",
        Cause::Resting => "its status resting",
    };
    let wait = span(exhausted.wait_ms);
    format!("No number is free: the first will be in {wait}, held by {because} until then.")
}

/// So long, as people say it: `95 s`, `12 min`, `1 h 4 min`, `2 d 3 h`. Two minutes and more are rounded.
fn span(ms: i64) -> String {
    let seconds = ms.saturating_add(999) / 1_000;
    let minutes = seconds.saturating_add(30) / 60;
    let hours = minutes.saturating_add(30) / 60;
    let (whole, unit, rest, smaller) = match (seconds, minutes, hours) {
        (..120, _, _) => return format!("{seconds} s"),
        (_, ..60, _) => return format!("{minutes} min"),
        (_, _, ..48) => (minutes / 60, "h", minutes % 60, "min"),
        (_, _, _) => (hours / 24, "d", hours % 24, "h"),
    };
    match rest {
        0 => format!("{whole} {unit}"),
        rest => format!("{whole} {unit} {rest} {smaller}"),
    }
}

/// One rung, in a sentence.
pub(super) fn rung(step: &Tried, counted: Option<&Counted>, chosen: bool) -> String {
    let among = among(step);
    let Some(counted) = counted else {
        return format!("{among}: not counted.");
    };
    let live = counted.live;
    let total = live.total() + counted.paused + counted.retired;
    let chosen = if chosen {
        "; the choice falls here"
    } else {
        ""
    };
    if total == 0 {
        return format!("{among}: no numbers{chosen}.");
    }
    let held: Vec<String> = [
        (live.reserved, "reserved"),
        (live.cooldown, "in cooldown"),
        (live.hourly_limit, "at the hourly limit"),
        (live.daily_limit, "at the daily limit"),
        (live.resting, "resting"),
        (counted.paused, "paused"),
        (counted.retired, "retired"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!(", {count} {word}"))
    .collect();
    let free = live.eligible;
    format!("{among}: {free} of {total} free{}{chosen}.", held.concat())
}

fn among(step: &Tried) -> String {
    match step.among {
        Candidates::Area(code) => format!("Numbers with the area code {code}"),
        Candidates::Areas(codes) => {
            let listed = match codes {
                few if few.len() <= LISTED_MOST => {
                    let codes: Vec<String> = few.iter().map(ToString::to_string).collect();
                    codes.join(", ")
                }
                many => format!("{} area codes", many.len()),
            };
            let what = match step.rung {
                Rung::Region => "of the same state or province",
                _ => "of overlays",
            };
            format!("Numbers {what} ({listed})")
        }
        Candidates::All => "All numbers of the pool".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use caller_id_core::inspection::Counts;
    use caller_id_core::{AreaCode, PoolId};

    use super::*;

    #[test]
    fn spans_are_said_as_people_say_them() {
        for (seconds, said) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (3_599, "1 h"),
            (3_862, "1 h 4 min"),
            (86_400, "24 h"),
            (183_600, "2 d 3 h"),
            (604_800, "7 d"),
        ] {
            assert_eq!(span(seconds * 1_000), said);
        }
        assert_eq!(span(1), "1 s");
        let exhausted = Exhausted {
            earliest: None,
            cause: Cause::Cooldown,
            wait_ms: 3_862_000,
        };
        assert_eq!(
            none_free(exhausted),
            "No number is free: the first will be in 1 h 4 min, held by its cooldown until then."
        );
    }

    #[test]
    fn a_rung_is_told_with_what_holds_its_numbers() {
        let step = Tried {
            pool: PoolId::default(),
            rung: Rung::AreaCode,
            among: AreaCode::new(312).map(Candidates::Area).expect("a code"),
        };
        let mut counted = Counted {
            live: Counts {
                eligible: 2,
                cooldown: 1,
                ..Counts::default()
            },
            paused: 3,
            retired: 0,
        };
        assert_eq!(
            rung(&step, Some(&counted), true),
            "Numbers with the area code 312: 2 of 6 free, 1 in cooldown, 3 paused; the choice falls here."
        );
        counted = Counted {
            live: Counts::default(),
            paused: 0,
            retired: 0,
        };
        assert_eq!(
            rung(&step, Some(&counted), false),
            "Numbers with the area code 312: no numbers."
        );
        assert_eq!(
            rung(&step, None, false),
            "Numbers with the area code 312: not counted."
        );
    }
}
