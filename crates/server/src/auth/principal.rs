//! Who asks, once that is known.

use std::net::IpAddr;
use std::sync::Arc;

use caller_id_core::CampaignId;
use caller_id_core::audit::{Author, AuthorKind};
use caller_id_core::roles::Role;

use super::keyring::KnownKey;

/// Who asks, and what they may. What authentication yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Who, for the audit log.
    pub author: Author,
    /// What they may do.
    pub role: Role,
    /// For which campaigns they may ask for numbers.
    pub campaigns: Scope,
}

/// For which campaigns somebody may ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Scope {
    /// For all, and without one.
    #[default]
    All,
    /// For these and no others; not without one.
    Only(Arc<[CampaignId]>),
}

impl Scope {
    /// These campaigns; none = all.
    pub fn of(campaigns: &[CampaignId]) -> Self {
        match campaigns {
            [] => Self::All,
            some => Self::Only(some.into()),
        }
    }

    /// Whether they may ask for a number for `campaign`.
    pub fn has(&self, campaign: Option<&CampaignId>) -> bool {
        match self {
            Self::All => true,
            Self::Only(some) => campaign.is_some_and(|campaign| some.contains(campaign)),
        }
    }
}

/// By what somebody is known. Cheap to make, as each call of a dialer makes one.
#[derive(Debug, Clone)]
pub(super) enum Identity {
    /// The admin token of the settings, or the one that was made.
    Token,
    /// A key of `DIALER_KEYS`.
    DialerKey,
    /// A dialer that needs no key where it is.
    Place,
    /// An API key.
    Key(Arc<KnownKey>),
    /// A person or a program with a signed token.
    User {
        /// What the token calls them.
        name: String,
        /// What the token lets them do; none where it has no role of ours.
        role: Option<Role>,
    },
}

impl Identity {
    pub(super) fn role(&self) -> Option<Role> {
        match self {
            Self::Token => Some(Role::Admin),
            Self::DialerKey | Self::Place => Some(Role::Dialer),
            Self::Key(key) => Some(key.key.role),
            Self::User { role, .. } => *role,
        }
    }

    pub(super) fn may(&self, needed: Role) -> bool {
        self.role().is_some_and(|role| role.may(needed))
    }

    pub(super) fn scope(&self) -> Scope {
        match self {
            Self::Key(key) => key.campaigns.clone(),
            _ => Scope::All,
        }
    }

    /// Somebody with this identity, from `address`, once it is known that they may something.
    pub(super) fn principal(self, address: Option<IpAddr>) -> Principal {
        let campaigns = self.scope();
        let role = self.role().unwrap_or(Role::Dialer);
        let (kind, name) = match self {
            Self::Token => (AuthorKind::Token, "admin".to_owned()),
            Self::DialerKey => (AuthorKind::Token, "dialer".to_owned()),
            Self::Place => (AuthorKind::Service, "dialer without key".to_owned()),
            Self::Key(key) => (AuthorKind::Key, key.key.name.clone()),
            Self::User { name, .. } => (AuthorKind::User, name),
        };
        Principal {
            author: Author {
                kind,
                name,
                address,
            },
            role,
            campaigns,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_of_campaigns_has_no_others_and_not_none() {
        let campaign = |name: &str| CampaignId::new(name).expect("a name");
        let scope = Scope::of(&[campaign("SOLAR")]);
        assert!(scope.has(Some(&campaign("SOLAR"))));
        assert!(!scope.has(Some(&campaign("ROOF"))) && !scope.has(None));
        assert!(Scope::of(&[]).has(None));
    }
}
