//! What the person at the terminal sees, and the report.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};

use super::input::Input;
use crate::rows::{BadRow, ReportWriter, Tally, Watcher};

/// Bad rows on the screen. All of them are in the report.
pub(in crate::cli) const SHOWN_MOST: u64 = 20;
/// How often the bar moves where the length is unknown.
const TICK: Duration = Duration::from_millis(200);

/// Shows how the import goes (the bar only on a terminal) and writes the report.
pub(super) struct Console {
    bar: ProgressBar,
    done: Arc<AtomicU64>,
    report: Option<Report>,
    bad: u64,
    dry_run: bool,
}

/// The file that names every bad row.
pub(in crate::cli) struct Report {
    path: PathBuf,
    writer: ReportWriter<BufWriter<File>>,
    /// The first failure; told at the end, so that the import goes on.
    failed: Option<io::Error>,
}

impl Console {
    pub(super) fn new(
        input: &Input,
        report: Option<PathBuf>,
        dry_run: bool,
    ) -> anyhow::Result<Self> {
        let report = report.map(Report::create).transpose()?;
        Ok(Self {
            bar: bar(input.bytes()),
            done: input.done(),
            report,
            bad: 0,
            dry_run,
        })
    }

    /// The last line, where there is one, and the end of the report.
    pub(super) fn finish(self, tally: Option<&Tally>, took: Duration) -> anyhow::Result<()> {
        self.bar.finish_and_clear();
        if self.bad > SHOWN_MOST {
            let rest = self.bad - SHOWN_MOST;
            let place = match &self.report {
                Some(report) => format!("all are in {}", report.path.display()),
                None => "--report FILE writes them all".to_owned(),
            };
            warn(&format!("… and {rest} bad rows more ({place})"));
        }
        if let Some(report) = self.report {
            report.finish()?;
        }
        if let Some(tally) = tally {
            let summary = summary(tally, took, self.dry_run);
            // Nobody may be reading: that is no failure of the import.
            let _ = writeln!(io::stdout(), "{summary}");
        }
        Ok(())
    }
}

impl Watcher for Console {
    fn unknown_columns(&mut self, names: &[String]) {
        let names = names.join("`, `");
        self.bar
            .suspend(|| warn(&format!("columns not known, kept out: `{names}`")));
    }

    fn new_pool(&mut self, name: &str) {
        let verb = if self.dry_run { "would be" } else { "is" };
        self.bar
            .suspend(|| warn(&format!("pool `{name}` was not there: it {verb} made")));
    }

    fn bad_row(&mut self, row: BadRow) {
        self.bad += 1;
        if self.bad <= SHOWN_MOST {
            self.bar
                .suspend(|| warn(&format!("line {}: {}", row.line, row.reason)));
        }
        if let Some(report) = &mut self.report {
            report.write(&row);
        }
    }

    fn progress(&mut self, tally: &Tally) {
        self.bar.set_position(self.done.load(Ordering::Relaxed));
        self.bar
            .set_message(format!("{} rows, {} bad", tally.rows, tally.failed));
    }
}

impl Report {
    /// Makes the file.
    pub(in crate::cli) fn create(path: PathBuf) -> anyhow::Result<Self> {
        let cannot = || format!("cannot write the report {}", path.display());
        let file = File::create(&path).with_context(cannot)?;
        let writer = ReportWriter::new(BufWriter::new(file)).with_context(cannot)?;
        Ok(Self {
            path,
            writer,
            failed: None,
        })
    }

    /// Adds a row.
    pub(in crate::cli) fn write(&mut self, row: &BadRow) {
        if self.failed.is_none() {
            self.failed = self.writer.write(row).err();
        }
    }

    /// Its end; tells the first failure.
    pub(in crate::cli) fn finish(self) -> anyhow::Result<()> {
        let written = self.failed.map_or_else(|| self.writer.finish(), Err);
        written.with_context(|| {
            format!(
                "the report {} is not whole (the good rows are written)",
                self.path.display()
            )
        })
    }
}

fn bar(bytes: Option<u64>) -> ProgressBar {
    let (bar, template) = match bytes {
        Some(bytes) => (
            ProgressBar::new(bytes),
            "{bar:30} {percent:>3}% {msg} ({eta} left)",
        ),
        None => (ProgressBar::new_spinner(), "{spinner} {msg}"),
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    if !bar.is_hidden() {
        bar.enable_steady_tick(TICK);
    }
    bar
}

fn summary(tally: &Tally, took: Duration, dry_run: bool) -> String {
    let seconds = took.as_secs_f64();
    let rate = tally.rows as f64 / seconds.max(0.001);
    let prefix = if dry_run {
        "dry run, nothing written: "
    } else {
        ""
    };
    format!(
        "{prefix}{} added, {} updated, {} skipped, {} bad in {seconds:.2} s ({rate:.0} rows/s)",
        tally.added, tally.updated, tally.skipped, tally.failed
    )
}

/// Writes a line to standard error.
pub(in crate::cli) fn warn(line: &str) {
    // Nobody may be reading: that is no failure of the import.
    let _ = writeln!(io::stderr(), "{line}");
}
