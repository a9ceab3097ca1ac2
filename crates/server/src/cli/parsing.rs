//! What the command line and the environment say together.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches};

use super::{Cli, Command, ask};
use crate::config::alerts::WebhookUrl;
use crate::config::describe::{environment_name, settings};
use crate::config::effective::{Effective, HIDDEN};
use crate::config::source::{Environment, Source};
use crate::config::storage::masked;
use crate::config::{ConfigError, Settings};

/// A command line that was understood.
#[derive(Debug)]
pub struct Parsed {
    /// What it says.
    pub cli: Cli,
    /// Each setting's value as text, and where it came from; none when nobody said anything and there is no default.
    pub values: Vec<Effective>,
}

/// Why nothing is run.
#[derive(Debug)]
pub enum Stop {
    /// Help or the version was asked for, or an argument is none.
    Clap(clap::Error),
    /// A setting has a value that cannot be used.
    Config(ConfigError),
}

/// Reads the command line; what it leaves open comes from the environment.
///
/// # Errors
/// [`Stop`] says what to show instead.
pub fn parse(mut arguments: Vec<OsString>, environment: &Environment) -> Result<Parsed, Stop> {
    let command = Cli::command();
    let given = flags_given(&arguments);
    if let Some((place, asked)) = asked(&command, &arguments) {
        let more = from_environment(asked, &given, environment);
        arguments.splice(place + 1..place + 1, more);
    }
    let matches = command.try_get_matches_from(arguments).map_err(explain)?;
    let mut cli = Cli::from_arg_matches(&matches).map_err(explain)?;
    let matches = matches.subcommand().map(|(_, matches)| matches);
    let effective = settings().into_iter().map(|setting| {
        let source = match environment.get(&setting.name) {
            _ if given.contains(&setting.flag) => Source::Flag,
            Some((_, source)) => source,
            None => Source::Default,
        };
        let raw = matches.and_then(|matches| matches.try_get_raw(&setting.id).ok().flatten());
        let value = raw
            .and_then(|mut values| values.next_back())
            .map(|value| value.to_string_lossy().into_owned());
        let value = value.filter(|value| !value.is_empty());
        Effective {
            name: setting.name,
            value: match value {
                Some(_) if setting.secret => Some(HIDDEN.to_owned()),
                // It may have a password in it.
                Some(url) if setting.url => Some(masked(&url)),
                Some(url) if setting.webhook => Some(WebhookUrl::masked(&url)),
                value => value,
            },
            source,
        }
    });
    let values: Vec<Effective> = effective.collect();
    match &mut cli.command {
        Command::Serve(args) => args.settings.effective = values.clone().into(),
        Command::CheckConfig(args) => args.settings.effective = values.clone().into(),
        _ => {}
    }
    Ok(Parsed { cli, values })
}

/// The settings of a service for which the environment says `pairs` and nothing else: for tests and benchmarks.
///
/// # Errors
/// As [`parse`].
pub fn serve_settings(pairs: &[(&str, &str)]) -> Result<Settings, Stop> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let environment = Environment::new(pairs.iter().map(own), []);
    let words = ["caller-id", "serve"].map(OsString::from);
    match parse(words.to_vec(), &environment)?.cli.command {
        Command::Serve(args) => Ok(args.settings),
        _ => unreachable!("the subcommand is `serve`"),
    }
}

/// The command that is asked for, and the place of its last word. Help on a command takes no settings.
fn asked<'a>(
    command: &'a clap::Command,
    arguments: &[OsString],
) -> Option<(usize, &'a clap::Command)> {
    // The first word is the program.
    let words = arguments.iter().enumerate().skip(1);
    let mut known = words.filter_map(|(place, word)| Some((place, named(command, word)?)));
    let (mut place, mut asked) = known.next()?;
    while let Some(next) = arguments.get(place + 1).and_then(|word| named(asked, word)) {
        (place, asked) = (place + 1, next);
    }
    let is_help = arguments[..place].iter().any(|word| word == "help");
    (!is_help).then_some((place, asked))
}

fn named<'a>(command: &'a clap::Command, word: &OsString) -> Option<&'a clap::Command> {
    let mut commands = command.get_subcommands();
    commands.find(|known| word == known.get_name())
}

/// The names of all long flags on the command line. An empty value is like none, so it counts as not given.
fn flags_given(arguments: &[OsString]) -> Vec<String> {
    let flags = arguments
        .iter()
        .filter_map(|word| word.to_str()?.strip_prefix("--"));
    flags
        .filter(|flag| !flag.ends_with('='))
        .map(|flag| flag.split('=').next().unwrap_or(flag).to_owned())
        .collect()
}

/// Flags for what the environment says and the command line does not. Only settings: a variable `MODE` of somebody else's is
/// not our `--mode`.
fn from_environment(
    asked: &clap::Command,
    given: &[String],
    environment: &Environment,
) -> Vec<OsString> {
    if asks_a_service(asked) {
        return Vec::new();
    }
    let settings = settings();
    let flags = asked.get_arguments().filter_map(clap::Arg::get_long);
    flags
        .filter(|flag| settings.iter().any(|setting| setting.flag == *flag))
        .filter(|flag| !given.iter().any(|given| given == flag))
        .filter_map(|flag| {
            let (value, _) = environment.get(&environment_name(flag))?;
            Some(OsString::from(format!("--{flag}={value}")))
        })
        .collect()
}

/// Whether a command asks a running service: that has settings of its own, and `pools set --ladder` is none of them.
pub(super) fn asks_a_service(command: &clap::Command) -> bool {
    let mut flags = command.get_arguments();
    flags.any(|flag| flag.get_help_heading() == Some(ask::HEADING))
}

/// One line for a value that cannot be used; everything else is told in clap's own words.
fn explain(error: clap::Error) -> Stop {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let (ErrorKind::ValueValidation, Some(arg)) = (error.kind(), context(ContextKind::InvalidArg))
    else {
        return Stop::Clap(error);
    };
    let flag = arg.split_whitespace().next().unwrap_or(arg);
    let name = environment_name(flag);
    let settings = settings();
    let Some(setting) = settings.iter().find(|setting| setting.name == name) else {
        return Stop::Clap(error);
    };
    let value = context(ContextKind::InvalidValue).unwrap_or_default();
    let expected = std::error::Error::source(&error)
        .map(ToString::to_string)
        .unwrap_or_default();
    Stop::Config(match setting {
        secret if secret.secret || secret.webhook => ConfigError::hidden(&name, expected),
        // It may have a password in it.
        url if url.url => ConfigError::new(&name, &masked(value), expected),
        _ => ConfigError::new(&name, value, expected),
    })
}

#[cfg(test)]
mod tests;
