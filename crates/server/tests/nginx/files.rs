//! What has a name like a file, where Plesk serves files itself.

use crate::client::{Answer, Client};
use crate::proxy::{Nginx, directives};
use crate::site::{ADMIN, Site};

/// How a location that is in front of Plesk's pattern begins.
const FIRST: &str = "location ^~ ";
/// What nothing on the pages names, and has such a name.
const OTHERS: [&str; 10] = [
    "GET /docs/swagger-ui.css",
    "GET /docs/swagger-ui-bundle.js",
    "GET /openapi.json",
    "GET /api/v1/allocations.csv",
    "GET /api/v1/audit.csv",
    "GET /dashboard/history.csv",
    "GET /dashboard/audit.csv",
    "PUT /api/v1/pools/west.txt",
    "PUT /api/v1/campaigns/west.csv",
    "GET /api/v1/campaigns/west.csv",
];

fn ask(nginx: &Nginx, line: &str) -> Answer {
    let headers = [ADMIN, "Content-Type: application/json"];
    let body = match line.split_once(' ') {
        Some(("PUT", path)) if path.contains("/campaigns/") => r#"{"pools":["default"]}"#,
        Some(("PUT", _)) => "{}",
        _ => "",
    };
    Client::at(nginx, 7).ask(line, &headers, body)
}

/// Every path with a name like a file's: style, script and picture of the dashboard's first page, and the others.
fn lines(nginx: &Nginx) -> Vec<String> {
    let page = ask(nginx, "GET /dashboard").body;
    let assets = page.split(['"', '\'']);
    let assets = assets.filter(|part| part.starts_with("/dashboard/assets/"));
    let mut all: Vec<String> = assets.map(|path| format!("GET {path}")).collect();
    for kind in [".css", ".js", ".svg"] {
        assert!(
            all.iter().any(|line| line.ends_with(kind)),
            "{kind}: {page}"
        );
    }
    all.extend(OTHERS.map(str::to_owned));
    all.sort();
    all.dedup();
    all
}

#[test]
fn what_has_a_name_like_a_file_is_ours() {
    let site = Site::start(&[]);
    assert_eq!(ask(&site.nginx, "GET /docs/").status, 200);
    for line in OTHERS.iter().filter(|line| line.starts_with("PUT ")) {
        let made = ask(&site.nginx, line);
        assert!(made.status < 300, "{line}: {} {}", made.head, made.body);
    }
    for line in lines(&site.nginx) {
        let answer = ask(&site.nginx, &line);
        assert!(answer.status < 300, "{line}: {}", answer.head);
        assert!(
            answer.head.contains("x-request-id"),
            "{line}: {}",
            answer.head
        );
    }
}

/// Nothing is asked above that would be ours without a line of its own, and no line is there for nothing.
#[test]
fn without_its_line_in_the_directives_plesk_looks_for_each_in_its_own_folder() {
    let site = Site::start(&[]);
    let all = lines(&site.nginx);
    let whole = directives();
    let locations = whole.lines().filter(|line| line.starts_with(FIRST));
    let mut lost = Vec::new();
    for location in locations {
        let rest = whole.replace(&format!("{location}\n"), "");
        let nginx = Nginx::start(site.service.port(), &rest);
        let path = location[FIRST.len()..].split(' ').next().expect("a path");
        let of_plesk = all.iter().filter(|line| ask(&nginx, line).status == 418);
        let of_plesk: Vec<&String> = of_plesk.collect();
        assert!(!of_plesk.is_empty(), "{location}");
        for line in &of_plesk {
            assert!(line.contains(&format!(" {path}")), "{line}: {location}");
        }
        lost.extend(of_plesk);
    }
    lost.sort();
    assert_eq!(lost, all.iter().collect::<Vec<_>>());
}
