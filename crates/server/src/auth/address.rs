//! Where a request comes from, and lists of addresses.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use axum::http::HeaderMap;
use ipnet::IpNet;

/// Headers by which proxies tell for whom they ask.
const FORWARDING: [&str; 3] = ["x-forwarded-for", "x-real-ip", "forwarded"];

/// Where a request comes from, as far as can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// The other end of the connection asks for itself.
    Direct(IpAddr),
    /// A trusted proxy asks for this address.
    Forwarded(IpAddr),
    /// The other end says that it asks for somebody else, and nobody told us to believe it. Never taken for this machine.
    Unproven(IpAddr),
    /// A trusted proxy's address, and no word of for whom: the proxy may ask for anybody, or a program beside it for
    /// itself. Never taken for this machine; a list that has the address lets both in.
    Silent(IpAddr),
    /// A trusted proxy did not say for whom it asks, or nothing that can be read.
    Unknown,
}

impl Client {
    /// Where a request with these headers comes from.
    ///
    /// `X-Forwarded-For` is read from right to left past the proxies that are trusted: what is left of the first other
    /// address could be anybody's invention.
    pub fn of(peer: IpAddr, headers: &HeaderMap, trusted: &AddressList) -> Self {
        let peer = peer.to_canonical();
        let forwarded = headers
            .keys()
            .any(|name| FORWARDING.contains(&name.as_str()));
        match (trusted.has_address(peer), forwarded) {
            (false, false) => Self::Direct(peer),
            (false, true) => Self::Unproven(peer),
            (true, false) => Self::Silent(peer),
            (true, true) => {
                first_untrusted(headers, trusted).map_or(Self::Unknown, Self::Forwarded)
            }
        }
    }

    /// Whether a program on this machine asks, and for itself.
    pub fn is_this_machine(self) -> bool {
        matches!(self, Self::Direct(address) if address.is_loopback())
    }

    /// The address that was seen, for people to read: nothing proves that it is true.
    pub fn seen(self) -> Option<IpAddr> {
        match self {
            Self::Direct(address)
            | Self::Forwarded(address)
            | Self::Unproven(address)
            | Self::Silent(address) => Some(address),
            Self::Unknown => None,
        }
    }

    /// The address that may be compared with lists; none when it could be anybody's.
    pub fn address(self) -> Option<IpAddr> {
        match self {
            Self::Direct(address) | Self::Forwarded(address) | Self::Silent(address) => {
                Some(address)
            }
            Self::Unproven(address) => Some(address).filter(|address| !address.is_loopback()),
            Self::Unknown => None,
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct(address) | Self::Forwarded(address) | Self::Silent(address) => {
                write!(f, "{address}")
            }
            Self::Unproven(address) => write!(f, "a proxy at {address}"),
            Self::Unknown => f.write_str("an unknown address"),
        }
    }
}

fn first_untrusted(headers: &HeaderMap, trusted: &AddressList) -> Option<IpAddr> {
    let lines = headers.get_all(FORWARDING[0]).iter().rev();
    let mut leftmost = None;
    for line in lines {
        for entry in line.to_str().ok()?.rsplit(',') {
            let address = entry_address(entry.trim())?;
            if !trusted.has_address(address) {
                return Some(address);
            }
            leftmost = Some(address);
        }
    }
    leftmost
}

/// Some proxies write the port too.
fn entry_address(entry: &str) -> Option<IpAddr> {
    let bare = entry.parse::<IpAddr>().ok();
    let with_port = || entry.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    let bracketed = || entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    bare.or_else(with_port)
        .or_else(bracketed)
        .map(|address| address.to_canonical())
}

/// Addresses and networks, IPv4 and IPv6.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressList(Vec<IpNet>);

impl AddressList {
    /// These networks.
    pub fn new(entries: impl IntoIterator<Item = AddressEntry>) -> Self {
        Self(entries.into_iter().map(|entry| entry.0).collect())
    }

    /// Whether nobody is listed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the client is listed. One that is not known for sure never is.
    pub fn has(&self, client: Client) -> bool {
        client
            .address()
            .is_some_and(|address| self.has_address(address))
    }

    /// Whether an address of this machine is listed.
    pub fn has_loopback(&self) -> bool {
        let this_machine = [
            IpAddr::from([127, 0, 0, 1]),
            IpAddr::from(Ipv6Addr::LOCALHOST),
        ];
        this_machine
            .into_iter()
            .any(|address| self.has_address(address))
    }

    fn has_address(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// One address (`10.1.2.3`, `::1`) or network (`10.0.0.0/8`) of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressEntry(IpNet);

impl FromStr for AddressEntry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("localhost") {
            return Ok(Self(IpNet::from(IpAddr::from([127, 0, 0, 1]))));
        }
        let address = text
            .parse::<IpAddr>()
            .map(|address| IpNet::from(address.to_canonical()));
        let entry = address.or_else(|_| text.parse::<IpNet>().map(canonical));
        entry.map(Self).map_err(|_| {
            format!("`{text}` is no address or network like 10.1.2.3, 10.0.0.0/8 or 2001:db8::/32")
        })
    }
}

impl fmt::Display for AddressEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            write!(f, "{}", self.0.addr())
        } else {
            write!(f, "{}", self.0)
        }
    }
}

/// `::ffff:10.0.0.0/104` is the IPv4 network `10.0.0.0/8`, as addresses are compared.
fn canonical(network: IpNet) -> IpNet {
    let mapped = match network {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => v6.addr().to_ipv4_mapped(),
        _ => None,
    };
    mapped
        .and_then(|v4| IpNet::new(v4.into(), network.prefix_len() - 96).ok())
        .unwrap_or(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> AddressList {
        AddressList::new(
            text.split(',')
                .filter(|word| !word.is_empty())
                .map(|word| word.parse().expect("an entry")),
        )
    }

    fn client(peer: &str, trusted: &str, headers: &[(&'static str, &str)]) -> Client {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a header"));
        }
        Client::of(peer.parse().expect("an address"), &map, &list(trusted))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn without_a_proxy_the_peer_is_the_client() {
        assert_eq!(
            client("::ffff:127.0.0.1", "", &[]),
            Client::Direct(ip("127.0.0.1"))
        );
        assert!(client("::1", "", &[]).is_this_machine());
        assert!(!client("10.0.0.1", "", &[]).is_this_machine());
    }

    #[test]
    fn forwarding_headers_of_strangers_never_make_them_local() {
        for name in ["x-forwarded-for", "x-real-ip", "forwarded"] {
            let stranger = client("127.0.0.1", "", &[(name, "127.0.0.1")]);
            assert!(!stranger.is_this_machine(), "{name}");
            assert!(!list("127.0.0.0/8,::1").has(stranger), "{name}");
        }
        let stranger = client("10.0.0.9", "", &[("x-forwarded-for", "192.0.2.1")]);
        assert!(list("10.0.0.9").has(stranger) && !list("192.0.2.1").has(stranger));
    }

    #[test]
    fn a_trusted_proxy_that_says_nothing_is_never_this_machine() {
        for peer in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            let silent = client(peer, "127.0.0.0/8,::1", &[]);
            assert!(!silent.is_this_machine(), "{peer}");
            assert!(list("127.0.0.1,::1").has(silent), "{peer}");
            assert!(!list("10.0.0.0/8").has(silent), "{peer}");
        }
        assert!(client("127.0.0.1", "10.0.0.1", &[]).is_this_machine());
    }

    #[test]
    fn the_last_address_that_is_no_trusted_proxy_is_the_client() {
        let seen = |chain: &[(&'static str, &str)]| client("10.0.0.1", "10.0.0.0/8", chain);
        assert_eq!(
            seen(&[("x-forwarded-for", "127.0.0.1, 192.0.2.7, 10.0.0.2")]),
            Client::Forwarded(ip("192.0.2.7"))
        );
        let two_lines = [
            ("x-forwarded-for", "198.51.100.1"),
            ("x-forwarded-for", "192.0.2.7:443, 10.0.0.2"),
        ];
        assert_eq!(seen(&two_lines), Client::Forwarded(ip("192.0.2.7")));
        assert_eq!(
            seen(&[("x-forwarded-for", "10.0.0.3")]),
            Client::Forwarded(ip("10.0.0.3"))
        );
    }

    #[test]
    fn what_a_trusted_proxy_does_not_say_clearly_is_unknown() {
        let seen = |chain: &[(&'static str, &str)]| client("10.0.0.1", "10.0.0.1", chain);
        assert_eq!(
            seen(&[("x-forwarded-for", "192.0.2.7, nobody")]),
            Client::Unknown
        );
        assert_eq!(seen(&[("x-forwarded-for", "")]), Client::Unknown);
        assert_eq!(seen(&[("x-real-ip", "192.0.2.7")]), Client::Unknown);
        assert!(!list("0.0.0.0/0,::/0").has(Client::Unknown));
    }

    #[test]
    fn a_list_takes_networks_of_both_kinds() {
        assert!(list("::ffff:10.0.0.0/104").has(Client::Direct(ip("10.9.9.9"))));
        assert!(list("2001:db8::/32").has(Client::Direct(ip("2001:db8::5"))));
        assert!("10.0.0.0/33".parse::<AddressEntry>().is_err());
    }
}
