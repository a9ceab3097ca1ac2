//! What a signed token says of somebody, whoever signed it.

use std::fmt;
use std::str::FromStr;

use caller_id_core::Timestamp;
use caller_id_core::roles::Role;
use serde_json::{Map, Value};

use super::refusal::Refusal;

/// The members of a token.
pub type Claims = Map<String, Value>;

/// Most bytes of a name.
const NAME_MOST: usize = 256;
/// What a token without a name is called.
const NAMELESS: &str = "a token without sub";

/// What is expected of claims, and where the role is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRules {
    /// What `iss` must be; none = anything.
    pub issuer: Option<String>,
    /// One of these must be in `aud`; empty = anything.
    pub audiences: Vec<String>,
    /// The claim with the role: its name, or names with dots between them, one inside the other.
    pub role_claim: String,
    /// What their words mean; empty: the words are the roles themselves.
    pub roles: Vec<RoleMapping>,
}

impl Default for ClaimRules {
    fn default() -> Self {
        Self {
            issuer: None,
            audiences: Vec::new(),
            role_claim: "role".to_owned(),
            roles: Vec::new(),
        }
    }
}

/// `their-word=role`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleMapping {
    /// What they call it.
    pub word: String,
    /// What that is here.
    pub role: Role,
}

impl FromStr for RoleMapping {
    type Err = String;

    /// Reads `their-word=role`; their word may have `=` in it.
    ///
    /// # Errors
    /// Says what was given and what was expected.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.rsplit_once('=');
        let (word, role) = parts
            .ok_or_else(|| format!("`{text}` is no mapping like callcenter-leads=operator"))?;
        match word.trim() {
            "" => Err(format!("`{text}` maps nothing, expected a word before `=`")),
            word => Ok(Self {
                word: word.to_owned(),
                role: role.parse()?,
            }),
        }
    }
}

impl fmt::Display for RoleMapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.word, self.role)
    }
}

impl ClaimRules {
    /// Whether a token with these claims is for us, and good at `now`; a `nbf` up to `early_ms` ahead of our clock is.
    ///
    /// # Errors
    /// [`Refusal::Worthless`] says what is wrong.
    pub fn check(&self, claims: &Claims, now: Timestamp, early_ms: i64) -> Result<(), Refusal> {
        in_time(claims, now, early_ms)?;
        let said = |name: &str| claims.get(name).and_then(Value::as_str);
        if self
            .issuer
            .as_deref()
            .is_some_and(|us| said("iss") != Some(us))
        {
            return Err(Refusal::Worthless("the token is not of JWT_ISSUER"));
        }
        let meant = |audience: &str| self.audiences.iter().any(|us| us == audience);
        if !self.audiences.is_empty() && !words(claims.get("aud")).any(meant) {
            return Err(Refusal::Worthless("the token is not for JWT_AUDIENCE"));
        }
        Ok(())
    }

    /// The role that the claims give: of many the one that may most. None where none is one of ours.
    pub fn role(&self, claims: &Claims) -> Option<Role> {
        // By its whole name first: some providers' names are URLs, with dots in them.
        let whole = claims.get(&self.role_claim);
        let claim = whole.or_else(|| inside(claims, &self.role_claim));
        words(claim)
            .filter_map(|word| self.meaning(word))
            .max_by_key(|role| rank(*role))
    }

    fn meaning(&self, word: &str) -> Option<Role> {
        if self.roles.is_empty() {
            return Role::ALL.into_iter().find(|role| role.as_str() == word);
        }
        let meant = self.roles.iter().filter(|mapping| mapping.word == word);
        meant
            .map(|mapping| mapping.role)
            .max_by_key(|role| rank(*role))
    }
}

/// What the claims call somebody, for the audit log: `sub`, else `name`.
pub fn name(claims: &Claims) -> String {
    let said = ["sub", "name"].into_iter().find_map(|claim| {
        let said = claims.get(claim)?.as_str()?.trim();
        (!said.is_empty()).then_some(said)
    });
    fit(said.unwrap_or(NAMELESS))
}

/// A name fit for one line of the audit log: of 256 bytes at most, without control characters.
pub fn fit(name: &str) -> String {
    let plain = |letter: char| match letter.is_control() {
        true => '\u{fffd}',
        false => letter,
    };
    let mut bytes = 0;
    let fitting = name.chars().map(plain).take_while(|letter| {
        bytes += letter.len_utf8();
        bytes <= NAME_MOST
    });
    fitting.collect()
}

fn rank(role: Role) -> usize {
    match role {
        Role::Dialer => 0,
        Role::Viewer => 1,
        Role::Operator => 2,
        Role::Admin => 3,
    }
}

fn inside<'a>(claims: &'a Claims, path: &str) -> Option<&'a Value> {
    let (first, rest) = path.split_once('.')?;
    let first = claims.get(first)?;
    rest.split('.')
        .try_fold(first, |value, name| value.get(name))
}

/// A text, or the texts of a list.
fn words(claim: Option<&Value>) -> impl Iterator<Item = &str> {
    let one = claim.and_then(Value::as_str);
    let many = claim.and_then(Value::as_array);
    let many = many.into_iter().flatten().filter_map(Value::as_str);
    one.into_iter().chain(many)
}

fn in_time(claims: &Claims, now: Timestamp, early_ms: i64) -> Result<(), Refusal> {
    // A text of digits is no number either (RFC 7519, 4.1.4): who signs such tokens is to know why they are refused.
    let seconds = |name: &str, odd: &'static str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or(Refusal::Worthless(odd)),
    };
    let now_s = now.as_ms() as f64 / 1_000.0;
    let latest_s = (now.as_ms() + early_ms) as f64 / 1_000.0;
    let Some(exp) = seconds("exp", "the token's exp is no number of seconds since 1970")? else {
        return Err(Refusal::Worthless("the token has no exp"));
    };
    let from = seconds("nbf", "the token's nbf is no number of seconds since 1970")?;
    if now_s >= exp {
        return Err(Refusal::Worthless("the token has expired"));
    }
    match from {
        Some(from) if from > latest_s => Err(Refusal::Worthless("the token is not valid yet")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: &Value) -> Claims {
        value.as_object().expect("an object").clone()
    }

    fn rules(claim: &str, roles: &[&str]) -> ClaimRules {
        let roles = roles.iter().map(|role| role.parse().expect("a mapping"));
        ClaimRules {
            role_claim: claim.to_owned(),
            roles: roles.collect(),
            ..ClaimRules::default()
        }
    }

    #[test]
    fn a_role_is_a_text_or_the_greatest_of_a_list() {
        let plain = rules("role", &[]);
        let role = |value| plain.role(&claims(&json!({"role": value})));
        assert_eq!(role(json!("operator")), Some(Role::Operator));
        assert_eq!(
            role(json!(["dialer", "viewer", "operator", "x"])),
            Some(Role::Operator)
        );
        for none in [
            json!("Admin"),
            json!("agent"),
            json!([]),
            json!(7),
            json!(null),
        ] {
            assert_eq!(role(none), None);
        }
        assert_eq!(plain.role(&Claims::new()), None);
    }

    #[test]
    fn a_role_may_stand_inside_other_claims_or_under_a_name_with_dots() {
        let keycloak = claims(&json!({"realm_access": {"roles": ["x", "admin"]}}));
        assert_eq!(
            rules("realm_access.roles", &[]).role(&keycloak),
            Some(Role::Admin)
        );
        assert_eq!(rules("realm_access.groups", &[]).role(&keycloak), None);
        let named = claims(&json!({"https://us.example.com/role": "viewer"}));
        assert_eq!(
            rules("https://us.example.com/role", &[]).role(&named),
            Some(Role::Viewer)
        );
    }

    #[test]
    fn where_words_are_mapped_only_those_count() {
        let mapped = rules("groups", &["cn=boss,=admin", "floor=viewer"]);
        let role = |value| mapped.role(&claims(&json!({"groups": value})));
        assert_eq!(role(json!(["floor"])), Some(Role::Viewer));
        assert_eq!(role(json!("cn=boss,")), Some(Role::Admin));
        assert_eq!(role(json!("admin")), None);
        assert!("admin".parse::<RoleMapping>().is_err());
        assert!("x=root".parse::<RoleMapping>().is_err());
        assert!("=admin".parse::<RoleMapping>().is_err());
    }

    #[test]
    fn a_token_for_somebody_else_is_worth_nothing() {
        let rules = ClaimRules {
            issuer: Some("https://id.example.com".to_owned()),
            audiences: vec!["caller-id".to_owned()],
            ..ClaimRules::default()
        };
        let now = Timestamp::from_ms(1_000_000);
        let check = |iss: &str, aud: Value| {
            let said = claims(&json!({"exp": 2_000, "iss": iss, "aud": aud}));
            rules.check(&said, now, 0).is_ok()
        };
        let us = "https://id.example.com";
        assert!(check(us, json!("caller-id")) && check(us, json!(["x", "caller-id"])));
        assert!(!check("https://id.example.org", json!("caller-id")));
        assert!(!check(us, json!("another")) && !check(us, json!(null)));
    }

    #[test]
    fn time_is_checked_and_what_is_no_number_is_no_time() {
        let rules = ClaimRules::default();
        let check = |value: Value, early_ms| {
            let checked = rules.check(&claims(&value), Timestamp::from_ms(10_000), early_ms);
            checked.err().map(|refusal| match refusal {
                Refusal::Worthless(why) => why,
                _ => "something else",
            })
        };
        assert_eq!(check(json!({"exp": 11}), 0), None);
        assert_eq!(check(json!({"exp": 10}), 0), Some("the token has expired"));
        assert_eq!(check(json!({}), 0), Some("the token has no exp"));
        for odd in [json!("11"), json!(null), json!({}), json!(true)] {
            let exp = check(json!({"exp": odd}), 0);
            let nbf = check(json!({"exp": 11, "nbf": odd}), 0);
            let why = |name| format!("the token's {name} is no number of seconds since 1970");
            assert_eq!(exp, Some(&*why("exp")), "{odd}");
            assert_eq!(nbf, Some(&*why("nbf")), "{odd}");
        }
        let ahead = json!({"exp": 90, "nbf": 12});
        assert_eq!(check(ahead.clone(), 0), Some("the token is not valid yet"));
        assert_eq!(check(ahead, 2_000), None);
    }

    #[test]
    fn a_name_is_the_sub_fit_for_one_line() {
        let named = |value: Value| name(&claims(&value));
        assert_eq!(named(json!({"sub": "a\nb", "name": "Ann"})), "a\u{fffd}b");
        assert_eq!(named(json!({"name": "Ann"})), "Ann");
        assert_eq!(named(json!({"sub": ""})), NAMELESS);
        assert!(named(json!({"sub": "ü".repeat(300)})).len() <= NAME_MOST);
    }
}
