//! Who asks, and what they may: people and programs by token, API key or JWT, dialers also by address.

pub mod address;
pub mod api_key;
pub mod attempts;
pub mod claims;
mod credential;
pub mod first_token;
pub mod jwks;
pub mod jwt;
pub mod key_keeper;
pub mod keyring;
pub mod mac;
pub mod oidc;
pub mod principal;
pub mod refusal;
pub mod sessions;
pub mod sign_in;
mod site;
pub mod token;

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue};
use caller_id_core::roles::Role;
use caller_id_core::{CampaignId, Timestamp};

use self::address::{AddressList, Client};
use self::attempts::{Attempt, Attempts, Door};
use self::credential::Credential;
use self::jwt::Tokens;
use self::keyring::Keyring;
use self::principal::Identity;
use self::token::{Keys, UNGUESSABLE_LENGTH};

pub use self::principal::{Principal, Scope};
pub use self::refusal::Refusal;

/// Who may do what.
#[derive(Debug, Default)]
pub struct Access {
    /// The static admin token.
    pub admin_tokens: Keys,
    /// People and programs with a JWT.
    pub tokens: Tokens,
    /// The token or the secret is one that everybody tries first: it opens for this machine only, never over a proxy.
    pub weak: bool,
    /// Addresses of people; empty = all.
    pub admin_addresses: AddressList,
    /// Keys of dialers.
    pub dialer_keys: Keys,
    /// Addresses of dialers that need no key.
    pub dialer_addresses: AddressList,
    /// Addresses that may measure the service without a key.
    pub monitor_addresses: AddressList,
    /// Proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: AddressList,
    /// Origins of the pages of other hosts that may ask, `*` for all.
    pub allowed_origins: Vec<HeaderValue>,
    /// The API keys.
    pub keys: Arc<Keyring>,
    /// Who failed lately.
    pub attempts: Attempts,
}

/// A request, as far as it matters for who asks.
#[derive(Debug, Clone, Copy)]
pub struct Visitor<'a> {
    /// The other end of the connection.
    pub peer: IpAddr,
    /// What came with it.
    pub headers: &'a HeaderMap,
    /// When it came.
    pub now: Timestamp,
}

impl Access {
    /// Whether somebody asks who may what `needed` may: by token, API key or JWT, from an address of `IP_WHITELIST`.
    ///
    /// # Errors
    /// [`Refusal`] says why not.
    pub fn person(&self, visitor: &Visitor<'_>, needed: Role) -> Result<Principal, Refusal> {
        let client = self.client(visitor);
        let identity = self.identify_person(visitor, client)?;
        if identity.may(needed) {
            Ok(identity.principal(client.seen()))
        } else {
            Err(Refusal::RoleRequired(needed))
        }
    }

    /// Whether a program asks that may measure the service by its address alone: on this machine and for itself, or of
    /// `METRICS_ALLOW`; never a web page of another host.
    pub fn is_monitor(&self, visitor: &Visitor<'_>) -> bool {
        let client = self.client(visitor);
        let known_place = client.is_this_machine() || self.monitor_addresses.has(client);
        known_place && !site::is_of_others(visitor.headers, &self.allowed_origins)
    }

    /// Whether a dialer asks: from this machine (unless that is where a trusted proxy is), from an address of `DIALER_ALLOW`
    /// (neither of them by a web page of another host), with a key of `DIALER_KEYS`, an API key or a JWT of that role; or an
    /// admin. Gives for which campaigns it may ask.
    ///
    /// # Errors
    /// [`Refusal`] says which setting to make.
    pub fn dialer(&self, visitor: &Visitor<'_>) -> Result<Scope, Refusal> {
        Ok(self.admit_visitor(visitor, &[])?.scope())
    }

    /// The same for what others than dialers may, too: those who may what `also` may. Gives who asks.
    ///
    /// # Errors
    /// As [`Access::dialer`].
    pub fn dialer_or(&self, visitor: &Visitor<'_>, also: &[Role]) -> Result<Principal, Refusal> {
        let identity = self.admit_visitor(visitor, also)?;
        Ok(identity.principal(self.client(visitor).seen()))
    }

    /// The same as [`Access::dialer`] where there are no headers: a dialer that asks for itself, with the key that it gave.
    ///
    /// # Errors
    /// [`Refusal::Dialer`], and what else can be wrong with an API key.
    pub fn dialer_with_key(
        &self,
        peer: IpAddr,
        key: Option<&[u8]>,
        now: Timestamp,
    ) -> Result<Scope, Refusal> {
        let client = Client::of(peer, &HeaderMap::new(), &self.trusted_proxies);
        let keys = key.map(Credential::read);
        Ok(self
            .admit_dialer(client, keys.as_slice(), now, &[])?
            .scope())
    }

    /// Whether to ask once more after this refusal: the identity provider was asked for its keys meanwhile.
    pub async fn learns(&self, refusal: &Refusal) -> bool {
        match (&self.tokens.provider, refusal) {
            (Some(provider), Refusal::UnknownSigner | Refusal::KeysAway) => provider.ask().await,
            _ => false,
        }
    }

    fn client(&self, visitor: &Visitor<'_>) -> Client {
        Client::of(visitor.peer, visitor.headers, &self.trusted_proxies)
    }

    fn identify_person(&self, visitor: &Visitor<'_>, client: Client) -> Result<Identity, Refusal> {
        if !self.admin_addresses.is_empty() && !self.admin_addresses.has(client) {
            return Err(Refusal::AddressNotAllowed { client });
        }
        let given = Credential::of_person(visitor.headers);
        self.check_strength(client, given)?;
        let given = given.ok_or(Refusal::MissingToken)?;
        let found = self.look_up(given, client, visitor.now);
        self.settle(found, given, (Door::People, client, visitor.now))
    }

    fn admit_visitor(&self, visitor: &Visitor<'_>, also: &[Role]) -> Result<Identity, Refusal> {
        let headers = visitor.headers;
        let given = Credential::of_dialer(headers);
        let identity = self.admit_dialer(self.client(visitor), &given, visitor.now, also)?;
        match identity {
            Identity::Place if site::is_of_others(headers, &self.allowed_origins) => {
                let why = "an address alone opens for no page of another host, see ALLOWED_ORIGINS";
                Err(Refusal::Forged(why))
            }
            known => Ok(known),
        }
    }

    /// A place that needs no key is enough; an API key that is given there all the same holds, with its campaigns.
    fn admit_dialer(
        &self,
        client: Client,
        given: &[Credential<'_>],
        now: Timestamp,
        also: &[Role],
    ) -> Result<Identity, Refusal> {
        let known_place = client.is_this_machine() || self.dialer_addresses.has(client);
        let may = |known: &Known| {
            let mut roles = also.iter().chain(&[Role::Dialer]);
            roles.any(|role| known.identity.may(*role))
        };
        let mut refused = None;
        for credential in given {
            if known_place && !matches!(credential, Credential::ApiKey(_)) {
                // Whoever may more is told from a dialer at the same place, where that matters; what else is given is passed over.
                let also_may = |known: &Known| also.iter().any(|role| known.identity.may(*role));
                if !also.is_empty()
                    && let Ok(known) = self.look_up_at_dialers_door(*credential, client, now)
                    && also_may(&known)
                {
                    return self.settle(Ok(known), *credential, (Door::Dialers, client, now));
                }
                continue;
            }
            let found = match self.look_up_at_dialers_door(*credential, client, now) {
                Ok(known) if may(&known) => {
                    return self.settle(Ok(known), *credential, (Door::Dialers, client, now));
                }
                Ok(_) => Refusal::RoleRequired(Role::Dialer),
                Err(why) => why,
            };
            // What is wrong with a key that is ours says more than that another is not.
            if refused.is_none() || !matches!(found, Refusal::InvalidToken | Refusal::WeakSecret) {
                refused = Some((found, *credential));
            }
        }
        if known_place {
            return Ok(Identity::Place);
        }
        let of_dialer = |key_given| Refusal::Dialer { client, key_given };
        match refused {
            None => Err(of_dialer(false)),
            Some((why, credential)) => {
                let why = match why {
                    Refusal::InvalidToken | Refusal::WeakSecret => of_dialer(true),
                    why => why,
                };
                self.settle(Err(why), credential, (Door::Dialers, client, now))
            }
        }
    }

    /// People must come from where people may come from, dialers need not.
    fn look_up_at_dialers_door(
        &self,
        given: Credential<'_>,
        client: Client,
        now: Timestamp,
    ) -> Result<Known, Refusal> {
        if let Credential::Shared(token) = given
            && self.dialer_keys.has(token)
        {
            return Ok(Known::by(token, Identity::DialerKey));
        }
        self.check_strength(client, Some(given))?;
        let known = self.look_up(given, client, now)?;
        let listed = self.admin_addresses.is_empty() || self.admin_addresses.has(client);
        if listed || known.identity.role() == Some(Role::Dialer) {
            Ok(known)
        } else {
            Err(Refusal::AddressNotAllowed { client })
        }
    }

    /// A secret that everybody tries first is not even compared when somebody from elsewhere asks.
    fn check_strength(&self, client: Client, given: Option<Credential<'_>>) -> Result<(), Refusal> {
        let guessed = matches!(given, None | Some(Credential::Shared(_)));
        if self.weak && guessed && !client.is_this_machine() {
            return Err(Refusal::WeakSecret);
        }
        Ok(())
    }

    fn look_up(
        &self,
        given: Credential<'_>,
        client: Client,
        now: Timestamp,
    ) -> Result<Known, Refusal> {
        match given {
            Credential::ApiKey(text) => {
                let key = self.keys.find(text).ok_or(Refusal::InvalidToken)?;
                key.admit(client, now)?;
                Ok(Known {
                    identity: Identity::Key(key),
                    guessable: false,
                })
            }
            Credential::Shared(token) if self.admin_tokens.has(token) => {
                Ok(Known::by(token, Identity::Token))
            }
            Credential::Shared(token) if self.dialer_keys.has(token) => {
                Ok(Known::by(token, Identity::DialerKey))
            }
            Credential::Shared(token) => self.tokens.check(token, now),
        }
    }

    /// Counts what fails. While an address or an account waits for having failed too often, nothing opens for it that
    /// somebody could find by trying; what nobody can find goes on to open, so that nobody is kept out by a neighbour's guesses.
    fn settle(
        &self,
        found: Result<Known, Refusal>,
        given: Credential<'_>,
        (door, client, now): (Door, Client, Timestamp),
    ) -> Result<Identity, Refusal> {
        if let Ok(known) = &found
            && !known.guessable
        {
            return found.map(|known| known.identity);
        }
        let account = given.account();
        let attempt = Attempt {
            door,
            client,
            account: account.as_deref(),
            now,
        };
        if let Some(wait_ms) = self.attempts.wait_ms(&attempt) {
            return Err(Refusal::TooManyFailures { wait_ms });
        }
        found.map(|known| known.identity).inspect_err(|refusal| {
            if refusal.is_of_a_guess() {
                self.attempts.failed(&attempt);
            }
        })
    }
}

/// Somebody who gave what is right.
struct Known {
    identity: Identity,
    /// Who tries long enough finds it.
    guessable: bool,
}

impl Known {
    /// By a token or key of the settings.
    fn by(token: &[u8], identity: Identity) -> Self {
        Self {
            identity,
            guessable: token.len() < UNGUESSABLE_LENGTH,
        }
    }
}

impl Scope {
    /// Whether somebody with this scope may ask for a number for `campaign`.
    ///
    /// # Errors
    /// [`Refusal::CampaignNotAllowed`].
    pub fn admit(&self, campaign: Option<&CampaignId>) -> Result<(), Refusal> {
        if self.has(campaign) {
            return Ok(());
        }
        Err(Refusal::CampaignNotAllowed {
            campaign: campaign.cloned(),
        })
    }
}
