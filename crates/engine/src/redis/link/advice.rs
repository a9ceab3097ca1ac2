//! What to do about a server that cannot be reached: by what it says, or what the system says of it.

use redis::{ErrorKind, RedisError};

use super::dial::{Dialer, Kind};
use super::error::Unreachable;

impl Dialer {
    /// The same, with what to do about it where that is known. Only for a connection that is made: what ends one that was good
    /// is no matter of settings.
    pub(super) fn advised(&self, why: Unreachable) -> Unreachable {
        let advice = match &why {
            Unreachable::Late { .. } if self.tls.is_some() => Some(self.speaks_no_tls()),
            Unreachable::Refused { error, .. } => self.advice(error),
            Unreachable::TurnedAway { what, .. } => by_text(what),
            _ => None,
        };
        match advice {
            Some(advice) => Unreachable::Advised {
                why: Box::new(why),
                advice,
            },
            None => why,
        }
    }

    fn advice(&self, error: &RedisError) -> Option<String> {
        let by_kind = match (error.kind(), error.code()) {
            (ErrorKind::AuthenticationFailed, _) => Some(self.wrong_login()),
            (_, Some("NOAUTH")) => Some(self.no_login()),
            (_, Some("NOPERM")) => {
                Some("give this user the rights that stand in docs/redis-keys.md")
            }
            _ => None,
        };
        if let Some(advice) = by_kind {
            return Some(advice.to_owned());
        }
        let text = error.to_string();
        if let Some(advice) = by_text(&text) {
            return Some(advice);
        }
        let said = |part: &&str| text.contains(part);
        match self.tls.is_some() {
            true if NO_TLS.iter().any(said) => Some(self.speaks_no_tls()),
            false if CLOSED.iter().any(said) => Some(format!(
                "if it speaks TLS alone, REDIS_URL begins with {}",
                self.scheme(true)
            )),
            _ => None,
        }
    }

    fn speaks_no_tls(&self) -> String {
        format!(
            "if it speaks no TLS, REDIS_URL begins with {}, not {}",
            self.scheme(false),
            self.scheme(true)
        )
    }

    fn scheme(&self, tls: bool) -> &'static str {
        match (self.kind, tls) {
            (Kind::Redis, false) => "redis://",
            (Kind::Redis, true) => "rediss://",
            (Kind::Sentinel, false) => "redis-sentinel://",
            (Kind::Sentinel, true) => "rediss-sentinel://",
        }
    }

    fn wrong_login(&self) -> &'static str {
        match self.kind {
            Kind::Redis => {
                "correct user and password in REDIS_URL (redis://user:password@host, %40 for @ in them) or REDIS_PASSWORD"
            }
            Kind::Sentinel => "correct sentinel_user and sentinel_password in REDIS_URL",
        }
    }

    fn no_login(&self) -> &'static str {
        match self.kind {
            Kind::Redis => {
                "it wants a password: set REDIS_PASSWORD, or redis://user:password@host in REDIS_URL"
            }
            Kind::Sentinel => "it wants a password: &sentinel_password=... in REDIS_URL",
        }
    }
}

fn by_text(text: &str) -> Option<String> {
    let said = |part: &&str| text.contains(part);
    let known = BY_TEXT.iter().find(|(parts, _)| parts.iter().any(said));
    known.map(|(_, advice)| (*advice).to_owned())
}

/// What is said by a server that takes TLS for something else.
const NO_TLS: [&str; 2] = ["InvalidContentType", "corrupt message"];
/// How a connection ends with somebody who takes what is no TLS for a mistake.
const CLOSED: [&str; 4] = [
    "reset by peer",
    "Broken pipe",
    "unexpected end",
    "early eof",
];

const BY_TEXT: [(&[&str], &str); 13] = [
    (
        &["is not allowed in cluster mode"],
        "a cluster has database 0 alone: let REDIS_URL end with /0",
    ),
    (
        &["DB index is out of range"],
        "it has fewer databases: correct the number at the end of REDIS_URL",
    ),
    (
        &["lookup address", "Name or service not known"],
        "correct the host in REDIS_URL, or this machine's DNS",
    ),
    (
        &["Connection refused"],
        "start it there, or correct host and port in REDIS_URL",
    ),
    (
        &["No such file or directory"],
        "start it there, or correct the path of its socket in REDIS_URL",
    ),
    (
        &["UnknownIssuer", "BadSignature"],
        "name the file with the certificate of who signed its own in REDIS_TLS_CA",
    ),
    (
        &["not valid for name"],
        "name its host in REDIS_URL as its certificate does",
    ),
    (
        &["Expired", "NotValidYet", "not valid yet"],
        "renew its certificate, and see that both clocks are right",
    ),
    (
        &["CertificateRequired"],
        "it wants a certificate of ours, and we have none: tls-auth-clients no in redis.conf",
    ),
    (
        &["DENIED"],
        "set requirepass in its redis.conf, and REDIS_PASSWORD (or user and password in REDIS_URL) here: docs/cluster.md",
    ),
    (
        &["max number of clients"],
        "raise maxclients in its redis.conf, or see who has so many connections (CLIENT LIST)",
    ),
    (
        &["No such master"],
        "correct the name behind master= in REDIS_URL: it is the one of `sentinel monitor`",
    ),
    (
        &["unknown command 'SENTINEL'", "unknown command `SENTINEL`"],
        "it is Redis and no sentinel: name the sentinels (port 26379 unless told otherwise), or begin REDIS_URL with redis://",
    ),
];
