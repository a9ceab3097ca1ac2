//! Nobody overwrites what they have not seen.

use crate::rig::Told;
use crate::stub::{Stub, answer};

const DIFFERS: &str = r#"{"title":"It is not what was expected","detail":"It was changed since it was read: read it again, and change that"}"#;
const NONE: &str = r#"{"title":"Not found","detail":"There is no such thing"}"#;

fn seen(body: &str) -> String {
    answer("200 OK", body, "etag: \"the-tag\"\r\n")
}

/// What the second request was, where the first read something.
async fn second(first: String, words: &[&str]) -> (String, Told) {
    let stub = Stub::start(vec![first, answer("412 Precondition Failed", DIFFERS, "")]);
    let told = stub.ask(words).await;
    let requests: Vec<String> = stub.asked.try_iter().collect();
    assert_eq!(requests.len(), 2, "{requests:?}");
    for request in &requests {
        assert!(
            request
                .to_ascii_lowercase()
                .contains("authorization: bearer the-key"),
            "{request}"
        );
    }
    (requests[1].clone(), told)
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_ask_for_what_was_seen() {
    let number = r#"{"number":"+13125550100","pool":"east","status":"active"}"#;
    let pool = r#"{"id":"east","policy":{"cooldown_seconds":60,"ladder":null},"numbers":{}}"#;
    let campaign = r#"{"id":"SOLAR","pools":["east"],"agent_rate_limit_per_minute":5}"#;
    for (body, words, begins, ends) in [
        (
            number,
            &["numbers", "change", "3125550100", "--carrier", "B"][..],
            "PATCH /api/v1/numbers/%2B13125550100 ",
            r#"{"carrier":"B"}"#,
        ),
        (
            number,
            &["numbers", "remove", "3125550100", "--yes"],
            "DELETE /api/v1/numbers/%2B13125550100 ",
            "",
        ),
        (
            pool,
            &["pools", "set", "east", "--sticky-seconds", "9"],
            "PUT /api/v1/pools/east ",
            r#"{"cooldown_seconds":60,"ladder":null,"sticky_seconds":9}"#,
        ),
        (
            pool,
            &["pools", "remove", "east", "--yes"],
            "DELETE /api/v1/pools/east ",
            "",
        ),
        (
            campaign,
            &["campaigns", "set", "SOLAR", "--pools", "west"],
            "PUT /api/v1/campaigns/SOLAR ",
            r#"{"pools":["west"],"agent_rate_limit_per_minute":5}"#,
        ),
        (
            campaign,
            &["campaigns", "remove", "SOLAR", "--yes"],
            "DELETE /api/v1/campaigns/SOLAR ",
            "",
        ),
    ] {
        let (request, told) = second(seen(body), words).await;
        assert!(request.starts_with(begins), "{request}");
        assert!(
            request
                .to_ascii_lowercase()
                .contains("if-match: \"the-tag\""),
            "{request}"
        );
        assert!(request.ends_with(ends), "{request}");
        told.refused(1, &["It was changed since it was read"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_overwrites_nothing() {
    for words in [
        &["pools", "set", "a/b c", "--cooldown-seconds", "5"][..],
        &["campaigns", "set", "a/b c", "--pools", "east"],
    ] {
        let (request, told) = second(answer("404 Not Found", NONE, ""), words).await;
        let path = format!("PUT /api/v1/{}/a%2Fb%20c ", words[0]);
        assert!(request.starts_with(&path), "{request}");
        assert!(
            request.to_ascii_lowercase().contains("if-none-match: *"),
            "{request}"
        );
        told.refused(1, &["It was changed since it was read"]);
    }
}
