//! What an ID token must say (OpenID Connect Core 1.0, 3.1.3.7), once its signature is known to be good.

use caller_id_core::Timestamp;
use serde_json::Value;

use super::super::claims::Claims;
use super::super::mac;

/// So far the clocks of the provider and ours may differ, in milliseconds.
const CLOCKS_DIFFER_MS: i64 = 120_000;

/// What is expected of a token.
pub(super) struct Expected<'a> {
    /// Who made it.
    pub(super) issuer: &'a str,
    /// For whom.
    pub(super) client: &'a str,
    /// For which sign-in.
    pub(super) nonce: &'a str,
    /// When that began.
    pub(super) begun: Timestamp,
    /// When it is looked at.
    pub(super) now: Timestamp,
}

impl Expected<'_> {
    /// Whether a token with these claims is what is expected.
    ///
    /// # Errors
    /// Says what is wrong.
    pub(super) fn check(&self, claims: &Claims) -> Result<(), String> {
        let bad = |why: &str| Err(format!("the ID token {why}"));
        let said = |name: &str| claims.get(name).and_then(Value::as_str);
        if said("iss") != Some(self.issuer) {
            return bad("is not of OIDC_ISSUER (iss)");
        }
        let audiences = audiences(claims.get("aud"));
        if !audiences.contains(&self.client) {
            return bad("is not for OIDC_CLIENT_ID (aud)");
        }
        let party = claims.get("azp");
        if party.is_some_and(|party| *party != self.client)
            || (audiences.len() > 1 && party.is_none())
        {
            return bad("was made for another service (azp)");
        }
        let nonce = said("nonce").unwrap_or_default();
        if !mac::same(nonce.as_bytes(), self.nonce.as_bytes()) {
            return bad("is not for this sign-in (nonce)");
        }
        if said("sub").is_none_or(str::is_empty) {
            return bad("does not say of whom it is (sub)");
        }
        self.check_times(claims)
    }

    fn check_times(&self, claims: &Claims) -> Result<(), String> {
        let ms = |name: &str| claims.get(name)?.as_f64().map(|seconds| seconds * 1_000.0);
        let bad = |why: &str| Err(format!("the ID token {why}"));
        let (Some(expires), Some(made)) = (ms("exp"), ms("iat")) else {
            return bad("does not say when it was made (iat) and when it ends (exp)");
        };
        // Written so that no comparison with NaN lets a token in.
        let earliest = (self.begun.as_ms() - CLOCKS_DIFFER_MS) as f64;
        let latest = (self.now.as_ms() + CLOCKS_DIFFER_MS) as f64;
        let in_time = made >= earliest && made <= latest;
        if !in_time {
            return bad(
                "was not made during this sign-in (iat): the clocks of the provider and of this machine may differ",
            );
        }
        let lasts = (self.now.as_ms() as f64) < expires;
        let begins = claims.get("nbf").is_none() || ms("nbf").is_some_and(|from| from <= latest);
        match lasts && begins {
            true => Ok(()),
            false => bad("has expired, or is not valid yet (exp, nbf)"),
        }
    }
}

fn audiences(claim: Option<&Value>) -> Vec<&str> {
    match claim {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_795_348_800;

    fn check(change: impl FnOnce(&mut Value)) -> Result<(), String> {
        let mut claims = json!({
            "iss": "https://id.example.com", "aud": "us", "sub": "7", "nonce": "n",
            "iat": NOW, "exp": NOW + 60,
        });
        change(&mut claims);
        let expected = Expected {
            issuer: "https://id.example.com",
            client: "us",
            nonce: "n",
            begun: Timestamp::from_ms((NOW - 30) * 1_000),
            now: Timestamp::from_ms(NOW * 1_000),
        };
        expected.check(claims.as_object().expect("an object"))
    }

    #[test]
    fn a_token_for_this_sign_in_is_good() {
        assert_eq!(check(|_| {}), Ok(()));
        assert_eq!(check(|claims| claims["aud"] = json!(["us"])), Ok(()));
        let two = |claims: &mut Value| {
            claims["aud"] = json!(["us", "them"]);
            claims["azp"] = json!("us");
        };
        assert_eq!(check(two), Ok(()));
    }

    #[test]
    fn whatever_else_it_says_is_refused() {
        let wrong = [
            ("iss", json!("https://id.example.com/")),
            ("iss", json!(null)),
            ("aud", json!("them")),
            ("aud", json!(["us", "them"])),
            ("azp", json!("them")),
            ("nonce", json!("m")),
            ("nonce", json!(null)),
            ("sub", json!("")),
            ("exp", json!(NOW)),
            ("exp", json!("soon")),
            ("exp", json!(null)),
            ("iat", json!(null)),
            ("iat", json!(NOW + 121)),
            ("iat", json!(NOW - 151)),
            ("nbf", json!(NOW + 121)),
            ("nbf", json!("now")),
        ];
        for (name, value) in wrong {
            let shown = format!("{name}: {value}");
            assert!(check(|claims| claims[name] = value).is_err(), "{shown}");
        }
    }
}
