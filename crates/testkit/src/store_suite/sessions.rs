//! Facts about the sessions of people.

use caller_id_core::Role;
use caller_id_core::roles::Session;

use super::DataSet;
use crate::builders::START;

/// A session that ends so many milliseconds after the start of the test.
fn session(n: u8, ends_ms: i64) -> Session {
    Session {
        hash: [n; 32],
        name: format!("Zoë \"{n}\""),
        role: Role::ALL[usize::from(n) % Role::ALL.len()],
        created_at: START,
        expires_at: START.plus_ms(ends_ms),
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
            .begin_session(session.clone(), START)
            .await
            .unwrap();
    }
    drop(store);
    let store = data.open().await;
    for session in &sessions {
        let found = store.keys.session(session.hash).await.unwrap();
        assert_eq!(found.as_ref(), Some(session));
    }
    assert!(store.keys.end_session([1; 32]).await.unwrap());
    assert!(!store.keys.end_session([1; 32]).await.unwrap());
    assert!(!store.keys.end_session([9; 32]).await.unwrap());
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
        store.keys.begin_session(session, START).await.unwrap();
    }
    assert_eq!(there().await, "123");
    let now = START.plus_ms(25);
    store.keys.begin_session(session(4, 99), now).await.unwrap();
    assert_eq!(there().await, "34");
}

/// People sign in on every node at once.
pub async fn many_sessions_begin_at_once(data: &mut dyn DataSet) {
    let store = data.open().await;
    for n in 0..20 {
        store
            .keys
            .begin_session(session(n, 1), START)
            .await
            .unwrap();
    }
    let mut tasks = tokio::task::JoinSet::new();
    let now = START.plus_ms(50);
    for n in 100..120 {
        let keys = store.keys.clone();
        tasks.spawn(async move { keys.begin_session(session(n, 99), now).await.unwrap() });
    }
    tasks.join_all().await;
    for n in 0..20 {
        assert_eq!(store.keys.session([n; 32]).await.unwrap(), None);
        let begun = store.keys.session([n + 100; 32]).await.unwrap();
        assert_eq!(begun, Some(session(n + 100, 99)));
    }
}
