//! Lines as a shell reads them, as far as documents need it.

/// One program and its arguments.
pub(crate) type Words = Vec<String>;

/// The programs that a text runs, one after the other. Where something is written to or read from is left out.
pub(crate) fn programs(text: &str) -> Vec<Words> {
    let joined = text.replace("\\\n", " ");
    joined.lines().flat_map(line).collect()
}

fn line(line: &str) -> Vec<Words> {
    let mut reader = Reader::default();
    let mut rest = line.chars().peekable();
    let mut quote = None;
    while let Some(next) = rest.next() {
        match (quote, next) {
            (Some(open), _) if next == open => quote = None,
            (Some('"') | None, '\\') => reader.word.extend(rest.next()),
            (Some(_), _) => reader.word.push(next),
            (None, '\'' | '"') => {
                quote = Some(next);
                reader.quoted = true;
            }
            (None, '#') if reader.is_between() => break,
            (None, '$') if rest.peek() == Some(&'(') => {
                rest.next();
                reader.ends_program();
            }
            (None, '<') if is_place(&rest.clone().collect::<String>()) => {
                reader.word.push('<');
                for inner in rest.by_ref() {
                    reader.word.push(inner);
                    if inner == '>' {
                        break;
                    }
                }
            }
            (None, '<' | '>') => {
                // `2>file`: the 2 is no word.
                if reader.word == "2" {
                    reader.word.clear();
                }
                reader.ends_word();
                reader.skip = true;
            }
            (None, '|' | ';' | '&' | '(' | ')') => reader.ends_program(),
            (None, blank) if blank.is_whitespace() => reader.ends_word(),
            (None, _) => reader.word.push(next),
        }
    }
    reader.ends_program();
    reader.programs
}

#[derive(Default)]
struct Reader {
    programs: Vec<Words>,
    words: Words,
    word: String,
    quoted: bool,
    /// The next word is a file's.
    skip: bool,
}

impl Reader {
    fn is_between(&self) -> bool {
        self.word.is_empty() && !self.quoted
    }

    fn ends_word(&mut self) {
        if self.is_between() {
            return;
        }
        let word = std::mem::take(&mut self.word);
        self.quoted = false;
        if !std::mem::take(&mut self.skip) {
            self.words.push(word);
        }
    }

    fn ends_program(&mut self) {
        self.ends_word();
        self.skip = false;
        if !self.words.is_empty() {
            self.programs.push(std::mem::take(&mut self.words));
        }
    }
}

/// `<FILE>`, something that the reader fills in, whose `<` is read already.
fn is_place(rest: &str) -> bool {
    let Some((inner, _)) = rest.split_once('>') else {
        return false;
    };
    !inner.is_empty()
        && inner
            .chars()
            .all(|it| it.is_ascii_alphabetic() || it == ' ' && inner.len() < 20)
        && !inner.starts_with(' ')
}

/// The program that is run in the end, where the first one only runs another: `sudo -u x`, `docker compose exec api`, settings in
/// front.
pub(crate) fn unwrapped(words: &[String]) -> Vec<String> {
    let mut rest: Vec<String> = words.to_vec();
    loop {
        let Some(first) = rest.first().cloned() else {
            return rest;
        };
        let is_setting = first.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty()
                && name
                    .chars()
                    .all(|it| it.is_ascii_uppercase() || it.is_ascii_digit() || it == '_')
        });
        if is_setting
            || matches!(
                first.as_str(),
                "exec" | "time" | "env" | "if" | "while" | "!" | "do" | "then" | "export"
            )
        {
            rest.remove(0);
        } else if first == "sudo" || first == "runuser" {
            rest.remove(0);
            options(&mut rest, &["-u", "-g", "--user", "--group"]);
        } else if first == "sh" && rest.get(1).is_some_and(|word| word == "-c") && rest.len() > 2 {
            let inner = programs(&rest[2]);
            return unwrapped(inner.last().map_or(&[], Vec::as_slice));
        } else if let Some(inner) = in_container(&rest) {
            rest = inner;
        } else {
            return rest;
        }
    }
}

/// Takes options away, with their values.
fn options(rest: &mut Vec<String>, with_value: &[&str]) {
    while rest.first().is_some_and(|word| word.starts_with('-')) {
        let option = rest.remove(0);
        if option == "--" {
            return;
        }
        if with_value.contains(&option.as_str()) && !rest.is_empty() {
            rest.remove(0);
        }
    }
}

/// What runs in a container: behind `exec` and the name of the service a program, behind `run` what its entry point takes.
fn in_container(words: &[String]) -> Option<Vec<String>> {
    let mut rest = words.to_vec();
    let mut takes = |word: &str| {
        let is = rest.first().is_some_and(|first| first == word);
        if is {
            rest.remove(0);
        }
        is
    };
    if !takes("docker") {
        return None;
    }
    let composed = takes("compose");
    if composed {
        options(&mut rest, &["--profile", "--file", "-f"]);
    }
    let verb = (!rest.is_empty()).then(|| rest.remove(0))?;
    let with_value = [
        "--user",
        "-u",
        "--env",
        "-e",
        "--volume",
        "-v",
        "--workdir",
        "-w",
        "--name",
        "--entrypoint",
    ];
    let entry = rest.iter().position(|word| word == "--entrypoint");
    let other = entry.and_then(|at| rest.get(at + 1)).cloned();
    match verb.as_str() {
        "exec" | "run" => options(&mut rest, &with_value),
        _ => return None,
    }
    let place = (!rest.is_empty()).then(|| rest.remove(0))?;
    let ours = place.starts_with("caller-id:") || matches!(place.as_str(), "api" | "embedded");
    if verb == "run" && ours {
        rest.insert(0, other.unwrap_or_else(|| "caller-id".to_owned()));
    }
    Some(rest)
}
