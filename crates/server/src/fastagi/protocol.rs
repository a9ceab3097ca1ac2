//! The words of the dialog: commands that we send, replies that Asterisk sends.
//!
//! One command, one reply, LF at the end of each. A carriage return would end up in the value, and two commands at once would
//! leave both sides waiting.

/// The line that asks for a channel variable, or for a function with its arguments.
pub fn get(variable: &str) -> String {
    let mut line = String::from("GET VARIABLE ");
    push_word(&mut line, variable);
    line.push('\n');
    line
}

/// The line that sets a channel variable, or writes to a function. Never `SET CALLERID`: that wipes the name, and with it
/// VICIdial's call.
pub fn set(variable: &str, value: &str) -> String {
    let mut line = String::from("SET VARIABLE ");
    push_word(&mut line, variable);
    line.push(' ');
    push_word(&mut line, value);
    line.push('\n');
    line
}

/// One word of a command: in quotes where it is not plain, so that no value can be another command.
fn push_word(line: &mut String, word: &str) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-_.:/@()".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        line.push_str(word);
        return;
    }
    line.push('"');
    for character in word.chars().filter(|character| !character.is_control()) {
        if matches!(character, '"' | '\\') {
            line.push('\\');
        }
        line.push(character);
    }
    line.push('"');
}

/// What a line of Asterisk is, once the dialog runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// `200 result=…`: done; with the text in brackets where there is one and the result is not 0.
    Done(Option<String>),
    /// `200 result=1 (…`: the value has a line feed in it, and goes on in the next line.
    GoesOn,
    /// `510`, `511`, `520 …`: Asterisk does not do that.
    Refused,
    /// `520-…`: more lines of a refusal come.
    RefusalBegins,
    /// `100 …`: Asterisk is still at it.
    Trying,
    /// `HANGUP`: the channel is gone.
    Hangup,
    /// Nothing that Asterisk says.
    Nonsense,
}

impl Reply {
    /// Reads a line without its end.
    pub fn read(line: &[u8]) -> Self {
        if line == b"HANGUP" {
            return Self::Hangup;
        }
        let Some((code, rest)) = line.split_at_checked(3) else {
            return Self::Nonsense;
        };
        match (code, rest.first()) {
            (b"200", Some(b' ')) => done(&rest[1..]),
            (b"100", Some(b' ') | None) => Self::Trying,
            (b"520", Some(b'-')) => Self::RefusalBegins,
            ([b'5', b'0'..=b'9', b'0'..=b'9'], Some(b' ') | None) => Self::Refused,
            _ => Self::Nonsense,
        }
    }
}

/// `result=1 (value)`: the brackets are those at the outer ends, because a value may have some of its own.
fn done(rest: &[u8]) -> Reply {
    let Some(rest) = rest.strip_prefix(b"result=") else {
        return Reply::Nonsense;
    };
    let cut = rest.iter().position(|&byte| byte == b' ');
    let (result, text) = rest.split_at(cut.unwrap_or(rest.len()));
    match text.strip_prefix(b" (") {
        _ if result.is_empty() => Reply::Nonsense,
        None => Reply::Done(None),
        Some(open) => match open.strip_suffix(b")") {
            Some(_) if result == b"0" => Reply::Done(None),
            Some(value) => Reply::Done(Some(String::from_utf8_lossy(value).into_owned())),
            None => Reply::GoesOn,
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_asterisk_says_is_understood() {
        let value = |text: &str| Reply::Done(Some(text.to_owned()));
        for (line, reply) in [
            ("200 result=1", Reply::Done(None)),
            ("200 result=0", Reply::Done(None)),
            ("200 result=1 (SOLAR)", value("SOLAR")),
            ("200 result=1 (a (b) c)", value("a (b) c")),
            ("200 result=1 ()", value("")),
            ("200 result=1 (half of it", Reply::GoesOn),
            ("200 result=-1", Reply::Done(None)),
            ("510 Invalid or unknown command", Reply::Refused),
            (
                "511 Command Not Permitted on a dead channel",
                Reply::Refused,
            ),
            (
                "520-Invalid command syntax.  Proper usage follows:",
                Reply::RefusalBegins,
            ),
            ("520 End of proper usage.", Reply::Refused),
            ("100 Trying...", Reply::Trying),
            ("HANGUP", Reply::Hangup),
            ("HANGUP!", Reply::Nonsense),
            ("200", Reply::Nonsense),
            ("200 OK", Reply::Nonsense),
            ("", Reply::Nonsense),
            ("GET / HTTP/1.1", Reply::Nonsense),
        ] {
            assert_eq!(Reply::read(line.as_bytes()), reply, "{line}");
        }
    }

    #[test]
    fn a_plain_value_stands_as_it_is_and_any_other_in_quotes() {
        assert_eq!(
            set("CALLERID(num)", "3125550100"),
            "SET VARIABLE CALLERID(num) 3125550100\n"
        );
        assert_eq!(set("A", ""), "SET VARIABLE A \"\"\n");
        assert_eq!(
            set("A", "a \"b\"\nEXEC Dial \\"),
            "SET VARIABLE A \"a \\\"b\\\"EXEC Dial \\\\\"\n"
        );
        assert_eq!(
            get("HANGUPCAUSE(SIP/out-1,tech)"),
            "GET VARIABLE \"HANGUPCAUSE(SIP/out-1,tech)\"\n"
        );
    }

    /// The words of a line as Asterisk's own parser cuts it: at blanks, not inside quotes, a backslash takes the next as it is.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quoted, mut given) =
            (Vec::new(), String::new(), false, false);
        let mut characters = line.trim_end_matches('\n').chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' => word.extend(characters.next()),
                '"' => {
                    quoted = !quoted;
                    given = true;
                }
                ' ' | '\t' if !quoted => {
                    if given || !word.is_empty() {
                        words.push(std::mem::take(&mut word));
                    }
                    given = false;
                }
                other => word.push(other),
            }
        }
        if given || !word.is_empty() {
            words.push(word);
        }
        words
    }

    proptest! {
        #[test]
        fn no_value_is_ever_another_word_or_another_command(value in any::<String>()) {
            let line = set("CIDROT_RUNG", &value);
            prop_assert_eq!(line.matches('\n').count(), 1);
            prop_assert!(line.ends_with('\n') && !line.contains('\r'));
            let plain: String = value.chars().filter(|character| !character.is_control()).collect();
            let expected = ["SET", "VARIABLE", "CIDROT_RUNG", &plain].map(str::to_owned);
            prop_assert_eq!(words(&line), expected);
        }

        #[test]
        fn every_value_comes_back(value in "[^\n]{0,200}", result in 1_u8..) {
            let line = format!("200 result={result} ({value})");
            prop_assert_eq!(Reply::read(line.as_bytes()), Reply::Done(Some(value)));
        }

        #[test]
        fn any_line_is_read(line in prop::collection::vec(any::<u8>(), 0..300)) {
            Reply::read(&line);
            let mut behind = b"200 result=1 (".to_vec();
            behind.extend(&line);
            Reply::read(&behind);
        }
    }
}
