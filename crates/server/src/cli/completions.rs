//! `caller-id completions` and `caller-id man`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::Cli;
use super::show::{Closed, out};

/// How `completions` is called.
pub const EXAMPLES: &str = "Examples:
  caller-id completions bash > /etc/bash_completion.d/caller-id
  caller-id completions zsh > \"${fpath[1]}/_caller-id\"
  caller-id completions fish > ~/.config/fish/completions/caller-id.fish";
/// How `man` is called.
pub const MAN_EXAMPLES: &str = "Examples:
  caller-id man | man -l -
  caller-id man numbers bulk | man -l -
  caller-id man --dir /usr/local/share/man/man1          all pages";

/// What `completions` takes.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// For which shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// What `man` takes.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// The command that the page is of; of all when nothing is said
    #[arg(value_name = "COMMAND")]
    pub of: Vec<String>,
    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "of")]
    pub dir: Option<PathBuf>,
}

/// Prints what a shell completes commands with.
///
/// # Errors
/// The standard output cannot be written.
pub fn completions(args: &CompletionsArgs) -> anyhow::Result<ExitCode> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "caller-id", &mut text);
    written(&text)
}

/// Prints a page, or writes all of them.
///
/// # Errors
/// There is no such command; a file cannot be written.
pub fn man(args: &ManArgs) -> anyhow::Result<ExitCode> {
    let mut command = Cli::command();
    command.build();
    if let Some(folder) = &args.dir {
        std::fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
            .with_context(|| format!("cannot write the pages into {}", folder.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut page = &command;
    for word in &args.of {
        match page.find_subcommand(word) {
            Some(found) => page = found,
            None => bail!("there is no command `{word}` here: caller-id help tells all"),
        }
    }
    let mut text = Vec::new();
    Man::new(page.clone()).render(&mut text)?;
    written(&text)
}

fn written(text: &[u8]) -> anyhow::Result<ExitCode> {
    match out::bytes(text) {
        Err(error) if error.is::<Closed>() => Ok(ExitCode::SUCCESS),
        written => written.map(|()| ExitCode::SUCCESS),
    }
}
