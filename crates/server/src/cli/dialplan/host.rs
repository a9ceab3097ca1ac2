//! Where the dialplan finds the service.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use super::Via;

/// Two nodes are asked at most: each may cost a call its timeout.
const HOSTS_MOST: usize = 2;

/// One address, or two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts(Vec<Host>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Host {
    scheme: Option<Scheme>,
    /// As in a URL: an IPv6 address stands in brackets.
    name: String,
    port: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Agi,
    Http,
    Https,
}

impl Scheme {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Agi => "agi",
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl FromStr for Hosts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hosts = text.split(',').map(|host| host.trim().parse());
        let hosts = hosts.collect::<Result<Vec<Host>, _>>()?;
        match hosts.len() {
            2 if hosts[0] == hosts[1] => {
                Err("the same address twice: a call would wait for it twice".to_owned())
            }
            1..=HOSTS_MOST => Ok(Self(hosts)),
            many => Err(format!("{many} addresses, at most {HOSTS_MOST} expected")),
        }
    }
}

impl FromStr for Host {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = match text.split_once("://") {
            None => (None, text),
            Some(("agi", rest)) => (Some(Scheme::Agi), rest),
            Some(("http", rest)) => (Some(Scheme::Http), rest),
            Some(("https", rest)) => (Some(Scheme::Https), rest),
            Some(_) => return Err("expected agi://, http:// or https://, if any".to_owned()),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (name, port) = name_and_port(rest)
            .ok_or("expected ADDRESS or ADDRESS:PORT, an IPv6 address in brackets")?;
        Ok(Self {
            scheme,
            name: name.to_owned(),
            port,
        })
    }
}

fn name_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    // An address in brackets has colons of its own.
    let end = text.find(']').map_or(0, |place| place + 1);
    let (name, port) = match text[end..].find(':') {
        Some(place) => (&text[..end + place], Some(&text[end + place + 1..])),
        None => (text, None),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    let good = match name.strip_prefix('[') {
        Some(address) => address.strip_suffix(']')?.parse::<Ipv6Addr>().is_ok(),
        None => !name.is_empty() && name.bytes().all(plain),
    };
    let port = port.map(|port| port.parse::<u16>().ok().filter(|port| *port != 0));
    match port {
        _ if !good => None,
        None => Some((name, None)),
        Some(port) => Some((name, Some(port?))),
    }
}

impl Hosts {
    /// A service that listens there; on all addresses: asked on its own machine.
    pub(super) fn of(socket: SocketAddr) -> Self {
        let name = match socket.ip() {
            address if address.is_unspecified() => Ipv4Addr::LOCALHOST.to_string(),
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        Self(vec![Host {
            scheme: None,
            name,
            port: Some(socket.port()),
        }])
    }

    /// The beginning of the URL of each, without a slash at its end. `port` is asked where none is named.
    ///
    /// # Errors
    /// Names an address whose scheme is none of that way.
    pub(super) fn urls(&self, via: Via, port: u16) -> anyhow::Result<Vec<String>> {
        self.0.iter().map(|host| host.url(via, port)).collect()
    }
}

impl Host {
    fn url(&self, via: Via, port: u16) -> anyhow::Result<String> {
        let name = &self.name;
        let (scheme, port) = match (via, self.scheme) {
            (Via::Agi, None | Some(Scheme::Agi)) => (Scheme::Agi, Some(port)),
            (Via::Curl, None | Some(Scheme::Http)) => (Scheme::Http, Some(port)),
            (Via::Curl, Some(Scheme::Https)) => (Scheme::Https, None),
            (Via::Agi, Some(scheme)) => anyhow::bail!(
                "--host {}://{name}: FastAGI has no such address, agi:// or nothing in front expected, or --via curl",
                scheme.as_str()
            ),
            (Via::Curl, Some(Scheme::Agi)) => anyhow::bail!(
                "--host agi://{name}: CURL has no such address, http:// or https:// expected, or --via agi"
            ),
        };
        let port = self.port.or(port);
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        Ok(format!("{}://{name}{port}", scheme.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(text: &str, via: Via) -> Result<Vec<String>, String> {
        let hosts: Hosts = text.parse()?;
        let port = match via {
            Via::Agi => 4573,
            Via::Curl => 8000,
        };
        hosts.urls(via, port).map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_gets_the_port_of_its_way() {
        for (text, via, url) in [
            ("10.0.0.5", Via::Agi, "agi://10.0.0.5:4573"),
            ("agi://cid.example/", Via::Agi, "agi://cid.example:4573"),
            ("[::1]:9", Via::Agi, "agi://[::1]:9"),
            ("cid.example", Via::Curl, "http://cid.example:8000"),
            ("http://cid.example:80", Via::Curl, "http://cid.example:80"),
            ("https://cid.example", Via::Curl, "https://cid.example"),
        ] {
            assert_eq!(urls(text, via), Ok(vec![url.to_owned()]), "{text}");
        }
        assert_eq!(
            urls("a, b:1", Via::Agi).unwrap(),
            ["agi://a:4573", "agi://b:1"]
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "", "a,", "a,b,c", "a:0", "a:x", "a:70000", "::1", "[::1", "[x]", "a b", "${X}", "a/b",
            "ftp://a", "a:1:2", "a,a", "b:1, b:1",
        ] {
            assert!(text.parse::<Hosts>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_scheme_of_the_other_way_is_named() {
        let error = urls("http://a", Via::Agi).unwrap_err();
        assert!(error.contains("--via curl"), "{error}");
        let error = urls("agi://a", Via::Curl).unwrap_err();
        assert!(error.contains("--via agi"), "{error}");
    }
}
