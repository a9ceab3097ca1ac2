//! What Asterisk says before the dialog: the `agi_…` lines.

/// Most arguments that are looked at.
const ARGUMENTS_MOST: usize = 32;

/// What we use of what Asterisk says. Bytes, because nothing says that it is text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// `agi_network_script`: path and query of the URL, not decoded.
    pub script: Vec<u8>,
    /// `agi_calleridname`: VICIdial's id of the call.
    pub caller_id_name: Vec<u8>,
    /// `agi_extension`: what was dialed.
    pub extension: Vec<u8>,
    /// `agi_uniqueid`: Asterisk's id of the channel.
    pub unique_id: Vec<u8>,
    /// `agi_arg_1` and on; an empty one is like none.
    pub arguments: Vec<Vec<u8>>,
    /// Asterisk said that the channel is gone.
    pub hung_up: bool,
}

/// Whether more lines of a request come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// They do.
    More,
    /// That was the empty line at its end.
    Whole,
    /// No Asterisk speaks so.
    Nonsense,
}

impl Request {
    /// Takes a line without its end. Lines of no use are left out.
    pub fn take(&mut self, line: &[u8]) -> Step {
        if line.is_empty() {
            return Step::Whole;
        }
        if line == b"HANGUP" {
            self.hung_up = true;
            return Step::More;
        }
        let Some(rest) = line.strip_prefix(b"agi_") else {
            return Step::Nonsense;
        };
        let Some(cut) = rest.iter().position(|&byte| byte == b':') else {
            return Step::Nonsense;
        };
        let (name, value) = (&rest[..cut], &rest[cut + 1..]);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"network_script" => self.script = value.to_vec(),
            b"calleridname" => self.caller_id_name = value.to_vec(),
            b"extension" => self.extension = value.to_vec(),
            b"uniqueid" => self.unique_id = value.to_vec(),
            _ => {
                if let Some(place) = name.strip_prefix(b"arg_") {
                    self.argument(place, value);
                }
            }
        }
        Step::More
    }

    /// The path of the URL, without slashes at its ends.
    pub fn path(&self) -> &[u8] {
        let path = self.script.split(|&byte| byte == b'?').next();
        let mut path = path.unwrap_or_default();
        while let Some(rest) = path.strip_prefix(b"/") {
            path = rest;
        }
        while let Some(rest) = path.strip_suffix(b"/") {
            path = rest;
        }
        path
    }

    /// The query of the URL, as it was sent.
    pub fn query(&self) -> &[u8] {
        let cut = self.script.iter().position(|&byte| byte == b'?');
        cut.map_or(&[], |cut| &self.script[cut + 1..])
    }

    fn argument(&mut self, place: &[u8], value: &[u8]) {
        let place = std::str::from_utf8(place).ok();
        let place = place.and_then(|place| place.parse::<usize>().ok());
        let Some(place) = place.filter(|place| (1..=ARGUMENTS_MOST).contains(place)) else {
            return;
        };
        if self.arguments.len() < place {
            self.arguments.resize(place, Vec::new());
        }
        self.arguments[place - 1] = value.to_vec();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &[u8]) -> (Request, Step) {
        let mut request = Request::default();
        let mut step = Step::More;
        for line in text.split(|&byte| byte == b'\n') {
            step = request.take(line);
            if step != Step::More {
                break;
            }
        }
        (request, step)
    }

    #[test]
    fn what_asterisk_says_is_read() {
        let said = b"agi_network: yes\nagi_network_script: next-cid?to=1\nagi_request: agi://127.0.0.1/next-cid?to=1\n\
            agi_channel: Local/91725@default-00000001;2\nagi_uniqueid: 1795348800.1\nagi_callerid: 8005550199\n\
            agi_calleridname: V1122153045000012345\nagi_extension: 917275551212\nagi_arg_1: to=1\nagi_arg_3: \n\n";
        let (request, step) = read(said);
        assert_eq!(step, Step::Whole);
        assert_eq!(
            (request.path(), request.query()),
            (&b"next-cid"[..], &b"to=1"[..])
        );
        assert_eq!(request.caller_id_name, b"V1122153045000012345");
        assert_eq!(request.extension, b"917275551212");
        assert_eq!(request.unique_id, b"1795348800.1");
        assert_eq!(
            request.arguments,
            [b"to=1".to_vec(), Vec::new(), Vec::new()]
        );
    }

    #[test]
    fn a_hang_up_before_the_end_is_noted_and_what_is_no_agi_is_nonsense() {
        assert!(read(b"agi_extension: 1\nHANGUP\n\n").0.hung_up);
        assert_eq!(read(b"GET / HTTP/1.1\n").1, Step::Nonsense);
        assert_eq!(read(b"agi_extension\n").1, Step::Nonsense);
        assert_eq!(
            read(b"agi_arg_0: a\nagi_arg_99999999999: a\nagi_arg_-1: a\nagi_arg_33: a\n\n").0,
            Request::default()
        );
    }

    #[test]
    fn slashes_at_the_ends_of_a_path_do_not_count() {
        for script in ["next-cid", "/next-cid/", "next-cid/?a=b", "next-cid?"] {
            let request = Request {
                script: script.into(),
                ..Request::default()
            };
            assert_eq!(request.path(), b"next-cid", "{script}");
        }
    }

    proptest! {
        #[test]
        fn any_lines_are_read(text in prop::collection::vec(any::<u8>(), 0..2_000)) {
            let (request, _) = read(&text);
            request.path();
            request.query();
        }

        #[test]
        fn any_values_are_read(place in any::<u16>(), value in "[^\n]{0,200}", script in "[^\n]{0,200}") {
            let said = format!("agi_arg_{place}: {value}\nagi_network_script: {script}\n\n");
            let (request, step) = read(said.as_bytes());
            prop_assert_eq!(step, Step::Whole);
            prop_assert!(request.arguments.len() <= ARGUMENTS_MOST);
            prop_assert!(request.path().len() + request.query().len() <= script.len());
        }
    }
}
