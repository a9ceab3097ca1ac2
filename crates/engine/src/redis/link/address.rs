//! Where Redis is, as a URL says it.

use std::fmt;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;

use super::error::BadAddress;

const REDIS_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// What a URL says. Not `Debug`: it may hold passwords.
pub(super) struct Address {
    /// How the server is found.
    pub(super) way: Way,
    /// Who we are there.
    pub(super) login: Login,
    /// Whether TLS is spoken, to sentinels too.
    pub(super) tls: bool,
}

/// How the server is found.
pub(super) enum Way {
    /// It is the only one, or one of the cluster that these belong to.
    Nodes(Vec<Node>),
    /// Sentinels know.
    Sentinels {
        /// Where they are.
        nodes: Vec<Node>,
        /// What they call the master.
        master: String,
        /// Who we are to them.
        login: Login,
    },
}

/// One server's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// Host and port.
    Tcp(String, u16),
    /// A socket in the file system.
    Unix(PathBuf),
}

/// Name and password. Not `Debug`.
#[derive(Clone, Default)]
pub(super) struct Login {
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: i64,
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Address {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`BadAddress`], which repeats nothing of what may be a password.
    pub(super) fn parse(url: &str) -> Result<Self, BadAddress> {
        let (scheme, rest) = url
            .trim()
            .split_once("://")
            .ok_or_else(|| bad("it has no `://`"))?;
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        if fragment == "insecure" {
            return Err(bad(
                "`#insecure` is refused, certificates are always verified; name your own CA in REDIS_TLS_CA",
            ));
        }
        if !fragment.is_empty() {
            return Err(bad("something stands after `#`"));
        }
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (tls, sentinels) = match scheme {
            "redis" | "valkey" => (false, false),
            "rediss" | "valkeys" => (true, false),
            "redis-sentinel" => (false, true),
            "rediss-sentinel" => (true, true),
            "unix" | "redis+unix" | "valkey+unix" => return unix(place, query),
            _ => return Err(bad("what stands before `://` is not known")),
        };
        let (authority, path) = place.split_once('/').unwrap_or((place, ""));
        let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let mut login = login_of(login)?;
        login.database = database(path)?;
        let port = if sentinels { SENTINEL_PORT } else { REDIS_PORT };
        let nodes: Result<Vec<_>, _> = hosts.split(',').map(|host| node(host, port)).collect();
        let mut options = Options::read(query)?;
        let nodes: Vec<_> = nodes?;
        if !sentinels && nodes.len() > 1 && login.database != 0 {
            return Err(bad(
                "several hosts are nodes of a cluster, and a cluster has database 0 alone",
            ));
        }
        let way = if sentinels {
            sentinels_of(nodes, &mut options)?
        } else {
            Way::Nodes(nodes)
        };
        options.none_left()?;
        Ok(Self { way, login, tls })
    }

    /// All places in it, for messages.
    pub(super) fn places(&self) -> String {
        let (Way::Nodes(nodes) | Way::Sentinels { nodes, .. }) = &self.way;
        let nodes: Vec<_> = nodes.iter().map(Node::to_string).collect();
        let nodes = nodes.join(", ");
        match &self.way {
            Way::Nodes(_) => nodes,
            Way::Sentinels { master, .. } => {
                format!("the master `{master}` of the sentinels {nodes}")
            }
        }
    }
}

fn sentinels_of(nodes: Vec<Node>, options: &mut Options) -> Result<Way, BadAddress> {
    let master = options.take("master").filter(|name| !name.is_empty());
    let master =
        master.ok_or_else(|| bad("the option `master` is missing, the sentinels' name for it"))?;
    let login = Login {
        user: options.take("sentinel_user"),
        password: options.take("sentinel_password"),
        database: 0,
    };
    Ok(Way::Sentinels {
        nodes,
        master,
        login,
    })
}

fn unix(place: &str, query: &str) -> Result<Address, BadAddress> {
    if !place.starts_with('/') {
        return Err(bad("the path of a socket begins with `/`"));
    }
    let mut options = Options::read(query)?;
    let login = Login {
        database: database(&options.take("db").unwrap_or_default())?,
        user: options.take("user"),
        password: options.take("pass"),
    };
    options.none_left()?;
    Ok(Address {
        way: Way::Nodes(vec![Node::Unix(decoded(place)?.into())]),
        login,
        tls: false,
    })
}

fn login_of(text: &str) -> Result<Login, BadAddress> {
    let (user, password) = match text.split_once(':') {
        Some((user, password)) => (user, Some(decoded(password)?)),
        None => (text, None),
    };
    let user = Some(decoded(user)?).filter(|user| !user.is_empty());
    if user.is_some() && password.is_none() {
        return Err(bad(
            "a user has no password; a password alone is written `:password@`",
        ));
    }
    Ok(Login {
        user,
        password,
        database: 0,
    })
}

fn node(text: &str, port: u16) -> Result<Node, BadAddress> {
    let (host, given) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest
                .split_once(']')
                .ok_or_else(|| bad("a `[` has no `]`"))?;
            (host, after.strip_prefix(':').unwrap_or(after))
        }
        None => text.split_once(':').unwrap_or((text, "")),
    };
    let port = match given {
        "" => Some(port),
        digits => digits.parse().ok().filter(|port| *port > 0),
    };
    let port = port.ok_or_else(|| bad("a port is no number from 1 to 65535"))?;
    if host.is_empty() || host.contains(char::is_whitespace) {
        return Err(bad("a host is missing"));
    }
    Ok(Node::Tcp(host.to_owned(), port))
}

fn database(text: &str) -> Result<i64, BadAddress> {
    match text.trim_end_matches('/') {
        "" => Ok(0),
        digits => match digits.parse::<u32>() {
            Ok(number) => Ok(number.into()),
            Err(_) => Err(bad("the database is no number")),
        },
    }
}

fn decoded(text: &str) -> Result<String, BadAddress> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded
        .map(String::from)
        .map_err(|_| bad("what stands for % in it is no UTF-8"))
}

fn bad(what: &str) -> BadAddress {
    BadAddress::Url(what.to_owned())
}

/// What stands after `?`.
struct Options(Vec<(String, String)>);

impl Options {
    fn read(query: &str) -> Result<Self, BadAddress> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let read = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((name.to_owned(), decoded(value)?))
        });
        read.collect::<Result<_, _>>().map(Self)
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let place = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(place).1)
    }

    fn none_left(&self) -> Result<(), BadAddress> {
        match self.0.first() {
            Some(_) => Err(bad("an option after `?` is not known")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(address: &Address) -> Vec<String> {
        let (Way::Nodes(nodes) | Way::Sentinels { nodes, .. }) = &address.way;
        nodes.iter().map(Node::to_string).collect()
    }

    #[test]
    fn several_hosts_with_login_and_database_are_read() {
        let address = Address::parse("rediss://us%40er:p%2Fass@one,two:7000,[::1]:7001/0").unwrap();
        assert_eq!(nodes(&address), ["one:6379", "two:7000", "[::1]:7001"]);
        assert_eq!(address.login.user.as_deref(), Some("us@er"));
        assert_eq!(address.login.password.as_deref(), Some("p/ass"));
        assert_eq!((address.login.database, address.tls), (0, true));
    }

    #[test]
    fn a_password_needs_no_user() {
        let address = Address::parse("redis://:se@cret@one").unwrap();
        assert_eq!(address.login.user, None);
        assert_eq!(address.login.password.as_deref(), Some("se@cret"));
    }

    #[test]
    fn sentinels_have_a_master_and_a_login_of_their_own() {
        let url = "redis-sentinel://:x@one,two:5/2?master=mine&sentinel_password=p%26q";
        let address = Address::parse(url).unwrap();
        assert_eq!(nodes(&address), ["one:26379", "two:5"]);
        let Way::Sentinels { master, login, .. } = address.way else {
            panic!("sentinels are expected");
        };
        assert_eq!(
            (master.as_str(), login.password.as_deref()),
            ("mine", Some("p&q"))
        );
        assert_eq!(address.login.database, 2);
    }

    #[test]
    fn a_socket_is_a_path() {
        for scheme in ["unix", "redis+unix"] {
            let address =
                Address::parse(&format!("{scheme}:///run/a%20b.sock?db=2&pass=x")).unwrap();
            assert_eq!(nodes(&address), ["/run/a b.sock"]);
            assert_eq!(address.login.database, 2);
            assert_eq!(address.login.password.as_deref(), Some("x"));
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_reason_and_without_its_password() {
        let cases = [
            ("localhost:6379", "no `://`"),
            ("http://secret@h", "not known"),
            ("redis://", "a host is missing"),
            ("redis://:secret@h:x", "port"),
            ("redis://:secret@h:0", "port"),
            ("redis://:sec/secret@h", "port"),
            ("redis://:secret@h/x", "database"),
            ("redis://:secret@h/-1", "database"),
            ("redis://:secret@h,i/3", "database 0 alone"),
            ("redis://secret@h", "no password"),
            ("redis://:secret@h/0?secret=1", "option"),
            ("redis://:secret@h#secret", "after `#`"),
            ("rediss://:secret@h#insecure", "REDIS_TLS_CA"),
            ("redis://:%ffsecret@h", "UTF-8"),
            ("redis://[::1", "`[`"),
            ("redis-sentinel://:secret@h", "`master`"),
            ("unix://h/secret", "begins with"),
        ];
        for (url, why) in cases {
            let Err(error) = Address::parse(url) else {
                panic!("{url} is refused");
            };
            let error = error.to_string();
            assert!(error.contains(why), "{url}: {error}");
            assert!(!error.contains("secret"), "{url}: {error}");
        }
    }
}
