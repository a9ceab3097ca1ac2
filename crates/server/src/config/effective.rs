//! What holds for each setting, fit to be shown.

use super::source::Source;

/// What holds for one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// The setting.
    pub name: String,
    /// Its value, if any; `(hidden)` for secrets, URLs without passwords.
    pub value: Option<String>,
    /// Where it came from.
    pub source: Source,
}
