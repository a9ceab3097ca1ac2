//! Who may ask: admins by token or JWT, dialers by key or address.

pub mod address;
pub mod first_token;
pub mod jwt;
pub mod token;

use std::fmt;
use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use caller_id_core::Timestamp;

use address::{AddressList, Client};
use jwt::JwtKey;
use token::Keys;

/// Who may do what.
#[derive(Debug, Default)]
pub struct Access {
    /// The static admin token.
    pub admin_tokens: Keys,
    /// Admins with a JWT.
    pub jwt: Option<JwtKey>,
    /// The token or the secret is one that everybody tries first: it opens for this machine only, never over a proxy.
    pub weak: bool,
    /// Addresses of admins; empty = all.
    pub admin_addresses: AddressList,
    /// Keys of dialers.
    pub dialer_keys: Keys,
    /// Addresses of dialers that need no key.
    pub dialer_addresses: AddressList,
    /// Proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: AddressList,
}

impl Access {
    /// Whether an admin asks.
    ///
    /// # Errors
    /// [`Refusal`] says why not.
    pub fn admin(&self, peer: IpAddr, headers: &HeaderMap, now: Timestamp) -> Result<(), Refusal> {
        let client = Client::of(peer, headers, &self.trusted_proxies);
        if !self.admin_addresses.is_empty() && !self.admin_addresses.has(client) {
            return Err(Refusal::AddressNotAllowed { client });
        }
        if self.weak && !client.is_this_machine() {
            return Err(Refusal::WeakSecret);
        }
        let given = headers.get("x-admin-token").map(|value| value.as_bytes());
        let given = given
            .filter(|token| !token.is_empty())
            .or_else(|| bearer(headers));
        self.admin_token(given.ok_or(Refusal::MissingToken)?, now)
    }

    fn admin_token(&self, given: &[u8], now: Timestamp) -> Result<(), Refusal> {
        if self.admin_tokens.has(given) {
            return Ok(());
        }
        match &self.jwt {
            Some(key) => key.check(given, now),
            None => Err(Refusal::InvalidToken),
        }
    }

    /// Whether a dialer asks: from this machine (unless that is where a trusted proxy is), from an address of `DIALER_ALLOW`, with a key of `DIALER_KEYS`, or an admin.
    ///
    /// # Errors
    /// [`Refusal`] says which setting to make.
    pub fn dialer(&self, peer: IpAddr, headers: &HeaderMap, now: Timestamp) -> Result<(), Refusal> {
        let client = Client::of(peer, headers, &self.trusted_proxies);
        if client.is_this_machine() || self.dialer_addresses.has(client) {
            return Ok(());
        }
        let key = headers.get("x-api-key").map(|value| value.as_bytes());
        let keys = [key, bearer(headers)];
        if keys
            .into_iter()
            .flatten()
            .any(|key| self.dialer_keys.has(key))
        {
            return Ok(());
        }
        self.admin(peer, headers, now).map_err(|_| Refusal::Dialer {
            client,
            key_given: keys.into_iter().flatten().next().is_some(),
        })
    }

    /// The same where there are no headers: a dialer that asks for itself, with the key that it gave.
    ///
    /// # Errors
    /// [`Refusal::Dialer`].
    pub fn dialer_with_key(&self, peer: IpAddr, key: Option<&[u8]>) -> Result<(), Refusal> {
        let client = Client::of(peer, &HeaderMap::new(), &self.trusted_proxies);
        let known_place = client.is_this_machine() || self.dialer_addresses.has(client);
        if known_place || key.is_some_and(|key| self.dialer_keys.has(key)) {
            return Ok(());
        }
        Err(Refusal::Dialer {
            client,
            key_given: key.is_some(),
        })
    }
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(7)?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}

/// Why somebody may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// An admin's request without token.
    MissingToken,
    /// A token that is none of ours, or no longer.
    InvalidToken,
    /// A JWT that we signed, and that is worth nothing; says why.
    Worthless(&'static str),
    /// A good JWT of somebody who is no admin.
    RoleRequired,
    /// `IP_WHITELIST` does not have the address.
    AddressNotAllowed {
        /// Who asked.
        client: Client,
    },
    /// The admin's token or secret is one that everybody tries first, and somebody from elsewhere asks.
    WeakSecret,
    /// A dialer without key from an address that nobody allowed.
    Dialer {
        /// Who asked.
        client: Client,
        /// There was a key, but none of ours.
        key_given: bool,
    },
}

impl Refusal {
    /// One word for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::MissingToken => "missing-token",
            Self::InvalidToken | Self::Worthless(_) => "invalid-token",
            Self::RoleRequired => "role-required",
            Self::AddressNotAllowed { .. } => "address-not-allowed",
            Self::WeakSecret => "weak-secret",
            Self::Dialer { .. } => "dialer-not-allowed",
        }
    }

    /// Which setting to make, where one would help.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::AddressNotAllowed { client } => Some(format!(
                "{client} is not in IP_WHITELIST{}",
                proxy_hint(*client)
            )),
            Self::Dialer {
                client: Client::Silent(address),
                ..
            } => Some(format!(
                "{address} is in TRUSTED_PROXIES and sent no X-Forwarded-For, so nobody can tell for whom it asks; a proxy \
                 must send that header; a dialer on the proxy's machine that asks directly needs \
                 DIALER_ALLOW={address}, or a key of DIALER_KEYS in the header X-API-Key"
            )),
            Self::Dialer { client, .. } => Some(format!(
                "send a key of DIALER_KEYS in the header X-API-Key, or add the address to DIALER_ALLOW: {client} was seen{}",
                proxy_hint(*client)
            )),
            Self::MissingToken
            | Self::InvalidToken
            | Self::Worthless(_)
            | Self::RoleRequired
            | Self::WeakSecret => None,
        }
    }
}

fn proxy_hint(client: Client) -> &'static str {
    match client {
        Client::Unproven(_) => {
            "; if that is your proxy, name it in TRUSTED_PROXIES, so that its X-Forwarded-For counts"
        }
        Client::Unknown => "; the proxy in TRUSTED_PROXIES must send a well-formed X-Forwarded-For",
        Client::Silent(_) => "; it is in TRUSTED_PROXIES, and sent no X-Forwarded-For",
        Client::Direct(_) | Client::Forwarded(_) => "",
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingToken => f.write_str("Missing admin token"),
            Self::InvalidToken | Self::Worthless(_) => f.write_str("Invalid token"),
            Self::RoleRequired => f.write_str("Admin role required"),
            Self::WeakSecret => f.write_str(
                "ADMIN_TOKEN or JWT_SECRET is one that everybody tries first, and opens for programs on this machine only: \
                 set one that nobody guesses",
            ),
            Self::AddressNotAllowed { .. } => f.write_str("IP not allowed"),
            Self::Dialer { key_given, .. } => {
                f.write_str(if *key_given {
                    "Invalid dialer key. "
                } else {
                    "Missing dialer key. "
                })?;
                let hint = self.hint().unwrap_or_default();
                write!(f, "Not allowed: {hint}")
            }
        }
    }
}

impl std::error::Error for Refusal {}
