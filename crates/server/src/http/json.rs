//! JSON objects that are written straight into the answer's buffer: the one answer that is written a hundred thousand
//! times is not worth a map, or a look at each letter of names that we chose.

use std::io::Write;

/// An object that is being written.
#[derive(Debug)]
pub(super) struct Object(Vec<u8>);

impl Object {
    /// An empty object, in a buffer with so much room.
    pub(super) fn with_room(bytes: usize) -> Self {
        let mut json = Vec::with_capacity(bytes);
        json.push(b'{');
        Self(json)
    }

    /// A text of ours: nothing in it needs escaping.
    pub(super) fn plain(&mut self, name: &'static str, value: &str) -> &mut Self {
        debug_assert!(is_plain(value), "{value:?}");
        self.name(name);
        self.quoted(value);
        self
    }

    /// A text of others, or null.
    pub(super) fn text(&mut self, name: &'static str, value: Option<&str>) -> &mut Self {
        let Some(value) = value else {
            return self.null(name);
        };
        self.name(name);
        if is_plain(value) {
            self.quoted(value);
        } else {
            serde_json::to_writer(&mut self.0, value).expect("text is written into memory");
        }
        self
    }

    /// A number, or null.
    pub(super) fn number(&mut self, name: &'static str, value: Option<i64>) -> &mut Self {
        let Some(value) = value else {
            return self.null(name);
        };
        self.name(name);
        write!(self.0, "{value}").expect("a number is written into memory");
        self
    }

    /// True or false.
    pub(super) fn flag(&mut self, name: &'static str, value: bool) -> &mut Self {
        self.name(name);
        let word: &[u8] = if value { b"true" } else { b"false" };
        self.0.extend_from_slice(word);
        self
    }

    /// Null.
    pub(super) fn null(&mut self, name: &'static str) -> &mut Self {
        self.name(name);
        self.0.extend_from_slice(b"null");
        self
    }

    /// An object in the object.
    pub(super) fn object(&mut self, name: &'static str, fill: impl FnOnce(&mut Self)) -> &mut Self {
        self.name(name);
        self.0.push(b'{');
        fill(self);
        self.0.push(b'}');
        self
    }

    /// The finished object.
    pub(super) fn end(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }

    fn name(&mut self, name: &'static str) {
        if self.0.last() != Some(&b'{') {
            self.0.push(b',');
        }
        self.quoted(name);
        self.0.push(b':');
    }

    fn quoted(&mut self, text: &str) {
        self.0.push(b'"');
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(b'"');
    }
}

/// Whether JSON takes a text as it is.
fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_object_reads_back() {
        let mut object = Object::with_room(16);
        object
            .plain("plain", "text")
            .text("other", Some("a \"b\" \\ \u{7}"))
            .text("none", None)
            .object("inner", |inner| {
                inner.number("one", Some(-1)).number("two", None);
            })
            .object("empty", |_| {})
            .flag("last", true);
        let read: Value = serde_json::from_slice(&object.end()).expect("JSON");
        let expected = json!({
            "plain": "text", "other": "a \"b\" \\ \u{7}", "none": null,
            "inner": {"one": -1, "two": null}, "empty": {}, "last": true,
        });
        assert_eq!(read, expected);
    }

    proptest! {
        #[test]
        fn every_text_reads_back(text in any::<String>()) {
            let mut object = Object::with_room(16);
            object.text("text", Some(&text));
            let read: Value = serde_json::from_slice(&object.end()).expect("JSON");
            prop_assert_eq!(read, json!({ "text": text }));
        }
    }
}
