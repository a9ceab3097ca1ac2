//! Names: settings, metrics, alerts.

use serde_yaml_ng::Value;

use crate::foreign::{Foreign, List};
use crate::known::Known;
use crate::page::{Kind, Page};

/// Words of letters, digits and `_`, each with its line.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().flat_map(|(place, line)| {
        let words = line.split(|it: char| !(it.is_ascii_alphanumeric() || it == '_'));
        words.map(move |word| (place + 1, word))
    })
}

/// `API_PORT`, but not `SALES`: that is a setting only where it gets a value.
fn is_name(word: &str) -> bool {
    let letters = |it: char| it.is_ascii_uppercase() || it.is_ascii_digit() || it == '_';
    word.len() > 3
        && word.trim_matches('_').contains('_')
        && word.starts_with(|it: char| it.is_ascii_uppercase())
        && !word.ends_with('_')
        && word.chars().all(letters)
}

/// What is wrong with the names of settings of a page.
pub(crate) fn settings(page: &Page, known: &Known, foreign: &Foreign) -> Vec<String> {
    let is_known = |word: &str| {
        known.settings.contains(word)
            || known.variables.contains(word)
            || foreign.has(List::Names, word)
    };
    let mut wrong: Vec<String> = words(&page.text)
        .filter(|(_, word)| is_name(word) && !is_known(word))
        .map(|(line, word)| format!("{line}: `{word}` is no setting"))
        .collect();
    for (line, name, _) in given(page) {
        if !name.contains('_') && !is_known(&name) {
            wrong.push(format!("{line}: `{name}` is no setting, and gets a value"));
        }
    }
    wrong
}

/// Lines of code, or code between backticks, that begin with `NAME=`: the line, the name, all of it.
fn given(page: &Page) -> Vec<(usize, String, String)> {
    let mut found = Vec::new();
    for code in &page.codes {
        if matches!(&code.kind, Kind::Block(language) if matches!(language.as_str(), "text" | "json" | "log"))
        {
            continue;
        }
        for (place, line) in code.text.lines().enumerate() {
            let line = line.trim();
            let Some((name, _)) = line.split_once('=') else {
                continue;
            };
            let is_name = name.len() > 1
                && name
                    .chars()
                    .all(|it| it.is_ascii_uppercase() || it.is_ascii_digit() || it == '_');
            if is_name {
                found.push((code.line + place, name.to_owned(), line.to_owned()));
            }
        }
    }
    found
}

/// Remarks behind a value: systemd takes them for a part of it.
pub(crate) fn remarks(page: &Page, known: &Known, _: &Foreign) -> Vec<String> {
    let has_remark = |line: &str| line.contains(" #") || line.contains("\t#");
    given(page)
        .into_iter()
        .filter(|(_, name, line)| known.settings.contains(name) && has_remark(line))
        .map(|(line, name, _)| {
            format!("{line}: a remark behind the value of `{name}`: systemd keeps it as a part")
        })
        .collect()
}

/// What is wrong with the metrics of a page.
pub(crate) fn metrics(page: &Page, known: &Known, foreign: &Foreign) -> Vec<String> {
    let ours = |word: &str| {
        word.starts_with("caller_id_") || word.starts_with("process_") && !word.ends_with('_')
    };
    words(&page.text)
        .filter(|(_, word)| ours(word) && !known.is_metric(word) && !foreign.has(List::Names, word))
        .map(|(line, word)| format!("{line}: `{word}` is no metric"))
        .collect()
}

/// What is wrong with the alerts that a page names.
pub(crate) fn alerts(page: &Page, known: &Known, foreign: &Foreign) -> Vec<String> {
    let is_alert = |word: &str| {
        word.strip_prefix("CallerId")
            .is_some_and(|rest| rest.starts_with(|it: char| it.is_ascii_uppercase()))
    };
    words(&page.text)
        .filter(|(_, word)| {
            is_alert(word) && !known.alerts.contains(*word) && !foreign.has(List::Names, word)
        })
        .map(|(line, word)| format!("{line}: `{word}` is no alert of deploy/prometheus"))
        .collect()
}

/// Every alert, with its name and its annotations.
pub(crate) fn alerts_of(rules: &str) -> Vec<(String, Value)> {
    let rules: Value = serde_yaml_ng::from_str(rules).expect("rules in YAML");
    let groups = rules["groups"].as_sequence().expect("groups");
    let all = groups
        .iter()
        .flat_map(|group| group["rules"].as_sequence().expect("rules"));
    all.filter_map(|rule| {
        Some((
            rule["alert"].as_str()?.to_owned(),
            rule["annotations"].clone(),
        ))
    })
    .collect()
}

/// Alerts whose `runbook` does not lead to a section of the runbook; `leads` says what is wrong with a link.
pub(crate) fn runbook_links(
    rules: &str,
    leads: &dyn Fn(&str) -> Result<(), String>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, annotations) in alerts_of(rules) {
        let Some(link) = annotations["runbook"].as_str() else {
            wrong.push(format!("{name} has no annotation `runbook`"));
            continue;
        };
        if !link.starts_with("docs/runbook.md#") {
            wrong.push(format!("{name}: `{link}` is no section of docs/runbook.md"));
        } else if let Err(fault) = leads(link) {
            wrong.push(format!("{name}: {fault}"));
        }
    }
    wrong
}
