//! Names that others gave, in texts that chat programs show: as text, and nothing that a chat program makes of text.

use caller_id_core::text::shown;

/// Looks like a full stop, and makes no link of `www.example.com`.
const DOT: char = '\u{2024}';
/// Stands for what could be a mention, a link, an emoji or markup.
const OTHER: char = '\u{b7}';

/// A name as it stands in a text: letters and digits of any script, blanks and hyphens as they are, `_` inside a word; what
/// looks alike for full stops, a middle dot for all else. At most 64 characters.
pub fn plain(name: &str) -> String {
    let name: Vec<char> = shown(name).chars().collect();
    let is_letter = |place: Option<usize>| {
        let char = place.and_then(|place| name.get(place));
        char.is_some_and(|char| char.is_alphanumeric())
    };
    let plain = name.iter().enumerate().map(|(place, char)| match char {
        char if char.is_alphanumeric() => *char,
        '-' | ' ' | '…' => *char,
        '_' if is_letter(place.checked_sub(1)) && is_letter(Some(place + 1)) => '_',
        '.' => DOT,
        _ => OTHER,
    });
    plain.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_are_as_they_are() {
        for name in ["solar", "east_coast-2", "Zürich Nord", "東京"] {
            assert_eq!(plain(name), name);
        }
    }

    #[test]
    fn no_name_is_a_mention_a_link_or_markup() {
        for name in [
            "<!channel>",
            "<@U024BE7LH>",
            "@everyone",
            "@here",
            "~town-square",
            "#general",
            "www.evil.example",
            "https://evil.example/x",
            "evil.example:80",
            "<https://evil.example|bank>",
            "[bank](https://evil.example)",
            "`code`",
            "```",
            "*bold*",
            "_italic_",
            "~~gone~~",
            "||spoiler||",
            ":skull:",
            "&lt;!here&gt;",
            "> quote",
            "a\u{202e}b",
            "a\u{200b}b",
            "a\u{7f}\u{1b}[31m",
            "tel:911",
            "a\\b",
        ] {
            let shown = plain(name);
            let harmless = |it: char| it.is_alphanumeric() || "- _\u{2024}\u{b7}".contains(it);
            assert!(shown.chars().all(harmless), "{name}: {shown}");
            assert!(!shown.starts_with('_') && !shown.ends_with('_'), "{shown}");
            assert_eq!(shown.chars().count(), name.chars().count());
        }
        assert_eq!(plain(&"x".repeat(200)).chars().count(), 65);
    }
}
