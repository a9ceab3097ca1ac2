//! Who asks, and what they may: people and programs by token, API key or JWT, dialers also by address.

pub mod address;
pub mod api_key;
mod credential;
pub mod first_token;
pub mod jwt;
pub mod keyring;
pub mod principal;
pub mod refusal;
pub mod token;

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::HeaderMap;
use caller_id_core::roles::Role;
use caller_id_core::{CampaignId, Timestamp};

use self::address::{AddressList, Client};
use self::credential::Credential;
use self::jwt::JwtKey;
use self::keyring::Keyring;
use self::principal::Identity;
use self::token::Keys;

pub use self::principal::{Principal, Scope};
pub use self::refusal::Refusal;

/// Who may do what.
#[derive(Debug, Default)]
pub struct Access {
    /// The static admin token.
    pub admin_tokens: Keys,
    /// People and programs with a JWT.
    pub jwt: Option<JwtKey>,
    /// The token or the secret is one that everybody tries first: it opens for this machine only, never over a proxy.
    pub weak: bool,
    /// Addresses of people; empty = all.
    pub admin_addresses: AddressList,
    /// Keys of dialers.
    pub dialer_keys: Keys,
    /// Addresses of dialers that need no key.
    pub dialer_addresses: AddressList,
    /// Proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: AddressList,
    /// The API keys.
    pub keys: Arc<Keyring>,
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
            Ok(identity.principal(needed, client.seen()))
        } else {
            Err(Refusal::RoleRequired(needed))
        }
    }

    /// Whether a dialer asks: from this machine (unless that is where a trusted proxy is), from an address of `DIALER_ALLOW`,
    /// with a key of `DIALER_KEYS`, an API key or a JWT of that role; or an admin. Gives for which campaigns it may ask.
    ///
    /// # Errors
    /// [`Refusal`] says which setting to make.
    pub fn dialer(&self, visitor: &Visitor<'_>) -> Result<Scope, Refusal> {
        let client = self.client(visitor);
        Ok(self.identify_dialer(visitor, client, &[])?.scope())
    }

    /// The same for what others than dialers may, too: those who may what `also` may. Gives who asks.
    ///
    /// # Errors
    /// As [`Access::dialer`].
    pub fn dialer_or(&self, visitor: &Visitor<'_>, also: &[Role]) -> Result<Principal, Refusal> {
        let client = self.client(visitor);
        let identity = self.identify_dialer(visitor, client, also)?;
        Ok(identity.principal(Role::Dialer, client.seen()))
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
        self.identify(given, client, visitor.now)
    }

    fn identify_dialer(
        &self,
        visitor: &Visitor<'_>,
        client: Client,
        also: &[Role],
    ) -> Result<Identity, Refusal> {
        let given = Credential::of_dialer(visitor.headers);
        self.admit_dialer(client, &given, visitor.now, also)
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
        let mut refusal = None;
        for credential in given {
            if known_place && !matches!(credential, Credential::ApiKey(_)) {
                continue;
            }
            match self.identify_at_dialers_door(*credential, client, now) {
                Ok(identity) if identity.may(Role::Dialer) => return Ok(identity),
                Ok(identity) if also.iter().any(|role| identity.may(*role)) => return Ok(identity),
                Ok(_) => refusal = Some(Refusal::RoleRequired(Role::Dialer)),
                // What is wrong with a key that is ours says more than that another is not.
                Err(Refusal::InvalidToken | Refusal::WeakSecret) => {}
                Err(why) => refusal = Some(why),
            }
        }
        if known_place {
            return Ok(Identity::Place);
        }
        Err(refusal.unwrap_or(Refusal::Dialer {
            client,
            key_given: !given.is_empty(),
        }))
    }

    /// People must come from where people may come from, dialers need not.
    fn identify_at_dialers_door(
        &self,
        given: Credential<'_>,
        client: Client,
        now: Timestamp,
    ) -> Result<Identity, Refusal> {
        if let Credential::Shared(token) = given
            && self.dialer_keys.has(token)
        {
            return Ok(Identity::DialerKey);
        }
        let of_dialer = |identity: &Identity| identity.role() == Some(Role::Dialer);
        let listed = self.admin_addresses.is_empty() || self.admin_addresses.has(client);
        let identity = self
            .check_strength(client, Some(given))
            .and_then(|()| self.identify(given, client, now))?;
        if of_dialer(&identity) || listed {
            Ok(identity)
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

    fn identify(
        &self,
        given: Credential<'_>,
        client: Client,
        now: Timestamp,
    ) -> Result<Identity, Refusal> {
        match given {
            Credential::ApiKey(text) => {
                let key = self.keys.find(text).ok_or(Refusal::InvalidToken)?;
                key.admit(client, now)?;
                Ok(Identity::Key(key))
            }
            Credential::Shared(token) if self.admin_tokens.has(token) => Ok(Identity::Token),
            Credential::Shared(token) if self.dialer_keys.has(token) => Ok(Identity::DialerKey),
            Credential::Shared(token) => match &self.jwt {
                Some(key) => key.check(token, now),
                None => Err(Refusal::InvalidToken),
            },
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
