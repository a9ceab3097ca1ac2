//! Commands: ours, and those of the Makefile.

use caller_id::cli::Cli;
use clap::error::ErrorKind;
use clap::{Command, CommandFactory, Parser};

use crate::foreign::{Foreign, List};
use crate::known::Known;
use crate::page::{Code, Kind, Page};
use crate::shell::{Words, programs, unwrapped};

/// Blocks in these languages are no commands.
const NO_SHELL: [&str; 10] = [
    "asterisk", "json", "yaml", "nginx", "text", "ini", "sql", "log", "http", "lua",
];

/// Every command that a page names, with its line.
fn typed(page: &Page) -> impl Iterator<Item = (usize, &Code, Words)> {
    let shell = page.codes.iter().filter(|code| match &code.kind {
        Kind::Inline => true,
        Kind::Block(language) => !NO_SHELL.contains(&language.as_str()),
    });
    shell.flat_map(|code| {
        let found = programs(&code.text);
        found
            .into_iter()
            .map(move |words| (line_of(code, &words), code, words))
    })
}

/// The line of a block on which these words stand first.
fn line_of(code: &Code, words: &Words) -> usize {
    let has = |line: &str| {
        words
            .iter()
            .take(3)
            .all(|word| line.contains(word.as_str()))
    };
    code.line + code.text.lines().position(has).unwrap_or(0)
}

/// How many commands of ours, and how many targets of `make`, a page names.
pub(crate) fn count(page: &Page) -> (usize, usize) {
    let mut found = (0, 0);
    for (_, _, words) in typed(page) {
        let words = unwrapped(&words);
        match words.first().map(String::as_str) {
            Some("make") => found.1 += words.len() - 1,
            Some(first) if is_ours(first) && words.len() > 1 => found.0 += 1,
            _ => {}
        }
    }
    found
}

fn is_ours(program: &str) -> bool {
    program == "caller-id"
        || ["/bin/caller-id", "release/caller-id", "debug/caller-id"]
            .iter()
            .any(|end| program.ends_with(end))
}

/// What is wrong with the commands of a page.
pub(crate) fn check(page: &Page, known: &Known, foreign: &Foreign) -> Vec<String> {
    let command = Cli::command();
    let mut wrong = Vec::new();
    for (line, code, words) in typed(page) {
        let inner = unwrapped(&words);
        let Some(first) = inner.first() else { continue };
        let fault = if first == "make" {
            target(&inner[1..], known)
        } else if is_ours(first) {
            ours(&command, &inner[1..], code.kind == Kind::Inline)
        } else if inner.iter().skip(1).any(|word| word == "caller-id")
            && is_word(first)
            // What the program says is no command.
            && !known.said.contains(&code.text)
            && !foreign.has(List::Programs, first)
        {
            Err(format!("what is `caller-id` to `{first}`?"))
        } else {
            Ok(())
        };
        let fault = fault.and_then(|()| flag(code, known, foreign));
        if let Err(fault) = fault {
            wrong.push(format!("{line}: `{}`: {fault}", words.join(" ")));
        }
    }
    wrong
}

fn is_word(text: &str) -> bool {
    text.chars().all(|it| it.is_ascii_lowercase() || it == '-')
}

/// A flag that stands alone: `--mode db`.
fn flag(code: &Code, known: &Known, foreign: &Foreign) -> Result<(), String> {
    if code.kind != Kind::Inline || !code.text.starts_with("--") {
        return Ok(());
    }
    let name = code
        .text
        .trim_start_matches('-')
        .split([' ', '=', '…'])
        .next()
        .unwrap_or_default();
    match known.flags.contains(name) || foreign.has(List::Flags, name) {
        true => Ok(()),
        false => Err("no command has this flag".to_owned()),
    }
}

/// `make` with these arguments.
fn target(arguments: &[String], known: &Known) -> Result<(), String> {
    let targets = arguments
        .iter()
        .filter(|word| !word.starts_with('-') && !word.contains('='));
    for target in targets {
        if !known.targets.contains(target) {
            return Err(format!("the Makefile has no target `{target}`"));
        }
    }
    Ok(())
}

/// `caller-id` with these arguments. Between backticks something may be left out.
fn ours(command: &Command, arguments: &[String], inline: bool) -> Result<(), String> {
    names(command, arguments)?;
    let open = |word: &String| {
        ["…", "<", "$", "COMMAND", "..."]
            .iter()
            .any(|part| word.contains(part))
    };
    if arguments.iter().any(open) {
        return Ok(());
    }
    let words = std::iter::once("caller-id").chain(arguments.iter().map(String::as_str));
    let Err(error) = Cli::try_parse_from(words) else {
        return Ok(());
    };
    use ErrorKind::{
        DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion, InvalidValue,
        MissingRequiredArgument, MissingSubcommand,
    };
    match error.kind() {
        DisplayHelp | DisplayVersion => Ok(()),
        MissingRequiredArgument | DisplayHelpOnMissingArgumentOrSubcommand | MissingSubcommand
            if inline =>
        {
            Ok(())
        }
        // A flag that is named, and not used.
        InvalidValue if inline && error.to_string().contains("a value is required") => Ok(()),
        _ => Err(error
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned()),
    }
}

/// Whether the commands and flags exist, whatever their values.
fn names(command: &Command, arguments: &[String]) -> Result<(), String> {
    let mut command = command;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if matches!(word.as_str(), "help" | "--help" | "-h" | "--version" | "…") {
            return Ok(());
        }
        if let Some(flag) = word.strip_prefix("--") {
            let (name, value) = flag
                .split_once('=')
                .map_or((flag, None), |(name, value)| (name, Some(value)));
            let mut flags = command.get_arguments();
            let Some(found) = flags.find(|known| known.get_long() == Some(name)) else {
                return Err(format!("`{}` has no flag `--{name}`", command.get_name()));
            };
            if found.get_action().takes_values() && value.is_none() {
                words.next();
            }
            continue;
        }
        if word.starts_with('-') || !command.has_subcommands() {
            continue;
        }
        let Some(next) = command.find_subcommand(word) else {
            let is_place = word.chars().all(|it| it.is_ascii_uppercase());
            return match is_place {
                true => Ok(()),
                false => Err(format!("`{}` has no command `{word}`", command.get_name())),
            };
        };
        command = next;
    }
    Ok(())
}
