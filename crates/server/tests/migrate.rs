//! `caller-id migrate`, as its users see it.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "migrate/data.rs"]
mod data;
#[path = "migrate/reference.rs"]
mod reference;

use std::collections::HashSet;
use std::process::Stdio;

use caller_id_core::listing::{Expected, NumberChange};
use caller_id_core::store::OnDuplicate;
use caller_id_core::{InventoryStore, KeyStore, Number};
use caller_id_testkit::builders::{START, somebody};
use caller_id_testkit::store_suite::records::own;

use data::{Contents, Postgres, Sqlite, export, fill, more, said, status};

#[tokio::test(flavor = "multi_thread")]
async fn everything_moves_to_postgresql_and_back() {
    let (first, database, second) = (Sqlite::new(), Postgres::new(), Sqlite::new());
    fill(&first, 6_000).await;
    let there = data::migrate(&[("--from", &first.url()), ("--to", &database.url())]);
    assert_eq!(status(&there), 0, "{}", said(&there));
    let table = String::from_utf8(there.stdout).unwrap();
    for row in [
        "numbers",
        "pools",
        "campaigns",
        "allocations",
        "ends",
        "results",
        "deleted",
        "keys",
        "hour sums",
        "day sums",
        "sum marks",
        "audit log",
    ] {
        let row = table.lines().find(|line| line.starts_with(row)).unwrap();
        assert!(row.ends_with("same"), "{row}");
    }
    let back = data::migrate(&[("--from", &database.url()), ("--to", &second.url())]);
    assert_eq!(status(&back), 0, "{}", said(&back));
    let whole = first.contents().await;
    assert_eq!(whole, second.contents().await);
    assert_eq!(whole, database.contents().await);
    for (rows, least) in [
        (whole.keys.len(), 2),
        (whole.removed.len(), 1),
        (whole.hours.len(), 30),
        (whole.days.len(), 100),
        (whole.entries.len(), 9),
    ] {
        assert!(rows >= least, "{rows} of {least}");
    }
    let unknown = "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace \
        WHERE nspname = 'caller_id' AND relkind = 'r' AND reltuples < 0 \
        AND relname ~ '^(numbers|allocations.*|sums_by_hour|sums_by_day)$' AND pg_relation_size(pg_class.oid) > 0";
    let unknown = database.psql(unknown);
    assert_eq!(unknown, "", "PostgreSQL takes these for empty");
    for url in [database.url(), second.url()] {
        let verified = data::audit(&["verify"], &url);
        assert_eq!(status(&verified), 0, "{}", said(&verified));
    }
    let session = second.open().session(data::SESSION).await.unwrap();
    assert_eq!(session, None, "sessions are not carried");
    let identities = [
        first.open().identity().await.unwrap(),
        database.open().await.identity().await.unwrap(),
        second.open().identity().await.unwrap(),
    ];
    assert_eq!(HashSet::from(identities).len(), 3, "none is moved");
    let exported = export(&first.url());
    assert!(exported.lines().count() > 100);
    assert_eq!(export(&database.url()), exported);
    assert_eq!(export(&second.url()), exported);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_on_its_way_into_postgresql_it_goes_on_where_it_was() {
    let database = Postgres::new();
    database.contents().await;
    let count = async || database.calls();
    killed_again_and_again(&database.url(), count, async || database.contents().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_on_its_way_into_sqlite_it_goes_on_where_it_was() {
    let target = Sqlite::new();
    target.contents().await;
    let count = async || target.calls().await;
    killed_again_and_again(&target.url(), count, async || target.contents().await).await;
}

/// Kills it once at its start, and then whenever it has written something of history.
async fn killed_again_and_again(
    to: &str,
    count: impl AsyncFn() -> usize,
    target: impl AsyncFn() -> Contents,
) {
    const CALLS: usize = 10_000;
    let source = Sqlite::new();
    fill(&source, CALLS as u64).await;
    let from = source.url();
    let ends = [("--from", from.as_str()), ("--to", to)];
    let (mut kept, mut halfway) = (0, 0);
    for round in 0..5 {
        let mut child = data::command(&ends).stderr(Stdio::null()).spawn().unwrap();
        while round > 0 && child.try_wait().unwrap().is_none() && count().await == kept {
            tokio::task::yield_now().await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let before = kept;
        kept = count().await;
        assert!(kept >= before, "{kept} calls after {before}");
        halfway += u32::from(0 < kept && kept < CALLS);
    }
    assert!(halfway > 0, "no kill came in the middle of history");
    let end = data::migrate(&ends);
    assert_eq!(status(&end), 0, "{}", said(&end));
    let whole = source.contents().await;
    assert_eq!(whole, target().await);
    let again = data::migrate(&ends);
    assert_eq!(status(&again), 0);
    assert!(
        said(&again).contains("has everything already"),
        "{}",
        said(&again)
    );
    assert_eq!(whole, source.contents().await, "the source is only read");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_into_the_source_later_is_added_by_another_run() {
    let (source, target) = (Sqlite::new(), Sqlite::new());
    fill(&source, 500).await;
    let ends = [("--from", source.url()), ("--to", target.url())];
    let ends = ends.each_ref().map(|(flag, url)| (*flag, url.as_str()));
    assert_eq!(status(&data::migrate(&ends)), 0);
    more(&source, 500..900).await;
    data::sum_up(&source).await;
    let store = source.open();
    let by = somebody();
    store.add_key(data::key("southern"), &by).await.unwrap();
    let west = data::key("west2").id;
    store.touch_keys(&[(west.clone(), START)]).await.unwrap();
    store.revoke_key(&west, START, &by).await.unwrap();
    let back = vec![Number::new(own(900)), Number::new(own(901))];
    let written = store.write_numbers(back, OnDuplicate::Fail, &by);
    written.await.unwrap();
    let deleted = store.change_number(own(901), &NumberChange::Delete, Expected::Any, &by);
    deleted.await.unwrap();
    store.close().await;
    let again = data::migrate(&ends);
    assert_eq!(status(&again), 0, "{}", said(&again));
    assert_eq!(source.contents().await, target.contents().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_changed_is_not_carried_and_can_be_left_behind() {
    let (source, target) = (Sqlite::new(), Postgres::new());
    fill(&source, 100).await;
    source.sql(
        "DROP TRIGGER audit_is_never_changed; UPDATE audit SET subject = 'nothing' WHERE place = 3",
    );
    let (from, to) = (source.url(), target.url());
    let ends = [("--from", from.as_str()), ("--to", to.as_str())];
    let refused = data::migrate(&ends);
    assert_eq!(status(&refused), 2);
    let told = "entry 3 of the source's audit log does not follow";
    assert!(said(&refused).contains(told), "{}", said(&refused));
    let without = [&ends[..], &[("--without-audit-log", "")]].concat();
    let moved = data::migrate(&without);
    assert_eq!(status(&moved), 0, "{}", said(&moved));
    assert_eq!(target.contents().await.keys, source.contents().await.keys);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_merged_stands_in_the_log_of_the_target_which_keeps_its_own() {
    let (source, target) = (Sqlite::new(), Sqlite::new());
    fill(&source, 100).await;
    let store = target.open();
    let own_key = data::key("a-key-here");
    store.add_key(own_key, &somebody()).await.unwrap();
    store.close().await;
    let before = target.contents().await.entries;
    let ends = [("--from", source.url()), ("--to", target.url())];
    let ends = ends.each_ref().map(|(flag, url)| (*flag, url.as_str()));
    let merged = data::migrate(&[&ends[..], &[("--merge", "")]].concat());
    assert_eq!(status(&merged), 0, "{}", said(&merged));
    let target_now = target.contents().await;
    assert_eq!(target_now.entries[..before.len()], before);
    let migrated = target_now.entries[before.len()..].iter();
    let actions: HashSet<&str> = migrated
        .clone()
        .map(|entry| entry.event.action.as_str())
        .collect();
    assert!(actions.contains("key.restore"), "{actions:?}");
    assert!(
        migrated
            .clone()
            .all(|entry| entry.event.author.name.starts_with("migrate ("))
    );
    assert_eq!(target_now.keys.len(), 3);
    assert_eq!(status(&data::audit(&["verify"], &target.url())), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_is_found_named_and_an_error() {
    let (source, database) = (Sqlite::new(), Postgres::new());
    fill(&source, 300).await;
    let ends = [("--from", source.url()), ("--to", database.url())];
    let ends = ends.each_ref().map(|(flag, url)| (*flag, url.as_str()));
    assert_eq!(status(&data::migrate(&ends)), 0);
    let id = database.psql(
        "UPDATE caller_id.allocations SET destination = 14155559999
         WHERE id = (SELECT id FROM caller_id.allocations ORDER BY id OFFSET 150 LIMIT 1) RETURNING id",
    );
    let refused = data::migrate(&ends);
    assert_eq!(status(&refused), 2);
    assert!(
        said(&refused).contains("allocations (0 more, 1 others)"),
        "{}",
        said(&refused)
    );
    assert!(said(&refused).contains(&id), "{}", said(&refused));
    let merged = data::migrate(&[&ends[..], &[("--merge", "")]].concat());
    assert_eq!(status(&merged), 1, "{}", said(&merged));
    let table = String::from_utf8_lossy(&merged.stdout);
    assert!(table.contains("DIFFERENT"), "{table}");
    assert!(table.contains(&format!("allocation {id}")), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_target_has_is_not_mixed_with_the_source_unless_asked() {
    let (source, target) = (Sqlite::new(), Sqlite::new());
    fill(&source, 100).await;
    more(&target, 5_000..5_010).await;
    let before = target.contents().await;
    let ends = [("--from", source.url()), ("--to", target.url())];
    let ends = ends.each_ref().map(|(flag, url)| (*flag, url.as_str()));
    let refused = data::migrate(&ends);
    assert_eq!(status(&refused), 2);
    assert!(
        said(&refused).contains("nothing is written"),
        "{}",
        said(&refused)
    );
    assert!(said(&refused).contains("--merge"), "{}", said(&refused));
    assert_eq!(target.contents().await, before);
    let merged = data::migrate(&[&ends[..], &[("--merge", "")]].concat());
    assert_eq!(status(&merged), 0, "{}", said(&merged));
    let (source, target) = (source.contents().await, target.contents().await);
    assert_eq!(
        target.history.len(),
        source.history.len() + before.history.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_in_use_is_neither_read_nor_written() {
    let (source, target) = (Sqlite::new(), Sqlite::new());
    fill(&source, 10).await;
    for used in [&source, &target] {
        let held = used.open();
        let refused = data::migrate(&[("--from", &source.url()), ("--to", &target.url())]);
        assert_eq!(status(&refused), 2);
        let said = said(&refused);
        assert!(said.contains("must be stopped for the migration"), "{said}");
        held.close().await;
    }
    let held = source.open();
    assert_eq!(held.count_numbers().await.unwrap(), 120);
    held.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_postgresql_in_use_is_neither_read_nor_written() {
    let (source, used, target) = (Sqlite::new(), Postgres::new(), Sqlite::new());
    fill(&source, 10).await;
    let held = used.open().await;
    for ends in [
        [("--from", source.url()), ("--to", used.url())],
        [("--from", used.url()), ("--to", target.url())],
    ] {
        let refused = data::migrate(&ends.each_ref().map(|(flag, url)| (*flag, url.as_str())));
        assert_eq!(status(&refused), 2);
        let said = said(&refused);
        assert!(said.contains("must be stopped for the migration"), "{said}");
    }
    assert_eq!(held.count_numbers().await.unwrap(), 0);
    held.close();
}

#[test]
fn what_is_missing_or_wrong_is_said_in_one_line_without_passwords() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = format!("sqlite:{}", folder.path().join("nowhere.db").display());
    let target = format!("sqlite:{}", folder.path().join("target.db").display());
    let unreachable = "postgres://me:horse@127.0.0.1:1/x";
    for (words, expected) in [
        (
            vec![("--from", nowhere.as_str()), ("--to", &target)],
            "there is no database",
        ),
        (
            vec![("--from", &target), ("--to", &target)],
            "source and target are both",
        ),
        (
            vec![("--from", "mysql://me:horse@db/x"), ("--to", &target)],
            "names no database",
        ),
        (
            vec![("--from", unreachable), ("--to", &target)],
            "127.0.0.1:1",
        ),
        (
            vec![("--from-reference", unreachable), ("--to", &target)],
            "127.0.0.1:1",
        ),
        (
            vec![("--from-reference", "sqlite:x.db"), ("--to", &target)],
            "is not PostgreSQL",
        ),
    ] {
        let output = data::migrate(&words);
        let said = said(&output);
        assert_eq!(status(&output), 2, "{words:?}: {said}");
        assert!(said.contains(expected), "{words:?}: {said}");
        let lines = said.lines().filter(|line| !line.starts_with("from "));
        assert_eq!(lines.count(), 1, "{said}");
        assert!(!said.contains("horse"), "{said}");
    }
    assert!(!folder.path().join("nowhere.db").exists());
}

#[test]
fn without_arguments_it_says_what_it_needs_and_how_it_is_written() {
    let output = data::migrate(&[]);
    assert_eq!(status(&output), 2);
    for needed in [
        "nothing to migrate from: give --from",
        "caller-id migrate --from sqlite:",
        "caller-id migrate --from-reference postgres:",
    ] {
        assert!(said(&output).contains(needed), "{}", said(&output));
    }
}
