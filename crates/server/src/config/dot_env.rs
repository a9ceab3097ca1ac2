//! The lines of `.env`. Lenient, as other readers of such files are, and errors never show a value.

use super::ConfigError;

const FILE: &str = ".env";

/// The names and values of a file, in its order. `variable` gives what `${NAME}` stands for where no earlier line does.
///
/// A value runs to the end of its line, or to a ` #`; in quotes it is what stands between them. In single quotes nothing
/// has a meaning; in double quotes `\\`, `\"`, `\$`, `\n` and `\t` do.
///
/// # Errors
/// [`ConfigError`] names the line, and the setting where there is one.
pub(super) fn read(
    file: &[u8],
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Vec<(String, String)>, ConfigError> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (place, line) in file.split(|&byte| byte == b'\n').enumerate() {
        let refuse = |name: Option<&str>, expected: &str| {
            let name = name.map(|name| format!(": {name}")).unwrap_or_default();
            ConfigError::new(FILE, &format!("line {}{name}", place + 1), expected)
        };
        let lossy = String::from_utf8_lossy(line);
        let Some((name, _)) = split(&lossy) else {
            if is_blank(&lossy) {
                continue;
            }
            return Err(refuse(None, "expected a line like NAME=value"));
        };
        let text =
            std::str::from_utf8(line).map_err(|_| refuse(Some(name), "expected text in UTF-8"))?;
        let (_, rest) = split(text).unwrap_or_default();
        let known = |name: &str| {
            let earlier = pairs.iter().rev().find(|(earlier, _)| earlier == name);
            variable(name).or_else(|| earlier.map(|(_, value)| value.clone()))
        };
        let value = value(rest, known)
            .ok_or_else(|| refuse(Some(name), "expected the quote to be closed on its line"))?;
        pairs.push((name.to_owned(), value));
    }
    Ok(pairs)
}

fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

/// The name, and what stands behind the `=`.
fn split(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let line = match line.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => rest,
        _ => line,
    };
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let plain = |character: char| character.is_ascii_alphanumeric() || "_.-".contains(character);
    let good = !name.is_empty() && name.chars().all(plain);
    good.then(|| (name, value.trim()))
}

/// The value; none when a quote stays open.
fn value(text: &str, known: impl Fn(&str) -> Option<String>) -> Option<String> {
    let unquoted = || Some(expanded(without_comment(text), &known));
    match text.chars().next() {
        Some('\'') => {
            let (inner, after) = text[1..].split_once('\'')?;
            if is_blank(after) {
                return Some(inner.to_owned());
            }
            unquoted()
        }
        Some('"') => {
            let end = closing(text)?;
            if is_blank(&text[end + 1..]) {
                return Some(unescaped(&text[1..end], &known));
            }
            unquoted()
        }
        _ => unquoted(),
    }
}

fn without_comment(text: &str) -> &str {
    if text.starts_with('#') {
        return "";
    }
    let end = [" #", "\t#"]
        .iter()
        .filter_map(|mark| text.find(mark))
        .min();
    text[..end.unwrap_or(text.len())].trim_end()
}

/// Where the quote that `text` begins with is closed.
fn closing(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (place, byte) in text.bytes().enumerate().skip(1) {
        if byte == b'"' && !escaped {
            return Some(place);
        }
        escaped = byte == b'\\' && !escaped;
    }
    None
}

/// A backslash keeps what follows from having a meaning.
fn unescaped(text: &str, known: &impl Fn(&str) -> Option<String>) -> String {
    let Some((before, after)) = text.split_once('\\') else {
        return expanded(text, known);
    };
    let mut value = expanded(before, known);
    let mut rest = after.chars();
    match rest.next() {
        Some('n') => value.push('\n'),
        Some('t') => value.push('\t'),
        Some(character @ ('\\' | '"' | '$' | '\'' | ' ')) => value.push(character),
        Some(other) => value.extend(['\\', other]),
        None => value.push('\\'),
    }
    value.push_str(&unescaped(rest.as_str(), known));
    value
}

/// `${NAME}` is what it stands for; any other `$` is itself.
fn expanded(text: &str, known: &impl Fn(&str) -> Option<String>) -> String {
    let Some((before, after)) = text.split_once("${") else {
        return text.to_owned();
    };
    let Some((name, rest)) = after.split_once('}') else {
        return text.to_owned();
    };
    let value = known(name).unwrap_or_default();
    format!("{before}{value}{}", expanded(rest, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> Result<String, String> {
        let variable = |name: &str| (name == "HOME").then(|| "/home/x".to_owned());
        let pairs = read(line.as_bytes(), variable).map_err(|error| error.to_string())?;
        let pair = pairs.last().expect("a pair");
        Ok(format!("{}={}", pair.0, pair.1))
    }

    #[test]
    fn values_are_read_as_people_write_them() {
        for (line, expected) in [
            ("A=1", "A=1"),
            ("\u{feff}A=1\r\n# x\n\n", "A=1"),
            ("export A = 1 # one", "A=1"),
            ("A=key1, key2", "A=key1, key2"),
            ("A=[\"a\", \"b\"]", "A=[\"a\", \"b\"]"),
            ("A=\"a\", \"b\"", "A=\"a\", \"b\""),
            ("A=a#b", "A=a#b"),
            ("A=", "A="),
            ("A= # nothing", "A="),
            ("A='a $b ${HOME} \\ #c' # d", "A=a $b ${HOME} \\ #c"),
            (r#"A="a \"b\" \$c \\ #d" # e"#, r#"A=a "b" $c \ #d"#),
            (r#"A="\\""#, r"A=\"),
            ("A=pa$$word$1", "A=pa$$word$1"),
            ("A=${HOME}/b${C}", "A=/home/x/b"),
            ("B=1\nA=\"${B}2\"", "A=12"),
        ] {
            assert_eq!(one(line), Ok(expected.to_owned()), "{line}");
        }
    }

    #[test]
    fn an_error_names_line_and_setting_and_shows_no_value() {
        for (line, expected) in [
            (
                "\nADMIN_TOKEN='horse",
                ".env: `line 2: ADMIN_TOKEN` is not valid: expected the quote to be closed on its line",
            ),
            (
                "horse-battery-7",
                ".env: `line 1` is not valid: expected a line like NAME=value",
            ),
            (
                "ADMIN TOKEN=horse",
                ".env: `line 1` is not valid: expected a line like NAME=value",
            ),
        ] {
            assert_eq!(one(line), Err(expected.to_owned()));
        }
        let error = read(b"ADMIN_TOKEN=horse\xff", |_| None).unwrap_err();
        assert_eq!(
            error.to_string(),
            ".env: `line 1: ADMIN_TOKEN` is not valid: expected text in UTF-8"
        );
    }
}
