//! What is read back from history at a start.

use std::sync::Arc;

use caller_id_core::recovery::{Rules, recover};
use caller_id_core::{
    AgentLimit, AgentLimits, AllocationId, AllocationRecord, Journal, JournalEvent, Policy, PoolId,
    Recovered, Rung, TimeZone, Timestamp, agent_limit::Arrival,
};
use caller_id_testkit::builders::{START, agent, campaign, campaign_id, number, pool};
use caller_id_testkit::memory_history::MemoryHistory;

const HOUR: i64 = 3_600_000;

fn record(at: Timestamp, line: u64, salt: u32) -> AllocationRecord {
    AllocationRecord {
        id: AllocationId::of(number(312, line), at, salt),
        at,
        number: number(312, line),
        destination: number(808, line),
        campaign: None,
        agent: None,
        call_id: None,
        pool: PoolId::default(),
        rung: Rung::Any,
        reserved_until: at.plus_ms(60_000),
    }
}

/// The service's own policy, in these tests.
fn chicago() -> Policy {
    Policy {
        time_zone: TimeZone::parse("America/Chicago").expect("a zone"),
        ..Policy::default()
    }
}

async fn recovered(
    records: Vec<AllocationRecord>,
    policy: Policy,
    limits: impl Into<AgentLimits>,
) -> Recovered {
    let history = MemoryHistory::default();
    let events = records
        .into_iter()
        .map(|record| JournalEvent::Allocated(Arc::new(record)));
    history.commit(events.collect()).await.expect("kept");
    let rules = Rules {
        pools: &[(PoolId::default(), policy)],
        global: &chicago(),
        agent_limits: &limits.into(),
    };
    recover(&history, rules, START).await.expect("read")
}

#[tokio::test]
async fn a_use_from_the_future_counts_as_made_now_and_holds_its_number_as_long_as_it_did() {
    let future = record(START.plus_ms(240 * HOUR), 1, 1);
    let recovered = recovered(vec![future], Policy::default(), AgentLimit::OFF).await;
    let (_, usage) = &recovered.usages[0];
    assert_eq!(usage.last_used_at, START);
    assert_eq!(usage.holds[0].until, START.plus_ms(60_000));
    assert_eq!(usage.hour.count(START), 1);
}

#[tokio::test]
async fn uses_of_the_whole_local_day_are_counted_again() {
    let day = chicago().time_zone.day(START);
    let in_the_morning = record(day.start.plus_ms(1), 1, 1);
    let before_midnight = record(day.start.plus_ms(-1), 1, 2);
    let now = [
        before_midnight,
        in_the_morning,
        record(START.plus_ms(-1), 1, 3),
    ];
    let recovered = recovered(now.to_vec(), chicago(), AgentLimit::OFF).await;
    assert_eq!(recovered.usages[0].1.day.count(day), 2);
}

#[tokio::test]
async fn days_of_a_pool_that_nobody_knows_end_where_the_service_says() {
    let day = chicago().time_zone.day(START);
    let gone = |at| AllocationRecord {
        pool: pool("gone"),
        ..record(at, 1, 1)
    };
    // Both on one day in UTC, which the pool `default` follows.
    let uses = vec![gone(day.start.plus_ms(-1)), gone(day.start.plus_ms(1))];
    let recovered = recovered(uses, Policy::default(), AgentLimit::OFF).await;
    assert_eq!(recovered.usages[0].1.day.count(day), 1);
}

#[tokio::test]
async fn a_number_used_long_ago_was_used() {
    let long_ago = START.plus_ms(-2_000 * HOUR);
    let recovered = recovered(
        vec![record(long_ago, 1, 1)],
        Policy::default(),
        AgentLimit::OFF,
    )
    .await;
    assert_eq!(recovered.usages[0].1.last_used_at, long_ago);
}

#[tokio::test]
async fn a_destination_is_known_for_the_whole_sticky_time() {
    let policy = Policy {
        sticky_ms: 100 * HOUR,
        ..Policy::default()
    };
    let uses = vec![
        record(START.plus_ms(-101 * HOUR), 1, 1),
        record(START.plus_ms(-99 * HOUR), 2, 2),
    ];
    let recovered = recovered(uses, policy, AgentLimit::OFF).await;
    let shown: Vec<_> = recovered.shown.iter().map(|shown| shown.number).collect();
    assert_eq!(shown, [number(312, 2)]);
}

#[tokio::test]
async fn an_agent_at_its_limit_is_at_its_limit_after_a_restart() {
    let limit = AgentLimit::per_minute(60);
    let (mut stored, mut uses): (Option<Arrival>, Vec<AllocationRecord>) = (None, Vec::new());
    for tenth in 0..6_000u32 {
        let at = START.plus_ms(i64::from(tenth) * 100 - 600_000);
        if let Ok(Some(permit)) = limit.check(stored, at) {
            stored = Some(permit.arrival);
            let asked = AllocationRecord {
                agent: Some(agent("1001")),
                ..record(at, 1, tenth)
            };
            uses.push(asked);
        }
    }
    let recovered = recovered(uses, Policy::default(), limit).await;
    assert_eq!(
        recovered.agents,
        [(agent("1001"), stored.expect("it called"))]
    );
}

#[tokio::test]
async fn an_agents_use_counts_by_the_limit_of_its_campaign_after_a_restart() {
    let campaigns = [
        campaign("TWO", &["default"]).with_agent_limit(Some(2)),
        campaign("OFF", &["default"]).with_agent_limit(Some(0)),
    ];
    let campaigns = campaigns.map(|campaign| campaign.expect("a limit"));
    let limits = AgentLimits::new(AgentLimit::per_minute(60), &campaigns);
    let at = START.plus_ms(-500);
    let uses =
        [("1001", "TWO"), ("1002", "OFF"), ("1003", "OTHER")].map(|(who, name)| AllocationRecord {
            agent: Some(agent(who)),
            campaign: Some(campaign_id(name)),
            ..record(at, 1, who.parse().expect("digits"))
        });
    let mut recovered = recovered(uses.to_vec(), Policy::default(), limits).await;
    recovered.agents.sort_by_key(|(_, arrival)| *arrival);
    let forgotten = recovered.agents.iter();
    let forgotten: Vec<_> = forgotten
        .map(|(who, arrival)| (who.clone(), arrival.forgotten_at().ms_since(at)))
        .collect();
    assert_eq!(forgotten, [(agent("1003"), 1_000), (agent("1001"), 30_000)]);
}
