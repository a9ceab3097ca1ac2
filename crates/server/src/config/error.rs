//! A setting that cannot be used.

use thiserror::Error;

/// A setting with a value that cannot be used: one line that names the setting, the value and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{setting}: {value} is not valid: {expected}")]
pub struct ConfigError {
    setting: String,
    value: String,
    expected: String,
}

impl ConfigError {
    /// The setting `setting` cannot be `value`.
    pub fn new(setting: &str, value: &str, expected: impl Into<String>) -> Self {
        Self {
            setting: setting.to_owned(),
            value: format!("`{}`", value.replace(['\n', '\r'], " ")),
            expected: expected.into().replace(['\n', '\r'], " "),
        }
    }

    /// The setting cannot be what it is, and that is a secret.
    pub fn hidden(setting: &str, expected: impl Into<String>) -> Self {
        Self {
            setting: setting.to_owned(),
            value: "the value given (hidden)".to_owned(),
            expected: expected.into(),
        }
    }
}
