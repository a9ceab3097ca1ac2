//! What somebody gives to be known by.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use jsonwebtoken::dangerous::insecure_decode_claims;
use smallvec::SmallVec;

use super::api_key;
use super::claims::Claims;

/// What was given, by its form alone: nobody has looked whether it is good.
#[derive(Clone, Copy)]
pub(super) enum Credential<'a> {
    /// It has the form of an API key.
    ApiKey(&'a [u8]),
    /// A token or key of the settings, or a token signed with a secret of theirs.
    Shared(&'a [u8]),
}

impl<'a> Credential<'a> {
    pub(super) fn read(given: &'a [u8]) -> Self {
        match api_key::has_form(given) {
            true => Self::ApiKey(given),
            false => Self::Shared(given),
        }
    }

    /// Whom it says to be, as yet without proof: the id of the key, or the `sub` of the token.
    pub(super) fn account(&self) -> Option<String> {
        match self {
            Self::ApiKey(text) => api_key::id_of(text).map(str::to_owned),
            Self::Shared(text) => {
                let claims = insecure_decode_claims::<Claims>(text).ok()?;
                claims.get("sub")?.as_str().map(str::to_owned)
            }
        }
    }

    /// What a person gave: the first of `X-Admin-Token`, `Authorization: Bearer` and `X-API-Key` that is not empty.
    pub(super) fn of_person(headers: &'a HeaderMap) -> Option<Self> {
        let given = header(headers, "x-admin-token").or_else(|| bearer(headers));
        let given = given.or_else(|| header(headers, "x-api-key"));
        given.map(Self::read)
    }

    /// All that a dialer gave.
    pub(super) fn of_dialer(headers: &'a HeaderMap) -> SmallVec<[Self; 3]> {
        let given = [
            header(headers, "x-api-key"),
            bearer(headers),
            header(headers, "x-admin-token"),
        ];
        given.into_iter().flatten().map(Self::read).collect()
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    let value = headers.get(name)?.as_bytes();
    (!value.is_empty()).then_some(value)
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(7)?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}
