//! A policy in plain words.

use serde_json::Value;

/// The rungs of a ladder in the order in which they are tried, each with what stands on it.
pub(super) const RUNGS: [(&str, &str, &str); 4] = [
    (
        "area_code",
        "Area code",
        "numbers with the area code of the destination",
    ),
    (
        "overlay",
        "Overlay",
        "numbers of area codes that share its territory",
    ),
    ("region", "State", "numbers of its state or province"),
    ("any", "Any", "any number of the pool"),
];

const UNITS: [(i64, &str); 4] = [
    (86_400, "day"),
    (3_600, "hour"),
    (60, "minute"),
    (1, "second"),
];

/// Seconds as people say them: 1 hour 30 minutes.
pub(in crate::dashboard::pages) fn span(seconds: i64) -> String {
    let mut left = seconds.max(0);
    let mut said = Vec::new();
    for (size, name) in UNITS {
        let many = left / size;
        left %= size;
        if many > 0 {
            said.push(count(many, name));
        }
    }
    match said.is_empty() {
        true => "0 seconds".to_owned(),
        false => said.join(" "),
    }
}

/// The largest unit that so many seconds are a whole number of, and that number.
pub(super) fn unit(seconds: i64) -> (i64, i64) {
    let fits = |(size, _): &&(i64, &str)| seconds > 0 && seconds % size == 0;
    let size = UNITS.iter().find(fits).map_or(1, |(size, _)| *size);
    (seconds / size, size)
}

/// `1 call`, `5 calls`.
fn count(many: i64, of: &str) -> String {
    let plural = if many == 1 { "" } else { "s" };
    format!("{many} {of}{plural}")
}

/// How numbers rotate by a policy, in sentences. `numbers` are some of those in the pool, `all` says whether that is all.
pub(in crate::dashboard::pages) fn sentences(
    policy: &Value,
    numbers: &[Value],
    all: bool,
) -> Vec<String> {
    let seconds = |name: &str| policy[name].as_i64().unwrap_or_default();
    let most = policy["most_reservations"].as_i64().unwrap_or(1);
    let zone = policy["time_zone"].as_str().unwrap_or("UTC");
    let mut said = vec![ladder(&policy["ladder"])];
    said.push(match seconds("cooldown_seconds") {
        0 => "A number may be used again at once, without any rest.".to_owned(),
        rest => format!("A number rests {} after each use.", span(rest)),
    });
    let held = span(seconds("reservation_seconds"));
    said.push(match most {
        1 => format!(
            "A call has its number for itself until it ends, or for {held} when nobody says that it ended."
        ),
        most => format!(
            "Up to {most} calls share a number at a time; each counts until it ends, or for {held} when nobody says that \
             it ended."
        ),
    });
    said.push(match seconds("sticky_seconds") {
        0 => "Whoever is called again may see another number.".to_owned(),
        sticky => format!(
            "Whoever is called again within {} sees the same number, where it is free.",
            span(sticky)
        ),
    });
    said.extend(limits(numbers, all));
    said.push(format!("Daily limits begin anew at midnight in {zone}."));
    said
}

fn ladder(rungs: &Value) -> String {
    let has = |name: &str| {
        let mut rungs = rungs.as_array().into_iter().flatten();
        rungs.any(|rung| rung == name)
    };
    let names: Vec<&str> = RUNGS
        .iter()
        .filter(|(name, _, _)| has(name))
        .map(|(_, _, what)| *what)
        .collect();
    let order = match names.as_slice() {
        ["any number of the pool"] => "Any number of the pool may be used".to_owned(),
        [only] => format!("Only {only} are used"),
        [first, others @ ..] => {
            format!("First choice are {first}, then {}", others.join(", then "))
        }
        [] => "No numbers are used".to_owned(),
    };
    match has("any") {
        true => format!("{order}. Of those that are free the one that rested longest is taken."),
        false => format!(
            "{order}; a call for which none of these is free gets no number. Of those that are free the one that rested \
             longest is taken."
        ),
    }
}

/// How often numbers may be used, which is said of each number by itself.
fn limits(numbers: &[Value], all: bool) -> Option<String> {
    if numbers.is_empty() {
        return None;
    }
    let hour = range(numbers, "hourly_limit", "an hour");
    let day = range(numbers, "daily_limit", "a day");
    let whose = match all {
        true => "A number of this pool",
        false => "A number (so it is with the first 100 of the pool)",
    };
    Some(
        match [hour, day].into_iter().flatten().collect::<Vec<_>>() {
            none if none.is_empty() => format!("{whose} has no limit of calls an hour or a day."),
            some => format!("{whose} is used for at most {}.", some.join(" and ")),
        },
    )
}

/// `5 calls an hour`, `5 to 20 calls an hour`; none where no number has such a limit.
fn range(numbers: &[Value], name: &str, span: &str) -> Option<String> {
    let limits: Vec<i64> = numbers
        .iter()
        .filter_map(|one| one[name].as_i64())
        .collect();
    let (least, most) = (limits.iter().min()?, limits.iter().max()?);
    let calls = match least == most {
        true => count(*least, "call"),
        false => format!("{least} to {most} calls"),
    };
    let some = match limits.len() == numbers.len() {
        true => "",
        false => " (some without that limit)",
    };
    Some(format!("{calls} {span}{some}"))
}

/// A part of a policy in a few words, for tables.
pub(super) fn short(name: &str, value: &Value) -> String {
    match (name, value) {
        ("ladder", Value::Array(rungs)) => {
            let shown = RUNGS
                .iter()
                .filter(|rung| rungs.iter().any(|one| one == rung.0));
            let shown: Vec<&str> = shown.map(|rung| rung.1).collect();
            shown.join(" › ")
        }
        ("most_reservations", Value::Number(most)) if most.as_i64() == Some(1) => {
            "one call".to_owned()
        }
        ("most_reservations", Value::Number(most)) => format!("{most} calls"),
        ("sticky_seconds", Value::Number(zero)) if zero.as_i64() == Some(0) => "off".to_owned(),
        (_, Value::Number(seconds)) => span(seconds.as_i64().unwrap_or_default()),
        (_, Value::String(text)) => text.clone(),
        _ => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn spans_are_said_in_the_units_of_people() {
        assert_eq!(span(0), "0 seconds");
        assert_eq!(span(1), "1 second");
        assert_eq!(span(600), "10 minutes");
        assert_eq!(span(5_400), "1 hour 30 minutes");
        assert_eq!(span(90_061), "1 day 1 hour 1 minute 1 second");
        assert_eq!(
            (unit(600), unit(90), unit(86_400)),
            ((10, 60), (90, 1), (1, 86_400))
        );
        assert_eq!(unit(0), (0, 1));
    }

    #[test]
    fn a_policy_is_told_in_sentences() {
        let policy = json!({
            "cooldown_seconds": 600, "reservation_seconds": 300, "most_reservations": 1, "sticky_seconds": 0,
            "time_zone": "America/Chicago", "ladder": ["area_code", "overlay", "region", "any"],
        });
        let numbers = [
            json!({"hourly_limit": 5, "daily_limit": 30}),
            json!({"hourly_limit": 5}),
        ];
        let said = sentences(&policy, &numbers, true);
        assert_eq!(
            said[0],
            "First choice are numbers with the area code of the destination, then numbers of area codes that share its \
             territory, then numbers of its state or province, then any number of the pool. Of those that are free the one \
             that rested longest is taken."
        );
        assert_eq!(said[1], "A number rests 10 minutes after each use.");
        assert_eq!(
            said[4],
            "A number of this pool is used for at most 5 calls an hour and 30 calls a day (some without that limit)."
        );
        assert_eq!(
            said[5],
            "Daily limits begin anew at midnight in America/Chicago."
        );
    }

    #[test]
    fn a_ladder_of_one_rung_says_who_gets_nothing() {
        let said = ladder(&json!(["area_code"]));
        assert!(
            said.starts_with("Only numbers with the area code"),
            "{said}"
        );
        assert!(said.contains("gets no number"), "{said}");
        let said = ladder(&json!(["any"]));
        assert!(
            said.starts_with("Any number of the pool may be used."),
            "{said}"
        );
    }

    #[test]
    fn limits_that_differ_are_told_as_a_range() {
        let numbers = [json!({"hourly_limit": 5}), json!({"hourly_limit": 20})];
        let said = limits(&numbers, false).unwrap_or_default();
        assert!(
            said.ends_with("is used for at most 5 to 20 calls an hour."),
            "{said}"
        );
        assert_eq!(
            limits(&[json!({})], true).as_deref(),
            Some("A number of this pool has no limit of calls an hour or a day.")
        );
    }
}
