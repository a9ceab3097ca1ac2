//! What the person at the terminal sees.

use std::io::{self, Write};
use std::time::Duration;

use caller_id_core::{Clock, SystemClock, Timestamp};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Instant;

use super::compare::{Difference, Onlooker, Part};
use crate::cli::import::console::warn;
use crate::digits::grouped;

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// Of the bar.
const STEPS: u64 = 1_000;

/// Shows how the migration goes: a bar on a terminal, a line each few seconds elsewhere.
pub(in crate::cli) struct Console {
    bar: ProgressBar,
    step: &'static str,
    line_due: Instant,
    now: Timestamp,
    first: Option<Timestamp>,
}

impl Console {
    pub(in crate::cli) fn new() -> Self {
        let bar = ProgressBar::new(STEPS);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3}% {msg}") {
            bar.set_style(style);
        }
        Self {
            bar,
            step: "",
            line_due: Instant::now() + LINE_EVERY,
            now: SystemClock::new().now(),
            first: None,
        }
    }

    /// Says what is done from now on.
    pub(in crate::cli) fn begin(&mut self, step: &'static str) {
        self.step = step;
        self.first = None;
        self.bar.set_position(0);
        self.bar.set_message(step);
        if self.bar.is_hidden() {
            warn(step);
        }
    }

    /// Nothing more is done.
    pub(in crate::cli) fn end(&self) {
        self.bar.finish_and_clear();
    }

    /// Who says something beside the bar.
    pub(in crate::cli) fn teller(&self) -> Teller {
        Teller(self.bar.clone())
    }

    /// The last word: the table, and what differs.
    pub(in crate::cli) fn finish(&self, parts: &[Part]) {
        self.bar.finish_and_clear();
        // Nobody may be reading: the rows are moved all the same.
        let _ = write!(io::stdout(), "{}", table(parts));
    }
}

/// Says lines beside the bar.
pub(in crate::cli) struct Teller(ProgressBar);

impl Teller {
    pub(in crate::cli) fn say(&self, line: &str) {
        self.0.suspend(|| warn(line));
    }
}

impl Onlooker for Console {
    /// How much of history is left is told by its times: nobody counts millions of rows for a bar.
    fn seen(&mut self, part: &'static str, rows: u64, at: Option<Timestamp>) {
        let until = at.map(|at| format!(" until {}", &at.to_string()[..16]));
        let message = format!(
            "{}: {} {part}{}",
            self.step,
            grouped(rows),
            until.unwrap_or_default()
        );
        if self.bar.is_hidden() {
            if Instant::now() >= self.line_due {
                self.line_due = Instant::now() + LINE_EVERY;
                warn(&message);
            }
            return;
        }
        if let Some(at) = at {
            let first = *self.first.get_or_insert(at);
            let whole = self.now.ms_since(first).max(1) as u64;
            let done = (at.ms_since(first) as u64).min(whole);
            self.bar.set_position(done * STEPS / whole);
        }
        self.bar.set_message(message);
    }
}

/// Both sides of each part, and what differs.
fn table(parts: &[Part]) -> String {
    let mut lines = vec![format!(
        "{:<12}{:>14}{:>14}  {:<18}{:<18}",
        "", "source", "target", "checksum", "of the target"
    )];
    for part in parts {
        let verdict = match (part.is_whole(), part.extra) {
            (true, 0) => "same".to_owned(),
            (true, extra) => format!("same, and the target has {} more", grouped(extra)),
            (false, _) => "DIFFERENT".to_owned(),
        };
        let [rows, there] = [part.source.rows, part.target.rows].map(grouped);
        let (source, target) = (part.source.to_string(), part.target.to_string());
        lines.push(format!(
            "{:<12}{rows:>14}{there:>14}  {source:<18}{target:<18}{verdict}",
            part.name
        ));
    }
    for part in parts {
        let named = [Difference::Missing, Difference::Different].map(|how| part.named(how));
        lines.extend(
            named
                .into_iter()
                .flatten()
                .map(|named| format!("  {named}")),
        );
    }
    lines.push(String::new());
    lines.join("\n")
}
