//! Addresses: paths of ours, and URLs.

use crate::foreign::{Foreign, List};
use crate::known::Known;
use crate::page::{Code, Kind, Page};

/// Folders of a machine: what begins with one of them is a file there.
const FOLDERS: [&str; 16] = [
    "bin", "dev", "etc", "here", "home", "media", "mnt", "opt", "proc", "root", "run", "srv",
    "sys", "tmp", "usr", "var",
];
/// Hosts that stand for this service in examples.
const OURS: [&str; 6] = [
    "127.0.0.1",
    "localhost",
    "cid.example.com",
    "caller-id.example.com",
    "host",
    "10.",
];

/// One address: its line, the method in front of it, and where it leads.
#[derive(Debug)]
struct Address {
    line: usize,
    method: Option<String>,
    scheme: String,
    host: String,
    /// From the first `/`, what is behind `?` included.
    path: String,
}

fn addresses(code: &Code) -> Vec<Address> {
    let mut found = Vec::new();
    for (place, line) in code.text.lines().enumerate() {
        let mut method = None;
        let ends = |it: char| it.is_whitespace() || "'\"`()|;,".contains(it);
        for word in line.split(ends) {
            let word = word.trim_end_matches(['.', ':', '\\']);
            if ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&word) {
                method = Some(word.to_owned());
                continue;
            }
            let (scheme, rest) = word.split_once("://").unwrap_or(("", word));
            let scheme = scheme
                .rsplit(|it: char| !it.is_ascii_alphabetic())
                .next()
                .unwrap_or_default();
            let start = match scheme {
                "" if rest.starts_with('/') => 0,
                "http" | "https" | "agi" => rest.find('/').unwrap_or(rest.len()),
                _ => continue,
            };
            let host = rest[..start].split(':').next().unwrap_or_default();
            found.push(Address {
                line: code.line + place,
                method: method.clone(),
                scheme: scheme.to_owned(),
                host: host.to_owned(),
                path: rest[start..].to_owned(),
            });
        }
    }
    found
}

fn all(page: &Page) -> Vec<Address> {
    let codes = page.codes.iter().filter(|code| {
        // Patterns of a web server and lines of Redis are no addresses; what commands tell is checked where they are made.
        !matches!(&code.kind, Kind::Block(language) if matches!(language.as_str(), "text" | "log"))
    });
    codes.flat_map(addresses).collect()
}

/// How many addresses of ours a page names.
pub(crate) fn count(page: &Page, known: &Known) -> usize {
    let ours = |address: &Address| is_ours(&address.path, known);
    all(page).iter().filter(|address| ours(address)).count()
}

/// Whether a path begins as one of ours does.
fn is_ours(path: &str, known: &Known) -> bool {
    let first = |path: &str| {
        path.trim_start_matches('/')
            .split(['/', '?'])
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    path.len() > 1
        && known
            .routes
            .iter()
            .any(|(_, route)| first(route) == first(path))
}

/// What is wrong with the addresses of a page.
pub(crate) fn check(page: &Page, known: &Known, foreign: &Foreign) -> Vec<String> {
    let mut wrong = Vec::new();
    for address in all(page) {
        if let Err(fault) = one(&address, known, foreign) {
            wrong.push(format!(
                "{}: `{}{}`: {fault}",
                address.line, address.host, address.path
            ));
        }
    }
    for (line, link) in &page.links {
        let Some((_, rest)) = link.split_once("://") else {
            continue;
        };
        let host = rest.split(['/', ':']).next().unwrap_or_default();
        if !foreign.has(List::Hosts, host) {
            wrong.push(format!("{line}: a link to `{host}`, which is not known"));
        }
    }
    wrong
}

fn one(address: &Address, known: &Known, foreign: &Foreign) -> Result<(), String> {
    if address.scheme == "agi" {
        let script = address.path.split('?').next().unwrap_or_default();
        let is_known = matches!(script, "/next-cid" | "/call-result")
            || script.starts_with("/…")
            || foreign.has(List::Paths, script);
        return is_known
            .then_some(())
            .ok_or("FastAGI has no such script".to_owned());
    }
    if !address.scheme.is_empty() {
        let host = address.host.as_str();
        if host.starts_with('<') {
            return Ok(());
        }
        if !OURS.iter().any(|known| host.starts_with(known)) {
            let is_known = foreign.has(List::Hosts, host);
            return is_known
                .then_some(())
                .ok_or(format!("the host `{host}` is not known"));
        }
        if address.path.is_empty() {
            return Ok(());
        }
    }
    let (path, query) = address.path.split_once('?').unwrap_or((&address.path, ""));
    let path = path.trim_end_matches('*');
    let first = path
        .trim_start_matches('/')
        .split('/')
        .next()
        .unwrap_or_default();
    if foreign.has(List::Paths, path) {
        return Ok(());
    }
    if !is_ours(path, known) {
        let is_file = address.scheme.is_empty() && (FOLDERS.contains(&first) || path.len() < 2);
        let is_root = path == "/";
        return (is_file || is_root)
            .then_some(())
            .ok_or("no route and no folder".to_owned());
    }
    let fits: Vec<&(String, String)> = known
        .routes
        .iter()
        .filter(|(_, route)| matches(route, path))
        .collect();
    if fits.is_empty() {
        return Err("there is no such route".to_owned());
    }
    if let Some(method) = &address.method
        && !fits.iter().any(|(known, _)| known == method)
    {
        return Err(format!("the route is not for {method}"));
    }
    parameters(query, &fits, known)
}

/// Whether a route, with names in braces, is meant by a path. `…` stands for whatever comes there.
fn matches(route: &str, path: &str) -> bool {
    if route == path {
        return true;
    }
    let mut given = path.trim_start_matches('/').split('/');
    for part in route.trim_start_matches('/').split('/') {
        if part.starts_with("{*") {
            return false;
        }
        match given.next() {
            Some("…") => return true,
            Some(word) if word == part || part.starts_with('{') && !word.is_empty() => {}
            _ => return false,
        }
    }
    given.next().is_none()
}

fn parameters(query: &str, fits: &[&(String, String)], known: &Known) -> Result<(), String> {
    let Some(names) = fits
        .iter()
        .find_map(|(_, route)| known.parameters.get(route))
    else {
        return Ok(());
    };
    let given = query.split('&').filter_map(|pair| pair.split('=').next());
    for name in given.filter(|name| !name.is_empty() && !name.contains('…')) {
        if !names.contains(name) {
            return Err(format!("it takes no `{name}`"));
        }
    }
    Ok(())
}
