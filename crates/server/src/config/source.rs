//! The environment and `.env`. The only place that reads them; the environment is never changed.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use super::ConfigError;

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
    dot_env_names: Vec<String>,
}

const DOT_ENV: &str = ".env";

impl Environment {
    /// The environment of this process, and `.env` of the working directory where there is one.
    ///
    /// # Errors
    /// [`ConfigError`] names the line of `.env` that cannot be read.
    pub fn of_process() -> Result<Self, ConfigError> {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Ok(Self::new(variables, dot_env(Path::new(DOT_ENV))?))
    }

    /// An environment of these values; `dot_env` fills what `variables` leaves open.
    pub fn new(
        variables: impl IntoIterator<Item = (String, String)>,
        dot_env: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let mut environment = Self::default();
        for (name, value) in dot_env {
            environment.dot_env_names.push(name.clone());
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

    /// Names in `.env` that are none of `known` but look like one, each with the one it looks like.
    pub fn likely_typos<'a>(&self, known: &'a [String]) -> Vec<(&str, &'a str)> {
        let unknown = self
            .dot_env_names
            .iter()
            .filter(|name| !known.contains(name));
        unknown
            .filter_map(|name| {
                let near = known.iter().find(|known| distance(name, known) <= 2)?;
                Some((name.as_str(), near.as_str()))
            })
            .collect()
    }
}

fn dot_env(path: &Path) -> Result<Vec<(String, String)>, ConfigError> {
    let lines = match dotenvy::from_path_iter(path) {
        Ok(lines) => lines,
        Err(error) if error.not_found() => return Ok(Vec::new()),
        Err(error) => {
            return Err(ConfigError::new(
                DOT_ENV,
                &path.display().to_string(),
                error.to_string(),
            ));
        }
    };
    let unreadable = |error| match error {
        // The line may hold a secret: only its beginning is shown.
        dotenvy::Error::LineParse(line, _) => {
            let name = line.split('=').next().unwrap_or_default().to_owned();
            ConfigError::new(
                DOT_ENV,
                &name,
                "expected lines like NAME=value, values with blanks in quotes",
            )
        }
        other => ConfigError::new(DOT_ENV, &path.display().to_string(), other.to_string()),
    };
    lines.collect::<Result<_, _>>().map_err(unreadable)
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
            [],
            pairs(&[
                ("API_PROT", "1"),
                ("api_port", "1"),
                ("PATH", "x"),
                ("API_PORT", "1"),
            ]),
        );
        let known = ["API_PORT".to_owned()];
        assert_eq!(
            environment.likely_typos(&known),
            [("API_PROT", "API_PORT"), ("api_port", "API_PORT")]
        );
    }
}
