use caller_id_core::shared::{Lag, Merge, StateId};
use caller_id_core::{CampaignId, PhoneNumber, Standing};

use super::*;

const WELL: Signs = Signs {
    store: true,
    state: None,
    ours: true,
    unfit: false,
    lag: None,
};

fn live(id: &str, numbers: u64, eligible: u64, per_minute: Option<f64>) -> PoolLive {
    PoolLive {
        id: id.to_owned(),
        numbers,
        eligible,
        reserved: numbers - eligible,
        cooling: 0,
        limited: 0,
        hourly_limited: 0,
        daily_limited: 0,
        resting: 0,
        paused: 0,
        retired: 3,
        per_minute,
        exhausted_at: None,
    }
}

fn seen<'a>(signs: &'a Signs, pools: &'a [PoolLive]) -> Seen<'a> {
    Seen {
        signs,
        pools,
        campaigns: &[],
        configured: &[],
        falling: None,
        alerts: None,
        names: str::to_owned,
    }
}

fn campaign(id: &str, pools: &[&str]) -> Campaign {
    let pools = pools.iter().map(|pool| PoolId::new(pool).expect("a pool"));
    Campaign::new(CampaignId::new(id).expect("a campaign"), pools.collect()).expect("a campaign")
}

fn paused(id: &str, numbers: u64) -> PoolLive {
    let mut pool = live(id, numbers, 0, None);
    (pool.reserved, pool.paused) = (0, numbers);
    pool
}

fn kinds(all: &[Attention]) -> Vec<(&str, &str, &str)> {
    let kind = |one: &'static str, other: &'static str| (one, other);
    all.iter()
        .map(|one| {
            let (kind, severity) = kind(one.kind, one.severity);
            (kind, severity, one.name.as_str())
        })
        .collect()
}

#[test]
fn a_service_that_is_well_says_nothing() {
    let pools = [live("a", 100, 50, Some(-3.0)), live("b", 0, 0, None)];
    assert_eq!(seen(&WELL, &pools).told(), []);
}

#[test]
fn pools_that_are_empty_come_before_those_that_are_low() {
    let pools = [
        live("low", 100, 9, None),
        live("soon", 100, 60, Some(2.1)),
        live("later", 100, 60, Some(1.9)),
        live("a b/c", 10, 0, None),
    ];
    let told = seen(&WELL, &pools).told();
    assert_eq!(
        kinds(&told),
        [
            ("pool_exhausted", "serious", "a b/c"),
            ("pool_low", "warning", "low"),
            ("pool_low", "warning", "soon"),
        ]
    );
    assert_eq!(told[0].link, "/dashboard/pools/a%20b%2Fc");
    assert_eq!(
        told[2].text,
        "60 of 100 numbers of the pool soon are free; at this pace none is left in 29 minutes."
    );
}

#[test]
fn what_is_away_or_behind_is_told() {
    let ready = Standing::Ready(Merge {
        state: StateId(1),
        since: None,
    });
    let lag = |events, oldest_ms, aside| Lag {
        events,
        oldest_ms,
        most: 1_000,
        aside,
    };
    let of = |store, state, lag| Signs {
        store,
        state,
        lag: Some(lag),
        ..WELL
    };
    let told = |signs: &Signs| -> Vec<(&str, &str)> {
        let told = seen(signs, &[]).told();
        told.iter().map(|one| (one.kind, one.severity)).collect()
    };
    assert_eq!(told(&of(true, Some(Some(ready)), lag(99, 30_000, 0))), []);
    assert_eq!(
        told(&of(false, Some(Some(ready)), lag(500, 0, 0))),
        [("store_away", "serious"), ("outbox_lag", "serious")]
    );
    assert_eq!(
        told(&of(true, Some(None), lag(1, 30_001, 2))),
        [
            ("engine_away", "serious"),
            ("outbox_lag", "warning"),
            ("outbox_aside", "warning")
        ]
    );
}

#[test]
fn pools_without_an_active_number_are_told_where_a_campaign_has_no_other() {
    let pools = [
        paused("east", 80),
        live("west", 5, 5, None),
        paused("aside", 9),
    ];
    let all = seen(&WELL, &pools);
    assert_eq!(all.told(), [], "nobody uses them");
    let configured = [
        campaign("SALES", &["east", "gone"]),
        campaign("ALSO", &["east"]),
        campaign("BOTH", &["east", "west"]),
        campaign("LOST", &["gone"]),
    ];
    let mut all = seen(&WELL, &pools);
    all.configured = &configured;
    let told = all.told();
    let serious = |name| ("pool_exhausted", "serious", name);
    assert_eq!(kinds(&told), [serious("east"), serious("gone")]);
    assert_eq!(
        told[0].text,
        "No number of the pool east is active (paused: 80), and the campaign SALES has no other pool with one."
    );
    assert_eq!(told[0].link, "/dashboard/pools/east");
}

#[test]
fn where_nobody_configures_campaigns_the_default_pool_is_what_all_use() {
    let pools = [paused("default", 3), paused("aside", 9)];
    let told = seen(&WELL, &pools).told();
    assert_eq!(kinds(&told), [("pool_exhausted", "serious", "default")]);
    assert_eq!(
        told[0].text,
        "No number of the pool default is active (paused: 3), and calls have no other pool with one."
    );
}

#[test]
fn a_campaign_is_unknown_only_where_others_are_configured() {
    let activity = |id: Option<&str>, calls| Activity {
        campaign: id.map(|id| CampaignId::new(id).expect("a campaign")),
        calls: Calls {
            calls,
            ..Calls::default()
        },
        agents: 1,
        reserved: 0,
    };
    let campaigns = [
        activity(None, 9),
        activity(Some("NEW"), 1),
        activity(Some("SOLAR"), 5),
    ];
    let configured = [campaign("SOLAR", &["a"])];
    let mut all = seen(&WELL, &[]);
    all.campaigns = &campaigns;
    assert_eq!(all.told(), []);
    all.configured = &configured;
    let told = all.told();
    assert_eq!(kinds(&told), [("unknown_campaign", "warning", "NEW")]);
    assert_eq!(
        told[0].text,
        "The campaign NEW is not configured: its 1 call of the last hour used the pool default."
    );
}

#[test]
fn a_number_that_is_answered_less_is_told_with_both_rates() {
    let calls = |answered, busy| Calls {
        calls: answered + busy,
        answered,
        busy,
        ..Calls::default()
    };
    let number = Falling {
        number: PhoneNumber::parse("3125550100").expect("a number"),
        last: calls(10, 30),
        before: calls(20, 20),
    };
    let falling = (Timestamp::from_ms(1_795_305_600_000), vec![number]);
    let mut all = seen(&WELL, &[]);
    all.falling = Some(&falling);
    let told = all.told();
    assert_eq!(
        told[0].text,
        "+13125550100 was answered 25 % of the time on 2026-11-22, and 50 % in the seven days before."
    );
    assert_eq!(told[0].link, "/dashboard/numbers/+13125550100");
}
