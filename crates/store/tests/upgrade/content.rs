//! What is written with the columns of the first schema, and what this version must read of it.

use caller_id_core::store::PastAllocation;
use caller_id_core::{
    AllocationId, AllocationRecord, CallEnd, Campaign, EndRecord, HistoryStore, InventoryStore,
    Limits, Number, Pool, PoolId, Status, Timestamp,
};
use caller_id_testkit::builders::{START, campaign_id, pool};
use caller_id_testkit::store_suite::records::{full_record, own, record};

/// Three allocations; the first one has everything, and an end.
fn history() -> [PastAllocation; 3] {
    let records = [
        full_record(1, 1, own(1)),
        record(2, 2, own(2)),
        full_record(3, 3, own(3)),
    ];
    let mut history = records.map(PastAllocation::new);
    let (id, at) = (history[0].record.id, START.plus_ms(5_000));
    let end = CallEnd::Busy;
    history[0].ended = Some(EndRecord { id, at, end });
    history
}

fn text(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".to_owned(), |text| format!("'{text}'"))
}

/// Statements that write it into tables of the first schema, whose names begin with `prefix`; `id` writes an id down.
pub(crate) fn statements(prefix: &str, id: impl Fn(AllocationId) -> String) -> String {
    let at = START.as_ms();
    let mut sql = format!(
        "INSERT INTO {prefix}pools (id, policy) VALUES ('solar', '{{\"cooldown_ms\": 7000}}');
         INSERT INTO {prefix}campaigns (id, pools) VALUES ('SALES', '[\"solar\", \"default\"]');
         UPDATE {prefix}meta SET value = 2 WHERE key = 'revision';"
    );
    for n in 1..=3_u64 {
        let number = own(n).e164_digits();
        let (pool, daily) = (["default", "solar"][n as usize % 2], 10 * n);
        let (status, until) = match n {
            3 => ("resting", (at + 60_000).to_string()),
            _ => ("active", "NULL".to_owned()),
        };
        sql.push_str(&format!(
            "INSERT INTO {prefix}numbers (number, area_code, carrier, attestation, status, resting_until, pool, daily_limit,
                 hourly_limit, meta, revision, created_at, updated_at)
             VALUES ({number}, 312, 'Lumen', 'A', '{status}', {until}, '{pool}', {daily}, 5, NULL, 2, {at}, {at});"
        ));
    }
    for past in history() {
        sql.push_str(&allocation(prefix, &past, &id));
    }
    sql
}

fn allocation(prefix: &str, past: &PastAllocation, id: impl Fn(AllocationId) -> String) -> String {
    let AllocationRecord {
        id: key,
        at,
        number,
        destination,
        campaign,
        agent,
        call_id,
        pool,
        rung,
        reserved_until,
    } = &past.record;
    let (ended_at, end) = match &past.ended {
        Some(ended) => (ended.at.as_ms().to_string(), Some("BUSY")),
        None => ("NULL".to_owned(), None),
    };
    format!(
        "INSERT INTO {prefix}allocations (id, at, number, destination, campaign, agent, call_id, pool, rung, reserved_until,
             ended_at, call_end)
         VALUES ({}, {}, {}, {}, {}, {}, {}, '{pool}', '{rung}', {}, {ended_at}, {});",
        id(*key),
        at.as_ms(),
        number.e164_digits(),
        destination.e164_digits(),
        text(campaign.as_ref().map(|campaign| campaign.as_str())),
        text(agent.as_ref().map(|agent| agent.as_str())),
        text(call_id.as_ref().map(|call| call.as_str())),
        reserved_until.as_ms(),
        text(end),
    )
}

/// All that was written is there, and new things can be written beside it.
pub(crate) async fn assert_all_is_there<S: InventoryStore + HistoryStore>(store: &S, from: usize) {
    let pools: Vec<Pool> = store.pools().await.unwrap();
    let names: Vec<_> = pools.iter().map(|pool| pool.id.as_str()).collect();
    assert_eq!(names, ["default", "solar"], "from schema {from}");
    assert_eq!(pools[1].policy.cooldown_ms, Some(7_000));
    let sales = Campaign {
        id: campaign_id("SALES"),
        pools: vec![pool("solar"), pool("default")],
        agent_limit_per_minute: None,
    };
    assert_eq!(
        store.campaigns().await.unwrap(),
        [sales],
        "from schema {from}"
    );
    for n in 1..=3_u64 {
        let found: Number = store.number(own(n)).await.unwrap().unwrap();
        assert_eq!(
            found.limits,
            Limits::new(10 * n as u32, 5),
            "from schema {from}"
        );
        assert_eq!(
            found.pool,
            PoolId::new(["default", "solar"][n as usize % 2]).unwrap()
        );
        assert_eq!(found.carrier.as_deref(), Some("Lumen"));
        let until = START.plus_ms(60_000);
        let status = match n {
            3 => Status::Resting(until),
            _ => Status::Active,
        };
        assert_eq!(found.status, status, "from schema {from}");
    }
    assert_eq!(store.count_numbers().await.unwrap(), 3);
    let mut found = Vec::new();
    let mut keep = |past| found.push(past);
    store
        .allocations_since(Timestamp::ZERO, &mut keep)
        .await
        .unwrap();
    assert_eq!(found, history(), "from schema {from}");
}
