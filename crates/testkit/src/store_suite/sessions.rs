//! Facts about the sessions of people.

use caller_id_core::audit::{AuditFilter, AuthorKind};
use caller_id_core::roles::{KeyId, Session, SignedInBy};
use caller_id_core::{Author, Role};

use super::DataSet;
use crate::builders::START;

/// A session that ends so many milliseconds after the start of the test.
fn session(n: u8, ends_ms: i64) -> Session {
    Session {
        hash: [n; 32],
        name: format!("Zoë \"{n}\""),
        role: Role::ALL[usize::from(n) % Role::ALL.len()],
        by: match n % 3 {
            0 => SignedInBy::Provider,
            1 => SignedInBy::Key(KeyId(format!("{n:012}"))),
            _ => SignedInBy::Token([n; 32]),
        },
        created_at: START,
        expires_at: START.plus_ms(ends_ms),
    }
}

fn ann() -> Author {
    Author {
        kind: AuthorKind::User,
        name: "Ann".to_owned(),
        address: None,
    }
}

/// And another one by the same person goes on.
pub async fn a_session_is_there_from_its_begin_to_its_end(data: &mut dyn DataSet) {
    let store = data.open().await;
    let sessions = [session(1, 100), session(2, 200), session(3, 300)];
    assert_eq!(store.keys.session([1; 32]).await.unwrap(), None);
    for session in &sessions {
        store
            .keys
            .begin_session(session.clone(), START, &ann())
            .await
            .unwrap();
    }
    drop(store);
    let store = data.open().await;
    for session in &sessions {
        let found = store.keys.session(session.hash).await.unwrap();
        assert_eq!(found.as_ref(), Some(session));
    }
    assert!(store.keys.end_session([1; 32], &ann()).await.unwrap());
    assert!(!store.keys.end_session([1; 32], &ann()).await.unwrap());
    assert!(!store.keys.end_session([9; 32], &ann()).await.unwrap());
    assert_eq!(store.keys.session([1; 32]).await.unwrap(), None);
    assert!(store.keys.session([2; 32]).await.unwrap().is_some());
}

/// Until then they are found: who asks looks at the clock.
pub async fn sessions_that_ended_are_forgotten_when_another_begins(data: &mut dyn DataSet) {
    let store = data.open().await;
    let there = async || {
        let mut there = String::new();
        for n in 1..=4 {
            let found = store.keys.session([n; 32]).await.unwrap();
            there.extend(found.map(|_| char::from(b'0' + n)));
        }
        there
    };
    for session in [session(1, 10), session(2, 20), session(3, 30)] {
        store
            .keys
            .begin_session(session, START, &ann())
            .await
            .unwrap();
    }
    assert_eq!(there().await, "123");
    let now = START.plus_ms(25);
    store
        .keys
        .begin_session(session(4, 99), now, &ann())
        .await
        .unwrap();
    assert_eq!(there().await, "34");
}

/// People sign in on every node at once.
pub async fn many_sessions_begin_at_once(data: &mut dyn DataSet) {
    let store = data.open().await;
    for n in 0..20 {
        store
            .keys
            .begin_session(session(n, 1), START, &ann())
            .await
            .unwrap();
    }
    let mut tasks = tokio::task::JoinSet::new();
    let now = START.plus_ms(50);
    for n in 100..120 {
        let keys = store.keys.clone();
        tasks.spawn(async move {
            keys.begin_session(session(n, 99), now, &ann())
                .await
                .unwrap();
        });
    }
    tasks.join_all().await;
    for n in 0..20 {
        assert_eq!(store.keys.session([n; 32]).await.unwrap(), None);
        let begun = store.keys.session([n + 100; 32]).await.unwrap();
        assert_eq!(begun, Some(session(n + 100, 99)));
    }
}

/// Without anything by which the session could be taken over.
pub async fn the_audit_log_tells_of_sessions(data: &mut dyn DataSet) {
    let store = data.open().await;
    let session = session(2, 100);
    let keys = &store.keys;
    keys.begin_session(session.clone(), START, &ann())
        .await
        .unwrap();
    assert!(keys.end_session(session.hash, &ann()).await.unwrap());
    assert!(!keys.end_session(session.hash, &ann()).await.unwrap());
    let entries = store
        .audit
        .newest(&AuditFilter::default(), None, 10)
        .await
        .unwrap();
    let told = |action: &str, subject: &str| {
        let found = |event: &&caller_id_core::audit::AuditEvent| {
            event.action == action && event.subject == subject && event.author == ann()
        };
        entries
            .iter()
            .map(|entry| &entry.event)
            .filter(found)
            .count()
    };
    assert_eq!(entries.len(), 2);
    assert_eq!(told("session.begin", &session.name), 1);
    assert_eq!(told("session.end", &session.name), 1);
    for event in entries.iter().map(|entry| &entry.event) {
        let state = event.before.as_ref().or(event.after.as_ref()).unwrap();
        assert!(state.contains(session.role.as_str()) && !state.contains("0202"));
    }
}

/// On whichever node; another database has another.
pub async fn the_key_of_cookies_stays(data: &mut dyn DataSet) {
    let store = data.open().await;
    let key = store.keys.cookie_key().await.unwrap();
    assert_ne!(key, [0; 32]);
    drop(store);
    let store = data.open().await;
    assert_eq!(store.keys.cookie_key().await.unwrap(), key);
}
