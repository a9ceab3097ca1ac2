//! Whatever somebody writes anywhere, the browser runs nothing of it.

use serde_json::Value;

use crate::hostile_texts::{HOSTILE, PARAMETERS, encoded, file, orders};
use crate::pages;
use crate::service::{Service, TOKEN};
use caller_id_testkit::browser::Browser;

/// What a page has that only somebody else can have put there. An `alert` would stand in the way of this very question.
const STRANGE: &str = r#"
    const ours = location.origin + "/dashboard/assets/";
    const found = [...document.querySelectorAll("*")].filter((one) =>
        one.getAttributeNames().some((name) => name.startsWith("on") || name === "data-x" || name === "autofocus" && one.name !== "number")
        || ["IFRAME", "OBJECT", "EMBED", "BASE", "STYLE"].includes(one.tagName)
        || ["SCRIPT", "IMG"].includes(one.tagName) && !one.src.startsWith(ours)
        || one.tagName === "A" && one.hasAttribute("href") && new URL(one.href.baseVal ?? one.href, location).origin !== location.origin);
    return found.map((one) => one.outerHTML);
"#;

async fn assert_tame(browser: &Browser, page: &str) {
    browser.open(page).await;
    let nothing: [Value; 0] = [];
    assert_eq!(
        browser.run(STRANGE).await,
        Value::from(nothing.to_vec()),
        "{page}"
    );
    let said = browser.complaints().await;
    // That a page answers 404 or 422 is no fault of its own.
    let is_status = |line: &String| line.contains("the server responded with a status of 4");
    let bad: Vec<_> = said.iter().filter(|line| !is_status(line)).collect();
    assert!(bad.is_empty(), "{page}: {bad:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_anybody_writes_runs_on_no_page() {
    let service = Service::start().await;
    let mut pages = pages::all(&service).await;
    for number in 0..HOSTILE.len() {
        // These are to be hostile ones.
        let place = format!("/api/v1/numbers/31255501{number:02}");
        service.tell("DELETE", &place, "").await;
    }
    let mut calls = Vec::new();
    for (method, path, body) in orders() {
        let (status, answer) = service.tell(method, &path, &body.to_string()).await;
        assert!(
            status < 300 || (method == "GET" && status < 500),
            "{path}: {answer}"
        );
        calls.extend(answer["reservation_id"].as_str().map(str::to_owned));
    }
    let job = service
        .job("/api/v1/numbers/import?job=true", &file())
        .await;
    pages.push(format!("/dashboard/import/{job}"));
    pages.extend(
        calls
            .iter()
            .map(|call| format!("/dashboard/history/{call}")),
    );
    for (place, text) in HOSTILE.into_iter().enumerate() {
        let name = encoded(text);
        pages.push(format!("/dashboard/pools/{name}?delete=1"));
        pages.push(format!("/dashboard/campaigns/{name}?delete=1"));
        pages.push(format!("/dashboard/numbers/31255501{place:02}"));
        pages.push(format!(
            "/dashboard/explain?to=3125551212&campaign={name}&agent={name}"
        ));
    }
    let browser = service.signed_in(TOKEN).await;
    let mut shown = String::new();
    for page in &pages {
        assert_tame(&browser, page).await;
        shown.push_str(&browser.text().await);
    }
    for text in HOSTILE {
        assert!(shown.contains(text), "{text} is shown nowhere");
    }
    browser.picture("dashboard-hostile").await;
    browser.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_stands_in_an_address_runs_on_no_page() {
    let service = Service::start().await;
    let pages = pages::all(&service).await;
    let browser = service.signed_in(TOKEN).await;
    let all = encoded(&HOSTILE.join(" "));
    for page in pages {
        let page = page.split('?').next().unwrap().to_owned();
        let parameters = PARAMETERS.map(|name| format!("{name}={all}")).join("&");
        assert_tame(&browser, &format!("{page}?{parameters}")).await;
    }
    // The tests without a browser look at all of them; here each text stands in the address of one kind of page.
    let kinds = [
        "numbers",
        "pools",
        "campaigns",
        "history",
        "import",
        "nowhere",
    ];
    for (text, page) in HOSTILE.into_iter().zip(kinds.into_iter().cycle()) {
        assert_tame(&browser, &format!("/dashboard/{page}/{}", encoded(text))).await;
    }
    browser.open("/dashboard").await;
    browser.press("Sign out").await;
    for text in [
        "javascript:alert(1)",
        "//evil.example/",
        "\"><script>alert(1)</script>",
    ] {
        let name = encoded(text);
        browser.open(&format!("/sign-in?return_to={name}")).await;
        browser.fill("input[name=token]", TOKEN).await;
        browser.click("main form button").await;
        browser.find("nav[aria-label=Pages]").await;
        assert!(browser.path().await.starts_with("/dashboard"), "{text}");
        browser.press("Sign out").await;
        browser.find("input[name=token]").await;
    }
    browser.close().await;
    service.stop().await;
}
