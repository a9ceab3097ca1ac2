//! Words in documents that are not ours, each with its reason. One that no document has is an error.

use std::cell::RefCell;
use std::collections::BTreeSet;

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum List {
    /// Names in capitals, and such as look like a metric. With `*` at the end: all that begin so.
    Names,
    /// Programs that take `caller-id` as the name of something: a unit, a package, a user.
    Programs,
    /// Flags of other programs.
    Flags,
    /// Hosts that are not this service.
    Hosts,
    /// Paths that other programs serve.
    Paths,
    /// Files that are made, or are in another project.
    Files,
}

const FOREIGN: &[(List, &str, &str)] = &[
    (
        List::Names,
        "REDISCLI_AUTH",
        "redis-cli reads its password there",
    ),
    (List::Names, "JSON_DECODE", "a function of Asterisk"),
    (List::Names, "METH_GET", "a condition of HAProxy"),
    (
        List::Names,
        "SCHED_IDLE",
        "a way to share processors, of the kernel",
    ),
    (List::Names, "AF_*", "kinds of sockets, of the kernel"),
    (List::Names, "AGISTATUS", "a variable of Asterisk"),
    (List::Programs, "apt", "a package"),
    (List::Programs, "cd", "a folder"),
    (List::Programs, "git", "a folder"),
    (List::Programs, "cargo", "a crate"),
    (List::Programs, "install", "an owner or a group"),
    (List::Programs, "journalctl", "a unit"),
    (List::Programs, "systemctl", "a unit"),
    (List::Programs, "systemd-analyze", "a unit"),
    (List::Programs, "user", "a user of Redis, in redis.conf"),
    (List::Programs, "useradd", "a user"),
    (List::Hosts, "rustup.rs", "where Rust comes from"),
    (
        List::Hosts,
        "keepachangelog.com",
        "the form of CHANGELOG.md",
    ),
    (
        List::Hosts,
        "id.example.com",
        "somebody's identity provider",
    ),
    (
        List::Hosts,
        "login.microsoftonline.com",
        "Microsoft's identity provider",
    ),
    (
        List::Hosts,
        "accounts.google.com",
        "Google's identity provider",
    ),
    (List::Hosts, "hooks.slack.com", "Slack's webhooks"),
    (List::Hosts, "hooks.example.com", "somebody's webhook"),
    (List::Hosts, "caller_id", "a group of servers in nginx"),
    (List::Paths, "/call_log", "VICIdial's own FastAGI"),
    (List::Paths, "/v1/traces", "a collector of traces"),
    (
        List::Paths,
        "/.well-known/acme-challenge/",
        "Let's Encrypt, served by Plesk",
    ),
    (
        List::Paths,
        "/.no-such-file",
        "what nginx looks for in vain, to go on to a named place",
    ),
    (
        List::Paths,
        "/dashboard/",
        "the beginning of paths, in nginx",
    ),
    (
        List::Paths,
        "/api/v1/pools/",
        "the beginning of paths, in nginx",
    ),
    (
        List::Paths,
        "/api/v1/campaigns/",
        "the beginning of paths, in nginx",
    ),
];

/// The list, and which of its words were met.
#[derive(Debug, Default)]
pub(crate) struct Foreign {
    met: RefCell<BTreeSet<(List, &'static str)>>,
}

impl Foreign {
    /// Whether a word stands in the list.
    pub(crate) fn has(&self, list: List, word: &str) -> bool {
        let fits = |entry: &&(List, &'static str, &str)| {
            let whole = entry.1 == word;
            let begins = entry
                .1
                .strip_suffix('*')
                .is_some_and(|begin| word.starts_with(begin));
            entry.0 == list && (whole || begins)
        };
        let found = FOREIGN.iter().find(fits);
        if let Some(entry) = found {
            self.met.borrow_mut().insert((entry.0, entry.1));
        }
        found.is_some()
    }

    /// The words that no document has.
    pub(crate) fn unused(&self) -> Vec<&'static str> {
        let met = self.met.borrow();
        let unused = FOREIGN
            .iter()
            .filter(|entry| !met.contains(&(entry.0, entry.1)));
        unused.map(|entry| entry.1).collect()
    }
}

#[test]
fn every_word_has_a_reason_and_stands_there_once() {
    let mut seen = BTreeSet::new();
    for (list, word, reason) in FOREIGN {
        assert!(reason.len() > 5, "{word}: why?");
        assert!(seen.insert((list, word)), "{word} stands there twice");
    }
}
