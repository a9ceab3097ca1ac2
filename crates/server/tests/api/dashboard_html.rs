//! Reads pages as browsers do: tags, texts and forms. What a browser would run in them is a fault.

/// A part of a page.
#[derive(Debug)]
pub(crate) enum Piece {
    Begin(Tag),
    End(String),
    Text(String),
}

/// The begin of an element.
#[derive(Debug)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
}

impl Tag {
    /// The value of an attribute; none where it has not that.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A form of a page, filled in as the page has it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) is_post: bool,
    pub(crate) has_file: bool,
    pub(crate) fields: Vec<(String, String)>,
    /// What each button sends, and where to.
    pub(crate) buttons: Vec<Button>,
}

/// A button of a form.
#[derive(Debug, Default, Clone)]
pub(crate) struct Button {
    pub(crate) field: Option<(String, String)>,
    pub(crate) action: Option<String>,
}

/// The parts of a page.
pub(crate) fn pieces(html: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = html;
    while let Some((text, behind)) = rest.split_once('<') {
        pieces.push(Piece::Text(unescaped(text)));
        if let Some(name) = behind.strip_prefix('/') {
            let (name, behind) = name.split_once('>').expect("the end of a tag");
            pieces.push(Piece::End(name.to_owned()));
            rest = behind;
        } else if behind.starts_with('!') {
            rest = behind.split_once('>').expect("the end of a tag").1;
        } else {
            let (tag, behind) = tag(behind);
            pieces.push(Piece::Begin(tag));
            rest = behind;
        }
    }
    pieces.push(Piece::Text(unescaped(rest)));
    pieces
}

fn tag(text: &str) -> (Tag, &str) {
    let end = text.find([' ', '\n', '>', '/']).expect("the end of a name");
    let (name, mut rest) = text.split_at(end);
    let name = name.to_owned();
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\n', '\t', '/']);
        if let Some(behind) = rest.strip_prefix('>') {
            return (Tag { name, attributes }, behind);
        }
        let end = rest.find(['=', ' ', '\n', '>']).expect("the end of a name");
        let (attribute, behind) = rest.split_at(end);
        let Some(value) = behind.strip_prefix('=') else {
            attributes.push((attribute.to_owned(), String::new()));
            rest = behind;
            continue;
        };
        let quote = value.chars().next().filter(|first| "\"'".contains(*first));
        let quote = quote.unwrap_or_else(|| panic!("no quotes: {}", shortly(rest)));
        let (value, behind) = value[1..].split_once(quote).expect("the end of a value");
        attributes.push((attribute.to_owned(), unescaped(value)));
        rest = behind;
    }
}

fn shortly(text: &str) -> String {
    text.chars().take(200).collect()
}

/// A text as people read it.
pub(crate) fn unescaped(text: &str) -> String {
    let plain = text.replace("&lt;", "<").replace("&gt;", ">");
    let plain = plain.replace("&quot;", "\"").replace("&#x27;", "'");
    plain.replace("&#x2f;", "/").replace("&amp;", "&")
}

/// Where the links of a page lead, without what stands behind `#`.
pub(crate) fn links(pieces: &[Piece]) -> Vec<String> {
    let tags = pieces.iter().filter_map(|piece| match piece {
        Piece::Begin(tag) => Some(tag),
        _ => None,
    });
    let targets = tags.flat_map(|tag| [tag.get("href"), tag.get("hx-get"), tag.get("src")]);
    let place = |target: &str| target.split('#').next().unwrap_or_default().to_owned();
    targets
        .flatten()
        .map(place)
        .filter(|place| place.starts_with('/'))
        .collect()
}

/// The forms of a page.
pub(crate) fn forms(pieces: &[Piece]) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    let mut is_inside = false;
    let mut select: Option<(String, Option<String>)> = None;
    let mut is_option = false;
    let mut area: Option<String> = None;
    for piece in pieces {
        match piece {
            Piece::Begin(tag) if tag.name == "form" => {
                is_inside = true;
                forms.push(Form {
                    action: tag.get("action").unwrap_or_default().to_owned(),
                    is_post: tag.get("method") == Some("post"),
                    ..Form::default()
                });
            }
            Piece::End(name) if name == "form" => is_inside = false,
            _ if !is_inside => {}
            Piece::Begin(tag) => {
                let form = forms.last_mut().expect("a form");
                let name = tag.get("name").unwrap_or_default().to_owned();
                let value = tag.get("value").unwrap_or_default().to_owned();
                match tag.name.as_str() {
                    "input" => input(form, tag, name, value),
                    "button" if tag.get("type") != Some("button") => form.buttons.push(Button {
                        field: (!name.is_empty()).then_some((name, value)),
                        action: tag
                            .get("formaction")
                            .or(tag.get("hx-post"))
                            .map(str::to_owned),
                    }),
                    "select" => select = Some((name, None)),
                    "textarea" => area = Some(name),
                    "option" => {
                        let chosen = select.as_mut().map(|(_, chosen)| chosen);
                        let takes = |chosen: &Option<String>| {
                            chosen.is_none() || tag.get("selected").is_some()
                        };
                        if let Some(chosen) = chosen.filter(|chosen| takes(chosen)) {
                            is_option = tag.get("value").is_none();
                            *chosen = Some(value);
                        }
                    }
                    _ => {}
                }
            }
            Piece::Text(text) => {
                if let Some(name) = area.take() {
                    let form = forms.last_mut().expect("a form");
                    form.fields.push((name, text.clone()));
                } else if let Some((_, chosen)) = select.as_mut().filter(|_| is_option) {
                    *chosen = Some(text.clone());
                    is_option = false;
                }
            }
            Piece::End(name) if name == "select" => {
                let (name, chosen) = select.take().expect("a select");
                let form = forms.last_mut().expect("a form");
                form.fields.extend(chosen.map(|chosen| (name, chosen)));
            }
            Piece::End(_) => {}
        }
    }
    forms
}

fn input(form: &mut Form, tag: &Tag, name: String, value: String) {
    match tag.get("type") {
        Some("file") => form.has_file = true,
        Some("checkbox" | "radio") if tag.get("checked").is_none() => {}
        _ if name.is_empty() => {}
        _ => form.fields.push((name, value)),
    }
}

/// The script of the sign-in.
const SIGN_IN: &str = include_str!("../../assets/sign-in.js");

/// A page in which nothing stands that a browser would run or load, but our own files.
pub(crate) fn assert_harmless(path: &str, pieces: &[Piece]) {
    const TARGETS: [&str; 7] = [
        "href",
        "src",
        "action",
        "formaction",
        "hx-get",
        "hx-post",
        "sse-connect",
    ];
    for (place, piece) in pieces.iter().enumerate() {
        let Piece::Begin(tag) = piece else { continue };
        let known = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
        assert!(tag.name.chars().all(known), "{path}: {tag:?}");
        let bad = ["iframe", "object", "embed", "base", "style", "template"];
        // The sign-in carries its style and its script itself, which its policy knows by their hashes.
        let is_sign_in = path.starts_with("/sign-in");
        let is_known = tag.name == "style" && is_sign_in;
        assert!(
            is_known || !bad.contains(&tag.name.as_str()),
            "{path}: {tag:?}"
        );
        if tag.name == "script" || tag.name == "img" {
            let text = match pieces.get(place + 1) {
                Some(Piece::Text(text)) => text.trim(),
                _ => "",
            };
            if tag.name == "script" && is_sign_in && text == SIGN_IN.trim() {
                continue;
            }
            let source = tag.get("src").unwrap_or_default();
            assert!(source.starts_with("/dashboard/assets/"), "{path}: {tag:?}");
        }
        for (name, value) in &tag.attributes {
            let known = |letter: char| letter.is_ascii_alphabetic() || letter == '-';
            assert!(name.chars().all(known), "{path}: {name} in {tag:?}");
            let runs = name.starts_with("on") || name.starts_with("hx-on") || name == "style";
            assert!(!runs, "{path}: {tag:?}");
            if TARGETS.contains(&name.as_str()) {
                let is_ours = value.starts_with('/') && !value.starts_with("//");
                assert!(is_ours || value.starts_with('#'), "{path}: {tag:?}");
            }
        }
    }
}
