//! Why somebody may not, in words for those who ask.

use std::fmt;

use caller_id_core::CampaignId;
use caller_id_core::roles::Role;

use super::address::Client;

/// The provider is asked for its keys that often, in seconds.
const KEYS_RETRY_S: i64 = 30;

/// Why somebody may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// An admin's request without token.
    MissingToken,
    /// A token that is none of ours, or no longer.
    InvalidToken,
    /// A JWT signed with a key of the identity provider that is not known here.
    UnknownSigner,
    /// The same, while the provider cannot be asked for its keys: it may be a good one.
    KeysAway,
    /// A JWT that we signed, or an API key of ours, that is worth nothing; says why.
    Worthless(&'static str),
    /// Somebody who is known, and may not do that: this role is needed.
    RoleRequired(Role),
    /// `IP_WHITELIST` does not have the address.
    AddressNotAllowed {
        /// Who asked.
        client: Client,
    },
    /// The list of the API key does not have the address.
    KeyAddress {
        /// Who asked.
        client: Client,
        /// The name of the key.
        key: String,
    },
    /// Too many wrong credentials came from there, or for that account.
    TooManyFailures {
        /// How long to wait, in milliseconds.
        wait_ms: i64,
    },
    /// The API key is for other campaigns.
    CampaignNotAllowed {
        /// For which it was asked.
        campaign: Option<CampaignId>,
    },
    /// The admin's token or secret is one that everybody tries first, and somebody from elsewhere asks.
    WeakSecret,
    /// A session's cookie came with a request that a page of others may have made; says what is missing.
    Forged(&'static str),
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
            Self::InvalidToken | Self::UnknownSigner | Self::Worthless(_) => "invalid-token",
            Self::KeysAway => "keys-away",
            Self::RoleRequired(_) => "role-required",
            Self::AddressNotAllowed { .. } | Self::KeyAddress { .. } => "address-not-allowed",
            Self::CampaignNotAllowed { .. } => "campaign-not-allowed",
            Self::TooManyFailures { .. } => "too-many-failures",
            Self::WeakSecret => "weak-secret",
            Self::Forged(_) => "forged-request",
            Self::Dialer { .. } => "dialer-not-allowed",
        }
    }

    /// Whether what was given is none of ours: it may be a guess.
    pub(super) fn is_of_a_guess(&self) -> bool {
        match self {
            Self::InvalidToken | Self::UnknownSigner => true,
            Self::Dialer { key_given, .. } => *key_given,
            _ => false,
        }
    }

    /// How long to wait before the next attempt, in seconds.
    pub fn retry_after_s(&self) -> Option<i64> {
        match self {
            Self::TooManyFailures { wait_ms } => Some(wait_seconds(*wait_ms)),
            Self::KeysAway => Some(KEYS_RETRY_S),
            _ => None,
        }
    }

    /// Which setting to make, where one would help.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::AddressNotAllowed { client } => Some(format!(
                "{client} is not in IP_WHITELIST{}{}",
                proxy_hint(*client),
                commands_hint(*client)
            )),
            Self::KeyAddress { client, key } => Some(format!(
                "{client} is not in the address list of the key `{key}`{}",
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
                "send an API key, or one of DIALER_KEYS, in the header X-API-Key, or add the address to DIALER_ALLOW: {client} was seen{}",
                proxy_hint(*client)
            )),
            Self::MissingToken
            | Self::InvalidToken
            | Self::UnknownSigner
            | Self::KeysAway
            | Self::TooManyFailures { .. }
            | Self::Worthless(_)
            | Self::RoleRequired(_)
            | Self::CampaignNotAllowed { .. }
            | Self::Forged(_)
            | Self::WeakSecret => None,
        }
    }
}

fn wait_seconds(ms: i64) -> i64 {
    ms.saturating_add(999) / 1_000
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

/// What helps whoever types commands on the machine of the service, with an allow list for people elsewhere.
fn commands_hint(client: Client) -> &'static str {
    match client {
        Client::Direct(address) | Client::Silent(address) if address.is_loopback() => {
            "; commands on this machine need it there"
        }
        _ => "",
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingToken => f.write_str("Missing admin token"),
            Self::InvalidToken | Self::UnknownSigner | Self::Worthless(_) => {
                f.write_str("Invalid token")
            }
            Self::KeysAway => f.write_str(
                "The token cannot be checked: the keys of the identity provider (JWKS_URL) cannot be fetched now",
            ),
            Self::TooManyFailures { wait_ms } => {
                let seconds = wait_seconds(*wait_ms);
                write!(f, "Too many wrong tokens or keys. Retry in {seconds} seconds.")
            }
            Self::RoleRequired(role) => {
                let mut word = role.as_str().to_owned();
                word[..1].make_ascii_uppercase();
                write!(f, "{word} role required")
            }
            Self::WeakSecret => f.write_str(
                "ADMIN_TOKEN or JWT_SECRET is one that everybody tries first, and opens for programs on this machine only: \
                 set one that nobody guesses",
            ),
            Self::Forged(why) => write!(f, "A page of another site may have asked: {why}"),
            Self::AddressNotAllowed { .. } | Self::KeyAddress { .. } => {
                f.write_str("IP not allowed")
            }
            Self::CampaignNotAllowed {
                campaign: Some(campaign),
            } => {
                let campaign = caller_id_core::text::shown(campaign.as_str());
                write!(f, "The key is not for the campaign `{campaign}`")
            }
            Self::CampaignNotAllowed { campaign: None } => {
                f.write_str("The key is for some campaigns only: say which in `campaign`")
            }
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
