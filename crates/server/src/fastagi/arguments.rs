//! What the dialplan says beyond what Asterisk says by itself: arguments, and a query in the URL.

use std::borrow::Cow;

use crate::pairs::{decode, halves};

use super::request::Request;

/// The names that an argument can have. Without a name, the place says which of the first four is meant.
const NAMES: [&str; 11] = [
    "to",
    "campaign",
    "agent",
    "call",
    "key",
    "reservation",
    "dialstatus",
    "answered_seconds",
    "dialed_seconds",
    "hangup_cause",
    "sip_code",
];

/// How many of [`NAMES`] an argument without a name can be.
const IN_PLACE: usize = 4;

/// Most parameters of a query that are looked at.
const PARAMETERS_MOST: usize = 64;

/// An argument is not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotText(pub &'static str);

/// The arguments of a call: those of the dialplan win over the query's.
#[derive(Debug)]
pub struct Arguments<'a>([Option<Cow<'a, [u8]>>; NAMES.len()]);

impl<'a> Arguments<'a> {
    /// The arguments of a request. Empty ones are like none; of one given twice the last counts.
    pub fn of(request: &'a Request) -> Self {
        let mut arguments = Self(Default::default());
        let query = request.query();
        for pair in query.split(|&byte| byte == b'&').take(PARAMETERS_MOST) {
            let (name, value) = halves(pair);
            if let Some(place) = named(&decode(name)) {
                arguments.keep(place, decode(value));
            }
        }
        for (place, argument) in request.arguments.iter().enumerate() {
            let (name, value) = halves(argument);
            // A campaign's name may have a `=`: what stands before it must be one of ours.
            match named(name).filter(|_| argument.len() > name.len()) {
                Some(named) => arguments.keep(named, Cow::Borrowed(value)),
                None if place < IN_PLACE => arguments.keep(place, Cow::Borrowed(argument)),
                None => {}
            }
        }
        arguments
    }

    /// The value of `name`, blanks round it removed; none when it is not there.
    ///
    /// # Errors
    /// [`NotText`].
    pub fn get(&self, name: &'static str) -> Result<Option<&str>, NotText> {
        match self.bytes(name).map(std::str::from_utf8) {
            Some(Ok(text)) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
            Some(Err(_)) => Err(NotText(name)),
            None => Ok(None),
        }
    }

    /// The value of `name` as it was given.
    pub fn bytes(&self, name: &'static str) -> Option<&[u8]> {
        let place = named(name.as_bytes())?;
        self.0[place].as_deref()
    }

    fn keep(&mut self, place: usize, value: Cow<'a, [u8]>) {
        if !value.trim_ascii().is_empty() {
            self.0[place] = Some(value);
        }
    }
}

fn named(name: &[u8]) -> Option<usize> {
    NAMES.iter().position(|known| known.as_bytes() == name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(script: &str, arguments: &[&str]) -> Request {
        Request {
            script: script.into(),
            arguments: arguments.iter().map(|&argument| argument.into()).collect(),
            ..Request::default()
        }
    }

    #[test]
    fn an_argument_says_its_name_or_stands_in_its_place() {
        let request = request("next-cid", &["13125550100", "", "agent=1001", "V1", "5"]);
        let arguments = Arguments::of(&request);
        assert_eq!(arguments.get("to"), Ok(Some("13125550100")));
        assert_eq!(arguments.get("campaign"), Ok(None));
        assert_eq!(arguments.get("agent"), Ok(Some("1001")));
        assert_eq!(arguments.get("call"), Ok(Some("V1")));
        assert_eq!(arguments.get("key"), Ok(None));
    }

    #[test]
    fn a_query_is_percent_decoded_and_arguments_win_over_it() {
        let script = "next-cid?to=%2B1%20312&campaign=A%26B&agent=1&agent=2&unknown=3&key=";
        let request = request(script, &["", "campaign=C=D"]);
        let arguments = Arguments::of(&request);
        assert_eq!(arguments.get("to"), Ok(Some("+1 312")));
        assert_eq!(arguments.get("campaign"), Ok(Some("C=D")));
        assert_eq!(arguments.get("agent"), Ok(Some("2")));
        assert_eq!(arguments.get("key"), Ok(None));
    }

    #[test]
    fn what_is_no_name_of_ours_is_a_value() {
        let request = request("next-cid", &["to", "A=B", " "]);
        let arguments = Arguments::of(&request);
        assert_eq!(arguments.get("to"), Ok(Some("to")));
        assert_eq!(arguments.get("campaign"), Ok(Some("A=B")));
        assert_eq!(arguments.get("agent"), Ok(None));
    }

    #[test]
    fn what_is_not_text_is_refused_by_name() {
        let request = request("next-cid?agent=%ff", &[]);
        assert_eq!(Arguments::of(&request).get("agent"), Err(NotText("agent")));
    }

    proptest! {
        #[test]
        fn any_arguments_are_read(
            script in prop::collection::vec(any::<u8>(), 0..300),
            arguments in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..40),
        ) {
            let request = Request { script, arguments, ..Request::default() };
            let arguments = Arguments::of(&request);
            for name in NAMES {
                prop_assert!(arguments.get(name) != Ok(Some("")));
            }
        }
    }
}
