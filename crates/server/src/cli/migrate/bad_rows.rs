//! Rows that cannot be taken: shown, counted, and written to a report.

use std::path::PathBuf;

use super::console::Teller;
use crate::cli::import::console::{Report, SHOWN_MOST};
use crate::rows::BadRow;

/// Those of one run.
pub(super) struct BadRows {
    count: u64,
    report: Option<(PathBuf, Report)>,
    teller: Teller,
}

impl BadRows {
    /// With a report at `path`, where one is wanted.
    pub(super) fn new(path: Option<PathBuf>, teller: Teller) -> anyhow::Result<Self> {
        let create = |path: PathBuf| anyhow::Ok((path.clone(), Report::create(path)?));
        let report = path.map(create);
        Ok(Self {
            count: 0,
            report: report.transpose()?,
            teller,
        })
    }

    /// Counts one in.
    pub(super) fn take(&mut self, row: &BadRow) {
        self.count += 1;
        if self.count <= SHOWN_MOST {
            self.teller
                .say(&format!("row {}: {}", row.line, row.reason));
        }
        if let Some((_, report)) = &mut self.report {
            report.write(row);
        }
    }

    /// The end of the report; tells how many there were.
    pub(super) fn finish(self) -> anyhow::Result<u64> {
        if self.count > SHOWN_MOST {
            let rest = self.count - SHOWN_MOST;
            let place = match &self.report {
                Some((path, _)) => format!("all are in {}", path.display()),
                None => "--report FILE writes them all".to_owned(),
            };
            self.teller
                .say(&format!("… and {rest} bad rows more ({place})"));
        }
        if let Some((_, report)) = self.report {
            report.finish()?;
        }
        Ok(self.count)
    }
}
