//! Facts about what people change: only what they expect, in one step with its entry in the audit log.

use caller_id_core::audit::AuditEvent;
use caller_id_core::listing::{
    BulkStep, Changed, Expected, NumberChange, NumberFilter, NumberPatch, StatusKind,
};
use caller_id_core::store::{Fields, OnDuplicate, Revision};
use caller_id_core::{AuditLog, InventoryStore, Limits, Number, Status, StoreError};

use super::records::own;
use super::{DataSet, OpenStore, broken_at, whole_log};
use crate::builders::{full_number, pool, somebody};

fn pause() -> NumberChange {
    NumberChange::Patch(NumberPatch {
        status: Some(Status::Paused),
        ..NumberPatch::default()
    })
}

fn to_pool(name: &str) -> NumberChange {
    NumberChange::Patch(NumberPatch {
        pool: Some(pool(name)),
        ..NumberPatch::default()
    })
}

fn paused(number: Number) -> Number {
    Number {
        status: Status::Paused,
        ..number
    }
}

/// Adds rows that are new.
pub(super) async fn add(inventory: &dyn InventoryStore, rows: Vec<Number>) {
    let by = somebody();
    let written = inventory.write_numbers(rows, OnDuplicate::Fail, &by);
    written.await.unwrap();
}

async fn events(log: &dyn AuditLog) -> Vec<AuditEvent> {
    assert_eq!(broken_at(log).await, None);
    let entries = whole_log(log, 100).await.into_iter();
    entries.map(|entry| entry.event).collect()
}

/// What was done to what, by the audit log.
pub(super) async fn actions(store: &OpenStore) -> Vec<(String, String)> {
    let events = events(&*store.audit).await.into_iter();
    events.map(|event| (event.action, event.subject)).collect()
}

async fn revision(inventory: &dyn InventoryStore) -> Revision {
    let changes = inventory.changes(Revision::default(), None, 100_000).await;
    changes.unwrap().upto
}

/// Nobody overwrites what they have not seen.
pub async fn a_number_is_changed_only_when_it_is_what_was_expected(data: &mut dyn DataSet) {
    let store = data.open().await;
    let pause = pause();
    let (inventory, by) = (&*store.inventory, somebody());
    let (one, key) = (Number::new(own(1)), own(1));
    add(inventory, vec![one.clone()]).await;
    let before = revision(inventory).await;

    let other = Expected::This(paused(one.clone()));
    for (expected, change, outcome) in [
        (
            other.clone(),
            pause.clone(),
            Changed::Differs(Some(one.clone())),
        ),
        (
            other,
            NumberChange::Delete,
            Changed::Differs(Some(one.clone())),
        ),
        (
            Expected::Nothing,
            pause.clone(),
            Changed::Differs(Some(one.clone())),
        ),
        (
            Expected::Any,
            NumberChange::Patch(NumberPatch::default()),
            Changed::Same,
        ),
    ] {
        let changed = inventory.change_number(key, &change, expected, &by).await;
        assert_eq!(changed.unwrap(), outcome, "{change:?}");
    }
    for (expected, outcome) in [
        (Expected::Any, Changed::Missing),
        (Expected::This(one.clone()), Changed::Differs(None)),
    ] {
        let missing = inventory.change_number(own(2), &pause, expected, &by);
        assert_eq!(missing.await.unwrap(), outcome);
    }
    assert_eq!(revision(inventory).await, before);
    assert_eq!(events(&*store.audit).await.len(), 1);

    let changed = inventory.change_number(key, &pause, Expected::This(one.clone()), &by);
    assert_eq!(changed.await.unwrap(), Changed::From(one.clone()));
    assert_eq!(inventory.number(key).await.unwrap(), Some(paused(one)));
    assert!(revision(inventory).await > before);
}

/// Of many who saw the same, one changes it.
pub async fn of_two_who_change_what_they_saw_one_is_told(data: &mut dyn DataSet) {
    let store = data.open().await;
    let inventory = &*store.inventory;
    let one = Number::new(own(1));
    add(inventory, vec![one.clone()]).await;
    let by = somebody();
    let change = |limit: u32| {
        let patch = NumberPatch {
            daily_limit: Some(Limits::new(limit, 0).daily),
            ..NumberPatch::default()
        };
        let (expected, by) = (Expected::This(one.clone()), &by);
        async move {
            let change = NumberChange::Patch(patch);
            let changed = inventory.change_number(own(1), &change, expected, by);
            changed.await.unwrap()
        }
    };
    let (first, second) = tokio::join!(change(1), change(2));
    let changed = [first, second].into_iter();
    let changed = changed.filter(|changed| matches!(changed, Changed::From(_)));
    assert_eq!(changed.count(), 1);
    assert_eq!(events(&*store.audit).await.len(), 2);
}

/// And nothing of it is written.
pub async fn a_change_that_names_a_missing_pool_is_refused_by_name(data: &mut dyn DataSet) {
    let store = data.open().await;
    let (inventory, by) = (&*store.inventory, somebody());
    add(inventory, vec![Number::new(own(1))]).await;
    let (all, nowhere) = (NumberFilter::default(), to_pool("nowhere"));
    let one = inventory.change_number(own(1), &nowhere, Expected::Any, &by);
    let one = one.await.map(drop);
    let many = inventory.change_numbers(&all, &nowhere, None, 10, &by);
    for refused in [one, many.await.map(drop)] {
        match refused {
            Err(StoreError::Missing(text)) => assert!(text.contains("`nowhere`"), "{text}"),
            other => panic!("expected a missing pool, got {other:?}"),
        }
    }
    assert_eq!(events(&*store.audit).await.len(), 1);
}

/// Step by step, in the order of numbers.
pub async fn many_numbers_change_in_steps(data: &mut dyn DataSet) {
    let store = data.open().await;
    let pause = pause();
    let (inventory, by) = (&*store.inventory, somebody());
    let rows = (0..10).map(|n| Number::new(own(n)));
    add(inventory, rows.collect()).await;
    inventory
        .change_number(own(2), &pause, Expected::Any, &by)
        .await
        .unwrap();
    let all = NumberFilter::default();
    let mut steps = Vec::new();
    let mut after = None;
    loop {
        let step = inventory.change_numbers(&all, &pause, after, 4, &by);
        let step = step.await.unwrap();
        steps.push((step.matched, step.changed));
        after = step.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(steps, [(4, 3), (4, 4), (2, 2)]);
    let again = inventory.change_numbers(&all, &pause, None, 100, &by);
    let expected = BulkStep {
        matched: 10,
        changed: 0,
        next: None,
    };
    assert_eq!(again.await.unwrap(), expected);

    let one_of_them = NumberFilter {
        numbers: vec![own(3), own(77)],
        statuses: vec![StatusKind::Paused],
        ..NumberFilter::default()
    };
    let step = inventory.change_numbers(&one_of_them, &NumberChange::Delete, None, 100, &by);
    let step = step.await.unwrap();
    assert_eq!((step.matched, step.changed, step.next), (1, 1, None));
    assert_eq!(inventory.number(own(3)).await.unwrap(), None);
    assert_eq!(inventory.count_numbers().await.unwrap(), 9);
    let told = actions(&store).await;
    let told: Vec<_> = told.iter().map(|(a, s)| (a.as_str(), s.as_str())).collect();
    let expected = [
        ("numbers.import", "10 numbers"),
        ("number.update", "+13125550002"),
        ("numbers.update", "3 numbers"),
        ("numbers.update", "4 numbers"),
        ("numbers.update", "2 numbers"),
        ("numbers.delete", "1 number"),
    ];
    assert_eq!(told, expected);
}

/// Engines keep its uses; nobody else sees it.
pub async fn a_deleted_number_comes_to_engines_as_one_that_is_retired(data: &mut dyn DataSet) {
    let store = data.open().await;
    let (inventory, by) = (&*store.inventory, somebody());
    let full = full_number(own(1));
    add(
        inventory,
        vec![Number::new(own(0)), full.clone(), Number::new(own(2))],
    )
    .await;
    let before = revision(inventory).await;
    let deleted = inventory.change_number(own(1), &NumberChange::Delete, Expected::Any, &by);
    assert_eq!(deleted.await.unwrap(), Changed::From(full.clone()));

    assert_eq!(inventory.number(own(1)).await.unwrap(), None);
    assert_eq!(inventory.count_numbers().await.unwrap(), 2);
    let left = inventory.numbers(None, 10).await.unwrap();
    assert_eq!(left, [Number::new(own(0)), Number::new(own(2))]);

    let gone = Number {
        status: Status::Retired,
        carrier: None,
        attestation: None,
        meta: None,
        ..full.clone()
    };
    // To one that follows, and to one that begins, whatever the size of its pages.
    let changes = inventory.changes(before, None, 10).await.unwrap();
    assert_eq!(changes.numbers, std::slice::from_ref(&gone));
    for most in [1, 2, 10] {
        let (mut since, mut after, mut seen) = (Revision::default(), None, Vec::new());
        loop {
            let page = inventory.changes(since, after, most).await.unwrap();
            assert!(page.numbers.len() <= most);
            seen.extend(page.numbers);
            if page.upto == since && page.after.is_none() {
                break;
            }
            (since, after) = (page.upto, page.after);
        }
        assert_eq!(
            seen,
            [Number::new(own(0)), Number::new(own(2)), gone.clone()]
        );
    }

    let before = revision(inventory).await;
    add(inventory, vec![full.clone()]).await;
    let changes = inventory.changes(before, None, 10).await.unwrap();
    assert_eq!(changes.numbers, [full]);
    let all = inventory
        .changes(Revision::default(), None, 10)
        .await
        .unwrap();
    assert_eq!(all.numbers.len(), 3);
    // And once more.
    inventory
        .change_number(own(1), &NumberChange::Delete, Expected::Any, &by)
        .await
        .unwrap();
    let all = inventory
        .changes(Revision::default(), None, 10)
        .await
        .unwrap();
    assert_eq!(all.numbers.last(), Some(&gone));
}

/// With every field, and who did it; a refused or unchanged row says nothing.
pub async fn each_change_has_one_entry_with_what_was_before(data: &mut dyn DataSet) {
    let store = data.open().await;
    let (inventory, by) = (&*store.inventory, somebody());
    let update = OnDuplicate::Update(Fields::ALL);
    let one = Number::new(own(1));
    for rows in [
        vec![one.clone()],
        vec![one.clone()],
        vec![paused(one.clone())],
        vec![one, full_number(own(2)), Number::new(own(3))],
    ] {
        inventory.write_numbers(rows, update, &by).await.unwrap();
    }
    inventory
        .write_numbers(vec![Number::new(own(2))], OnDuplicate::Skip, &by)
        .await
        .unwrap();
    let told = events(&*store.audit).await;
    assert!(told.iter().all(|event| event.author == by));
    let brief: Vec<_> = told
        .iter()
        .map(|event| {
            let length = |json: &Option<String>| match json.as_deref().map(serde_json::from_str) {
                None => 0,
                Some(Ok(serde_json::Value::Array(list))) => list.len(),
                Some(Ok(serde_json::Value::Object(_))) => 1,
                other => panic!("expected an object or a list, got {other:?}"),
            };
            let sizes = (length(&event.before), length(&event.after));
            (event.action.as_str(), event.subject.as_str(), sizes)
        })
        .collect();
    let expected = [
        ("number.create", "+13125550001", (0, 1)),
        ("number.update", "+13125550001", (1, 1)),
        ("pool.create", "solar", (0, 1)),
        ("numbers.import", "3 numbers", (1, 3)),
    ];
    assert_eq!(brief, expected);
    let before: serde_json::Value =
        serde_json::from_str(told[1].before.as_deref().unwrap()).unwrap();
    assert_eq!(before["caller_id"], "+13125550001");
    assert_eq!(before["status"], "active");
}
