//! What holds for each setting, fit to be shown.

use super::source::Source;

/// What stands in place of a secret.
pub const HIDDEN: &str = "(hidden)";

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

/// Secrets that were given as flags, where everybody sees them: one line each.
pub fn warnings(values: &[Effective]) -> Vec<String> {
    let flags = values.iter().filter(|held| held.source == Source::Flag);
    let told = flags.filter_map(|held| {
        let what = match held.value.as_deref()? {
            HIDDEN => "has a secret in it",
            // Of a URL is hidden what need not be a password.
            url if url.contains(HIDDEN) => "may have a password in it",
            _ => return None,
        };
        let (name, flag) = (&held.name, flag(&held.name));
        Some(format!(
            "{flag} {what}, and everybody on this machine can see the command line in the list of processes: \
             set {name} in the environment or in .env"
        ))
    });
    told.collect()
}

fn flag(name: &str) -> String {
    format!("--{}", name.to_ascii_lowercase().replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_flags_are_told_of_and_others_are_not() {
        let held = |name: &str, value: Option<&str>, source| Effective {
            name: name.to_owned(),
            value: value.map(str::to_owned),
            source,
        };
        let told = warnings(&[
            held("ADMIN_TOKEN", Some(HIDDEN), Source::Flag),
            held("JWT_SECRET", Some(HIDDEN), Source::Environment),
            held("DIALER_KEYS", None, Source::Flag),
            held(
                "DATABASE_URL",
                Some("postgres://(hidden)@db/x"),
                Source::Flag,
            ),
            held("REDIS_URL", Some("redis://db/0"), Source::Flag),
            held("API_PORT", Some("1"), Source::Flag),
        ]);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("--admin-token has a secret in it"));
        assert!(told[0].ends_with("set ADMIN_TOKEN in the environment or in .env"));
        assert!(told[1].starts_with("--database-url may have a password in it"));
    }
}
