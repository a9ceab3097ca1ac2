//! What there is: asked of the program where it can tell, read from the sources where it cannot.

use std::collections::{BTreeMap, BTreeSet};

use caller_id::cli::Cli;
use caller_id::config::describe::settings;
use caller_id::metrics::{FAMILIES, Kind};
use clap::{Command, CommandFactory};
use serde_json::Value;

use crate::names::alerts_of;
use crate::page::{Page, files, root};

/// The alerts.
pub(crate) const RULES: &str = "deploy/prometheus/caller-id.rules.yml";

/// What there is.
#[derive(Debug)]
pub(crate) struct Known {
    /// Long flags of all commands.
    pub(crate) flags: BTreeSet<String>,
    /// Settings.
    pub(crate) settings: BTreeSet<String>,
    /// Other names of ours: `CALLER_ID_…` in programs and scripts, what the Makefile reads, what units give, what FastAGI says.
    pub(crate) variables: BTreeSet<String>,
    /// Alerts.
    pub(crate) alerts: BTreeSet<String>,
    /// Targets of the Makefile.
    pub(crate) targets: BTreeSet<String>,
    /// Routes: method and path.
    pub(crate) routes: BTreeSet<(String, String)>,
    /// What routes take behind `?`, where the OpenAPI document says it.
    pub(crate) parameters: BTreeMap<String, BTreeSet<String>>,
    /// What links can lead to, by document.
    pub(crate) anchors: BTreeMap<String, BTreeSet<String>>,
    /// What the package installs of files and folders, from the root of the project.
    pub(crate) installed: Vec<String>,
    /// All that the program may say: the texts of its sources, blanks as one.
    pub(crate) said: String,
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).expect("a text")
}

impl Known {
    /// Looks everywhere.
    pub(crate) fn gather() -> Self {
        let rules = text(RULES);
        let mut flags = BTreeSet::new();
        all_flags(&Cli::command(), &mut flags);
        flags.extend(settings().into_iter().map(|setting| setting.flag));
        let document: Value = serde_json::from_str(&text("docs/openapi.json")).expect("JSON");
        let anchors = Page::all()
            .into_iter()
            .map(|page| (page.path, page.anchors));
        Self {
            flags,
            settings: settings().into_iter().map(|setting| setting.name).collect(),
            variables: variables(),
            alerts: alerts_of(&rules)
                .into_iter()
                .map(|(name, _)| name)
                .collect(),
            targets: targets(&text("Makefile")),
            routes: routes(&text("docs/access.md")),
            parameters: parameters(&document),
            anchors: anchors.collect(),
            installed: installed(&text("scripts/package/build.sh")),
            said: said(),
        }
    }

    /// Whether `name` is a metric, or a series of a histogram.
    pub(crate) fn is_metric(&self, name: &str) -> bool {
        FAMILIES.iter().any(|family| {
            let rest = name.strip_prefix(family.name);
            match family.kind {
                Kind::Histogram => matches!(rest, Some("" | "_bucket" | "_sum" | "_count")),
                _ => rest == Some(""),
            }
        })
    }
}

fn all_flags(command: &Command, flags: &mut BTreeSet<String>) {
    flags.extend(
        command
            .get_arguments()
            .filter_map(|flag| flag.get_long())
            .map(str::to_owned),
    );
    flags.extend(["help".to_owned(), "version".to_owned()]);
    command
        .get_subcommands()
        .for_each(|inner| all_flags(inner, flags));
}

/// Names in capitals that programs, scripts and the Makefile have, these tests left out.
fn variables() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let sources = ["crates", "scripts", "bench"].into_iter().flat_map(files);
    for path in sources.filter(|path| !path.contains("every_document")) {
        let Ok(text) = std::fs::read_to_string(root().join(&path)) else {
            continue;
        };
        let said_by_fastagi = path.contains("src/fastagi");
        let words = text.split(|it: char| !(it.is_ascii_alphanumeric() || it == '_'));
        let ours = words.filter(|word| {
            word.starts_with("CALLER_ID_") || word.starts_with("CIDROT_") || said_by_fastagi
        });
        found.extend(ours.map(str::to_owned));
    }
    let makefile = text("Makefile");
    let read = makefile
        .split("$(")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    found.extend(read.map(str::to_owned));
    // What a unit gives its service, and no setting of the program.
    let units = files("deploy/systemd").into_iter().map(|path| text(&path));
    for unit in units {
        let given = unit
            .lines()
            .filter_map(|line| line.strip_prefix("Environment="));
        let words = given.flat_map(str::split_whitespace);
        let names = words.filter_map(|word| word.trim_matches('"').split('=').next());
        found.extend(names.map(str::to_owned));
    }
    found
}

fn targets(makefile: &str) -> BTreeSet<String> {
    let lines = makefile
        .lines()
        .filter(|line| !line.starts_with(['\t', '#', '.']));
    let named = lines.filter_map(|line| line.split_once(':'));
    named
        .filter(|(name, rest)| {
            !rest.starts_with('=') && name.chars().all(|it| it.is_ascii_lowercase() || it == '-')
        })
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// The tables of docs/access.md: other tests hold them against the router.
fn routes(page: &str) -> BTreeSet<(String, String)> {
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let method = cells.next()?;
        let path = cells.next()?.trim_matches('`');
        let is_method = ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method);
        is_method.then(|| (method.to_owned(), path.to_owned()))
    });
    rows.collect()
}

fn parameters(document: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let paths = document["paths"].as_object().expect("paths");
    let named = paths.iter().map(|(path, methods)| {
        let methods = methods.as_object().expect("methods").values();
        let all = methods.flat_map(|method| method["parameters"].as_array().into_iter().flatten());
        let query = all.filter(|parameter| parameter["in"] == "query");
        let names = query.filter_map(|parameter| Some(parameter["name"].as_str()?.to_owned()));
        (path.clone(), names.collect())
    });
    named.collect()
}

/// What stands behind `for page in $(find …` in the script that makes the package.
fn installed(script: &str) -> Vec<String> {
    let rest = script
        .split("for page in $(find ")
        .nth(1)
        .unwrap_or_default();
    let words = rest
        .split_whitespace()
        .take_while(|word| !word.starts_with('-'));
    words.map(str::to_owned).collect()
}

/// Remarks left out.
fn said() -> String {
    let mut said = String::new();
    let sources = files("crates")
        .into_iter()
        .filter(|path| path.ends_with(".rs") && path.contains("/src/"));
    for path in sources {
        let joined = text(&path).replace("\\\n", " ");
        let lines = joined
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with("//"));
        lines.for_each(|line| said.extend([line, " "]));
    }
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}
