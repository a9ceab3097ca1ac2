//! What the carrier saw.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use caller_id_core::Timestamp;

/// A call, as its first INVITE showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invite {
    pub(crate) destination: String,
    /// The number in From.
    pub(crate) from: String,
    /// The name in From.
    pub(crate) name: String,
    /// The number in P-Asserted-Identity; empty when there is none.
    pub(crate) asserted: String,
    pub(crate) at: Timestamp,
}

/// All calls in the carrier's log, in the order in which they came.
pub(crate) fn invites(log: &Path) -> Vec<Invite> {
    // It is there when the first call came.
    let text = fs::read_to_string(log).unwrap_or_default();
    let mut seen = HashSet::new();
    let lines = text
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'));
    lines.filter_map(|line| invite(line, &mut seen)).collect()
}

/// A call that is asked again for (a SIP retransmission) counts once.
fn invite(line: &str, seen: &mut HashSet<String>) -> Option<Invite> {
    let fields: Vec<&str> = line
        .trim_end()
        .strip_prefix("INVITE|")?
        .split('|')
        .collect();
    let [destination, from, asserted, call, at] = fields[..] else {
        panic!("the carrier's log has a line of another form: {line}");
    };
    if !seen.insert(call.to_owned()) {
        return None;
    }
    let seconds: f64 = at.rsplit(['\t', ' ']).next()?.parse().ok()?;
    Some(Invite {
        destination: destination.to_owned(),
        from: user(from),
        name: between(from, '"', '"'),
        asserted: user(asserted),
        at: Timestamp::from_ms((seconds * 1_000.0) as i64),
    })
}

fn user(header: &str) -> String {
    let address = header.split_once("sip:").map_or("", |(_, address)| address);
    let (user, _) = address.split_once('@').unwrap_or_default();
    user.to_owned()
}

fn between(text: &str, first: char, last: char) -> String {
    let rest = text.split_once(first).map_or("", |(_, rest)| rest);
    let (inner, _) = rest.split_once(last).unwrap_or_default();
    inner.to_owned()
}
