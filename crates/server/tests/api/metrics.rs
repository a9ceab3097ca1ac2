//! `GET /metrics`: who may see it, and what it says after some calls.

use caller_id_core::Role;
use serde_json::{Value, json};

use crate::support::Service;

/// The value of a metric with these labels, as they are written; 0 where there is none.
fn value(text: &str, metric: &str) -> f64 {
    let found = text.lines().find_map(|line| line.strip_prefix(metric));
    let found = found.filter(|rest| rest.starts_with(' '));
    found.map_or(0.0, |value| value.trim().parse().expect("a number"))
}

async fn metrics(service: &Service) -> String {
    let answer = service.get("/metrics").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

#[tokio::test]
async fn metrics_are_for_this_machine_for_listed_addresses_and_for_viewers() {
    let settings = [
        ("METRICS_ALLOW", "10.1.0.0/16"),
        ("TRUSTED_PROXIES", "192.0.2.9"),
    ];
    let service = Service::start(&settings).await;
    let ask = || service.ask("GET", "/metrics");
    assert_eq!(ask().status().await, 200);
    assert_eq!(ask().from("10.1.2.3").status().await, 200);
    assert_eq!(ask().from("10.2.2.3").status().await, 401);
    let (viewer, _) = service.key(|key| key.role = Role::Viewer).await;
    let (dialer, _) = service.key(|key| key.role = Role::Dialer).await;
    for (key, expected) in [(viewer, 200), (dialer, 403)] {
        let bearer = format!("Bearer {key}");
        let asked = ask().from("10.2.2.3").header("authorization", &bearer);
        assert_eq!(asked.status().await, expected);
    }
    // Whoever says that he asks for others is not this machine; a proxy that is trusted says for whom.
    let forwarded = ask().header("x-forwarded-for", "127.0.0.1");
    assert_eq!(forwarded.status().await, 401);
    let by_proxy = |client| ask().from("192.0.2.9").header("x-forwarded-for", client);
    assert_eq!(by_proxy("10.1.2.3").status().await, 200);
    assert_eq!(by_proxy("10.2.2.3").status().await, 401);
    // A page that somebody on this machine opens reads nothing for its own host.
    let page = ask().header("origin", "https://elsewhere.example");
    assert_eq!(page.status().await, 401);
}

#[tokio::test]
async fn requests_are_counted_by_outcome_and_numbers_by_pool_and_rung() {
    let service = Service::start(&[]).await;
    let pool = json!({"policy": {}});
    let made = service.admin("PUT", "/api/v1/pools/east", &pool).await;
    assert!(made.status < 300, "{}", made.body);
    let campaign = json!({"pools": ["east"]});
    let made = service
        .admin("PUT", "/api/v1/campaigns/SOLAR", &campaign)
        .await;
    assert!(made.status < 300, "{}", made.body);
    for number in ["3125550100", "2125550100"] {
        let number = json!({"number": number, "pool": "east"});
        let added = service.admin("POST", "/api/v1/numbers", &number).await;
        assert!(added.status < 300, "{}", added.body);
    }
    let call = "to=13125551212&campaign=SOLAR&call=1";
    service.take(call).await;
    service.take(call).await;
    service.take("to=13125551212&campaign=SOLAR").await;
    let exhausted = "/next-cid?to=13125551212&campaign=SOLAR";
    assert_eq!(service.get(exhausted).await.status, 404);
    assert_eq!(service.get("/next-cid").await.status, 422);
    service.see("/api/v1/numbers/3125550100").await;
    assert_eq!(service.get("/nowhere").await.status, 404);

    // Counts of pools are a second old at most.
    service.clock.advance_ms(2_000);
    let text = metrics(&service).await;
    let outcome = |word| {
        value(
            &text,
            &format!("caller_id_requests_total{{outcome=\"{word}\"}}"),
        )
    };
    let outcomes = ["allocated", "repeated", "exhausted", "invalid", "refused"].map(outcome);
    assert_eq!(outcomes, [2.0, 1.0, 1.0, 1.0, 0.0], "{text}");
    let given = |rung: &str| {
        let labels = format!("{{pool=\"east\",rung=\"{rung}\"}}");
        value(&text, &format!("caller_id_allocations_total{labels}"))
    };
    assert_eq!(given("area_code"), 1.0, "{text}");
    assert_eq!(given("region") + given("any"), 1.0, "{text}");
    let answers = |method: &str, route: &str, class: &str| {
        let labels = format!("{{method=\"{method}\",route=\"{route}\",status=\"{class}\"}}");
        value(
            &text,
            &format!("caller_id_http_request_duration_seconds_count{labels}"),
        )
    };
    assert_eq!(answers("GET", "/next-cid", "2xx"), 3.0, "{text}");
    assert_eq!(answers("GET", "/next-cid", "4xx"), 2.0, "{text}");
    assert_eq!(answers("POST", "/api/v1/numbers", "2xx"), 2.0, "{text}");
    assert_eq!(answers("GET", "/api/v1/numbers/{number}", "2xx"), 1.0);
    assert_eq!(answers("GET", "none", "4xx"), 1.0, "{text}");
    for secret in ["SOLAR", "3125550100", "13125551212"] {
        assert!(!text.contains(secret), "{secret} is in a label");
    }
}

#[tokio::test]
async fn calls_of_web_pages_and_by_other_methods_are_counted_once() {
    let service = Service::start(&[("ALLOWED_ORIGINS", "*")]).await;
    let page = service.ask("GET", "/next-cid?to=13125551212");
    let page = page.header("origin", "https://example.com").send().await;
    assert_eq!(page.status, 404);
    assert_eq!(service.ask("POST", "/next-cid").status().await, 405);
    let text = metrics(&service).await;
    let count = "caller_id_http_request_duration_seconds_count";
    for method in ["GET", "POST"] {
        let metric = format!("{count}{{method=\"{method}\",route=\"/next-cid\",status=\"4xx\"}}");
        assert_eq!(value(&text, &metric), 1.0, "{text}");
    }
}

#[tokio::test]
async fn numbers_are_told_by_pool_and_state_and_commits_and_servers_are_measured() {
    let service = Service::start(&[]).await;
    for number in ["3125550100", "3125550101", "3125550102"] {
        service.add(json!({"caller_id": number})).await;
    }
    let pause = "/api/v1/numbers/3125550102/pause";
    let paused = service.admin("POST", pause, &Value::Null).await;
    assert!(paused.status < 300, "{}", paused.body);
    service.take("to=13125551212").await;
    service.stored().await;
    service.clock.advance_ms(2_000);
    let text = metrics(&service).await;
    let state = |state| {
        let labels = format!("{{pool=\"default\",state=\"{state}\"}}");
        value(&text, &format!("caller_id_pool_numbers{labels}"))
    };
    let states = ["eligible", "reserved", "cooling", "limited", "paused"].map(state);
    assert_eq!(states.iter().sum::<f64>(), 3.0, "{text}");
    assert_eq!((states[0], states[4]), (1.0, 1.0), "{text}");
    assert!(value(&text, "caller_id_commit_duration_seconds_count") >= 1.0);
    assert!(value(&text, "caller_id_commit_events_total") >= 1.0);
    assert_eq!(value(&text, "caller_id_commit_errors_total"), 0.0);
    let combination = crate::COMBINATION;
    let redis = value(&text, "caller_id_redis_call_duration_seconds_count");
    assert_eq!(redis > 0.0, combination.redis, "{text}");
    let postgres = value(&text, "caller_id_postgres_work_duration_seconds_count");
    assert_eq!(postgres > 0.0, combination.postgres, "{text}");
    let engine = if combination.redis { "redis" } else { "memory" };
    let store = if combination.postgres {
        "postgres"
    } else {
        "sqlite"
    };
    let version = env!("CARGO_PKG_VERSION");
    let info = format!("version=\"{version}\",engine=\"{engine}\",store=\"{store}\"");
    assert_eq!(
        value(&text, &format!("caller_id_build_info{{{info}}}")),
        1.0
    );
}
