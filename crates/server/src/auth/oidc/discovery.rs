//! What a provider says of itself (OpenID Connect Discovery 1.0).

use serde::Deserialize;

use super::super::jwks::ProviderUrl;

/// Where its document is, after what it calls itself.
pub(super) const PATH: &str = "/.well-known/openid-configuration";

/// What of it is used here.
#[derive(Debug)]
pub(super) struct Discovery {
    /// Where browsers go.
    pub(super) authorization: ProviderUrl,
    /// Where a code is exchanged.
    pub(super) token: ProviderUrl,
    /// Its public keys.
    pub(super) keys: ProviderUrl,
    /// Where more is told of a person.
    pub(super) userinfo: Option<ProviderUrl>,
    /// It takes the client's secret in the body alone.
    pub(super) secret_in_body: bool,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Discovery {
    /// Reads the document of the provider that calls itself `issuer`.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(super) fn parse(text: &str, issuer: &str) -> Result<Self, String> {
        let document: Document = serde_json::from_str(text)
            .map_err(|error| format!("it is no such document: {error}"))?;
        if document.issuer != issuer {
            let said = caller_id_core::text::shown(&document.issuer);
            return Err(format!(
                "the provider calls itself `{said}`: OIDC_ISSUER must be the same, to the letter"
            ));
        }
        let url = |name: &str, text: &str| {
            let url = text.parse::<ProviderUrl>();
            url.map_err(|expected| format!("{name}: {expected}"))
        };
        let userinfo = document.userinfo_endpoint.as_deref();
        let methods = document.token_endpoint_auth_methods_supported;
        let takes = |method: &str| {
            let methods = methods.as_deref().unwrap_or_default();
            methods.iter().any(|known| known == method)
        };
        Ok(Self {
            authorization: url("authorization_endpoint", &document.authorization_endpoint)?,
            token: url("token_endpoint", &document.token_endpoint)?,
            keys: url("jwks_uri", &document.jwks_uri)?,
            userinfo: userinfo
                .map(|text| url("userinfo_endpoint", text))
                .transpose()?,
            secret_in_body: takes("client_secret_post") && !takes("client_secret_basic"),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "https://id.example.com";

    fn parse(change: impl FnOnce(&mut Value)) -> Result<Discovery, String> {
        let mut document = json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.example.com/auth?tenant=1",
            "token_endpoint": "https://id.example.com/token",
            "jwks_uri": "https://keys.example.com/jwks",
        });
        change(&mut document);
        Discovery::parse(&document.to_string(), ISSUER)
    }

    #[test]
    fn a_document_says_where_everything_is() {
        let found = parse(|_| {}).expect("a good document");
        assert_eq!(found.keys.as_str(), "https://keys.example.com/jwks");
        assert!(found.userinfo.is_none() && !found.secret_in_body);
        let post = parse(|document| {
            document["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
        });
        assert!(post.expect("a good document").secret_in_body);
    }

    #[test]
    fn another_name_an_open_line_and_gaps_are_refused() {
        let wrong = |name: &str, value: Value| {
            parse(|document| document[name] = value).expect_err("a bad document")
        };
        let other = wrong("issuer", json!("https://id.example.com/"));
        assert!(other.contains("OIDC_ISSUER must be the same"), "{other}");
        let open = wrong("token_endpoint", json!("http://id.example.com/token"));
        assert!(open.starts_with("token_endpoint: "), "{open}");
        assert!(wrong("userinfo_endpoint", json!("x")).starts_with("userinfo_endpoint"));
        assert!(wrong("jwks_uri", Value::Null).contains("no such document"));
        assert!(Discovery::parse("<html>", ISSUER).is_err());
    }
}
