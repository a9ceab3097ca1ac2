//! Lists in one value: `a, b` or `["a","b"]`.

use std::fmt;
use std::str::FromStr;

/// Values with commas between them. An empty text is an empty list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: FromStr> FromStr for List<T>
where
    T::Err: fmt::Display,
{
    type Err = String;

    /// Reads `a, b`; also the JSON list that the reference's settings were written in.
    ///
    /// # Errors
    /// What the entry's own parser says.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let inner = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(text);
        inner
            .split(',')
            .map(|entry| entry.trim().trim_matches(['"', '\'']).trim())
            .filter(|entry| !entry.is_empty())
            .map(|entry| entry.parse().map_err(|error: T::Err| error.to_string()))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_in_both_forms() {
        let plain: List<u8> = " 1, 2,".parse().unwrap();
        let json: List<u8> = r#"["1", "2"]"#.parse().unwrap();
        assert_eq!(plain, List(vec![1, 2]));
        assert_eq!(json, plain);
        assert_eq!("".parse::<List<u8>>(), Ok(List::default()));
        assert_eq!("[]".parse::<List<u8>>(), Ok(List::default()));
        assert!("1,x".parse::<List<u8>>().is_err());
    }
}
