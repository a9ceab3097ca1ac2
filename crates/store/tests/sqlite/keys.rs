//! Keys seen by others, and changes of keys that fail half way.

use caller_id_core::roles::KeyAdded;
use caller_id_core::{AuditLog, Author, KeyStore};
use caller_id_store::SqliteStore;
use caller_id_testkit::builders::START;
use caller_id_testkit::store_suite::{api_key, broken_at};

use super::{Folder, meddle, options};

#[tokio::test]
async fn a_server_learns_of_keys_that_a_command_changed_beside_it() {
    let folder = Folder::new();
    let server = folder.open();
    let beside = SqliteStore::open_beside(&folder.main(), options()).unwrap();
    let (key, by) = (api_key("a", "one"), Author::command("keys"));
    let before = server.keys_revision().await.unwrap();
    beside.add_key(key.clone(), &by).await.unwrap();
    let made = server.keys_revision().await.unwrap();
    assert!(made > before);
    assert_eq!(server.keys().await.unwrap().len(), 1);
    beside.revoke_key(&key.id, START, &by).await.unwrap();
    assert!(server.keys_revision().await.unwrap() > made);
    assert!(!server.keys().await.unwrap()[0].is_good(START));
}

#[tokio::test]
async fn a_change_of_keys_without_its_entry_is_none() {
    const FAIL: &str =
        "CREATE TRIGGER full BEFORE UPDATE ON audit_head BEGIN SELECT RAISE(ABORT, 'full'); END";
    let folder = Folder::new();
    let store = folder.open();
    let by = Author::command("keys");
    let (kept, refused) = (api_key("a", "one"), api_key("b", "two"));
    store.add_key(kept.clone(), &by).await.unwrap();
    let revision = store.keys_revision().await.unwrap();
    meddle(&folder.main(), FAIL);
    store.add_key(refused.clone(), &by).await.unwrap_err();
    store.revoke_key(&kept.id, START, &by).await.unwrap_err();
    assert_eq!(store.keys().await.unwrap(), [kept]);
    assert_eq!(store.keys_revision().await.unwrap(), revision);
    assert_eq!(store.head().await.unwrap().0, 1);
    assert_eq!(broken_at(&*store).await, None);
    meddle(&folder.main(), "DROP TRIGGER full");
    assert_eq!(store.add_key(refused, &by).await.unwrap(), KeyAdded::Added);
    assert_eq!(broken_at(&*store).await, None);
}
