//! What is wrong with what the settings name: judging alone, without asking anybody. `app::inspect` asks, `cli::doctor` shows.

pub mod access;
pub mod cluster;
pub mod node;
pub mod postgres;
pub mod redis;
pub mod sqlite;

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// So far may clocks be apart before somebody should look after them.
const CLOCKS_APART_MS: i64 = 1_000;
/// Half of the ways there and back should be shorter.
const MEDIAN_MOST: Duration = Duration::from_millis(5);
/// And all of them than this.
const LONGEST_MOST: Duration = Duration::from_millis(50);

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and something can be lost or be late.
    Warning,
    /// It does not work, or not for long.
    Error,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// This machine.
    Node,
    /// The Redis of `REDIS_URL`.
    Redis,
    /// The PostgreSQL of `DATABASE_URL`.
    Postgresql,
    /// The file of `DATABASE_URL`.
    Sqlite,
    /// Redis and the database together.
    Cluster,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Node => "node",
            Self::Redis => "redis",
            Self::Postgresql => "postgresql",
            Self::Sqlite => "sqlite",
            Self::Cluster => "cluster",
        })
    }
}

/// One thing that was looked at: how it is, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub verdict: Verdict,
    /// What was looked at.
    pub part: Part,
    /// Which property of it.
    pub about: &'static str,
    /// How it is, and what that means.
    pub fact: String,
    /// What to do, where something is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    fn new(part: Part, about: &'static str, fact: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Ok,
            part,
            about,
            fact: fact.into(),
            advice: None,
        }
    }

    fn warning(self, advice: impl Into<String>) -> Self {
        self.bad(Verdict::Warning, advice)
    }

    fn error(self, advice: impl Into<String>) -> Self {
        self.bad(Verdict::Error, advice)
    }

    fn bad(self, verdict: Verdict, advice: impl Into<String>) -> Self {
        Self {
            verdict,
            advice: Some(advice.into()),
            ..self
        }
    }
}

impl Finding {
    /// What was found and what to do, on one line, whatever a server put into what it says.
    pub fn told(&self) -> String {
        let Self {
            part, about, fact, ..
        } = self;
        let advice = self.advice.as_ref();
        let advice = advice.map_or_else(String::new, |advice| format!(" -> {advice}"));
        format!("{part}: {about}: {fact}{advice}").replace(['\n', '\r'], " ")
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<8} {}", self.verdict, self.told())
    }
}

fn clock(part: Part, ahead_ms: i64) -> Finding {
    let seconds = ahead_ms.unsigned_abs() as f64 / 1_000.0;
    let side = if ahead_ms < 0 { "behind" } else { "ahead of" };
    let finding = Finding::new(
        part,
        "clock",
        format!("{seconds:.3} s {side} this machine's"),
    );
    if ahead_ms.abs() <= CLOCKS_APART_MS {
        return finding;
    }
    finding.warning("let NTP (chrony, systemd-timesyncd) set the clocks of both machines")
}

fn latency(part: Part, median: Duration, longest: Duration) -> Finding {
    let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
    let fact = format!(
        "there and back in {:.2} ms (median), {:.2} ms (longest)",
        ms(median),
        ms(longest)
    );
    let finding = Finding::new(part, "latency", fact);
    if median <= MEDIAN_MOST && longest <= LONGEST_MOST {
        return finding;
    }
    finding.warning(
        "calls wait for this: bring it nearer to the nodes, and see what else keeps that machine or the network busy",
    )
}

/// Bytes as people read them.
fn bytes(count: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = UNITS.iter().find(|(size, _)| count >= *size);
    unit.map_or_else(
        || format!("{count} bytes"),
        |(size, name)| format!("{:.1} {name}", count as f64 / *size as f64),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line_with_what_to_do() {
        let finding = Finding::new(Part::Redis, "version", "5.0\r\nis old").error("take 7");
        assert_eq!(
            finding.to_string(),
            "error    redis: version: 5.0  is old -> take 7"
        );
        let finding = Finding::new(Part::Postgresql, "clock", "right");
        assert_eq!(finding.to_string(), "ok       postgresql: clock: right");
    }

    #[test]
    fn clocks_more_than_a_second_apart_are_a_warning_either_way() {
        for (ahead_ms, verdict) in [
            (0, Verdict::Ok),
            (1_000, Verdict::Ok),
            (-1_000, Verdict::Ok),
            (1_001, Verdict::Warning),
            (-1_001, Verdict::Warning),
        ] {
            assert_eq!(clock(Part::Redis, ahead_ms).verdict, verdict, "{ahead_ms}");
        }
        assert!(clock(Part::Redis, -2_500).fact.contains("2.500 s behind"));
        assert!(clock(Part::Redis, 2_500).fact.contains("2.500 s ahead of"));
    }

    #[test]
    fn a_slow_median_or_one_slow_answer_is_a_warning() {
        for (median_ms, longest_ms, verdict) in [
            (1, 2, Verdict::Ok),
            (5, 50, Verdict::Ok),
            (6, 6, Verdict::Warning),
            (1, 51, Verdict::Warning),
        ] {
            let [median, longest] = [median_ms, longest_ms].map(Duration::from_millis);
            let found = latency(Part::Redis, median, longest).verdict;
            assert_eq!(found, verdict, "{median_ms} {longest_ms}");
        }
    }

    #[test]
    fn bytes_are_told_in_their_unit() {
        assert_eq!(bytes(12), "12 bytes");
        assert_eq!(bytes(1_572_864), "1.5 MiB");
        assert_eq!(bytes(3 << 30), "3.0 GiB");
    }
}
