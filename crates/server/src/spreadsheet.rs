//! Text that a spreadsheet would run as a formula, and how a CSV file holds it so that it does not.

use std::borrow::Cow;

/// What a formula begins with; the wide forms come from East Asian keyboards.
const BEGINNINGS: [char; 10] = [
    '=', '+', '-', '@', '\t', '\r', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
];

/// Whether a spreadsheet would take `text` for a formula.
pub fn is_formula(text: &str) -> bool {
    text.starts_with(BEGINNINGS) || text.trim_start().starts_with(BEGINNINGS)
}

/// `text` as a cell that nobody reads back: with an apostrophe in front where it is a formula and nothing like the phone
/// numbers of our own columns.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let of_numbers = |letter: char| letter.is_ascii_digit() || "+ ().-".contains(letter);
    match is_formula(text) && !text.chars().all(of_numbers) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

/// `text` as a cell that [`unmarked`] gives back: with an apostrophe in front where it is a formula, or one behind apostrophes.
pub fn marked(text: &str) -> Cow<'_, str> {
    match is_formula(text.trim_start_matches('\'')) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

/// The text of a cell that was [`marked`], or that people wrote with an apostrophe so that their spreadsheet keeps it as text.
pub fn unmarked(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_formula(text.trim_start_matches('\'')) => text,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_marked_is_no_formula_and_is_read_back_as_it_was() {
        for formula in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            " =1",
            "\u{ff1d}1",
            "+SUM(A1)",
        ] {
            assert!(is_formula(formula), "{formula}");
            let cell = marked(formula);
            assert!(!is_formula(&cell), "{cell}");
            assert_eq!(unmarked(&cell), formula);
            let twice = marked(&cell);
            assert_eq!((twice.len(), unmarked(&twice)), (cell.len() + 1, &*cell));
        }
        for text in ["", "Acme", "'s Gravenhage", "''", "a=1", "'"] {
            assert_eq!((&*marked(text), unmarked(text)), (text, text));
        }
    }

    #[test]
    fn phone_numbers_are_not_changed() {
        for number in ["+13125550100", "+1 (312) 555-0100", "+1.312.555.0100"] {
            assert_eq!(harmless(number), number);
        }
        assert_eq!(harmless("+1+cmd|'x'!A0"), "'+1+cmd|'x'!A0");
        assert_eq!(harmless("=1"), "'=1");
    }
}
