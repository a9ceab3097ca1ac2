//! What several commands say alike.

use std::process::ExitCode;

use serde_json::Value;

use crate::cli::ask::{Answer, Condition, Method, Question, Refused, Service};
use crate::cli::import::console::warn;
use crate::cli::show::{Column, out};

/// Columns of calls that were made.
pub(super) const CALLS: [Column; 10] = [
    Column::text("AT", |row, words| words.instant(&row["at"])),
    Column::text("CALLER ID", |row, words| words.number(&row["caller_id"])),
    Column::text("DESTINATION", |row, words| {
        words.number(&row["destination"])
    }),
    Column::text("CAMPAIGN", |row, words| words.text(&row["campaign"])),
    Column::text("AGENT", |row, words| words.text(&row["agent"])),
    Column::text("POOL", |row, words| words.text(&row["pool"])),
    Column::text("RUNG", |row, words| words.text(&row["rung"])),
    Column::text("END", |row, words| match &row["status"] {
        Value::Null => words.text(&row["state"]),
        status => words.text(status),
    }),
    Column::count("TALKED", |row, words| words.span(&row["answered_seconds"])),
    Column::text("CALL ID", |row, words| words.text(&row["call_id"])),
];

/// Shows an answer: as it came to programs, by `tell` to people.
///
/// # Errors
/// The standard output cannot be written.
pub(super) fn answer(
    service: &Service,
    answer: &Answer,
    tell: impl FnOnce(&Value) -> anyhow::Result<()>,
) -> anyhow::Result<ExitCode> {
    match service.is_json {
        true => out::line(&answer.text)?,
        false => tell(&answer.value)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The same, told in one line.
///
/// # Errors
/// As [`answer`].
pub(super) fn line(
    service: &Service,
    said: &Answer,
    tell: impl FnOnce(&Value) -> String,
) -> anyhow::Result<ExitCode> {
    answer(service, said, |value| out::line(&tell(value)))
}

/// What is at `path`, if there is anything.
///
/// # Errors
/// As [`Service::get`], but for the 404.
pub(super) fn found(service: &Service, path: &str) -> anyhow::Result<Option<Answer>> {
    match service.get(path, &Vec::new()) {
        Ok(answer) => Ok(Some(answer)),
        Err(error) => match error.downcast_ref::<Refused>() {
            Some(refused) if refused.status == 404 => Ok(None),
            _ => Err(error),
        },
    }
}

/// Tells people that something is new: a name that was mistyped makes a thing of that name.
pub(super) fn made(service: &Service, answer: &Answer, kind: &str, is_new: bool) {
    if is_new && !service.is_json {
        let name = service.words.text(&answer.value["id"]);
        warn(&format!(
            "made the {kind} {name}, which was not there before"
        ));
    }
}

/// That what is changed is what was seen; where nothing was, that there is nothing yet.
pub(super) fn as_seen(seen: Option<&Answer>) -> Option<Condition> {
    match seen {
        Some(seen) => seen.tag.clone().map(Condition::Seen),
        None => Some(Condition::Nothing),
    }
}

/// Removes what was seen at `path`.
///
/// # Errors
/// As [`Service::ask`].
pub(super) fn remove(service: &Service, path: &str, seen: &Answer) -> anyhow::Result<Answer> {
    let question = Question::new(Method::Delete, path).only_if(as_seen(Some(seen)));
    service.ask(&question)
}
