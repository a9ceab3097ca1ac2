//! Reads every document of the project, and checks that what it names is there: commands and flags, settings, metrics, alerts,
//! addresses, targets of `make`, files, lines of the log.
//!
//! What is not ours stands in [`foreign`], each word with its reason; a word there that no document has fails too.

#[path = "every_document/addresses.rs"]
mod addresses;
#[path = "every_document/commands.rs"]
mod commands;
#[path = "every_document/files.rs"]
mod files;
#[path = "every_document/foreign.rs"]
mod foreign;
#[path = "every_document/known.rs"]
mod known;
#[path = "every_document/names.rs"]
mod names;
#[path = "every_document/page.rs"]
mod page;
#[path = "every_document/planted.rs"]
mod planted;
#[path = "every_document/shell.rs"]
mod shell;

use foreign::Foreign;
use known::Known;
use page::Page;

/// A kind of thing that documents name, checked on one page.
type Check = fn(&Page, &Known, &Foreign) -> Vec<String>;

const CHECKS: [Check; 9] = [
    commands::check,
    names::settings,
    names::remarks,
    names::metrics,
    names::alerts,
    addresses::check,
    files::links,
    files::paths,
    files::log_lines,
];

/// What is wrong with a page, each with its place.
fn faults(page: &Page, known: &Known, foreign: &Foreign) -> Vec<String> {
    CHECKS
        .iter()
        .flat_map(|check| check(page, known, foreign))
        .map(|fault| format!("{}:{fault}", page.path))
        .collect()
}

#[test]
fn all_that_documents_name_is_there() {
    let known = Known::gather();
    let foreign = Foreign::default();
    let pages = Page::all();
    let wrong: Vec<String> = pages
        .iter()
        .flat_map(|page| faults(page, &known, &foreign))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} faults:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    let unused = foreign.unused();
    assert!(
        unused.is_empty(),
        "tests/every_document/foreign.rs: no document has {unused:#?}"
    );
}

#[test]
fn every_document_is_read_and_much_is_found_in_them() {
    let pages = Page::all();
    for path in [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "docs/cluster.md",
        "docs/adr/0019-packages.md",
        "deploy/prometheus/caller-id.rules.yml",
        "deploy/systemd/caller-id.service",
        ".env.example",
    ] {
        assert!(pages.iter().any(|page| page.path == path), "{path}");
    }
    let known = Known::gather();
    let commands: usize = pages.iter().map(|page| commands::count(page).0).sum();
    let targets: usize = pages.iter().map(|page| commands::count(page).1).sum();
    let addresses: usize = pages
        .iter()
        .map(|page| addresses::count(page, &known))
        .sum();
    let links: usize = pages.iter().map(|page| page.links.len()).sum();
    for (what, found, least) in [
        ("commands", commands, 130),
        ("targets of make", targets, 15),
        ("addresses", addresses, 150),
        ("links", links, 100),
    ] {
        assert!(found >= least, "{what}: {found} found, {least} expected");
    }
}

#[test]
fn every_page_opens_with_what_it_is_for() {
    let wrong: Vec<String> = Page::all()
        .iter()
        .filter(|page| page.markdown && !page.path.starts_with("docs/adr/"))
        .filter(|page| !page.opens_with_a_paragraph)
        .map(|page| page.path.clone())
        .collect();
    assert!(
        wrong.is_empty(),
        "a title, then a sentence: not so in {wrong:?}"
    );
}

#[test]
fn every_alert_tells_what_to_do_in_the_runbook() {
    let known = Known::gather();
    let rules = std::fs::read_to_string(page::root().join(known::RULES)).expect("the rules");
    let wrong = names::runbook_links(&rules, &|target| files::leads(target, &known));
    assert!(wrong.is_empty(), "{wrong:#?}");
}
