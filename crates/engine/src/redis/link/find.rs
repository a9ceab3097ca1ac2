//! Finding the one server that holds the tenant's keys.

use redis::aio::MultiplexedConnection;

use super::super::Settings;
use super::super::keys::Keys;
use super::address::{Address, Login, Node, Way};
use super::cluster;
use super::dial::{Dialer, Greeting};
use super::error::{BadAddress, Unreachable};
use super::sentinel::Sentinels;

/// So often a server of a cluster may send us on: more, and they do not agree yet.
const HOPS_MOST: usize = 3;

/// Knows where to look.
pub(super) struct Finder {
    dialer: Dialer,
    login: Login,
    slot: u16,
    way: Search,
}

enum Search {
    /// The seeds of the URL, and what of its cluster was seen.
    Nodes {
        seeds: Vec<Node>,
        seen: Vec<Node>,
    },
    Sentinels(Sentinels),
}

/// A master that holds the tenant's keys.
pub(super) struct Found {
    pub(super) node: Node,
    /// The node as messages name it.
    pub(super) at: String,
    pub(super) connection: MultiplexedConnection,
    pub(super) greeting: Greeting,
}

impl Finder {
    /// A search for the server that holds the tenant's keys, and where it looks, for messages.
    pub(super) fn of(settings: &Settings, keys: &Keys) -> Result<(Self, String), BadAddress> {
        let mut address = Address::parse(&settings.url)?;
        let password = &mut address.login.password;
        *password = password.take().or_else(|| settings.password.clone());
        let ca = settings.tls_ca.as_deref();
        let dialer = Dialer::new(address.tls, ca, settings.connection_timeout)?;
        let places = address.places();
        let way = match address.way {
            Way::Nodes(seeds) => Search::Nodes {
                seeds,
                seen: Vec::new(),
            },
            Way::Sentinels {
                nodes,
                master,
                login,
            } => Search::Sentinels(Sentinels::new(nodes, master, login, &dialer)),
        };
        let finder = Self {
            dialer,
            login: address.login,
            slot: cluster::slot(keys.hash_tag()),
            way,
        };
        Ok((finder, places))
    }

    /// Whether sentinels tell where the server is.
    pub(super) fn asks_sentinels(&self) -> bool {
        matches!(self.way, Search::Sentinels(_))
    }

    /// Looks no more.
    pub(super) fn into_dialer(self) -> Dialer {
        self.dialer
    }

    /// Looks once.
    pub(super) async fn find(&mut self) -> Result<Found, Unreachable> {
        let candidates = match &mut self.way {
            Search::Nodes { seeds, seen } => {
                let more = seen.iter().filter(|node| !seeds.contains(node));
                seeds.iter().chain(more).cloned().collect()
            }
            Search::Sentinels(sentinels) => vec![sentinels.master().await?],
        };
        let mut failed = Vec::new();
        for node in candidates {
            match self.follow(node).await {
                Ok(found) => return Ok(found),
                Err(error) => failed.push(error),
            }
        }
        match failed.len() {
            1 => Err(failed.remove(0)),
            _ => Err(Unreachable::Several(failed)),
        }
    }

    /// Whether what was found still is what is looked for.
    pub(super) async fn check(&mut self, found: &mut Found) -> Result<(), Unreachable> {
        let Found {
            node,
            connection,
            greeting,
            at,
        } = found;
        let now = self.dialer.greet(node, connection).await?;
        only_master(at, &now)?;
        let at = at.clone();
        if now.run != greeting.run {
            let what = "it is another server, or was a replica meanwhile".to_owned();
            return Err(Unreachable::Unusable { at, what });
        }
        if let Search::Sentinels(sentinels) = &mut self.way
            // Sentinels that are away end no link.
            && let Ok(master) = sentinels.master().await
            && master != *node
        {
            let what = format!("the sentinels say that {master} is the master now");
            return Err(Unreachable::Unusable { at, what });
        }
        Ok(())
    }

    async fn open(&self, node: &Node) -> Result<(MultiplexedConnection, Greeting), Unreachable> {
        let mut connection = self.dialer.open(node, &self.login).await?;
        let greeting = self.dialer.greet(node, &mut connection).await?;
        Ok((connection, greeting))
    }

    /// Connects to a node, and in a cluster goes on to whom it says the slot belongs.
    async fn follow(&mut self, mut node: Node) -> Result<Found, Unreachable> {
        for _ in 0..HOPS_MOST {
            let opened = self.open(&node).await;
            let (mut connection, greeting) = match opened {
                Ok(opened) => opened,
                Err(why) => return Err(self.dialer.told(&node, why).await),
            };
            let at = self.dialer.name(&node);
            if let Search::Nodes { seeds, seen } = &mut self.way {
                if greeting.cluster {
                    let view =
                        cluster::view(&self.dialer, &node, &mut connection, self.slot).await?;
                    *seen = view.nodes;
                    if let Some(owner) = view.owner {
                        node = owner;
                        continue;
                    }
                } else if seeds.len() > 1 {
                    // Nobody would know which of several masters the other nodes took.
                    let what = format!(
                        "several hosts are named, and {node} is no node of a cluster: name one host, or sentinels \
                         (redis-sentinel://...)"
                    );
                    return Err(Unreachable::Unusable { at, what });
                }
            }
            only_master(&at, &greeting)?;
            return Ok(Found {
                node,
                at,
                connection,
                greeting,
            });
        }
        let what = format!("it sends us on, as {HOPS_MOST} servers of its cluster did before");
        let at = self.dialer.name(&node);
        Err(Unreachable::Unusable { at, what })
    }
}

fn only_master(at: &str, greeting: &Greeting) -> Result<(), Unreachable> {
    match &greeting.replica_of {
        Some(of) => Err(Unreachable::Replica {
            at: at.to_owned(),
            of: of.clone(),
        }),
        None => Ok(()),
    }
}
