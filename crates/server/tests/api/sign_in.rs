//! People with a browser who sign in with a token or a key.

use caller_id_core::audit::{AuditEvent, AuditFilter};
use caller_id_core::{Author, Role};
use caller_id_testkit::postgres::Postgres;
use serde_json::json;

use crate::sso_browser::{Browser, HOST, PLACE, change};
use crate::support::{NOON, Service, TOKEN};

const POOL: (&str, &str) = ("PUT", "/api/v1/pools/sales");

/// What the audit log says of sessions, oldest first.
pub(crate) async fn told(service: &Service) -> Vec<AuditEvent> {
    let filter = AuditFilter {
        action: Some("session.".to_owned()),
        ..AuditFilter::default()
    };
    let newest = service.dispatch.audit().newest(&filter, None, 100).await;
    let entries = newest.expect("the log").into_iter().rev();
    entries.map(|entry| entry.event).collect()
}

#[tokio::test]
async fn the_admin_token_opens_a_session_that_signs_out() {
    let service = Service::start(&[]).await;
    let mut browser = Browser::new(&service.dispatch);
    assert_eq!(browser.me().await, None);
    let answer = browser.enter(TOKEN, "/docs/?a=b").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/docs/?a=b")
    );
    let set = answer.headers.get_all("set-cookie").iter();
    let set: Vec<_> = set.map(|value| value.to_str().expect("text")).collect();
    assert!(set[0].starts_with("caller_id_session="), "{set:?}");
    assert!(set[0].ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax"));
    let admin = ("admin", "token", "admin");
    let admin = (admin.0.to_owned(), admin.1.to_owned(), admin.2.to_owned());
    assert_eq!(browser.me().await, Some(admin));
    let page = browser.get("/sign-in").await;
    assert!(
        page.body.contains("<strong>admin</strong>"),
        "{}",
        page.body
    );
    let before = browser.cookies.clone();
    let proof = browser.proof().await;
    let out = browser.form("/sign-out", &[("csrf_token", &proof)]).await;
    assert_eq!((out.status, out.header("location")), (303, "/sign-in"));
    assert!(!browser.cookies.contains_key("caller_id_session"));
    browser.cookies = before;
    assert_eq!(browser.get("/api/v1/me").await.status, 401);
    let events = told(&service).await;
    let actions: Vec<_> = events.iter().map(|event| event.action.as_str()).collect();
    assert_eq!(actions, ["session.begin", "session.end"]);
    assert_eq!(events[0].author.address, PLACE.parse().ok());
}

#[tokio::test]
async fn a_session_by_a_key_may_what_the_key_may_and_ends_with_it() {
    let service = Service::start(&[]).await;
    let (key, kept) = service.key(|key| key.role = Role::Viewer).await;
    let mut browser = Browser::new(&service.dispatch);
    assert_eq!(browser.enter(&key, "").await.status, 303);
    assert_eq!(browser.get("/api/v1/pools").await.status, 200);
    let proof = browser.proof().await;
    let headers = [("x-csrf-token", proof.as_str())];
    assert_eq!(change(&mut browser, POOL, &headers, &json!({})).await, 403);
    let by = Author::command("test");
    let revoked = service.keys().revoke(&kept.id, NOON, &by).await;
    assert!(revoked.expect("revoked"));
    assert_eq!(browser.get("/api/v1/pools").await.status, 401);
    let (dialer, _) = service.key(|_| ()).await;
    assert_eq!(browser.enter(&dialer, "").await.status, 403);
}

#[tokio::test]
async fn a_changed_admin_token_ends_the_sessions_of_the_old_one() {
    let service = Service::start(&[]).await;
    let mut browser = Browser::new(&service.dispatch);
    assert_eq!(browser.enter(TOKEN, "").await.status, 303);
    let left = service.stop().await;
    let service = Service::start_in(left, &[("ADMIN_TOKEN", "another-horse-battery-8")]).await;
    browser.service = service.dispatch.clone();
    assert_eq!(browser.get("/api/v1/pools").await.status, 401);
    let left = service.stop().await;
    let service = Service::start_in(left, &[]).await;
    browser.service = service.dispatch.clone();
    assert_eq!(browser.get("/api/v1/pools").await.status, 200);
    service.clock.advance_ms(12 * 3_600_000);
    assert_eq!(browser.get("/api/v1/pools").await.status, 401, "at its end");
}

#[tokio::test]
async fn what_a_page_of_another_site_asks_is_refused() {
    let service = Service::start(&[]).await;
    let mut browser = Browser::new(&service.dispatch);
    browser.enter(TOKEN, "").await;
    let proof = browser.proof().await;
    let own = ("x-csrf-token", proof.as_str());
    let wrong = "A".repeat(43);
    let refused: [&[(&str, &str)]; 7] = [
        &[],
        &[("x-csrf-token", &wrong)],
        &[("x-csrf-token", "")],
        &[own, ("origin", "https://evil.example")],
        &[own, ("origin", "null")],
        &[own, ("sec-fetch-site", "cross-site")],
        &[own, ("sec-fetch-site", "same-site")],
    ];
    for headers in refused {
        let status = change(&mut browser, POOL, headers, &json!({})).await;
        assert_eq!(status, 403, "{headers:?}");
    }
    let origin = format!("http://{HOST}");
    let taken: [&[(&str, &str)]; 3] = [
        &[own],
        &[own, ("origin", &origin)],
        &[own, ("sec-fetch-site", "same-origin")],
    ];
    for headers in taken {
        let status = change(&mut browser, POOL, headers, &json!({})).await;
        assert_eq!(status, 200, "{headers:?}");
    }
    // Who sends a token needs no proof, and the cookie does not count then.
    let token = [("x-admin-token", TOKEN)];
    assert_eq!(change(&mut browser, POOL, &token, &json!({})).await, 200);
    let guess = [("x-admin-token", "wrong"), own];
    assert_eq!(change(&mut browser, POOL, &guess, &json!({})).await, 401);
    assert_eq!(browser.form("/sign-out", &[]).await.status, 403);
    let release = ("POST", "/api/v1/release");
    assert_eq!(change(&mut browser, release, &[], &json!({})).await, 403);
}

#[tokio::test]
async fn the_form_of_another_page_signs_nobody_in() {
    let service = Service::start(&[]).await;
    let mut browser = Browser::new(&service.dispatch);
    let proof = browser.form_proof().await;
    let mut stranger = Browser::new(&service.dispatch);
    stranger.form_proof().await;
    let fields = [("token", TOKEN), ("csrf_token", proof.as_str())];
    assert_eq!(stranger.form("/sign-in", &fields).await.status, 403);
    let body = format!("token={TOKEN}&csrf_token={proof}");
    let form = ("content-type", "application/x-www-form-urlencoded");
    let elsewhere = [form, ("origin", "https://evil.example")];
    let answer = browser.send("POST", "/sign-in", &elsewhere, &body).await;
    assert_eq!(answer.status, 403);
    let plain = [("content-type", "text/plain")];
    assert_eq!(
        browser.send("POST", "/sign-in", &plain, &body).await.status,
        403
    );
    assert_eq!(
        browser
            .send("POST", "/sign-in", &[form], &body)
            .await
            .status,
        303
    );
    assert!(told(&service).await.len() == 1);
}

#[tokio::test]
async fn who_guesses_in_the_form_waits_and_is_in_the_audit_log() {
    let service = Service::start(&[]).await;
    let mut browser = Browser::new(&service.dispatch);
    let wrong = |n: u32| format!("wrong-token-number-{n}");
    for n in 0..10 {
        let answer = browser.enter(&wrong(n), "").await;
        assert_eq!(answer.status, 401);
        assert!(answer.body.contains("Invalid token") && !answer.body.contains(&wrong(n)));
    }
    let answer = browser.enter(&wrong(10), "").await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, "60"));
    let events = told(&service).await;
    assert_eq!(events.len(), 10, "none while they wait");
    assert_eq!(events[0].action, "session.refuse");
    assert!(
        events
            .iter()
            .all(|event| !format!("{event:?}").contains("wrong-token"))
    );
    assert_eq!(
        browser.enter(TOKEN, "").await.status,
        303,
        "nobody guesses that"
    );
}

#[tokio::test]
async fn a_session_that_was_there_before_is_over_after_a_sign_in() {
    let service = Service::start(&[]).await;
    let mut browser = Browser::new(&service.dispatch);
    browser.enter(TOKEN, "").await;
    let first = browser.cookies["caller_id_session"].clone();
    let form = Browser::new(&service.dispatch).form_proof().await;
    assert!(!form.is_empty());
    // The page of somebody who is signed in has no form: the browser has one open since before.
    let mut other = Browser::new(&service.dispatch);
    let proof = other.form_proof().await;
    other
        .cookies
        .insert("caller_id_session".to_owned(), first.clone());
    let fields = [("token", TOKEN), ("csrf_token", proof.as_str())];
    assert_eq!(other.form("/sign-in", &fields).await.status, 303);
    assert_ne!(other.cookies["caller_id_session"], first);
    assert_eq!(browser.get("/api/v1/pools").await.status, 401, "the first");
    assert_eq!(other.get("/api/v1/pools").await.status, 200);
    let made_up = "caller_id_session".to_owned();
    other.cookies.insert(made_up, "B".repeat(43));
    assert_eq!(other.get("/api/v1/pools").await.status, 401);
}

#[tokio::test]
async fn behind_a_proxy_with_tls_cookies_are_secure_and_of_this_host_alone() {
    let service = Service::start(&[("TRUSTED_PROXIES", PLACE)]).await;
    let mut browser = Browser::new(&service.dispatch);
    let tls = [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-for", "198.51.100.7"),
    ];
    let page = browser.send("GET", "/sign-in", &tls, "").await;
    let set = page.header("set-cookie");
    assert!(
        set.starts_with("__Host-caller_id_form=") && set.ends_with("; Secure"),
        "{set}"
    );
    let proof = page
        .body
        .split("name=\"csrf_token\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let body = format!("token={TOKEN}&csrf_token={}", proof.expect("a form"));
    let mut headers = tls.to_vec();
    headers.push(("content-type", "application/x-www-form-urlencoded"));
    assert_eq!(
        browser
            .send("POST", "/sign-in", &headers, &body)
            .await
            .status,
        303
    );
    assert!(browser.cookies.contains_key("__Host-caller_id_session"));
    assert_eq!(
        browser.send("GET", "/api/v1/me", &tls, "").await.status,
        200
    );
    let open = [("x-forwarded-for", "198.51.100.7")];
    assert_eq!(
        browser.send("GET", "/api/v1/me", &open, "").await.status,
        401
    );
    // What nobody proved came by TLS did not.
    let service = Service::start(&[]).await;
    let page = Browser::new(&service.dispatch)
        .send("GET", "/sign-in", &tls, "")
        .await;
    assert!(page.header("set-cookie").starts_with("caller_id_form="));
}

#[tokio::test]
async fn pages_run_no_script_but_their_own_and_lead_nowhere_else() {
    let service = Service::start(&[]).await;
    let mut browser = Browser::new(&service.dispatch);
    let page = browser
        .get("/sign-in?return_to=//evil.example/%22%3E")
        .await;
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("form-action 'self'"));
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(policy.contains("script-src 'sha256-") && !policy.contains("unsafe"));
    assert_eq!(page.body.matches("<script>").count(), 1, "{}", page.body);
    assert!(!page.body.contains("evil"), "{}", page.body);
    let answer = browser.enter(TOKEN, "//evil.example").await;
    assert_eq!(answer.header("location"), "/dashboard");
    let page = browser.get("/sign-in?return_to=/docs/?a=%22%3E").await;
    assert!(!page.body.contains("a=\">"), "{}", page.body);
}

#[tokio::test]
async fn while_the_database_is_away_a_session_goes_on_for_a_moment_only() {
    let postgres = Postgres::start();
    let url = postgres.url(&postgres.database());
    let service = Service::start(&[("DATABASE_URL", &url), ("REDIS_URL", "")]).await;
    let mut browser = Browser::new(&service.dispatch);
    browser.enter(TOKEN, "").await;
    assert_eq!(browser.get("/api/v1/me").await.status, 200);
    postgres.down();
    let status = loop {
        match browser.get("/api/v1/me").await.status {
            200 => tokio::task::yield_now().await,
            other => break other,
        }
    };
    assert_eq!(status, 503);
    let page = browser.get("/sign-in").await;
    assert_eq!(page.status, 503);
    assert!(
        page.body.contains("The store is not available"),
        "{}",
        page.body
    );
}
