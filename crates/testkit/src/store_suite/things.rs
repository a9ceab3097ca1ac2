//! Facts about pools and campaigns that people put and delete.

use caller_id_core::listing::{Changed, Expected, NumberChange, NumberFilter, PoolRemoval};
use caller_id_core::{Pool, PoolId};

use super::DataSet;
use super::administration::{actions, add};
use super::records::own;
use crate::builders::{campaign, campaign_id, full_number, pool, somebody};

/// Made, changed, the same, or not what was expected.
pub async fn pools_and_campaigns_are_put_only_over_what_was_expected(data: &mut dyn DataSet) {
    let store = data.open().await;
    let (inventory, by) = (&*store.inventory, somebody());
    let plain = Pool::new(pool("solar"));
    let mut brisk = plain.clone();
    brisk.policy.cooldown_ms = Some(1_000);
    for (put, expected, outcome) in [
        (
            &plain,
            Expected::This(brisk.clone()),
            Changed::Differs(None),
        ),
        (&plain, Expected::Nothing, Changed::Made),
        (
            &brisk,
            Expected::Nothing,
            Changed::Differs(Some(plain.clone())),
        ),
        (&plain, Expected::Any, Changed::Same),
        (
            &brisk,
            Expected::This(plain.clone()),
            Changed::From(plain.clone()),
        ),
    ] {
        let changed = inventory.put_pool(put.clone(), expected, &by).await;
        assert_eq!(changed.unwrap(), outcome);
    }
    let plain = campaign("A", &["solar"]);
    let limited = plain.clone().with_agent_limit(Some(0)).unwrap();
    for (put, expected, outcome) in [
        (
            &plain,
            Expected::This(limited.clone()),
            Changed::Differs(None),
        ),
        (&plain, Expected::Any, Changed::Made),
        (
            &limited,
            Expected::Nothing,
            Changed::Differs(Some(plain.clone())),
        ),
        (&plain, Expected::Any, Changed::Same),
        (
            &limited,
            Expected::This(plain.clone()),
            Changed::From(plain.clone()),
        ),
    ] {
        let changed = inventory.put_campaign(put.clone(), expected, &by).await;
        assert_eq!(changed.unwrap(), outcome);
    }
    assert_eq!(
        inventory.campaigns().await.unwrap(),
        std::slice::from_ref(&limited)
    );
    let delete = |expected| inventory.delete_campaign(campaign_id("A"), expected, &by);
    let refused = delete(Expected::This(plain)).await.unwrap();
    assert_eq!(refused, Changed::Differs(Some(limited.clone())));
    let deleted = delete(Expected::This(limited.clone())).await.unwrap();
    assert_eq!(deleted, Changed::From(limited.clone()));
    let gone = delete(Expected::This(limited)).await.unwrap();
    assert_eq!(gone, Changed::Differs(None));
    let told = actions(&store).await;
    let told: Vec<_> = told.iter().map(|(a, s)| (a.as_str(), s.as_str())).collect();
    let expected = [
        ("pool.put", "solar"),
        ("pool.put", "solar"),
        ("campaign.put", "A"),
        ("campaign.put", "A"),
        ("campaign.delete", "A"),
    ];
    assert_eq!(told, expected);
}

/// Its numbers, campaigns that name it, and the name `default` keep it.
pub async fn a_pool_goes_only_when_nothing_uses_it(data: &mut dyn DataSet) {
    let store = data.open().await;
    let (inventory, by) = (&*store.inventory, somebody());
    add(inventory, vec![full_number(own(1)), full_number(own(2))]).await;
    let one = campaign("A", &["default", "solar"]);
    inventory
        .put_campaign(one, Expected::Any, &by)
        .await
        .unwrap();
    let delete = |name: &str, expected| inventory.delete_pool(pool(name), expected, &by);
    let used = PoolRemoval::InUse {
        numbers: 2,
        campaigns: vec!["A".to_owned()],
    };
    assert_eq!(delete("solar", Expected::Any).await.unwrap(), used);
    let default = delete(PoolId::default().as_str(), Expected::Any).await;
    assert!(matches!(
        default.unwrap(),
        PoolRemoval::InUse { numbers: 0, .. }
    ));
    let none = delete("none", Expected::Any).await.unwrap();
    assert_eq!(none, PoolRemoval::Missing);

    let all = NumberFilter {
        pools: vec![pool("solar")],
        ..NumberFilter::default()
    };
    inventory
        .change_numbers(&all, &NumberChange::Delete, None, 10, &by)
        .await
        .unwrap();
    inventory
        .delete_campaign(campaign_id("A"), Expected::Any, &by)
        .await
        .unwrap();
    let mut other = Pool::new(pool("solar"));
    other.policy.sticky_ms = Some(1);
    let differs = delete("solar", Expected::This(other)).await.unwrap();
    assert_eq!(differs, PoolRemoval::Differs);
    let this = Expected::This(Pool::new(pool("solar")));
    assert_eq!(delete("solar", this).await.unwrap(), PoolRemoval::Removed);
    assert_eq!(
        inventory.pools().await.unwrap(),
        [Pool::new(PoolId::default())]
    );
    // Its numbers are still known to engines, and come back into a pool that is made anew.
    add(inventory, vec![full_number(own(1))]).await;
    assert_eq!(inventory.pools().await.unwrap().len(), 2);
}
