//! Who may ask.

use axum::http::HeaderValue;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use clap::Args;

use super::ConfigError;
use super::list::List;
use super::secret::Secret;
use crate::auth::Access;
use crate::auth::address::{AddressEntry, AddressList};
use crate::auth::attempts::Attempts;
use crate::auth::claims::{ClaimRules, RoleMapping};
use crate::auth::jwks::{Jwks, ProviderUrl};
use crate::auth::jwt::{JwtKey, Tokens};
use crate::auth::token::{Keys, is_weak};

/// Who may ask.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Access")]
pub struct AccessConfig {
    /// The admin's token. With neither this nor JWT_SECRET, one is made at the first start and kept in the file `admin-token`
    /// beside the database
    #[arg(long, value_name = "SECRET")]
    pub admin_token: Option<Secret>,
    /// The secret that admins' JSON web tokens are signed with
    #[arg(long, value_name = "SECRET")]
    pub jwt_secret: Option<Secret>,
    /// The algorithm of those: only HS256 (others by JWKS_URL)
    #[arg(long, value_name = "NAME", default_value = "HS256")]
    pub jwt_algorithm: JwtAlgorithm,
    /// Where an identity provider has the keys that it signs JSON web tokens with (JWKS): RS256 to RS512, PS256 to PS512,
    /// ES256, ES384 and EdDSA are taken. https://, or http:// on this machine
    #[arg(long, value_name = "URL")]
    pub jwks_url: Option<ProviderUrl>,
    /// What `iss` of each JSON web token must be; none = anything
    #[arg(long, value_name = "TEXT")]
    pub jwt_issuer: Option<String>,
    /// What `aud` of each JSON web token must have: one of these, with commas between them; none = anything. Set it with
    /// JWKS_URL, as the provider signs tokens for others, too
    #[arg(long, value_name = "TEXTS", default_value = "")]
    pub jwt_audience: List<String>,
    /// The claim of a JSON web token with the role, or with a list of them; names with dots between them are one inside
    /// the other, like realm_access.roles
    #[arg(long, value_name = "NAME", default_value = "role")]
    pub jwt_role_claim: String,
    /// What roles are called in that claim, like `callcenter-leads=operator,it=admin`; where it is set other words give no
    /// role. None = viewer, operator, admin and dialer
    #[arg(long, value_name = "MAPPINGS", default_value = "")]
    pub jwt_role_map: List<RoleMapping>,
    /// Addresses and networks that viewers, operators and admins may come from, with commas between them; none = all
    #[arg(long, value_name = "ADDRESSES", default_value = "")]
    pub ip_whitelist: List<AddressEntry>,
    /// Keys that dialers on other machines send in X-API-Key (over FastAGI in the argument `key`), with commas between them
    #[arg(long, value_name = "SECRET", default_value = "")]
    pub dialer_keys: List<Secret>,
    /// Addresses and networks of dialers that need no key, with commas between them
    #[arg(long, value_name = "ADDRESSES", default_value = "")]
    pub dialer_allow: List<AddressEntry>,
    /// Addresses and networks that may read `/metrics` without a key, with commas between them. Viewers may in any case, and
    /// programs on this machine as long as TRUSTED_PROXIES does not have 127.0.0.1: then name 127.0.0.1 here, too
    #[arg(long, value_name = "ADDRESSES", default_value = "")]
    pub metrics_allow: List<AddressEntry>,
    /// Proxies whose X-Forwarded-For is believed, with commas between them. With 127.0.0.1 here, a request from this
    /// machine without that header could be anybody's: dialers here that ask directly need DIALER_ALLOW=127.0.0.1 (where
    /// the proxy is sure to send the header) or a key, and Prometheus here METRICS_ALLOW=127.0.0.1
    #[arg(long, value_name = "ADDRESSES", default_value = "")]
    pub trusted_proxies: List<AddressEntry>,
}

/// The one algorithm there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JwtAlgorithm;

impl FromStr for JwtAlgorithm {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        (text.trim() == "HS256")
            .then_some(Self)
            .ok_or("expected HS256")
    }
}

impl fmt::Display for JwtAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HS256")
    }
}

const GUESSED: &str =
    "it is one that everybody tries first, expected at least 8 characters that nobody guesses";

impl AccessConfig {
    /// Refuses secrets that everybody tries first, unless only this machine can try.
    ///
    /// # Errors
    /// Names the setting; never shows the secret.
    pub fn check(&self, loopback: bool) -> Result<(), ConfigError> {
        match self.weak().first() {
            Some(setting) if !loopback => Err(ConfigError::hidden(
                setting,
                format!("{GUESSED} (or API_HOST=127.0.0.1)"),
            )),
            _ => Ok(()),
        }
    }

    /// Refuses keys of dialers that everybody tries first, where Asterisk on other machines may try them.
    ///
    /// # Errors
    /// Names the setting; never shows a key.
    pub fn check_keys(&self, loopback: bool) -> Result<(), ConfigError> {
        if loopback || !self.dialer_keys.0.iter().any(is_weak) {
            return Ok(());
        }
        let expected = format!("{GUESSED} (or AGI_LISTEN=127.0.0.1:4573)");
        Err(ConfigError::hidden("DIALER_KEYS", expected))
    }

    /// Secrets that everybody tries first.
    pub fn warnings(&self) -> Vec<String> {
        let warn = |setting: &&str| {
            format!(
                "{setting}: {GUESSED}; it is accepted only while API_HOST is loopback, and not over a proxy"
            )
        };
        let audience = (self.jwks_url.is_some() && self.jwt_audience.0.is_empty()).then(|| {
            "JWKS_URL is set, and JWT_AUDIENCE is not: tokens that the provider signed for other services open here, too"
                .to_owned()
        });
        self.weak().iter().map(warn).chain(audience).collect()
    }

    fn weak(&self) -> Vec<&'static str> {
        let tokens = [
            ("ADMIN_TOKEN", &self.admin_token),
            ("JWT_SECRET", &self.jwt_secret),
        ];
        let weak = tokens
            .iter()
            .filter(|(_, secret)| secret.as_ref().is_some_and(is_weak));
        let keys = self
            .dialer_keys
            .0
            .iter()
            .any(is_weak)
            .then_some("DIALER_KEYS");
        weak.map(|(setting, _)| *setting).chain(keys).collect()
    }

    /// Whether a trusted proxy is on this machine, so that being here is no way in.
    pub fn has_proxy_here(&self) -> bool {
        AddressList::new(self.trusted_proxies.0.iter().copied()).has_loopback()
    }

    /// Whether dialers on other machines have no way in.
    pub fn admits_no_dialer(&self) -> bool {
        self.dialer_keys.0.is_empty() && self.dialer_allow.0.is_empty()
    }

    /// Whether a token has to be made, because no other way in is set.
    pub fn needs_first_token(&self) -> bool {
        self.admin_token.is_none() && self.jwt_secret.is_none()
    }

    /// Who may do what. `first` is the token that was made, where one was; `origins` are those of pages that may ask.
    pub fn access(&self, first: Option<&Secret>, origins: Vec<HeaderValue>) -> Access {
        let addresses = |list: &List<AddressEntry>| AddressList::new(list.0.iter().copied());
        Access {
            admin_tokens: Keys::new(self.admin_token.iter().chain(first)),
            tokens: self.tokens(),
            weak: [&self.admin_token, &self.jwt_secret]
                .into_iter()
                .flatten()
                .any(is_weak),
            admin_addresses: addresses(&self.ip_whitelist),
            dialer_keys: Keys::new(&self.dialer_keys.0),
            dialer_addresses: addresses(&self.dialer_allow),
            monitor_addresses: addresses(&self.metrics_allow),
            trusted_proxies: addresses(&self.trusted_proxies),
            allowed_origins: origins,
            keys: Arc::default(),
            attempts: Attempts::default(),
        }
    }

    fn tokens(&self) -> Tokens {
        let provider = self.jwks_url.clone().map(Jwks::new);
        Tokens {
            secret: self.jwt_secret.as_ref().map(JwtKey::new),
            provider: provider.map(Arc::new),
            rules: ClaimRules {
                issuer: self.jwt_issuer.clone(),
                audiences: self.jwt_audience.0.clone(),
                role_claim: self.jwt_role_claim.clone(),
                roles: self.jwt_role_map.0.clone(),
            },
        }
    }
}
