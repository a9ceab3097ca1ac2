//! The environment and `.env`. The only place that reads them; the environment is never changed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

use super::ConfigError;
use super::describe::{Setting, settings};

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A flag of the command line.
    Flag,
    /// The environment.
    Environment,
    /// The file `.env` in the working directory.
    DotEnv,
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::DotEnv => ".env",
            Self::Default => "default",
        })
    }
}

/// What the environment and `.env` say. Empty values are left out: they are like none.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    values: BTreeMap<String, (String, Source)>,
}

const DOT_ENV: &str = ".env";
/// A name of fewer letters is short.
const SHORT: usize = 10;

impl Environment {
    /// The environment of this process, and `.env` of the working directory where there is one.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting that is no text, or the line of `.env` that cannot be read.
    pub fn of_process() -> Result<Self, ConfigError> {
        let variables = texts(std::env::vars_os())?;
        let dot_env = dot_env(Path::new(DOT_ENV), &variables)?;
        Ok(Self::new(variables, dot_env))
    }

    /// An environment of these values; `dot_env` fills what `variables` leaves open, in any case of the names.
    pub fn new(
        variables: impl IntoIterator<Item = (String, String)>,
        dot_env: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let mut environment = Self::default();
        let settings = settings();
        for (name, value) in dot_env {
            let name = setting_name(name, &settings);
            environment.set(name, value, Source::DotEnv);
        }
        for (name, value) in variables {
            environment.set(name, value, Source::Environment);
        }
        environment
    }

    fn set(&mut self, name: String, value: String, source: Source) {
        if !value.trim().is_empty() {
            self.values.insert(name, (value, source));
        }
    }

    /// The value of `name`, and where it came from.
    pub fn get(&self, name: &str) -> Option<(&str, Source)> {
        self.values
            .get(name)
            .map(|(value, source)| (value.as_str(), *source))
    }

    /// A line for each name that is no setting and looks like one.
    pub fn warnings(&self) -> Vec<String> {
        let known: Vec<String> = settings().into_iter().map(|setting| setting.name).collect();
        let told = self.likely_typos(&known).into_iter();
        told.map(|(name, source, near)| match source {
            Source::DotEnv => format!(".env: `{name}` is no setting; is `{near}` meant?"),
            _ => format!("`{name}` in the environment is no setting; is `{near}` meant?"),
        })
        .collect()
    }

    /// Names that are none of `known` but look like one, each with where it stands and the one it looks like. In the environment,
    /// which has much of others, short names must be nearer.
    fn likely_typos<'a>(&self, known: &'a [String]) -> Vec<(&str, Source, &'a str)> {
        let unknown = self.values.iter().filter(|(name, _)| !known.contains(name));
        unknown
            .filter_map(|(name, (_, source))| {
                let most = match source {
                    Source::DotEnv => 2,
                    _ if name.len() < SHORT => 1,
                    _ => 2,
                };
                let near = known.iter().find(|known| distance(name, known) <= most)?;
                Some((name.as_str(), *source, near.as_str()))
            })
            .collect()
    }
}

/// Variables that are text. A setting that is none must not count as not set: it may be the one that keeps others out.
fn texts(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Vec<(String, String)>, ConfigError> {
    let settings = settings();
    let mut texts = Vec::new();
    for (name, value) in variables {
        let Ok(name) = name.into_string() else {
            continue;
        };
        match value.into_string() {
            Ok(value) => texts.push((name, value)),
            Err(_) if settings.iter().any(|setting| setting.name == name) => {
                return Err(ConfigError::hidden(&name, "expected text in UTF-8"));
            }
            Err(_) => {}
        }
    }
    Ok(texts)
}

fn dot_env(
    path: &Path,
    variables: &[(String, String)],
) -> Result<Vec<(String, String)>, ConfigError> {
    let file = match std::fs::read(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(ConfigError::new(
                DOT_ENV,
                &path.display().to_string(),
                error.to_string(),
            ));
        }
    };
    super::dot_env::read(&file, |name| {
        let found = variables.iter().find(|(known, _)| known == name)?;
        Some(found.1.clone())
    })
}

/// The name of the setting, when it is one in another case; the service that this one replaces took any.
fn setting_name(name: String, settings: &[Setting]) -> String {
    let known = |setting: &&Setting| setting.name.eq_ignore_ascii_case(&name);
    let known = settings.iter().find(known);
    known.map_or(name, |setting| setting.name.clone())
}

/// How many letters differ (Levenshtein, case ignored).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<u8> = right
        .bytes()
        .map(|byte| byte.to_ascii_uppercase())
        .collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, letter) in left
        .bytes()
        .map(|byte| byte.to_ascii_uppercase())
        .enumerate()
    {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (place, other) in right.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[place + 1];
            row[place + 1] = changed.min(diagonal + 1).min(row[place] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn the_environment_wins_over_dot_env_and_empty_is_like_none() {
        let environment = Environment::new(
            pairs(&[("A", "1"), ("B", "")]),
            pairs(&[("A", "2"), ("B", "3"), ("C", " ")]),
        );
        assert_eq!(environment.get("A"), Some(("1", Source::Environment)));
        assert_eq!(environment.get("B"), Some(("3", Source::DotEnv)));
        assert_eq!(environment.get("C"), None);
    }

    #[test]
    fn names_that_look_like_a_setting_are_found() {
        let environment = Environment::new(
            pairs(&[
                ("REDIS_UR", "x"),
                ("API_PTRO", "1"),
                ("HOME", "x"),
                ("DATABASE_ULR", ""),
            ]),
            pairs(&[
                ("API_PROT", "1"),
                ("api_prt", "1"),
                ("PATH", "x"),
                ("API_PORT", "1"),
            ]),
        );
        assert_eq!(
            environment.warnings(),
            [
                ".env: `API_PROT` is no setting; is `API_PORT` meant?",
                "`REDIS_UR` in the environment is no setting; is `REDIS_URL` meant?",
                ".env: `api_prt` is no setting; is `API_PORT` meant?",
            ]
        );
    }

    #[test]
    fn dot_env_takes_the_names_of_settings_in_any_case() {
        let environment = Environment::new([], pairs(&[("api_port", "1"), ("Mine", "2")]));
        assert_eq!(environment.get("API_PORT"), Some(("1", Source::DotEnv)));
        assert_eq!(environment.get("Mine"), Some(("2", Source::DotEnv)));
    }

    #[cfg(unix)]
    #[test]
    fn a_setting_that_is_no_text_is_refused_and_others_are_passed_over() {
        use std::os::unix::ffi::OsStringExt;
        let variable = |name: &str| {
            let value = OsString::from_vec(b"10.0.0.0/8\xff".to_vec());
            texts([(OsString::from(name), value)])
        };
        assert_eq!(
            variable("IP_WHITELIST").unwrap_err().to_string(),
            "IP_WHITELIST: the value given (hidden) is not valid: expected text in UTF-8"
        );
        assert_eq!(variable("LESS_TERMCAP"), Ok(Vec::new()));
    }
}
