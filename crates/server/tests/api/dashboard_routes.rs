//! Every page and every order of the dashboard, asked by everybody: the answer is the one that docs/access.md says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use caller_id_core::Role;

use crate::dashboard_stocked::{Stock, number};
use crate::sso_browser::{Browser, HOST, PLACE};
use crate::support::{Service, TOKEN, ask};

/// The columns of the table, after method and address.
const ASKERS: [&str; 5] = ["nobody", "dialer", "viewer", "operator", "admin"];

/// A page: method, address, what it answers to each of those who ask.
pub(crate) type Page = (String, String, Vec<String>);

/// The pages that docs/access.md lists.
pub(crate) fn table() -> Vec<Page> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(root.join("docs/access.md")).expect("docs/access.md");
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim().trim_matches('|').split('|');
        let plain = |cell: &str| cell.trim().trim_matches('`').to_owned();
        inner.map(plain).collect()
    };
    let begins = |line: &&str| !line.starts_with("| page | address |");
    let mut lines = text.lines().skip_while(begins);
    let header = cells(lines.next().expect("a table that begins with `| page |`"));
    assert_eq!(header[2..], ASKERS, "the columns of docs/access.md");
    let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
    let rows = rows.map(|line| {
        let mut cells = cells(line);
        assert_eq!(cells.len(), 2 + ASKERS.len(), "docs/access.md: {line}");
        let answers = cells.split_off(2);
        (cells[0].clone(), cells[1].clone(), answers)
    });
    rows.collect()
}

fn sources(place: PathBuf, files: &mut Vec<PathBuf>) {
    if !place.is_dir() {
        return files.push(place);
    }
    for entry in fs::read_dir(place).expect("a folder") {
        sources(entry.expect("an entry").path(), files);
    }
}

/// What the router of the dashboard is built of: the texts and methods after `.route(` in its source.
fn routed() -> BTreeSet<(String, String)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(source.join("dashboard.rs"), &mut files);
    sources(source.join("dashboard"), &mut files);
    let mut routes = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).expect("a source file");
        for rest in text.split(".route(").skip(1) {
            let rest = rest.split("\n}").next().expect("a part");
            let mut parts = rest.splitn(3, '"');
            let path = parts.nth(1).expect("a path");
            let handlers = parts.next().expect("handlers");
            for (word, method) in [("get(", "GET"), ("post(", "POST")] {
                if handlers.contains(word) {
                    routes.insert((method.to_owned(), path.to_owned()));
                }
            }
        }
    }
    routes
}

#[test]
fn every_page_is_in_the_table_and_the_table_has_no_others() {
    let routed = routed();
    let listed: BTreeSet<_> = table()
        .into_iter()
        .map(|(method, path, _)| (method, path))
        .collect();
    let lacks: Vec<_> = routed.difference(&listed).collect();
    assert!(lacks.is_empty(), "docs/access.md lacks {lacks:?}");
    let knows: Vec<_> = listed.difference(&routed).collect();
    assert!(knows.is_empty(), "docs/access.md has no pages {knows:?}");
}

#[tokio::test]
async fn everybody_is_shown_what_the_table_says() {
    let mut wrong = Vec::new();
    for (place, asker) in ASKERS.into_iter().enumerate() {
        let service = Service::start(&[]).await;
        let stock = Stock::put(&service).await;
        let browser = signed_in(&service, asker).await;
        let (dialer, _) = service.key(|key| key.role = Role::Dialer).await;
        let proof = match &browser {
            Some(browser) => browser.clone().proof().await,
            None => String::new(),
        };
        // Orders last: they change what the pages show.
        let mut pages = table();
        pages.sort_by(|one, other| one.0.cmp(&other.0));
        for (method, path, answers) in pages {
            let at = stock.at(&path);
            let mut call = ask(&service.dispatch, &method, &at).from(PLACE);
            call = call.header("accept", "text/html").header("host", HOST);
            if let Some(browser) = &browser {
                let kept = browser.cookies.iter();
                let kept = kept.map(|(name, value)| format!("{name}={value}"));
                call = call.header("cookie", &kept.collect::<Vec<_>>().join("; "));
            }
            if asker == "dialer" {
                call = call.header("x-api-key", &dialer);
            }
            if method == "POST" {
                let (kind, body) = filled(&path, &proof);
                call = call.header("content-type", kind);
                call = call.header("sec-fetch-site", "same-origin").body(body);
            }
            let status = call.status().await;
            let expected = &answers[place];
            let is_right = match expected.as_str() {
                "in" => !matches!(status, 401 | 403 | 405 | 429) && status < 500,
                code => code.parse() == Ok(status),
            };
            if !is_right {
                wrong.push(format!(
                    "{method} {at} to {asker}: {status}, not {expected}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What a browser sends of the form for this address: nothing is refused before it is asked for whom.
fn filled(path: &str, proof: &str) -> (&'static str, String) {
    if !path.starts_with("/dashboard/import") || path.ends_with("cancel") {
        let kind = "application/x-www-form-urlencoded";
        return (kind, format!("csrf_token={proof}&name=x"));
    }
    let field = "--edge\r\ncontent-disposition: form-data; name=";
    let body = format!(
        "{field}\"csrf_token\"\r\n\r\n{proof}\r\n{field}\"file\"; filename=\"x.csv\"\r\n\r\nnumber\n\r\n--edge--\r\n"
    );
    ("multipart/form-data; boundary=edge", body)
}

#[tokio::test]
async fn whoever_signs_out_is_nobody_again() {
    let service = Service::start(&[]).await;
    service.add(number("3125550100")).await;
    let mut browser = signed_in(&service, "viewer").await.expect("a session");
    assert_eq!(browser.get("/dashboard").await.status, 200);
    let proof = browser.proof().await;
    let out = browser.form("/sign-out", &[("csrf_token", &proof)]).await;
    assert_eq!(out.status, 303);
    let wants = [("accept", "text/html")];
    let away = browser.send("GET", "/dashboard", &wants, "").await;
    assert_eq!(away.status, 303);
    assert!(away.header("location").starts_with("/sign-in"));
}

/// The browser of somebody with that role; none of nobody, and none of a dialer: they do not sign in.
pub(crate) async fn signed_in(service: &Service, asker: &str) -> Option<Browser> {
    let role = match asker {
        "nobody" | "dialer" => return None,
        "viewer" => Role::Viewer,
        "operator" => Role::Operator,
        _ => Role::Admin,
    };
    let mut browser = Browser::new(&service.dispatch);
    let token = match role {
        Role::Admin => TOKEN.to_owned(),
        role => service.key(|key| key.role = role).await.0,
    };
    let entered = browser.enter(&token, "").await;
    assert_eq!(entered.status, 303, "{asker}: {}", entered.body);
    Some(browser)
}

#[tokio::test]
async fn the_dashboard_is_found_with_a_slash_behind_it() {
    let service = Service::start(&[]).await;
    let mut browser = signed_in(&service, "viewer").await.expect("a session");
    let answer = browser.get("/dashboard/").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/dashboard")
    );
}
