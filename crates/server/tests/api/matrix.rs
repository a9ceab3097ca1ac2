//! Every route, asked by everybody: the status is the one that the table in docs/access.md says.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use caller_id_core::Role;

use crate::support::{Service, TOKEN};

/// Routes that the OpenAPI document does not have.
const UNDOCUMENTED: [(&str, &str); 6] = [
    ("GET", "/next-cid/"),
    ("GET", "/call-result/"),
    ("POST", "/call-result/"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/docs/"),
];
/// The columns of the table, after method and path.
const ASKERS: [&str; 6] = [
    "nobody",
    "elsewhere",
    "dialer",
    "viewer",
    "operator",
    "admin",
];
/// Where everybody asks from but `elsewhere`.
const PLACE: &str = "192.0.2.1";

type Route = (String, String);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The lines of the table: a route, and what it answers to each of those who ask.
fn table() -> Vec<(Route, Vec<String>)> {
    let page = std::fs::read_to_string(root().join("docs/access.md")).expect("docs/access.md");
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim().trim_matches('|').split('|');
        inner
            .map(|cell| cell.trim().trim_matches('`').to_owned())
            .collect()
    };
    let mut lines = page
        .lines()
        .skip_while(|line| !line.starts_with("| method | path |"));
    let header = cells(
        lines
            .next()
            .expect("a table that begins with `| method | path |`"),
    );
    assert_eq!(header[2..], ASKERS, "the columns of docs/access.md");
    let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
    let rows = rows.map(|line| {
        let mut cells = cells(line);
        assert_eq!(cells.len(), 2 + ASKERS.len(), "docs/access.md: {line}");
        let answers = cells.split_off(2);
        ((cells[0].clone(), cells[1].clone()), answers)
    });
    rows.collect()
}

/// All that the OpenAPI document has.
async fn documented(service: &Service) -> BTreeSet<Route> {
    let document = service.get("/openapi.json").await.json();
    let paths = document["paths"].as_object().expect("paths");
    let routes = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods").keys();
        let known = methods.filter(|name| !matches!(name.as_str(), "parameters" | "summary"));
        known.map(|method| (method.to_ascii_uppercase(), path.clone()))
    });
    routes.collect()
}

/// The paths that the router is built of, whatever the document says: the texts after `.route(` in the source.
fn routed(file: &Path, paths: &mut BTreeSet<String>) {
    if file.is_dir() {
        let entries = std::fs::read_dir(file).expect("a folder");
        entries.for_each(|entry| routed(&entry.expect("an entry").path(), paths));
        return;
    }
    let source = std::fs::read_to_string(file).expect("a source file");
    for rest in source.split(".route(").skip(1) {
        let path = rest
            .trim_start()
            .strip_prefix('"')
            .and_then(|rest| rest.split('"').next());
        paths.extend(path.map(str::to_owned));
    }
}

#[tokio::test]
async fn every_route_is_in_the_table_and_the_table_has_no_others() {
    let service = Service::start(&[]).await;
    let mut routes = documented(&service).await;
    routes.extend(UNDOCUMENTED.map(|(method, path)| (method.to_owned(), path.to_owned())));
    let listed: BTreeSet<Route> = table().into_iter().map(|(route, _)| route).collect();
    let missing: Vec<_> = routes.difference(&listed).collect();
    assert!(missing.is_empty(), "docs/access.md lacks {missing:?}");
    let unknown: Vec<_> = listed.difference(&routes).collect();
    assert!(
        unknown.is_empty(),
        "docs/access.md has what is no route: {unknown:?}"
    );
    let mut paths = BTreeSet::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for part in ["http.rs", "http"] {
        routed(&source.join(part), &mut paths);
    }
    assert!(paths.contains("/next-cid"), "the source is read: {paths:?}");
    paths.retain(|path| !listed.iter().any(|(_, known)| known == path));
    assert!(
        paths.is_empty(),
        "neither docs/access.md nor the OpenAPI document has {paths:?}"
    );
}

#[tokio::test]
async fn a_method_that_is_not_in_the_table_is_no_way_in() {
    let service = Service::start(&[]).await;
    let listed: BTreeSet<Route> = table().into_iter().map(|(route, _)| route).collect();
    let mut open = Vec::new();
    for (_, path) in &listed {
        let at = path.replace("{id}", "x").replace("{number}", "3125550100");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PURGE"] {
            if listed.contains(&(method.to_owned(), path.clone())) {
                continue;
            }
            let ask = service.ask(method, &at).header("x-admin-token", TOKEN);
            let status = ask.status().await;
            if status != 405 {
                open.push(format!("{method} {path}: {status}"));
            }
        }
    }
    assert!(open.is_empty(), "docs/access.md lacks {open:#?}");
}

#[tokio::test]
async fn everybody_is_answered_as_the_table_says() {
    let service = Service::start(&[]).await;
    let mut keys = Vec::new();
    for role in [Role::Dialer, Role::Viewer, Role::Operator, Role::Admin] {
        keys.push((role.as_str(), service.key(|key| key.role = role).await.0));
    }
    let away = service.key(|key| {
        key.role = Role::Admin;
        key.addresses = vec!["203.0.113.0/24".to_owned()];
    });
    keys.push(("elsewhere", away.await.0));
    let mut wrong = Vec::new();
    for ((method, path), expected) in table() {
        let at = path.replace("{id}", "x").replace("{number}", "3125550100");
        assert!(!at.contains('{'), "{path}: which value to ask with?");
        for (asker, expected) in ASKERS.into_iter().zip(expected) {
            let mut ask = service.ask(&method, &at).from(PLACE);
            if let Some((_, key)) = keys.iter().find(|(name, _)| *name == asker) {
                ask = ask.header("x-api-key", key);
            }
            let status = ask.status().await;
            if !is(&expected, status) {
                wrong.push(format!(
                    "{method} {path} to {asker}: {status}, not {expected}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn whoever_comes_from_an_address_that_is_not_listed_is_answered_as_the_table_says() {
    let service = Service::start(&[("IP_WHITELIST", "203.0.113.0/24")]).await;
    let mut wrong = Vec::new();
    for ((method, path), expected) in table() {
        let at = path.replace("{id}", "x").replace("{number}", "3125550100");
        let ask = service.ask(&method, &at).from(PLACE);
        let status = ask.header("x-admin-token", TOKEN).status().await;
        if !is(&expected[1], status) {
            wrong.push(format!("{method} {path}: {status}, not {}", expected[1]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// `in` is whatever comes after the door: the request is empty, and may be refused for that.
fn is(expected: &str, status: u16) -> bool {
    match expected {
        "in" => !matches!(status, 401 | 403 | 405 | 429) && status < 500,
        number => number.parse() == Ok(status),
    }
}
