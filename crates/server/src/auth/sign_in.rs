//! Who signs in with a form, and who comes with a session.

use axum::http::HeaderMap;
use caller_id_core::Timestamp;
use caller_id_core::audit::{Author, AuthorKind};
use caller_id_core::roles::{Role, Session, SignedInBy};

use super::address::Client;
use super::attempts::{Attempt, Door};
use super::credential::Credential;
use super::principal::{Identity, Principal, Scope};
use super::refusal::Refusal;
use super::sessions::SessionSecret;
use super::{Access, Known, Visitor};

/// Somebody who may have a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entrant {
    /// Who, for the audit log.
    pub author: Author,
    /// What they may do.
    pub role: Role,
    /// By what they are known.
    pub by: SignedInBy,
    /// From when that is worth nothing; none = never.
    pub expires_at: Option<Timestamp>,
}

impl Access {
    /// Who gives this token or API key in a form, to get a session with the cookie `secret`. Signed tokens and keys of dialers
    /// get none.
    ///
    /// # Errors
    /// [`Refusal`]. Wrong ones are counted.
    pub fn enter(
        &self,
        visitor: &Visitor<'_>,
        given: &[u8],
        secret: &SessionSecret,
    ) -> Result<Entrant, Refusal> {
        let client = self.client(visitor);
        self.check_address(client)?;
        let credential = Credential::read(given);
        self.check_strength(client, Some(credential))?;
        let found = match credential {
            Credential::ApiKey(_) => self.look_up(credential, client, visitor.now),
            Credential::Shared(token) if self.admin_tokens.has(token) => {
                Ok(Known::by(token, Identity::Token))
            }
            Credential::Shared(_) => Err(Refusal::InvalidToken),
        };
        let identity = self.settle(found, credential, (Door::People, client, visitor.now))?;
        let role = identity.role().filter(|role| *role != Role::Dialer);
        let role = role.ok_or(Refusal::RoleRequired(Role::Viewer))?;
        let (by, expires_at) = match &identity {
            Identity::Key(key) => (SignedInBy::Key(key.key.id.clone()), key.key.expires_at),
            _ => (
                SignedInBy::Token(self.admin_tokens.proof(given, secret.reveal())),
                None,
            ),
        };
        Ok(Entrant {
            author: identity.principal(client.seen()).author,
            role,
            by,
            expires_at,
        })
    }

    /// Who comes with this session, by what they signed in with.
    ///
    /// # Errors
    /// [`Refusal`] when that is worth nothing any more, or not from there.
    pub fn session(
        &self,
        visitor: &Visitor<'_>,
        secret: &SessionSecret,
        session: &Session,
    ) -> Result<Principal, Refusal> {
        const ENDED: Refusal = Refusal::Worthless("the session has ended");
        let client = self.client(visitor);
        self.check_address(client)?;
        let kind = match &session.by {
            SignedInBy::Provider => AuthorKind::User,
            SignedInBy::Key(id) => {
                let key = self.keys.by_id(id).ok_or(ENDED)?;
                key.admit(client, visitor.now)?;
                AuthorKind::Key
            }
            SignedInBy::Token(proof) => {
                if self.weak && !client.is_this_machine() {
                    return Err(Refusal::WeakSecret);
                }
                if !self.admin_tokens.proves(secret.reveal(), proof) {
                    return Err(ENDED);
                }
                AuthorKind::Token
            }
        };
        Ok(Principal {
            author: Author {
                kind,
                name: session.name.clone(),
                address: client.seen(),
            },
            role: session.role,
            campaigns: Scope::All,
        })
    }

    /// Who asks with these headers, whatever they may, and from when on that is worth nothing where it is known.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn anybody(
        &self,
        visitor: &Visitor<'_>,
    ) -> Result<(Principal, Option<Timestamp>), Refusal> {
        let client = self.client(visitor);
        let identity = self.identify_person(visitor, client)?;
        if identity.role().is_none() {
            return Err(Refusal::RoleRequired(Role::Viewer));
        }
        let expires_at = match &identity {
            Identity::Key(key) => key.key.expires_at,
            _ => None,
        };
        Ok((identity.principal(client.seen()), expires_at))
    }

    /// Whether the browser came by TLS, as a trusted proxy says.
    pub fn is_by_tls(&self, visitor: &Visitor<'_>) -> bool {
        let mut header = visitor.headers.get_all("x-forwarded-proto").iter();
        let last = header.next_back().and_then(|value| value.to_str().ok());
        let last = last.and_then(|value| value.rsplit(',').next());
        let said = last.is_some_and(|last| last.trim().eq_ignore_ascii_case("https"));
        said && self
            .trusted_proxies
            .has(Client::Direct(visitor.peer.to_canonical()))
    }

    /// Whether people may come from there.
    ///
    /// # Errors
    /// [`Refusal::AddressNotAllowed`].
    pub fn check_place(&self, visitor: &Visitor<'_>) -> Result<(), Refusal> {
        self.check_address(self.client(visitor))
    }

    /// Somebody whom the identity provider named, for the audit log.
    pub fn user(&self, visitor: &Visitor<'_>, name: String) -> Author {
        Author {
            kind: AuthorKind::User,
            name,
            address: self.client(visitor).seen(),
        }
    }

    /// Whether this address was refused too often to be asked about.
    ///
    /// # Errors
    /// [`Refusal::TooManyFailures`].
    pub fn check_sign_ins(&self, visitor: &Visitor<'_>) -> Result<(), Refusal> {
        match self.attempts.wait_ms(&self.sign_in(visitor, None)) {
            Some(wait_ms) => Err(Refusal::TooManyFailures { wait_ms }),
            None => Ok(()),
        }
    }

    /// Counts that somebody was refused who signed in with a browser.
    pub fn sign_in_failed(&self, visitor: &Visitor<'_>, account: Option<&str>) {
        self.attempts.failed(&self.sign_in(visitor, account));
    }

    /// Whether the audit log is told of this refusal of a form: not while they wait for having failed too often, so that
    /// nobody fills the log.
    pub fn is_told(&self, visitor: &Visitor<'_>, refusal: &Refusal) -> bool {
        if matches!(refusal, Refusal::TooManyFailures { .. }) {
            return false;
        }
        // Wrong tokens and keys are counted already.
        let told = refusal.is_of_a_guess() || self.check_sign_ins(visitor).is_ok();
        if told && !refusal.is_of_a_guess() {
            self.sign_in_failed(visitor, None);
        }
        told
    }

    /// Begins an exchange with the identity provider: it counts until [`Access::exchanged`] says that it came to something.
    ///
    /// # Errors
    /// [`Refusal::TooManyFailures`] when too many from this address came to nothing lately.
    pub fn begin_exchange(&self, visitor: &Visitor<'_>) -> Result<(), Refusal> {
        let exchange = self.exchange(visitor);
        if let Some(wait_ms) = self.attempts.wait_ms(&exchange) {
            return Err(Refusal::TooManyFailures { wait_ms });
        }
        self.attempts.failed(&exchange);
        Ok(())
    }

    /// An exchange let somebody in, or could not be made.
    pub fn exchanged(&self, visitor: &Visitor<'_>) {
        self.attempts.succeeded(&self.exchange(visitor));
    }

    fn exchange(&self, visitor: &Visitor<'_>) -> Attempt<'static> {
        Attempt {
            door: Door::Exchange,
            client: self.client(visitor),
            account: None,
            now: visitor.now,
        }
    }

    fn sign_in<'a>(&self, visitor: &Visitor<'_>, account: Option<&'a str>) -> Attempt<'a> {
        Attempt {
            door: Door::SignIn,
            client: self.client(visitor),
            account,
            now: visitor.now,
        }
    }

    fn check_address(&self, client: Client) -> Result<(), Refusal> {
        if self.admin_addresses.is_empty() || self.admin_addresses.has(client) {
            return Ok(());
        }
        Err(Refusal::AddressNotAllowed { client })
    }
}

/// Whether headers have anything to be known by: then no cookie counts.
pub fn has_credential(headers: &HeaderMap) -> bool {
    Credential::of_person(headers).is_some()
}

/// As whom a form says to come, as far as that may be told: the id of an API key.
pub fn account(given: &[u8]) -> Option<String> {
    match Credential::read(given) {
        credential @ Credential::ApiKey(_) => credential.account(),
        Credential::Shared(_) => None,
    }
}
