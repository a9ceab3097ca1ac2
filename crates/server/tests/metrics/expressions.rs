//! Names of metrics and labels in expressions of PromQL: enough of its grammar for what `deploy/` has.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::str::Chars;

use serde_json::Value;

/// What an expression uses.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Used {
    /// Labels in the selector of each metric.
    pub(crate) metrics: BTreeMap<String, BTreeSet<String>>,
    /// Labels that are grouped by.
    pub(crate) grouped: BTreeSet<String>,
}

const GROUPING: [&str; 6] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
];
/// Words that may stand without a bracket behind them and are no metric.
const WORDS: [&str; 10] = [
    "and", "or", "unless", "bool", "offset", "sum", "max", "min", "avg", "count",
];

type Text<'a> = Peekable<Chars<'a>>;

/// Reads an expression.
pub(crate) fn read(text: &str) -> Used {
    let mut used = Used::default();
    let mut rest = text.chars().peekable();
    while let Some(&next) = rest.peek() {
        match next {
            '"' => drop(quoted(&mut rest)),
            '[' => while rest.next().is_some_and(|next| next != ']') {},
            '0'..='9' => drop(word(&mut rest)),
            'a'..='z' | 'A'..='Z' | '_' | ':' => {
                let name = word(&mut rest);
                blanks(&mut rest);
                if GROUPING.contains(&name.as_str()) {
                    used.grouped.extend(list(&mut rest, '(', ')'));
                } else if WORDS.contains(&name.as_str()) || rest.peek() == Some(&'(') {
                    // A function, or something between two expressions.
                } else {
                    let labels = list(&mut rest, '{', '}');
                    used.metrics.entry(name).or_default().extend(labels);
                }
            }
            _ => drop(rest.next()),
        }
    }
    used
}

fn blanks(rest: &mut Text<'_>) {
    while rest.next_if(|next| next.is_whitespace()).is_some() {}
}

fn word(rest: &mut Text<'_>) -> String {
    let is_in = |next: &char| next.is_alphanumeric() || "_:.".contains(*next);
    std::iter::from_fn(|| rest.next_if(is_in)).collect()
}

fn quoted(rest: &mut Text<'_>) -> String {
    rest.next();
    let mut text = String::new();
    while let Some(next) = rest.next() {
        match next {
            '"' => break,
            '\\' => text.extend(rest.next()),
            other => text.push(other),
        }
    }
    text
}

/// The names in brackets, without what they are compared with; none where there are no brackets.
fn list(rest: &mut Text<'_>, open: char, close: char) -> Vec<String> {
    let mut names = Vec::new();
    if rest.next_if_eq(&open).is_none() {
        return names;
    }
    while let Some(&next) = rest.peek() {
        match next {
            '"' => drop(quoted(rest)),
            next if next == close => {
                rest.next();
                break;
            }
            'a'..='z' | 'A'..='Z' | '_' => names.push(word(rest)),
            _ => drop(rest.next()),
        }
    }
    names
}

/// The expressions of a dashboard, in what its panels and its variables ask.
pub(crate) fn of_dashboard(part: &Value, found: &mut Vec<String>) {
    match part {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member.as_str()) {
                    ("expr", Some(text)) => found.push(text.to_owned()),
                    ("query", Some(text)) if text.starts_with("label_values(") => {
                        let inner = text.trim_start_matches("label_values(");
                        let metric = inner.rsplit_once(',').map_or(inner, |(metric, _)| metric);
                        found.push(metric.to_owned());
                    }
                    _ => of_dashboard(member, found),
                }
            }
        }
        Value::Array(members) => members
            .iter()
            .for_each(|member| of_dashboard(member, found)),
        _ => {}
    }
}

/// The expressions of the alerts: each in its line, or in the lines below that stand further in.
pub(crate) fn of_rules(text: &str) -> Vec<String> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut found = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(said) = line.trim_start().strip_prefix("expr:") else {
            continue;
        };
        let mut expression = said.trim().trim_start_matches('|').to_owned();
        while let Some(below) = lines.next_if(|below| indent(below) > indent(line)) {
            expression.push(' ');
            expression.push_str(below.trim());
        }
        found.push(expression);
    }
    found
}

#[test]
fn names_labels_and_groups_are_told_apart() {
    let used = read(
        r#"sum by (a, b) (rate(x_total{c="}d{",e!~"f"}[5m])) / on(g) y:z > 0.5 and time() - v{}"#,
    );
    let names: Vec<_> = used.metrics.keys().map(String::as_str).collect();
    assert_eq!(names, ["v", "x_total", "y:z"]);
    assert_eq!(
        used.metrics["x_total"],
        BTreeSet::from(["c", "e"].map(str::to_owned))
    );
    assert_eq!(
        used.grouped,
        BTreeSet::from(["a", "b", "g"].map(str::to_owned))
    );
    let rules = "  expr: |\n    a\n      + b\n  for: 1m\n  expr: c\n";
    assert_eq!(of_rules(rules), [" a + b", "c"]);
}
