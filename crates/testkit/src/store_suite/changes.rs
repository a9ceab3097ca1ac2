//! Facts about how changes of the inventory show.

use std::collections::BTreeMap;

use caller_id_core::listing::{Changed, Expected};
use caller_id_core::store::{Changes, Fields, OnDuplicate, Revision};
use caller_id_core::{InventoryStore, Number, PhoneNumber, Pool, Status};

use super::DataSet;
use super::records::own;
use crate::builders::{campaign, campaign_id, pool, somebody};

async fn write(inventory: &dyn InventoryStore, lines: std::ops::Range<u64>) {
    let rows = lines.map(|n| Number::new(own(n))).collect();
    inventory
        .write_numbers(rows, OnDuplicate::Update(Fields::ALL), &somebody())
        .await
        .unwrap();
}

/// Asks from a revision until it stays the same, as a server does.
async fn follow(
    inventory: &dyn InventoryStore,
    mut since: Revision,
    most: usize,
) -> (Vec<Number>, Changes) {
    let mut numbers = Vec::new();
    let mut after: Option<PhoneNumber> = None;
    let mut all = Changes::default();
    loop {
        let page = inventory.changes(since, after, most).await.unwrap();
        assert!(page.numbers.len() <= most);
        numbers.extend(page.numbers);
        all.pools = page.pools.or(all.pools);
        all.campaigns = page.campaigns.or(all.campaigns);
        all.campaigns_at = page.campaigns_at;
        if page.upto == since && page.after.is_none() {
            all.upto = since;
            return (numbers, all);
        }
        (since, after) = (page.upto, page.after);
    }
}

async fn last_revision(inventory: &dyn InventoryStore) -> Revision {
    follow(inventory, Revision::default(), 1_000).await.1.upto
}

/// Whatever the page's size, and over several revisions.
pub async fn changes_page_through_every_number_once(data: &mut dyn DataSet) {
    let store = data.open().await;
    let inventory = &*store.inventory;
    write(inventory, 0..20).await;
    write(inventory, 20..23).await;
    write(inventory, 23..40).await;
    for most in [1, 3, 20, 23, 40, 1_000] {
        let (numbers, all) = follow(inventory, Revision::default(), most).await;
        let mut seen: Vec<_> = numbers.iter().map(|row| row.number).collect();
        assert_eq!(seen.len(), 40, "pages of {most}");
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 40, "pages of {most}");
        assert_eq!(all.pools.map(|pools| pools.len()), Some(1));
    }
}

/// The cheap answer that a server gets nearly always.
pub async fn nothing_changed_after_the_last_revision(data: &mut dyn DataSet) {
    let store = data.open().await;
    let inventory = &*store.inventory;
    write(inventory, 0..5).await;
    let last = last_revision(inventory).await;
    let none = inventory.changes(last, None, 10).await.unwrap();
    assert_eq!(none.upto, last);
    assert!(none.numbers.is_empty());
    assert!(none.pools.is_none() && none.campaigns.is_none() && none.after.is_none());
}

/// Importing a file twice wakes nobody.
pub async fn writing_the_same_again_is_no_change(data: &mut dyn DataSet) {
    let store = data.open().await;
    let inventory = &*store.inventory;
    let same = async || {
        write(inventory, 0..5).await;
        inventory
            .put_pool(Pool::new(pool("solar")), Expected::Any, &somebody())
            .await
            .unwrap();
        inventory
            .put_campaign(campaign("A", &["solar"]), Expected::Any, &somebody())
            .await
            .unwrap();
    };
    same().await;
    let last = last_revision(inventory).await;
    same().await;
    for how in [OnDuplicate::Skip, OnDuplicate::Fail] {
        let rows = vec![Number::new(own(1))];
        inventory
            .write_numbers(rows, how, &somebody())
            .await
            .unwrap();
    }
    let none = campaign_id("none");
    let by = somebody();
    let deleted = inventory.delete_campaign(none, Expected::Any, &by);
    assert_eq!(deleted.await.unwrap(), Changed::Missing);
    assert_eq!(last_revision(inventory).await, last);
}

/// And only what changed.
pub async fn each_change_shows_from_the_revision_before(data: &mut dyn DataSet) {
    let store = data.open().await;
    let inventory = &*store.inventory;
    write(inventory, 0..5).await;
    let before = last_revision(inventory).await;

    let paused = Number {
        status: Status::Paused,
        ..Number::new(own(3))
    };
    let rows = vec![Number::new(own(2)), paused.clone()];
    inventory
        .write_numbers(rows, OnDuplicate::Update(Fields::ALL), &somebody())
        .await
        .unwrap();
    let (numbers, all) = follow(inventory, before, 10).await;
    assert_eq!(numbers, [paused]);
    assert!(all.pools.is_none() && all.campaigns.is_none());
    assert!(all.upto > before);

    inventory
        .put_pool(Pool::new(pool("solar")), Expected::Any, &somebody())
        .await
        .unwrap();
    let (numbers, pools) = follow(inventory, all.upto, 10).await;
    assert!(numbers.is_empty() && pools.campaigns.is_none());
    assert_eq!(pools.pools.map(|pools| pools.len()), Some(2));

    let one = campaign("A", &["solar"]);
    inventory
        .put_campaign(one.clone(), Expected::Any, &somebody())
        .await
        .unwrap();
    let (_, campaigns) = follow(inventory, pools.upto, 10).await;
    assert_eq!(campaigns.campaigns, Some(vec![one]));
    assert!(campaigns.pools.is_none());

    inventory
        .delete_campaign(campaign_id("A"), Expected::Any, &somebody())
        .await
        .unwrap();
    let (_, none_left) = follow(inventory, campaigns.upto, 10).await;
    assert_eq!(none_left.campaigns, Some(vec![]));
    assert_eq!(none_left.campaigns_at, none_left.upto);
}

/// Somebody who pages while others write ends with what is there.
pub async fn a_number_that_changes_between_two_pages_is_seen_as_it_is(data: &mut dyn DataSet) {
    let store = data.open().await;
    let inventory = &*store.inventory;
    write(inventory, 0..10).await;
    let first = inventory
        .changes(Revision::default(), None, 4)
        .await
        .unwrap();
    let paused = |n| Number {
        status: Status::Paused,
        ..Number::new(own(n))
    };
    // One that was on the first page, and one that was to come.
    inventory
        .write_numbers(
            vec![paused(1), paused(8)],
            OnDuplicate::Update(Fields::ALL),
            &somebody(),
        )
        .await
        .unwrap();
    let mut mirror: BTreeMap<_, _> = first
        .numbers
        .into_iter()
        .map(|row| (row.number, row))
        .collect();
    let (mut since, mut after) = (first.upto, first.after);
    loop {
        let page = inventory.changes(since, after, 4).await.unwrap();
        mirror.extend(page.numbers.into_iter().map(|row| (row.number, row)));
        if page.upto == since && page.after.is_none() {
            break;
        }
        (since, after) = (page.upto, page.after);
    }
    let mirrored: Vec<_> = mirror.into_values().collect();
    assert_eq!(mirrored, inventory.numbers(None, 100).await.unwrap());
}
