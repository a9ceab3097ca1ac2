//! What is posted.

use caller_id_core::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::kind::{Kind, Severity};
use super::plain::plain;

/// So many are in the text of one message; Discord takes 2,000 characters.
const LINES_MOST: usize = 10;
const LINE_MOST: usize = 900;
const TEXT_MOST: usize = 1_500;
/// And so many are in its list.
const ITEMS_MOST: usize = 100;

/// Whether something begins or lasts, or is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It is so.
    Firing,
    /// It is over.
    Resolved,
}

impl State {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

/// One thing in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The same in all messages from its beginning to its end, whoever sends them.
    pub incident: String,
    /// Which pool; empty: the service.
    pub subject: String,
    /// Since when.
    pub since: Timestamp,
    /// A sentence.
    pub text: String,
    /// The path of a page.
    pub link: String,
}

/// What is told together: one kind, one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// The kind.
    pub kind: Kind,
    /// The worst of its items.
    pub severity: Severity,
    /// Whether it is over.
    pub state: State,
    /// All of it was told before.
    pub repeated: bool,
    /// One at least.
    pub items: Vec<Item>,
}

/// Who tells.
#[derive(Debug, Clone, Default)]
pub struct Teller {
    /// The name of this node.
    pub node: String,
    /// Where browsers reach the service, where that is set.
    pub origin: Option<String>,
}

/// A message as it is posted, and as it is kept until then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// No other message has it; tried again, it is the same.
    pub id: String,
    /// What it is about.
    pub kind: Kind,
    /// How bad that is.
    pub severity: Severity,
    /// What is posted: JSON.
    pub body: String,
}

impl Message {
    /// The message of a telling at `now`.
    pub fn new(telling: &Telling, teller: &Teller, now: Timestamp) -> Self {
        Self::build(telling, teller, now, false)
    }

    /// A message that says that it is a test.
    pub fn test(kind: Kind, teller: &Teller, now: Timestamp) -> Self {
        let item = Item {
            incident: "test".to_owned(),
            subject: "example".to_owned(),
            since: now,
            text: kind.example().to_owned(),
            link: String::new(),
        };
        let telling = Telling {
            kind,
            severity: Severity::Warning,
            state: State::Firing,
            repeated: false,
            items: vec![item],
        };
        Self::build(&telling, teller, now, true)
    }

    fn build(telling: &Telling, teller: &Teller, now: Timestamp, test: bool) -> Self {
        let id = format!("{:032x}", rand::random::<u128>());
        let body = body(&id, telling, teller, (now, test));
        Self {
            id,
            kind: telling.kind,
            severity: telling.severity,
            body: body.to_string(),
        }
    }
}

fn body(id: &str, telling: &Telling, teller: &Teller, (now, test): (Timestamp, bool)) -> Value {
    let Telling {
        kind,
        severity,
        state,
        items,
        ..
    } = telling;
    let link = |item: &Item| match (&teller.origin, item.link.as_str()) {
        (Some(origin), path) if !path.is_empty() => Some(format!("{origin}{path}")),
        _ => None,
    };
    let text = text(telling, teller, test, items.first().and_then(link));
    let listed = items.iter().take(ITEMS_MOST).map(|item| {
        json!({
            "incident": item.incident,
            "subject": item.subject,
            "since": item.since.to_string(),
            "text": item.text,
            "link": link(item),
        })
    });
    json!({
        "id": id,
        "kind": kind.as_str(),
        "severity": severity.as_str(),
        "state": state.as_str(),
        "repeated": telling.repeated,
        "test": test,
        "subject": items.first().map_or("", |item| &item.subject),
        "count": items.len(),
        "text": text,
        "content": text,
        "at": now.to_string(),
        "since": items.iter().map(|item| item.since).min().map(|since| since.to_string()),
        "node": teller.node,
        "runbook": kind.runbook(),
        "link": items.first().and_then(link),
        "alerts": listed.collect::<Vec<_>>(),
        // To Slack, Mattermost and Discord: it is text, and calls nobody by name.
        "mrkdwn": false,
        "parse": "none",
        "link_names": false,
        "unfurl_links": false,
        "unfurl_media": false,
        "allowed_mentions": {"parse": []},
    })
}

/// For people: what it is, a line each, and what to do.
fn text(telling: &Telling, teller: &Teller, test: bool, link: Option<String>) -> String {
    let mut head = vec!["caller-id"];
    if test {
        head.push("test");
    }
    match telling.state {
        State::Resolved => head.push("over"),
        State::Firing if telling.severity == Severity::Serious => head.push("serious"),
        State::Firing => {}
    }
    if telling.repeated {
        head.push("still");
    }
    let items = &telling.items;
    let mut lines: Vec<String> = Vec::new();
    let mut length = 0;
    for item in items.iter().take(LINES_MOST) {
        let line: String = item.text.chars().take(LINE_MOST).collect();
        length += line.chars().count();
        if length > TEXT_MOST && !lines.is_empty() {
            break;
        }
        lines.push(line);
    }
    if items.len() > lines.len() {
        lines.push(format!("And {} more.", items.len() - lines.len()));
    }
    let separator = if lines.len() == 1 { " " } else { "\n" };
    let node = plain(&teller.node);
    let mut text = format!(
        "{}:{separator}{}\nNode {node}.",
        head.join(", "),
        lines.join("\n")
    );
    if telling.state == State::Firing {
        text.push_str(&format!(" What to do: {}", telling.kind.runbook()));
    }
    if let Some(link) = link.filter(|_| items.len() == 1) {
        text.push_str(&format!("\n{link}"));
    }
    text
}
