//! Web pages of other hosts: which may ask, and that no other uses a number up.

use serde_json::json;

use crate::support::{Service, TOKEN};

#[tokio::test]
async fn pages_of_allowed_origins_may_ask() {
    let service = Service::start(&[("ALLOWED_ORIGINS", "https://app.example.com")]).await;
    let of = |origin: &str| {
        service
            .ask("GET", "/health")
            .header("origin", origin)
            .send()
    };
    let allowed = of("https://app.example.com").await;
    assert_eq!(
        allowed.header("access-control-allow-origin"),
        "https://app.example.com"
    );
    assert_eq!(
        of("https://evil.example.com")
            .await
            .header("access-control-allow-origin"),
        ""
    );
}

#[tokio::test]
async fn a_page_of_another_host_uses_no_number_by_the_address_of_the_browser_that_shows_it() {
    let service = Service::start(&[("ALLOWED_ORIGINS", "https://app.example.com")]).await;
    service.add(json!({"caller_id": "3125550100"})).await;
    let routes = [
        ("GET", "/next-cid?to=3125551212&call=V1"),
        ("GET", "/next-cid?to=3125551212&call=V1&format=text"),
        ("GET", "/call-result?call=V1&dialstatus=BUSY"),
        ("POST", "/call-result?call=V1&dialstatus=BUSY"),
        ("POST", "/api/v1/release"),
        (
            "DELETE",
            "/api/v1/reservations/00000000-0000-7000-8000-000000000000",
        ),
    ];
    for (method, path) in routes {
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://evil.example"),
            ("referer", "https://evil.example/page"),
        ] {
            let answer = service.ask(method, path).header(name, value).send().await;
            assert_eq!(
                answer.status, 403,
                "{method} {path} {name}: {}",
                answer.body
            );
        }
    }
    for (name, value) in [
        ("origin", "https://app.example.com"),
        ("sec-fetch-site", "none"),
        ("user-agent", "Asterisk"),
    ] {
        let path = "/next-cid?to=3125551212&call=V2";
        let answer = service.ask("GET", path).header(name, value).send().await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);
    }
    let by_key = service.ask("GET", "/next-cid?to=3125551212&call=V2");
    let by_key = by_key.from("192.0.2.1").header("x-admin-token", TOKEN);
    let answer = by_key.header("sec-fetch-site", "cross-site").send().await;
    assert_eq!(answer.status, 200, "no page has the token: {}", answer.body);
}
