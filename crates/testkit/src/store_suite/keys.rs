//! Facts about keys: their names, their end, their use, and what the audit log says of them.

use caller_id_core::audit::AuditEntry;
use caller_id_core::roles::{ApiKey, KeyAdded, KeyId};
use caller_id_core::{Author, KeyStore, Role};
use serde_json::{Value, json};

use super::{DataSet, OpenStore, broken_at, whole_log};
use crate::builders::{START, campaign_id};

/// A key with nothing that a key may lack.
pub fn api_key(id: &str, name: &str) -> ApiKey {
    ApiKey {
        id: KeyId(id.to_owned()),
        name: name.to_owned(),
        role: Role::Viewer,
        hash: [0xab; 32],
        addresses: Vec::new(),
        campaigns: Vec::new(),
        created_at: START,
        created_by: "token".to_owned(),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    }
}

/// A key with all that a key may have, but not revoked.
fn full_key(id: &str, name: &str) -> ApiKey {
    ApiKey {
        role: Role::Dialer,
        hash: std::array::from_fn(|n| n as u8 * 8),
        addresses: vec!["192.0.2.0/24".to_owned(), "2001:db8::1".to_owned()],
        campaigns: vec![campaign_id("SOLAR é \"1\""), campaign_id("[2], \\")],
        created_by: "O'Brien \u{1f511}".to_owned(),
        expires_at: Some(START.plus_ms(5_000)),
        last_used_at: Some(START.plus_ms(7)),
        ..api_key(id, name)
    }
}

fn admin() -> Author {
    Author::command("keys")
}

async fn added(keys: &dyn KeyStore, key: &ApiKey) -> KeyAdded {
    keys.add_key(key.clone(), &admin()).await.unwrap()
}

async fn revoked(keys: &dyn KeyStore, id: &str, ms: i64) -> bool {
    let id = KeyId(id.to_owned());
    let at = START.plus_ms(ms);
    keys.revoke_key(&id, at, &admin()).await.unwrap()
}

/// When the only key there is was last used, in milliseconds since the start of the test.
async fn last_use(keys: &dyn KeyStore) -> Option<i64> {
    let last = keys.keys().await.unwrap()[0].last_used_at;
    last.map(|at| at.as_ms() - START.as_ms())
}

/// The actions of the audit log with what they were done to; it is whole.
async fn actions(store: &OpenStore) -> Vec<String> {
    assert_eq!(broken_at(&*store.audit).await, None);
    let entries = whole_log(&*store.audit, 100).await;
    let action = |entry: AuditEntry| format!("{} {}", entry.event.action, entry.event.subject);
    entries.into_iter().map(action).collect()
}

/// With every field or with none of those that may be missing; also when it was opened again.
pub async fn a_key_reads_back_as_it_was_added(data: &mut dyn DataSet) {
    let store = data.open().await;
    assert_eq!(store.keys.keys().await.unwrap(), []);
    let gone = ApiKey {
        revoked_at: Some(START.plus_ms(9)),
        ..full_key("c", "bare")
    };
    let all = [api_key("a", "bare"), full_key("b", "full ü '"), gone];
    for key in &all {
        assert_eq!(added(&*store.keys, key).await, KeyAdded::Added);
    }
    assert_eq!(store.keys.keys().await.unwrap(), all);
    drop(store);
    let store = data.open().await;
    assert_eq!(store.keys.keys().await.unwrap(), all);
}

/// Also those that were made in one instant.
pub async fn keys_come_in_the_order_they_were_made(data: &mut dyn DataSet) {
    let store = data.open().await;
    let ids = ["m", "a", "z", "b"];
    for id in ids {
        added(&*store.keys, &api_key(id, id)).await;
    }
    revoked(&*store.keys, "a", 1).await;
    let keys = store.keys.keys().await.unwrap();
    let read: Vec<_> = keys.iter().map(|key| key.id.0.as_str()).collect();
    assert_eq!(read, ids);
}

/// Also when it expired. A key that is refused leaves no trace.
pub async fn the_name_of_a_key_is_taken_until_it_is_revoked(data: &mut dyn DataSet) {
    let store = data.open().await;
    let keys = &*store.keys;
    let first = ApiKey {
        expires_at: Some(START),
        ..api_key("a", "dialer 1")
    };
    assert_eq!(added(keys, &first).await, KeyAdded::Added);
    let before = keys.keys_revision().await.unwrap();
    let second = api_key("b", "dialer 1");
    assert_eq!(added(keys, &second).await, KeyAdded::NameTaken);
    assert_eq!(keys.keys_revision().await.unwrap(), before);
    assert_eq!(keys.keys().await.unwrap(), [first]);
    assert_eq!(actions(&store).await, ["key.create a"]);
    assert_eq!(
        added(keys, &api_key("c", "Dialer 1")).await,
        KeyAdded::Added
    );
    assert!(revoked(keys, "a", 1).await);
    assert_eq!(added(keys, &second).await, KeyAdded::Added);
    assert_eq!(
        added(keys, &api_key("d", "dialer 1")).await,
        KeyAdded::NameTaken
    );
    assert!(revoked(keys, "b", 2).await);
    assert_eq!(
        added(keys, &api_key("e", "dialer 1")).await,
        KeyAdded::Added
    );
}

/// Whoever comes first.
pub async fn of_many_who_want_one_name_for_a_key_one_has_it(data: &mut dyn DataSet) {
    let store = data.open().await;
    let mut asked = tokio::task::JoinSet::new();
    for n in 0..8 {
        let keys = store.keys.clone();
        asked.spawn(async move { added(&*keys, &api_key(&format!("key{n}"), "one")).await });
    }
    let answers = asked.join_all().await;
    let added = answers.iter().filter(|answer| **answer == KeyAdded::Added);
    assert_eq!(added.count(), 1);
    assert_eq!(store.keys.keys().await.unwrap().len(), 1);
    assert_eq!(actions(&store).await.len(), 1);
}

/// A key that nobody has is not revoked, and no entry says so.
pub async fn a_key_is_revoked_once(data: &mut dyn DataSet) {
    let store = data.open().await;
    let keys = &*store.keys;
    added(keys, &api_key("a", "one")).await;
    assert!(!revoked(keys, "b", 1).await);
    assert!(revoked(keys, "a", 2).await);
    let once = keys.keys().await.unwrap();
    let revision = keys.keys_revision().await.unwrap();
    assert_eq!(once[0].revoked_at, Some(START.plus_ms(2)));
    assert!(revoked(keys, "a", 3).await);
    assert_eq!(keys.keys().await.unwrap(), once);
    assert_eq!(keys.keys_revision().await.unwrap(), revision);
    assert_eq!(actions(&store).await, ["key.create a", "key.revoke a"]);
}

/// At that instant it is worth nothing any more, as one that is revoked.
pub async fn a_key_is_good_until_the_instant_it_expires(data: &mut dyn DataSet) {
    let store = data.open().await;
    added(&*store.keys, &full_key("a", "one")).await;
    let key = store.keys.keys().await.unwrap().remove(0);
    assert!(key.is_good(START.plus_ms(4_999)));
    assert!(!key.is_good(START.plus_ms(5_000)));
    revoked(&*store.keys, "a", 1).await;
    let key = store.keys.keys().await.unwrap().remove(0);
    assert!(!key.is_good(START));
}

/// In whatever order they are told.
pub async fn the_last_use_of_a_key_is_its_latest(data: &mut dyn DataSet) {
    let store = data.open().await;
    let keys = &*store.keys;
    added(keys, &api_key("a", "one")).await;
    let touch = async |used: &[(&str, i64)]| {
        let used: Vec<_> = used
            .iter()
            .map(|(id, ms)| (KeyId((*id).to_owned()), START.plus_ms(*ms)))
            .collect();
        keys.touch_keys(&used).await.unwrap();
    };
    assert_eq!(last_use(keys).await, None);
    touch(&[]).await;
    touch(&[("nobody", 90)]).await;
    assert_eq!(last_use(keys).await, None);
    touch(&[("a", 5)]).await;
    assert_eq!(last_use(keys).await, Some(5));
    touch(&[("a", 4)]).await;
    assert_eq!(last_use(keys).await, Some(5));
    touch(&[("a", 6), ("nobody", 90), ("a", 9), ("a", 7)]).await;
    assert_eq!(last_use(keys).await, Some(9));
    revoked(keys, "a", 10).await;
    touch(&[("a", 12)]).await;
    assert_eq!(last_use(keys).await, Some(12));
}

/// So that a process that asks for it learns of every change, and is not woken for nothing.
pub async fn the_revision_of_keys_grows_with_each_change_and_with_nothing_else(
    data: &mut dyn DataSet,
) {
    let store = data.open().await;
    let keys = &*store.keys;
    let mut last = keys.keys_revision().await.unwrap();
    let mut grown = async || {
        let now = keys.keys_revision().await.unwrap();
        std::mem::replace(&mut last, now) < now
    };
    assert!(!grown().await);
    added(keys, &api_key("a", "one")).await;
    assert!(grown().await);
    added(keys, &api_key("b", "two")).await;
    assert!(grown().await);
    keys.touch_keys(&[(KeyId("a".to_owned()), START)])
        .await
        .unwrap();
    assert!(!grown().await);
    revoked(keys, "a", 1).await;
    assert!(grown().await);
    revoked(keys, "nobody", 1).await;
    assert!(!grown().await);
    drop(store);
    let store = data.open().await;
    assert_eq!(store.keys.keys_revision().await.unwrap(), last);
}

/// Who, what, before and after; the hash is nowhere in it.
pub async fn a_change_of_keys_is_in_the_audit_log(data: &mut dyn DataSet) {
    let store = data.open().await;
    let key = full_key("k9", "one");
    let by = Author {
        address: Some([192, 0, 2, 1].into()),
        ..Author::command("somebody")
    };
    let keys = &*store.keys;
    keys.add_key(key.clone(), &by).await.unwrap();
    let at = START.plus_ms(1);
    keys.revoke_key(&key.id, at, &by).await.unwrap();
    assert_eq!(actions(&store).await, ["key.create k9", "key.revoke k9"]);
    let [create, revoke] = whole_log(&*store.audit, 10).await.try_into().unwrap();
    assert!(create.event.author == by && revoke.event.author == by);
    let read = |text: &Option<String>| {
        text.as_deref()
            .map(|text| serde_json::from_str(text).unwrap())
    };
    let made: Option<Value> = Some(json!({
        "id": "k9",
        "name": "one",
        "role": "dialer",
        "addresses": key.addresses,
        "campaigns": key.campaigns,
        "created_at": "2026-11-22T15:00:00.000000Z",
        "created_by": key.created_by,
        "expires_at": "2026-11-22T15:00:05.000000Z",
        "revoked_at": null,
    }));
    assert_eq!(create.event.before, None);
    assert_eq!(read(&create.event.after), made);
    assert_eq!(read(&revoke.event.before), made);
    let gone = made.map(|mut key| {
        key["revoked_at"] = json!("2026-11-22T15:00:00.001000Z");
        key
    });
    assert_eq!(read(&revoke.event.after), gone);
}
