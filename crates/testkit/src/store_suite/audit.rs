//! Facts about the audit log: whole, in order, as it was written.

use std::net::IpAddr;
use std::sync::Arc;

use caller_id_core::audit::{AuditEntry, AuditEvent, AuditFilter, AuthorKind, Link};
use caller_id_core::{AuditLog, Author};

use super::DataSet;
use crate::builders::START;

/// What somebody did to a thing, as tests need it.
pub fn audit_event(author: &str, action: &str, subject: &str) -> AuditEvent {
    AuditEvent {
        author: Author {
            kind: AuthorKind::Key,
            name: author.to_owned(),
            address: Some(IpAddr::from([192, 0, 2, 7])),
        },
        action: action.to_owned(),
        subject: subject.to_owned(),
        before: None,
        after: Some(r#"{"status":"paused"}"#.to_owned()),
    }
}

/// The whole log, walked in pages of `most`.
pub async fn whole_log(log: &dyn AuditLog, most: usize) -> Vec<AuditEntry> {
    let mut entries: Vec<AuditEntry> = Vec::new();
    loop {
        let last = entries.last().map(|entry| entry.place);
        let page = log.after(last, most).await.unwrap();
        assert!(page.len() <= most);
        let end = page.len() < most;
        entries.extend(page);
        if end {
            return entries;
        }
    }
}

/// The first place at which the log does not follow from what was before, up to its head.
pub async fn broken_at(log: &dyn AuditLog) -> Option<i64> {
    let head = log.head().await.unwrap();
    let mut last = (0, Link::START);
    for entry in whole_log(log, 100).await {
        if !entry.follows(last) {
            return Some(entry.place);
        }
        last = (entry.place, entry.link);
    }
    (last != head).then_some(last.0 + 1)
}

fn subjects(entries: &[AuditEntry]) -> Vec<&str> {
    let subjects = entries.iter().map(|entry| entry.event.subject.as_str());
    subjects.collect()
}

/// Adds entries to things with these names.
async fn add_each(log: &dyn AuditLog, subjects: &[&str]) {
    for subject in subjects {
        let event = audit_event("ana", "number.update", subject);
        log.add(event).await.unwrap();
    }
}

/// And its head is where the first one begins.
pub async fn a_new_log_is_empty(data: &mut dyn DataSet) {
    let store = data.open().await;
    assert_eq!(store.audit.head().await.unwrap(), (0, Link::START));
    assert_eq!(store.audit.after(None, 10).await.unwrap(), []);
    let all = AuditFilter::default();
    assert_eq!(store.audit.newest(&all, None, 10).await.unwrap(), []);
}

/// Whatever is in it; also when it was opened again.
pub async fn an_entry_reads_back_byte_for_byte(data: &mut dyn DataSet) {
    const TEXTS: [&str; 6] = [
        "",
        "O'Brien \"the\" \\ % _ ; --",
        "Zoë\u{301} \u{1f4de} \u{feff}\u{200f}日本",
        " blank \t\r\n",
        "$1 ?1 {}",
        "\u{1}\u{10ffff}",
    ];
    let addresses = ["192.0.2.7", "2001:db8::1", "::ffff:192.0.2.7", "::"];
    let addresses = addresses.map(|text| Some(text.parse().unwrap()));
    let mut events = Vec::new();
    for (n, kind) in AuthorKind::ALL.into_iter().enumerate() {
        let text = |of: usize| TEXTS[(n + of) % TEXTS.len()].to_owned();
        events.push(AuditEvent {
            author: Author {
                kind,
                name: text(0),
                address: addresses.get(n).copied().flatten(),
            },
            action: text(1),
            subject: text(2),
            before: (n % 3 != 0).then(|| text(3)),
            after: (n % 2 != 0).then(|| text(n + 1)),
        });
    }
    // A text that is empty is not one that is missing.
    let nothing = audit_event("", "", "");
    let [empty, none] = [Some(String::new()), None].map(|text| AuditEvent {
        before: text.clone(),
        after: text,
        ..nothing.clone()
    });
    events.extend([empty, none]);
    let store = data.open().await;
    for event in &events {
        store.audit.add(event.clone()).await.unwrap();
    }
    let written = whole_log(&*store.audit, 100).await;
    let read: Vec<_> = written.iter().map(|entry| entry.event.clone()).collect();
    assert_eq!(read, events);
    assert!(written.iter().all(|entry| entry.at == START));
    assert_eq!(broken_at(&*store.audit).await, None);
    drop(store);
    let store = data.open().await;
    assert_eq!(whole_log(&*store.audit, 100).await, written);
    add_each(&*store.audit, &["later"]).await;
    assert_eq!(broken_at(&*store.audit).await, None);
}

/// Each of them once.
pub async fn entries_of_many_at_once_make_one_chain(data: &mut dyn DataSet) {
    let store = data.open().await;
    add_at_once(std::slice::from_ref(&store.audit)).await;
}

/// Adds to one log from many tasks at once, through each of these in turn, and looks at the chain.
pub async fn add_at_once(logs: &[Arc<dyn AuditLog>]) {
    const TASKS: usize = 8;
    const EACH: usize = 25;
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        let log = logs[task % logs.len()].clone();
        tasks.spawn(async move {
            for n in 0..EACH {
                let event = audit_event("ana", "number.update", &format!("{task}:{n}"));
                log.add(event).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    for log in logs {
        let entries = whole_log(&**log, 1_000).await;
        let places: Vec<_> = entries.iter().map(|entry| entry.place).collect();
        let expected: Vec<_> = (1..=(TASKS * EACH) as i64).collect();
        assert_eq!(places, expected);
        assert_eq!(broken_at(&**log).await, None);
        let mut subjects = subjects(&entries);
        subjects.sort_unstable();
        subjects.dedup();
        assert_eq!(subjects.len(), TASKS * EACH);
    }
}

/// Oldest first, to its end.
pub async fn a_log_is_walked_in_pages_of_any_size(data: &mut dyn DataSet) {
    let store = data.open().await;
    let names = ["a", "b", "c", "d", "e", "f"];
    add_each(&*store.audit, &names).await;
    for most in [1, 2, 3, 4, 6, 7] {
        let entries = whole_log(&*store.audit, most).await;
        assert_eq!(subjects(&entries), names, "pages of {most}");
    }
    let last = store.audit.after(Some(5), 10).await.unwrap();
    assert_eq!(subjects(&last), ["f"]);
    let head = store.audit.head().await.unwrap();
    assert_eq!(head, (6, last[0].link));
    assert_eq!(store.audit.after(Some(6), 10).await.unwrap(), []);
}

/// A page goes on where the one before it ended, however many were added meanwhile.
pub async fn the_newest_entries_come_first_page_by_page(data: &mut dyn DataSet) {
    let store = data.open().await;
    add_each(&*store.audit, &["a", "b", "c", "d", "e"]).await;
    let newest = async |before, most| {
        let all = AuditFilter::default();
        store.audit.newest(&all, before, most).await.unwrap()
    };
    let first = newest(None, 2).await;
    assert_eq!(subjects(&first), ["e", "d"]);
    add_each(&*store.audit, &["f"]).await;
    let second = newest(Some(first[1].place), 2).await;
    assert_eq!(subjects(&second), ["c", "b"]);
    let last = newest(Some(second[1].place), 2).await;
    assert_eq!(subjects(&last), ["a"]);
    assert_eq!(newest(Some(1), 2).await, []);
    assert_eq!(subjects(&newest(None, 1).await), ["f"]);
    assert_eq!(newest(None, 0).await, []);
}

/// Conditions that are given hold all; a page of what is left is full where there is enough.
pub async fn a_filter_leaves_out_what_was_not_asked_for(data: &mut dyn DataSet) {
    let store = data.open().await;
    for n in 0..12 {
        let author = ["ana", "Ana", "bob"][n % 3];
        let action = ["number.update", "pool.put"][n % 2];
        let event = audit_event(author, action, &format!("thing {}", n % 4));
        store.audit.add(event).await.unwrap();
    }
    let places = async |filter: AuditFilter, before, most| {
        let entries = store.audit.newest(&filter, before, most).await.unwrap();
        let places = entries.iter().map(|entry| entry.place.to_string());
        places.collect::<Vec<_>>().join(" ")
    };
    let by = |author: &str| AuditFilter {
        author: Some(author.to_owned()),
        ..AuditFilter::default()
    };
    assert_eq!(places(by("ana"), None, 10).await, "10 7 4 1");
    assert_eq!(places(by("ana"), None, 2).await, "10 7");
    assert_eq!(places(by("ana"), Some(7), 2).await, "4 1");
    assert_eq!(places(by("an"), None, 10).await, "");
    assert_eq!(places(by(""), None, 10).await, "");
    let to = |subject: &str| AuditFilter {
        subject: Some(subject.to_owned()),
        ..AuditFilter::default()
    };
    assert_eq!(places(to("thing 3"), None, 10).await, "12 8 4");
    assert_eq!(places(to("thing"), None, 10).await, "");
    let all = AuditFilter {
        action: Some("pool.put".to_owned()),
        since: Some(START),
        until: Some(START.plus_ms(1)),
        ..by("ana")
    };
    assert_eq!(places(all.clone(), None, 10).await, "10 4");
    let none = AuditFilter {
        subject: Some("thing 0".to_owned()),
        ..all
    };
    assert_eq!(places(none, None, 10).await, "");
}

/// Letter by letter: no sign in it stands for others.
pub async fn an_action_is_asked_for_by_how_it_begins(data: &mut dyn DataSet) {
    let store = data.open().await;
    for action in ["number.create", "number_x", "Number.create", "x.number."] {
        let event = audit_event("ana", action, action);
        store.audit.add(event).await.unwrap();
    }
    for (action, expected) in [
        ("number.", vec!["number.create"]),
        ("number.create", vec!["number.create"]),
        ("number.create.", vec![]),
        ("number_", vec!["number_x"]),
        ("n%", vec![]),
        (
            "",
            vec!["x.number.", "Number.create", "number_x", "number.create"],
        ),
    ] {
        let filter = AuditFilter {
            action: Some(action.to_owned()),
            ..AuditFilter::default()
        };
        let entries = store.audit.newest(&filter, None, 10).await.unwrap();
        assert_eq!(subjects(&entries), expected, "{action}");
    }
}

/// `since` is among what is asked for, `until` is not.
pub async fn an_entry_is_of_its_instant_and_before_the_next(data: &mut dyn DataSet) {
    let store = data.open().await;
    add_each(&*store.audit, &["a"]).await;
    let later = START.plus_ms(1);
    for (since, until, expected) in [
        (Some(START), None, 1),
        (Some(later), None, 0),
        (None, Some(START), 0),
        (None, Some(later), 1),
        (Some(START), Some(START), 0),
    ] {
        let filter = AuditFilter {
            since,
            until,
            ..AuditFilter::default()
        };
        let entries = store.audit.newest(&filter, None, 10).await.unwrap();
        assert_eq!(entries.len(), expected, "{filter:?}");
    }
}
