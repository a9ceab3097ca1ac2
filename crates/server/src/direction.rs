//! Characters that turn the direction of the text round them: with one of them `exe.png` can be what reads as something else.

/// Whether a character turns the direction of what stands beside it, or says which it has.
pub(crate) const fn turns(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// Attributes that people read, or hear.
const READ: [&str; 6] = [
    "title=",
    "aria-label=",
    "alt=",
    "placeholder=",
    "data-asks=",
    "data-chart=",
];

/// Where in a page a character stands.
#[derive(Clone, Copy)]
enum Place {
    /// In text that is read.
    Text,
    /// In text that a form gives back as it is.
    Field,
    /// In a tag; `opens` a field or not.
    Tag { opens: bool },
    /// In the value of an attribute of such a tag.
    Value { opens: bool, is_read: bool },
}

/// A page with `\u{fffd}` for each of them that people would read. What addresses and forms carry stays as it is.
///
/// Quotes in texts and values are escaped, and values stand in double ones: so templates make pages.
pub(crate) fn in_html(html: String) -> String {
    if !html.contains(turns) {
        return html;
    }
    let mut place = Place::Text;
    let mut told = String::with_capacity(html.len());
    for (at, character) in html.char_indices() {
        let is_read = matches!(place, Place::Text | Place::Value { is_read: true, .. });
        told.push(match is_read && turns(character) {
            true => '\u{fffd}',
            false => character,
        });
        place = match (place, character) {
            (Place::Text | Place::Field, '<') => Place::Tag {
                opens: html[at..].starts_with("<textarea"),
            },
            (Place::Tag { opens: true }, '>') => Place::Field,
            (Place::Tag { opens: false }, '>') => Place::Text,
            (Place::Tag { opens }, '"') => {
                let name = html[..at].rsplit(char::is_whitespace).next();
                let is_read = name.is_some_and(|name| READ.contains(&name));
                Place::Value { opens, is_read }
            }
            (Place::Value { opens, .. }, '"') => Place::Tag { opens },
            (place, _) => place,
        };
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_turns_nothing_and_what_is_given_back_is_as_it_was() {
        for turning in [
            '\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}',
        ] {
            let page = |read: char, kept: char| {
                format!(
                    "<a href=\"/x/{kept}\" title=\"a > {read}\">{read}b</a><input value=\"{kept}\">\
                     <textarea name=\"c\" title=\"{read}\">{kept}</textarea>{read}<p data-asks=\"{read}\">ü{read}</p>"
                )
            };
            let told = in_html(page(turning, turning));
            assert_eq!(told, page('\u{fffd}', turning), "{turning:?}");
        }
    }

    #[test]
    fn other_text_is_as_it_is() {
        for text in ["", "<p>Zürich – 東京 … עברית</p>", "a\u{200d}b"] {
            assert_eq!(in_html(text.to_owned()), text);
        }
    }
}
