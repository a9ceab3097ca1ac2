//! Files: what links lead to, what paths name, what the log says.

use std::path::{Component, Path, PathBuf};

use crate::foreign::{Foreign, List};
use crate::known::Known;
use crate::page::{Kind, Page, root};

/// Folders of the project: a path that begins with one is a file of it.
const FOLDERS: [&str; 6] = ["docs/", "deploy/", "crates/", "scripts/", "data/", "bench/"];
/// So many words in a row of a line of the log must stand in a source.
const LOG_WORDS: usize = 3;

/// Whether a link, from the root of the project, leads somewhere.
pub(crate) fn leads(target: &str, known: &Known) -> Result<(), String> {
    let (file, anchor) = target
        .split_once('#')
        .map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    if !root().join(file).exists() {
        return Err(format!("`{file}` is not there"));
    }
    match anchor {
        Some(anchor)
            if !known
                .anchors
                .get(file)
                .is_some_and(|anchors| anchors.contains(anchor)) =>
        {
            Err(format!("`{file}` has no section `#{anchor}`"))
        }
        _ => Ok(()),
    }
}

/// A link of the document at `page`, from the root of the project.
fn resolved(page: &str, link: &str) -> String {
    let (file, anchor) = link
        .split_once('#')
        .map_or((link, String::new()), |(file, anchor)| {
            (file, format!("#{anchor}"))
        });
    if file.is_empty() {
        return format!("{page}{anchor}");
    }
    let folder = Path::new(page).parent().unwrap_or(Path::new(""));
    let mut path = PathBuf::new();
    for part in folder.join(file).components() {
        match part {
            Component::ParentDir if path.pop() => {}
            Component::CurDir => {}
            other => path.push(other),
        }
    }
    format!("{}{anchor}", path.display())
}

/// Links that lead nowhere, here or where the package has put the page.
pub(crate) fn links(page: &Page, known: &Known, _: &Foreign) -> Vec<String> {
    let is_installed = |file: &str| {
        known
            .installed
            .iter()
            .any(|part| file == part || file.starts_with(&format!("{part}/")))
    };
    let own = page.links.iter().filter(|(_, link)| !link.contains("://"));
    own.filter_map(|(line, link)| {
        let target = resolved(&page.path, link);
        if let Err(fault) = leads(&target, known) {
            return Some(format!("{line}: {fault}"));
        }
        let lost =
            is_installed(&page.path) && !is_installed(target.split('#').next().unwrap_or_default());
        lost.then(|| format!("{line}: the package has this page and not `{target}`"))
    })
    .collect()
}

/// Files of the project that code names, and that are not there.
pub(crate) fn paths(page: &Page, _: &Known, foreign: &Foreign) -> Vec<String> {
    let mut wrong = Vec::new();
    for code in &page.codes {
        if matches!(&code.kind, Kind::Block(language) if language == "json") {
            continue;
        }
        for (place, line) in code.text.lines().enumerate() {
            for word in line.split(|it: char| it.is_whitespace() || "'\"`()<>,;".contains(it)) {
                let word = word.trim_end_matches(['.', ':']);
                let ours = FOLDERS
                    .iter()
                    .any(|folder| word.starts_with(folder) && word.len() > folder.len());
                let plain = !word.contains(['*', '…', '{', '$']);
                if ours && plain && !root().join(word).exists() && !foreign.has(List::Files, word) {
                    wrong.push(format!("{}: `{word}` is not there", code.line + place));
                }
            }
        }
    }
    wrong
}

/// Lines of the log that no source can have written.
pub(crate) fn log_lines(page: &Page, known: &Known, _: &Foreign) -> Vec<String> {
    let blocks = page
        .codes
        .iter()
        .filter(|code| matches!(&code.kind, Kind::Block(language) if language == "log"));
    let mut wrong = Vec::new();
    for code in blocks {
        for (place, line) in code.text.lines().enumerate() {
            if !line.trim().is_empty() && !is_said(line, &known.said) {
                wrong.push(format!("{}: nothing says `{line}`", code.line + place));
            }
        }
    }
    wrong
}

/// Whether words in a row that are no values stand in the sources.
fn is_said(line: &str, said: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let plain = |word: &&str| {
        word.chars()
            .all(|it| it.is_ascii_lowercase() || matches!(it, ',' | ':' | ';' | '\'' | '-'))
    };
    words
        .windows(LOG_WORDS)
        .any(|row| row.iter().all(plain) && said.contains(&row.join(" ")))
}
