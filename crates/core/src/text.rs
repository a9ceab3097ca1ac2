//! Texts that people gave, in messages that people read.

/// Most characters of a given text that a message shows.
const SHOWN_MOST: usize = 64;

/// What was given, fit for one line: at most 64 characters, control characters as `\u{fffd}`, `…` where it is cut.
pub fn shown(text: &str) -> String {
    let plain = |character: char| match character.is_control() {
        true => '\u{fffd}',
        false => character,
    };
    let mut shown: String = text.chars().take(SHOWN_MOST).map(plain).collect();
    if text.chars().nth(SHOWN_MOST).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_is_shown_on_one_line_and_cut_where_it_is_long() {
        assert_eq!(shown("a\nb"), "a\u{fffd}b");
        assert_eq!(shown(&"ü".repeat(64)), "ü".repeat(64));
        assert_eq!(shown(&"ü".repeat(65)), format!("{}…", "ü".repeat(64)));
    }
}
