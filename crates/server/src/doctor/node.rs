//! Judges this machine.

use caller_id_core::Timestamp;

use super::{CLOCKS_APART_MS, Finding, Part};

/// No machine that runs this is older: 2026-01-01.
const EARLIEST_MS: i64 = 1_767_225_600_000;

/// This machine's clock, against the calendar and against how far those of others are ahead of it.
pub fn clock(now: Timestamp, others_ahead_ms: &[i64]) -> Finding {
    let found = Finding::new(Part::Node, "clock", now.to_string());
    let advice = "let NTP (chrony, systemd-timesyncd) set this machine's clock";
    if now.as_ms() < EARLIEST_MS {
        return found.error(advice);
    }
    let apart = |side: i64| {
        let mut others = others_ahead_ms.iter();
        others.all(|ahead| ahead * side > CLOCKS_APART_MS)
    };
    if others_ahead_ms.len() < 2 || !(apart(1) || apart(-1)) {
        return found;
    }
    Finding {
        fact: format!("{now}, and all others agree that it is not: this machine's seems wrong"),
        ..found
    }
    .warning(advice)
}

/// Who it is, and how it would run.
pub fn name(node: &str, shared: bool) -> Finding {
    let how = match shared {
        true => "one of many, with the hot state in Redis",
        false => "alone, with the hot state in memory",
    };
    Finding::new(Part::Node, "name", format!("`{node}`, {how}"))
}

/// Who it is, where its hot state is in Redis and its database a file: that works, and is seldom meant.
pub fn name_beside_a_file(node: &str) -> Finding {
    let fact = format!(
        "`{node}`, with the hot state in Redis, and the database in a file of this machine: the only node"
    );
    Finding::new(Part::Node, "name", fact).warning(
        "for more nodes set DATABASE_URL to a PostgreSQL (docs/cluster.md); for one alone take REDIS_URL out",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn a_clock_of_the_last_century_is_an_error_and_one_against_all_others_a_warning() {
        let now = Timestamp::from_ms(EARLIEST_MS + 1);
        for (now, others, verdict) in [
            (Timestamp::from_ms(0), vec![], Verdict::Error),
            (now, vec![], Verdict::Ok),
            (now, vec![9_000], Verdict::Ok),
            (now, vec![9_000, 8_000], Verdict::Warning),
            (now, vec![-9_000, -8_000], Verdict::Warning),
            (now, vec![9_000, -8_000], Verdict::Ok),
            (now, vec![9_000, 3], Verdict::Ok),
        ] {
            assert_eq!(clock(now, &others).verdict, verdict, "{others:?}");
        }
    }
}
