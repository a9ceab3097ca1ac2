//! A document, taken apart.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// Where a piece of code stands, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Between backticks.
    Inline,
    /// Lines of their own, in this language (empty: indented, or none is said).
    Block(String),
}

/// A piece of code.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    /// Its first line in the document, from 1.
    pub(crate) line: usize,
    /// Where it stands.
    pub(crate) kind: Kind,
    /// What stands there.
    pub(crate) text: String,
}

/// A document.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// From the root of the project.
    pub(crate) path: String,
    /// Whether it is Markdown.
    pub(crate) markdown: bool,
    /// All of it.
    pub(crate) text: String,
    /// Its pieces of code.
    pub(crate) codes: Vec<Code>,
    /// Where its links lead, each with its line.
    pub(crate) links: Vec<(usize, String)>,
    /// What links can lead to inside of it.
    pub(crate) anchors: BTreeSet<String>,
    /// Whether a title and a paragraph come first.
    pub(crate) opens_with_a_paragraph: bool,
}

/// The root of the project.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All files below `folder`, from the root of the project, in order.
pub(crate) fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).expect("a folder") {
            let entry = entry.expect("an entry");
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            match entry.file_type().expect("a kind").is_dir() {
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    found.sort();
    found
}

impl Page {
    /// Every document of the project.
    pub(crate) fn all() -> Vec<Self> {
        let single = [
            "README.md",
            "CONTRIBUTING.md",
            "SECURITY.md",
            "CHANGELOG.md",
            ".env.example",
            "docker-compose.yml",
            "Dockerfile",
        ];
        let docs = files("docs")
            .into_iter()
            .filter(|path| path.ends_with(".md"));
        let deploy = files("deploy");
        let paths = single.into_iter().map(str::to_owned);
        paths
            .chain(docs)
            .chain(deploy)
            .map(|path| {
                let text = std::fs::read_to_string(root().join(&path)).expect("a text");
                Self::read(&path, &text)
            })
            .collect()
    }

    /// Takes `text` apart.
    pub(crate) fn read(path: &str, text: &str) -> Self {
        let page = Self {
            path: path.to_owned(),
            text: text.to_owned(),
            ..Self::default()
        };
        match path.ends_with(".md") {
            true => page.markdown(),
            false => page.plain(),
        }
    }

    /// Of other texts: what stands between backticks, and what a unit starts.
    fn plain(mut self) -> Self {
        for (place, line) in self.text.lines().enumerate() {
            let mut add = |text: &str| {
                self.codes.push(Code {
                    line: place + 1,
                    kind: Kind::Inline,
                    text: text.to_owned(),
                });
            };
            // Backticks of a shell's own are no quotes of ours: an odd one ends nothing.
            let parts: Vec<&str> = line.split('`').collect();
            for (at, part) in parts.iter().enumerate() {
                if at % 2 == 1 && at + 1 < parts.len() {
                    add(part);
                }
            }
            if let Some(started) = line.strip_prefix("ExecStart=") {
                add(started);
            }
        }
        self
    }

    fn markdown(mut self) -> Self {
        self.markdown = true;
        let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
        let text = self.text.clone();
        let line_of = |offset: usize| text[..offset].matches('\n').count() + 1;
        let mut heading: Option<String> = None;
        let mut block: Option<Code> = None;
        let mut opening = Vec::new();
        for (event, range) in Parser::new_ext(&text, options).into_offset_iter() {
            let line = line_of(range.start);
            if let Event::Start(tag) = &event
                && opening.len() < 2
                && matches!(
                    tag,
                    Tag::Heading { .. }
                        | Tag::Paragraph
                        | Tag::CodeBlock(_)
                        | Tag::Table(_)
                        | Tag::List(_)
                )
            {
                opening.push(tag.to_end());
            }
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let words = heading.take().unwrap_or_default();
                    self.anchors.insert(anchor(&words));
                }
                Event::Start(Tag::CodeBlock(kind)) => {
                    let language = match kind {
                        CodeBlockKind::Fenced(language) => language.to_string(),
                        CodeBlockKind::Indented => String::new(),
                    };
                    // The text of a fenced block begins below its fence.
                    let fence = usize::from(text[range.start..].starts_with("```"));
                    block = Some(Code {
                        line: line + fence,
                        kind: Kind::Block(language),
                        text: String::new(),
                    });
                }
                Event::End(TagEnd::CodeBlock) => self.codes.extend(block.take()),
                Event::Text(words) => {
                    if let Some(block) = &mut block {
                        block.text.push_str(&words);
                    }
                    if let Some(heading) = &mut heading {
                        heading.push_str(&words);
                    }
                }
                Event::Code(words) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&words);
                    }
                    self.codes.push(Code {
                        line,
                        kind: Kind::Inline,
                        text: words.replace('\n', " "),
                    });
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    self.links.push((line, dest_url.to_string()));
                }
                _ => {}
            }
        }
        self.opens_with_a_paragraph =
            matches!(opening[..], [TagEnd::Heading(_), TagEnd::Paragraph]);
        self
    }
}

/// The name that a heading can be led to by: as GitHub and GitLab make it.
pub(crate) fn anchor(heading: &str) -> String {
    let lower = heading.trim().to_lowercase();
    let kept = lower
        .chars()
        .filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_'));
    kept.map(|it| if it == ' ' { '-' } else { it }).collect()
}
