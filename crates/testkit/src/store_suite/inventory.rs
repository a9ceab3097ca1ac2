//! Facts about numbers, pools and campaigns.

use std::num::NonZeroU16;

use caller_id_core::listing::{Changed, Expected};
use caller_id_core::store::{Field, Fields, OnDuplicate, Written};
use caller_id_core::{
    Attestation, Limits, Number, PhoneNumber, Policy, PolicyOverrides, Pool, PoolId, Status,
    StoreError, TimeZone,
};

use super::records::own;
use super::{DataSet, StoreFactory};
use crate::builders::{campaign, campaign_id, full_number, phone, pool, somebody};

fn changed(number: PhoneNumber) -> Number {
    Number {
        carrier: Some("another".to_owned()),
        attestation: Some(Attestation::C),
        status: Status::Paused,
        limits: Limits::new(7, 0),
        ..Number::new(number)
    }
}

/// Nobody has to make the pool `default`.
pub async fn the_default_pool_is_there_from_the_start(data: &mut dyn DataSet) {
    let store = data.open().await;
    let pools = store.inventory.pools().await.unwrap();
    assert_eq!(pools, [Pool::new(PoolId::default())]);
    assert_eq!(store.inventory.campaigns().await.unwrap(), []);
    assert_eq!(store.inventory.count_numbers().await.unwrap(), 0);
}

/// Of many numbers at once, whichever they are.
pub async fn it_is_told_which_numbers_are_owned(data: &mut dyn DataSet) {
    let store = data.open().await;
    let rows = vec![Number::new(own(1)), full_number(own(3))];
    store
        .inventory
        .write_numbers(rows, OnDuplicate::Fail, &somebody())
        .await
        .unwrap();
    let asked = [own(3), own(2), phone("+442079460958"), own(1)];
    let mut owned = store.inventory.owned(&asked).await.unwrap();
    owned.sort();
    assert_eq!(owned, [own(1), own(3)]);
    assert_eq!(store.inventory.owned(&[]).await.unwrap(), []);
}

/// Every field, filled and not.
pub async fn a_number_reads_back_as_it_was_written(data: &mut dyn DataSet) {
    let store = data.open().await;
    let rows = vec![
        Number::new(own(1)),
        full_number(own(2)),
        Number::new(phone("+442079460958")),
        Number {
            status: Status::Retired,
            ..changed(own(3))
        },
    ];
    let written = store
        .inventory
        .write_numbers(rows.clone(), OnDuplicate::Fail, &somebody())
        .await
        .unwrap();
    assert_eq!(written, [Written::Added; 4]);
    for row in rows {
        let read = store.inventory.number(row.number).await.unwrap();
        assert_eq!(read, Some(row));
    }
    assert_eq!(store.inventory.number(own(4)).await.unwrap(), None);
    assert_eq!(store.inventory.count_numbers().await.unwrap(), 4);
}

/// Page by page, whatever the order in which they were written.
pub async fn numbers_are_paged_in_order(data: &mut dyn DataSet) {
    let store = data.open().await;
    let rows = (0..25)
        .map(|n| Number::new(own(n * 7 % 25)))
        .chain([Number::new(phone("+442079460958"))])
        .collect();
    store
        .inventory
        .write_numbers(rows, OnDuplicate::Fail, &somebody())
        .await
        .unwrap();
    let mut seen: Vec<PhoneNumber> = Vec::new();
    loop {
        let after = seen.last().copied();
        let page = store.inventory.numbers(after, 10).await.unwrap();
        assert!(page.len() <= 10);
        if page.is_empty() {
            break;
        }
        seen.extend(page.iter().map(|row| row.number));
    }
    assert_eq!(seen.len(), 26);
    assert!(seen.is_sorted());
}

/// Skip keeps, update replaces, fail refuses.
pub async fn a_duplicate_is_skipped_replaced_or_refused_as_asked(data: &mut dyn DataSet) {
    let store = data.open().await;
    let first = full_number(own(1));
    let inventory = &store.inventory;
    inventory
        .write_numbers(vec![first.clone()], OnDuplicate::Fail, &somebody())
        .await
        .unwrap();
    for (how, expected, row) in [
        (OnDuplicate::Skip, Written::Skipped, first.clone()),
        (OnDuplicate::Fail, Written::Exists, first),
        (
            OnDuplicate::Update(Fields::ALL),
            Written::Updated,
            changed(own(1)),
        ),
    ] {
        let written = inventory
            .write_numbers(vec![changed(own(1))], how, &somebody())
            .await
            .unwrap();
        assert_eq!(written, [expected]);
        assert_eq!(inventory.number(own(1)).await.unwrap(), Some(row));
    }
}

/// One field is taken, or none: what the row says of the others is no word of its owner.
pub async fn a_column_that_is_not_given_keeps_its_value(data: &mut dyn DataSet) {
    let store = data.open().await;
    let inventory = &store.inventory;
    let retired = Number {
        status: Status::Retired,
        ..full_number(own(1))
    };
    let carrier = Fields::NONE.with(Field::Carrier);
    for (fields, carrier) in [
        (Fields::NONE, retired.carrier.clone()),
        (carrier, Some("another".to_owned())),
    ] {
        let first = vec![retired.clone()];
        let all = OnDuplicate::Update(Fields::ALL);
        inventory
            .write_numbers(first, all, &somebody())
            .await
            .unwrap();
        let written = inventory
            .write_numbers(
                vec![changed(own(1))],
                OnDuplicate::Update(fields),
                &somebody(),
            )
            .await
            .unwrap();
        assert_eq!(written, [Written::Updated]);
        let expected = Number {
            carrier,
            ..retired.clone()
        };
        assert_eq!(inventory.number(own(1)).await.unwrap(), Some(expected));
    }
    let each = [
        Field::AreaCode,
        Field::Carrier,
        Field::Attestation,
        Field::Status,
        Field::Pool,
        Field::DailyLimit,
        Field::HourlyLimit,
        Field::Meta,
    ];
    let every = OnDuplicate::Update(each.into_iter().fold(Fields::NONE, Fields::with));
    let rows = vec![changed(own(1))];
    inventory
        .write_numbers(rows, every, &somebody())
        .await
        .unwrap();
    let read = inventory.number(own(1)).await.unwrap();
    assert_eq!(read, Some(changed(own(1))));
}

/// The later row meets the earlier one.
pub async fn a_number_twice_in_one_batch_is_a_duplicate_of_itself(data: &mut dyn DataSet) {
    let store = data.open().await;
    let inventory = &store.inventory;
    for (n, how, expected) in [
        (1, OnDuplicate::Skip, Written::Skipped),
        (2, OnDuplicate::Fail, Written::Exists),
        (3, OnDuplicate::Update(Fields::ALL), Written::Updated),
    ] {
        let rows = vec![Number::new(own(n)), changed(own(n))];
        let written = inventory
            .write_numbers(rows, how, &somebody())
            .await
            .unwrap();
        assert_eq!(written, [Written::Added, expected]);
    }
    assert_eq!(inventory.count_numbers().await.unwrap(), 3);
    assert_eq!(
        inventory.number(own(3)).await.unwrap(),
        Some(changed(own(3)))
    );
}

/// The caller decides what a refusal means; the store writes the others.
pub async fn the_rows_beside_a_refused_one_are_written(data: &mut dyn DataSet) {
    let store = data.open().await;
    let inventory = &store.inventory;
    inventory
        .write_numbers(vec![Number::new(own(2))], OnDuplicate::Fail, &somebody())
        .await
        .unwrap();
    let rows = [1, 2, 3].map(|n| Number::new(own(n))).to_vec();
    let written = inventory
        .write_numbers(rows, OnDuplicate::Fail, &somebody())
        .await
        .unwrap();
    assert_eq!(written, [Written::Added, Written::Exists, Written::Added]);
    assert_eq!(inventory.count_numbers().await.unwrap(), 3);
}

/// A row may name a pool that nobody made.
pub async fn a_pool_that_a_row_names_is_made(data: &mut dyn DataSet) {
    let store = data.open().await;
    store
        .inventory
        .write_numbers(vec![full_number(own(1))], OnDuplicate::Fail, &somebody())
        .await
        .unwrap();
    let pools = store.inventory.pools().await.unwrap();
    assert_eq!(
        pools,
        [Pool::new(PoolId::default()), Pool::new(pool("solar"))]
    );
}

/// What is not written has no consequences.
pub async fn a_refused_row_makes_no_pool(data: &mut dyn DataSet) {
    let store = data.open().await;
    for how in [OnDuplicate::Skip, OnDuplicate::Fail] {
        let rows = vec![Number::new(own(1)), full_number(own(1))];
        store
            .inventory
            .write_numbers(rows, how, &somebody())
            .await
            .unwrap();
    }
    let pools = store.inventory.pools().await.unwrap();
    assert_eq!(pools, [Pool::new(PoolId::default())]);
}

/// With all they say; a second word replaces the first.
pub async fn pools_and_campaigns_read_back(data: &mut dyn DataSet) {
    let store = data.open().await;
    let inventory = &store.inventory;
    let solar = Pool {
        id: pool("solar"),
        policy: PolicyOverrides {
            ladder: Some(Policy::default().ladder),
            cooldown_ms: Some(1),
            reservation_ms: Some(2),
            most_reservations: NonZeroU16::new(3),
            sticky_ms: Some(4),
            time_zone: TimeZone::parse("America/Chicago").ok(),
        },
    };
    inventory
        .put_pool(Pool::new(pool("solar")), Expected::Any, &somebody())
        .await
        .unwrap();
    inventory
        .put_pool(solar.clone(), Expected::Any, &somebody())
        .await
        .unwrap();
    let pools = inventory.pools().await.unwrap();
    assert_eq!(pools, [Pool::new(PoolId::default()), solar]);

    let first = campaign("B", &["solar"]);
    let second = campaign("B", &["solar", "default"]);
    let other = campaign("A", &["default"]);
    for one in [first, other.clone(), second.clone()] {
        inventory
            .put_campaign(one, Expected::Any, &somebody())
            .await
            .unwrap();
    }
    assert_eq!(inventory.campaigns().await.unwrap(), [other, second]);
}

/// And nothing of it is kept.
pub async fn a_campaign_with_a_missing_pool_is_refused_by_name(data: &mut dyn DataSet) {
    let store = data.open().await;
    let refused = store
        .inventory
        .put_campaign(
            campaign("A", &["default", "nowhere"]),
            Expected::Any,
            &somebody(),
        )
        .await;
    match refused {
        Err(StoreError::Missing(text)) => {
            assert!(text.contains("`A`") && text.contains("`nowhere`"), "{text}");
        }
        other => panic!("expected a missing pool, got {other:?}"),
    }
    assert_eq!(store.inventory.campaigns().await.unwrap(), []);
}

/// Once: the second time there is nothing to delete.
pub async fn a_deleted_campaign_is_gone(data: &mut dyn DataSet) {
    let by = somebody();
    let store = data.open().await;
    let inventory = &store.inventory;
    inventory
        .put_campaign(campaign("A", &["default"]), Expected::Any, &somebody())
        .await
        .unwrap();
    let delete = || inventory.delete_campaign(campaign_id("A"), Expected::Any, &by);
    let was = Changed::From(campaign("A", &["default"]));
    assert_eq!(delete().await.unwrap(), was);
    assert_eq!(delete().await.unwrap(), Changed::Missing);
    assert_eq!(inventory.campaigns().await.unwrap(), []);
}

/// Closed and opened again it is the same.
pub async fn the_inventory_survives_a_reopen(data: &mut dyn DataSet) {
    let store = data.open().await;
    store
        .inventory
        .write_numbers(vec![full_number(own(1))], OnDuplicate::Fail, &somebody())
        .await
        .unwrap();
    store
        .inventory
        .put_campaign(campaign("A", &["solar"]), Expected::Any, &somebody())
        .await
        .unwrap();
    drop(store);
    let store = data.open().await;
    assert_eq!(
        store.inventory.number(own(1)).await.unwrap(),
        Some(full_number(own(1)))
    );
    assert_eq!(
        store.inventory.campaigns().await.unwrap(),
        [campaign("A", &["solar"])]
    );
    assert_eq!(store.inventory.pools().await.unwrap().len(), 2);
}

/// Whoever asks, and after a restart.
pub async fn the_identity_stays_the_same(data: &mut dyn DataSet) {
    let store = data.open().await;
    let inventory = &store.inventory;
    let (first, second) = tokio::join!(inventory.identity(), inventory.identity());
    let identity = first.unwrap();
    assert_ne!(identity, 0);
    assert_eq!(second.unwrap(), identity);
    let rows = vec![Number::new(own(1))];
    inventory
        .write_numbers(rows, OnDuplicate::Fail, &somebody())
        .await
        .unwrap();
    drop(store);
    let store = data.open().await;
    assert_eq!(store.inventory.identity().await.unwrap(), identity);
    store.inventory.forget_identity().await.unwrap();
    let renewed = store.inventory.identity().await.unwrap();
    assert!(renewed != identity && renewed != 0);
    assert_eq!(store.inventory.identity().await.unwrap(), renewed);
}

/// What belongs to one does not belong to the other.
pub async fn no_two_data_sets_have_one_identity(factory: &dyn StoreFactory) {
    let [mut one, mut other] = [factory.data_set().await, factory.data_set().await];
    let [one, other] = [one.open().await, other.open().await];
    assert_ne!(
        one.inventory.identity().await.unwrap(),
        other.inventory.identity().await.unwrap()
    );
}
