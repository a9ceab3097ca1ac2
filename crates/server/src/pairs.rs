//! Names and values in one text, `a=b&c=d`, as query strings and forms have them.

use std::borrow::Cow;

use percent_encoding::percent_decode;

/// The name and the value of one pair; without `=` the value is empty.
pub fn halves(pair: &[u8]) -> (&[u8], &[u8]) {
    match pair.iter().position(|&byte| byte == b'=') {
        Some(cut) => (&pair[..cut], &pair[cut + 1..]),
        None => (pair, &[]),
    }
}

/// What `text` says when its escapes are read.
///
/// `+` is a blank, except at the beginning: people paste `to=+13125550100` and mean the plus. Half an escape is taken as it
/// stands.
pub fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(text);
    }
    let blanks: Vec<u8> = text
        .iter()
        .enumerate()
        .map(|(place, &byte)| {
            if byte == b'+' && place > 0 {
                b' '
            } else {
                byte
            }
        })
        .collect();
    Cow::Owned(percent_decode(&blanks).collect())
}
