//! Sign-in of people: over an identity provider (OpenID Connect), and for how long.

use std::fmt;
use std::str::FromStr;

use axum::http::Uri;
use clap::Args;

use super::ConfigError;
use super::list::List;
use super::number::within;
use super::secret::Secret;
use crate::auth::claims::{ClaimRules, RoleMapping};
use crate::auth::jwks::ProviderUrl;
use crate::auth::oidc::Registration;

/// Where the identity provider sends people back to.
pub const CALLBACK: &str = "/sign-in/sso/callback";
const NOT_SET: &str = "(not set)";
const MINUTES_OF_HOUR: i64 = 60;
const MS_OF_MINUTE: i64 = 60_000;

/// Sign-in of people.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Sign-in")]
pub struct SsoConfig {
    /// The identity provider (OpenID Connect) that people sign in with, as it calls itself, like
    /// `https://id.example.com/realms/main`. https://, or http:// on this machine. None = sign-in with token or API key only
    #[arg(long, value_name = "URL")]
    pub oidc_issuer: Option<ProviderUrl>,
    /// As what this service is registered there
    #[arg(long, value_name = "TEXT")]
    pub oidc_client_id: Option<String>,
    /// The secret of that registration; none where it is a public client (PKCE is used in any case)
    #[arg(long, value_name = "SECRET")]
    pub oidc_client_secret: Option<Secret>,
    /// Where browsers reach this service, like `https://caller-id.example.com`. https://, or http:// on this machine
    #[arg(long, value_name = "URL")]
    pub public_url: Option<PublicUrl>,
    /// Where the provider sends people back to, as it is registered there: ends with /sign-in/sso/callback.
    /// None = PUBLIC_URL with that path
    #[arg(long, value_name = "URL")]
    pub oidc_redirect_url: Option<CallbackUrl>,
    /// What the provider is asked for, with blanks between the words; openid must be among them
    #[arg(long, value_name = "TEXT", default_value = "openid profile email", value_parser = scopes)]
    pub oidc_scopes: String,
    /// The claim with what somebody is, a text or a list; names with dots between them are one inside the other, like
    /// realm_access.roles
    #[arg(long, value_name = "NAME", default_value = "groups")]
    pub oidc_role_claim: String,
    /// What roles are called in that claim, like `caller-id-admins=admin,ops=operator`; of many the one that may most
    /// counts, and who has none is refused. None = viewer, operator and admin
    #[arg(long, value_name = "MAPPINGS", default_value = "")]
    pub oidc_role_map: List<RoleMapping>,
    /// After so many hours people sign in again
    #[arg(long, value_name = "HOURS", default_value = "12", value_parser = within::<1, 720>)]
    pub session_hours: u32,
}

impl SsoConfig {
    /// Refuses settings of which some are missing.
    ///
    /// # Errors
    /// [`ConfigError`] names what is there, and what is missing.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.registration().map(drop)
    }

    /// How this service is known to the identity provider; none where there is none.
    ///
    /// # Errors
    /// As [`SsoConfig::check`].
    pub fn registration(&self) -> Result<Option<Registration>, ConfigError> {
        let Some(issuer) = &self.oidc_issuer else {
            return self.nothing();
        };
        let missing = |setting: &str, expected: &str| {
            ConfigError::new(
                setting,
                NOT_SET,
                format!("{expected}, as OIDC_ISSUER is set"),
            )
        };
        let client = self.oidc_client_id.clone().ok_or_else(|| {
            missing(
                "OIDC_CLIENT_ID",
                "expected as what this service is registered there",
            )
        })?;
        let redirect = self.redirect().ok_or_else(|| {
            missing(
                "PUBLIC_URL",
                "expected where browsers reach this service (or OIDC_REDIRECT_URL)",
            )
        })?;
        Ok(Some(Registration {
            issuer: issuer.clone(),
            client,
            secret: self.oidc_client_secret.clone(),
            redirect,
            scopes: self.oidc_scopes.clone(),
            rules: ClaimRules {
                role_claim: self.oidc_role_claim.clone(),
                roles: self.oidc_role_map.0.clone(),
                ..ClaimRules::default()
            },
        }))
    }

    /// What is allowed, but should be known.
    pub fn warnings(&self, has_proxy: bool) -> Vec<String> {
        let encrypted = self
            .redirect()
            .is_some_and(|url| url.starts_with("https://"));
        let warning = (encrypted && !has_proxy).then(|| {
            "PUBLIC_URL or OIDC_REDIRECT_URL is https://, and TRUSTED_PROXIES is not set: nobody can tell that browsers come \
             by TLS, so session cookies are not marked Secure"
                .to_owned()
        });
        warning.into_iter().collect()
    }

    /// How long a session lasts, in milliseconds.
    pub fn session_ms(&self) -> i64 {
        i64::from(self.session_hours) * MINUTES_OF_HOUR * MS_OF_MINUTE
    }

    /// Where browsers reach this service, without a path; none where that is not said.
    pub fn origin(&self) -> Option<String> {
        let callback = self.redirect()?;
        callback.strip_suffix(CALLBACK).map(str::to_owned)
    }

    fn redirect(&self) -> Option<String> {
        let given = self.oidc_redirect_url.as_ref().map(|url| url.0.clone());
        let public = || Some(format!("{}{CALLBACK}", self.public_url.as_ref()?.0));
        given.or_else(public)
    }

    /// Without a provider nothing may be set that needs one.
    fn nothing(&self) -> Result<Option<Registration>, ConfigError> {
        let set = [
            ("OIDC_CLIENT_ID", self.oidc_client_id.is_some()),
            ("OIDC_CLIENT_SECRET", self.oidc_client_secret.is_some()),
            ("OIDC_REDIRECT_URL", self.oidc_redirect_url.is_some()),
            ("OIDC_ROLE_MAP", !self.oidc_role_map.0.is_empty()),
        ];
        match set.into_iter().find(|(_, is_set)| *is_set) {
            None => Ok(None),
            Some((setting, _)) => Err(ConfigError::new(
                "OIDC_ISSUER",
                NOT_SET,
                format!("expected the identity provider, as {setting} is set"),
            )),
        }
    }
}

/// Where browsers reach this service: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl FromStr for PublicUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected a URL without a path like https://caller-id.example.com; http:// only for this machine";
        let text = text.trim().trim_end_matches('/');
        match origin_and_path(text) {
            Some((origin, "" | "/")) => Ok(Self(origin)),
            _ => Err(EXPECTED),
        }
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where the provider sends people back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackUrl(String);

impl FromStr for CallbackUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected a URL like https://caller-id.example.com/sign-in/sso/callback; http:// only for this machine";
        match origin_and_path(text.trim()) {
            Some((origin, CALLBACK)) => Ok(Self(origin + CALLBACK)),
            _ => Err(EXPECTED),
        }
    }
}

impl fmt::Display for CallbackUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Both parts of a URL that browsers may send secrets to.
fn origin_and_path(text: &str) -> Option<(String, &str)> {
    text.parse::<ProviderUrl>().ok()?;
    let uri: Uri = text.parse().ok()?;
    let authority = uri.authority()?.as_str();
    let scheme = uri.scheme_str()?;
    if authority.contains('@') || uri.query().is_some() {
        return None;
    }
    let origin = format!("{scheme}://{authority}").to_ascii_lowercase();
    let path = text.get(origin.len()..)?;
    Some((origin, path))
}

fn scopes(text: &str) -> Result<String, String> {
    let words: Vec<_> = text.split_ascii_whitespace().collect();
    match words.contains(&"openid") {
        true => Ok(words.join(" ")),
        false => Err("expected words with blanks between them, openid among them".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::serve_settings;

    use super::*;

    const ISSUER: (&str, &str) = ("OIDC_ISSUER", "https://id.example.com/main");
    const CLIENT: (&str, &str) = ("OIDC_CLIENT_ID", "caller-id");
    const PUBLIC: (&str, &str) = ("PUBLIC_URL", "https://Calls.example.com:8443/");

    fn check(pairs: &[(&str, &str)]) -> String {
        let settings = serve_settings(pairs).expect("settings that can be read");
        match settings.sso.check() {
            Ok(()) => String::new(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn settings_of_which_some_are_missing_are_refused_by_name() {
        assert_eq!(check(&[]), "");
        assert_eq!(check(&[PUBLIC]), "");
        assert_eq!(check(&[ISSUER, CLIENT, PUBLIC]), "");
        assert!(check(&[ISSUER, PUBLIC]).starts_with("OIDC_CLIENT_ID: "));
        assert!(check(&[ISSUER, CLIENT]).starts_with("PUBLIC_URL: "));
        for alone in [
            CLIENT,
            ("OIDC_CLIENT_SECRET", "x"),
            ("OIDC_ROLE_MAP", "a=admin"),
        ] {
            let said = check(&[alone]);
            assert!(
                said.starts_with("OIDC_ISSUER: ") && said.contains(alone.0),
                "{said}"
            );
        }
    }

    #[test]
    fn people_are_sent_back_to_the_public_url_unless_another_is_said() {
        let redirect = |pairs: &[(&str, &str)]| {
            let settings = serve_settings(pairs).expect("settings");
            let registration = settings.sso.registration().expect("whole settings");
            registration.expect("a provider").redirect
        };
        assert_eq!(
            redirect(&[ISSUER, CLIENT, PUBLIC]),
            "https://calls.example.com:8443/sign-in/sso/callback"
        );
        let other = (
            "OIDC_REDIRECT_URL",
            "http://127.0.0.1:1/sign-in/sso/callback",
        );
        assert_eq!(redirect(&[ISSUER, CLIENT, PUBLIC, other]), other.1);
    }

    #[test]
    fn secrets_never_go_over_an_open_line() {
        for url in [
            "http://calls.example.com",
            "https://calls.example.com/x",
            "https://a@b.example.com",
            "calls",
        ] {
            assert!(url.parse::<PublicUrl>().is_err(), "{url}");
        }
        assert!("http://localhost:8000".parse::<PublicUrl>().is_ok());
        assert!(
            "https://a.example.com/callback"
                .parse::<CallbackUrl>()
                .is_err()
        );
        assert!(serve_settings(&[("OIDC_ISSUER", "http://id.example.com")]).is_err());
        assert!(serve_settings(&[("OIDC_SCOPES", "profile")]).is_err());
    }
}
