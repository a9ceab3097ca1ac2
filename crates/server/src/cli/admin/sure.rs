//! Asks people whether they mean it.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;

use crate::cli::ask::Usage;

/// Whether somebody is asked before something goes that does not come back.
#[derive(Debug, Clone, Args)]
pub struct SureArgs {
    /// Do not ask whether it is meant
    #[arg(long, short = 'y')]
    pub yes: bool,
}

impl SureArgs {
    /// Tells what is about to be done, and waits for a yes.
    ///
    /// # Errors
    /// [`Usage`] where nobody can be asked.
    pub(super) fn is_meant(&self, what: &str) -> anyhow::Result<bool> {
        if self.yes {
            return Ok(true);
        }
        if !io::stdin().is_terminal() {
            let text = format!("{what}: nobody can be asked here, --yes says that it is meant");
            return Err(Usage::new(text).into());
        }
        let mut err = io::stderr().lock();
        write!(err, "{what}. Go on? [y/N] ")?;
        err.flush()?;
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        let is_yes = matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes");
        if !is_yes {
            writeln!(err, "nothing is changed")?;
        }
        Ok(is_yes)
    }
}
