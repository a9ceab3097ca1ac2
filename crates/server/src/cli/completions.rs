//! `caller-id completions` and `caller-id man`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

use anyhow::{Context, bail};
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use super::Cli;
use super::show::out;

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
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    if let Some(folder) = &args.dir {
        let cannot = || format!("cannot write the pages into {}", folder.display());
        fs::create_dir_all(folder).with_context(cannot)?;
        return all(&command, folder)
            .with_context(cannot)
            .map(|()| ExitCode::SUCCESS);
    }
    let mut asked = &command;
    for word in &args.of {
        match asked.find_subcommand(word) {
            Some(found) => asked = found,
            None => bail!("there is no command `{word}` here: caller-id help tells all"),
        }
    }
    written(page(asked)?.as_bytes())
}

fn all(command: &Command, folder: &Path) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    fs::write(folder.join(format!("{name}.1")), page(command)?)?;
    let mut below = command.get_subcommands();
    below.try_for_each(|command| all(command, folder))
}

/// The page of a command; its examples a line each, as they are typed.
fn page(command: &Command) -> io::Result<String> {
    let man = Man::new(command.clone())
        .source(concat!("caller-id ", env!("CARGO_PKG_VERSION")))
        .manual("caller-id");
    let mut text = Vec::new();
    man.render(&mut text)?;
    let text = ascii(&String::from_utf8_lossy(&text));
    Ok(match text.split_once(".SH EXTRA\nExamples:\n") {
        Some((page, examples)) => format!("{page}.SH EXAMPLES\n.nf\n{examples}.fi\n"),
        None => text.replace(".SH EXTRA\n", ".SH NOTES\n"),
    })
}

/// Other characters by their numbers: not every `man` takes the file for UTF-8.
fn ascii(text: &str) -> String {
    let mut page = String::new();
    for letter in text.chars() {
        match letter.is_ascii() {
            true => page.push(letter),
            false => page.push_str(&format!("\\[u{:04X}]", u32::from(letter))),
        }
    }
    page
}

fn written(text: &[u8]) -> anyhow::Result<ExitCode> {
    out::bytes(text).map(|()| ExitCode::SUCCESS)
}
