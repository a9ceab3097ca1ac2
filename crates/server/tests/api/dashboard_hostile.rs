//! Whatever somebody writes anywhere is text on every page; and what a page shows somebody they may follow and press.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use form_urlencoded::Serializer;

use crate::dashboard_html::{Form, Piece, assert_harmless, forms, links, pieces};
use crate::dashboard_routes::{signed_in, table};
use crate::dashboard_stocked::Stock;
use crate::hostile_texts::{HOSTILE, PARAMETERS, encoded};
use crate::sso_browser::Browser;
use crate::support::{Answer, Service};

/// So many pages of one address with other queries are looked at.
const QUERIES_MOST: usize = 14;
/// Addresses that no link leads to: htmx follows them, or a form.
const STARTS: [&str; 7] = [
    "/dashboard",
    "/dashboard/numbers/bulk?which=matching",
    "/dashboard/numbers/bulk?which=ticked&number=%2B13125550100",
    "/dashboard/numbers/bulk/{job}",
    "/dashboard/import/{job}",
    "/dashboard/lookup?number=3125550100&from=3125551000",
    "/dashboard/explain?to=3125551000&campaign=javascript%3Aalert(1)",
];

/// What somebody finds who follows every link.
#[derive(Default)]
struct Found {
    /// Addresses, and what they answered.
    pages: BTreeMap<String, u16>,
    forms: Vec<Form>,
    /// What is read on each.
    texts: BTreeMap<String, String>,
}

/// Pages on which much of what somebody wrote must be read.
const TELLING: [&str; 13] = [
    "/dashboard",
    "/dashboard/numbers",
    "/dashboard/numbers/%2B13125550100",
    "/dashboard/pools",
    "/dashboard/campaigns",
    "/dashboard/coverage",
    "/dashboard/history",
    "/dashboard/history/{id}",
    "/dashboard/requests",
    "/dashboard/reservations",
    "/dashboard/import/{job}",
    "/dashboard/keys",
    "/dashboard/audit",
];

async fn look_around(browser: &mut Browser, stock: &Stock, is_viewer: bool) -> Found {
    let mut found = Found::default();
    let starts = STARTS
        .into_iter()
        .filter(|at| !(is_viewer && at.contains("{job}")));
    let mut ahead: VecDeque<String> = starts.map(|at| stock.at(at)).collect();
    let mut seen: BTreeSet<String> = ahead.iter().cloned().collect();
    let mut queries: BTreeMap<String, usize> = BTreeMap::new();
    while let Some(at) = ahead.pop_front() {
        let answer = browser.get(&at).await;
        found.pages.insert(at.clone(), answer.status);
        if !answer.header("content-type").starts_with("text/html") {
            continue;
        }
        let parts = pieces(&answer.body);
        assert_harmless(&at, &parts);
        let texts = parts.iter().filter_map(|part| match part {
            Piece::Text(text) => Some(text.as_str()),
            _ => None,
        });
        found.texts.insert(at.clone(), texts.collect());
        found.forms.extend(forms(&parts));
        for link in links(&parts) {
            let bare = link.split('?').next().expect("a path").to_owned();
            let is_page = bare.starts_with("/dashboard") && bare != "/dashboard/live";
            if is_page && seen.insert(link.clone()) {
                let many = queries.entry(bare).or_default();
                *many += 1;
                if *many <= QUERIES_MOST {
                    ahead.push_back(link);
                }
            }
        }
    }
    found
}

/// Presses a button of a form.
async fn press(
    browser: &mut Browser,
    form: &Form,
    button: usize,
    change: impl Fn(&str, &str) -> String,
) -> (String, Answer) {
    let mut fields = form.fields.clone();
    for (name, value) in &mut fields {
        if name != "csrf_token" && name != "etag" {
            *value = change(name, value);
        }
    }
    let mut action = form.action.clone();
    if let Some(button) = form.buttons.get(button) {
        fields.extend(button.field.clone());
        action = button.action.clone().unwrap_or(action);
    }
    let action = action.split('#').next().expect("a path").to_owned();
    let answer = if form.is_post {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        browser.form(&action, &fields).await
    } else {
        let query = Serializer::new(String::new())
            .extend_pairs(&fields)
            .finish();
        browser.get(&format!("{action}?{query}")).await
    };
    (action, answer)
}

/// The forms that give an order, each kind some times.
fn orders(found: &Found) -> Vec<(&Form, usize)> {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut orders = Vec::new();
    for form in &found.forms {
        for (place, button) in form.buttons.iter().enumerate() {
            let field = button.field.clone().unwrap_or_default();
            let word = field.1.split(':').next().unwrap_or_default().to_owned();
            let names: Vec<_> = form.fields.iter().map(|(name, _)| name.as_str()).collect();
            let parts: Vec<_> = form.action.split('/').collect();
            let kind = format!("{:?} {:?} {names:?} {word}", parts.get(2), parts.get(4));
            let many = kinds.entry(kind).or_default();
            *many += 1;
            if *many <= 2 && form.action != "/sign-out" {
                orders.push((form, place));
            }
        }
    }
    orders
}

#[tokio::test]
async fn no_link_and_no_button_that_a_page_shows_somebody_is_refused_to_them() {
    for role in ["viewer", "operator", "admin"] {
        let service = Service::start(&[]).await;
        let stock = Stock::put(&service).await;
        let mut browser = signed_in(&service, role).await.expect("a session");
        let found = look_around(&mut browser, &stock, role == "viewer").await;
        let bad: Vec<_> = found
            .pages
            .iter()
            .filter(|(_, status)| **status != 200)
            .collect();
        assert!(bad.is_empty(), "{role}: {bad:#?}");
        let orders = orders(&found);
        assert!(
            orders.len() > if role == "viewer" { 5 } else { 20 },
            "{role}"
        );
        for (form, button) in orders {
            let (at, answer) = press(&mut browser, form, button, |_, value| value.to_owned()).await;
            let refused = answer.status == 403 || answer.status >= 500;
            assert!(!refused, "{role} {at}: {} {form:?}", answer.status);
        }
    }
}

#[tokio::test]
async fn whatever_anybody_writes_is_text_on_every_page() {
    let service = Service::start(&[]).await;
    let stock = Stock::put(&service).await;
    let mut admin = signed_in(&service, "admin").await.expect("a session");
    let found = look_around(&mut admin, &stock, false).await;
    for text in HOSTILE {
        let is_read = found.texts.values().any(|page| page.contains(text));
        assert!(is_read, "{text} is shown nowhere");
    }
    for at in TELLING.map(|at| stock.at(at)) {
        let page = &found.texts[&at];
        let read = HOSTILE.iter().filter(|text| page.contains(**text)).count();
        let wanted = if at.matches('/').count() > 2 { 1 } else { 5 };
        assert!(read >= wanted, "{at} shows {read}: {page}");
    }
    // Every page was seen.
    let fits = |path: &str, at: &str| {
        let at = at.split('?').next().expect("a path");
        let (path, at): (Vec<_>, Vec<_>) = (path.split('/').collect(), at.split('/').collect());
        let mut parts = path.iter().zip(&at);
        path.len() == at.len() && parts.all(|(path, at)| path.starts_with('{') || path == at)
    };
    for (method, path, _) in table() {
        let is_page = method == "GET"
            && !["/", "/dashboard/", "/dashboard/live", "/dashboard/{*page}"]
                .contains(&path.as_str());
        let is_seen = !is_page || found.pages.keys().any(|at| fits(&path, at));
        assert!(
            is_seen,
            "{path} was not looked at: {:#?}",
            found.pages.keys()
        );
    }
    // What is shown again after it was filled in.
    for (form, button) in orders(&found) {
        for text in HOSTILE {
            let (at, answer) = press(&mut admin, form, button, |_, _| text.to_owned()).await;
            assert!(answer.status < 500, "{at}: {}", answer.body);
            if answer.header("content-type").starts_with("text/html") {
                assert_harmless(&at, &pieces(&answer.body));
            }
        }
    }
}

#[tokio::test]
async fn whatever_stands_in_an_address_is_text_on_its_page() {
    let service = Service::start(&[]).await;
    let stock = Stock::put(&service).await;
    let mut admin = signed_in(&service, "admin").await.expect("a session");
    let all = HOSTILE.join(" ");
    let pages = table().into_iter().filter(|(method, path, _)| {
        method == "GET" && path.starts_with("/dashboard") && path != "/dashboard/live"
    });
    let addresses = pages
        .map(|(_, path, _)| path)
        .chain(["/sign-in".to_owned()]);
    let addresses: Vec<String> = addresses.collect();
    let parameters = PARAMETERS
        .into_iter()
        .chain(["return_to", "error", "message"]);
    let mut queries: Vec<String> = parameters
        .map(|name| format!("{name}={}", encoded(&all)))
        .collect();
    let everything = HOSTILE.map(|text| {
        let pairs = PARAMETERS.map(|name| format!("{name}={}", encoded(text)));
        pairs.join("&")
    });
    queries.extend(everything);
    for address in &addresses {
        let at = stock.at(address);
        for query in &queries {
            let path = format!("{at}?{query}");
            let answer = admin.get(&path).await;
            assert!(answer.status < 500, "{path}: {}", answer.body);
            if answer.header("content-type").starts_with("text/html") {
                assert_harmless(&path, &pieces(&answer.body));
            }
        }
        if address.contains('{') && !address.contains("assets") {
            for text in HOSTILE {
                let parts = address.split('/').map(|part| match part.starts_with('{') {
                    true => encoded(text),
                    false => part.to_owned(),
                });
                let path = parts.collect::<Vec<_>>().join("/");
                let answer = admin.get(&path).await;
                assert!(answer.status < 500, "{path}: {}", answer.body);
                if answer.header("content-type").starts_with("text/html") {
                    assert_harmless(&path, &pieces(&answer.body));
                }
            }
        }
    }
}

#[tokio::test]
async fn an_address_puts_no_words_into_the_notices_of_a_page() {
    let service = Service::start(&[]).await;
    let stock = Stock::put(&service).await;
    let mut admin = signed_in(&service, "admin").await.expect("a session");
    for (method, path, _) in table() {
        if method == "GET" && path.starts_with("/dashboard") && path != "/dashboard/live" {
            let path = format!("{}?done=Call+555+now&changed=Call+555+now", stock.at(&path));
            let answer = admin.get(&path).await;
            assert!(!answer.body.contains("Call 555"), "{path}: {}", answer.body);
        }
    }
}
