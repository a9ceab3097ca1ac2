//! Sentinels: who is the master now.

use std::collections::HashMap;

use redis::aio::MultiplexedConnection;
use redis::cmd;
use tokio::task::JoinSet;

use super::address::{Login, Node};
use super::dial::Dialer;
use super::error::Unreachable;

/// The sentinels, each with the connection that is kept to it.
pub(super) struct Sentinels {
    dialer: Dialer,
    master: String,
    login: Login,
    nodes: Vec<Sentinel>,
}

#[derive(Clone)]
struct Sentinel {
    node: Node,
    connection: Option<MultiplexedConnection>,
}

/// What one sentinel says: the later the epoch, the later it heard of a failover.
struct Word {
    epoch: u64,
    master: Node,
}

impl Sentinels {
    pub(super) fn new(nodes: Vec<Node>, master: String, login: Login, dialer: &Dialer) -> Self {
        let nodes = nodes.into_iter().map(|node| Sentinel {
            node,
            connection: None,
        });
        Self {
            dialer: dialer.for_sentinels(),
            master,
            login,
            nodes: nodes.collect(),
        }
    }

    /// Asks all of them at once. Who knows of the latest failover is right: one that was cut off may still name the
    /// master of before.
    pub(super) async fn master(&mut self) -> Result<Node, Unreachable> {
        let mut asked = JoinSet::new();
        for (place, sentinel) in self.nodes.iter().enumerate() {
            let (mut sentinel, dialer) = (sentinel.clone(), self.dialer.clone());
            let (master, login) = (self.master.clone(), self.login.clone());
            asked.spawn(async move {
                let word = sentinel.ask(&dialer, &login, &master).await;
                let word = match word {
                    Ok(word) => Ok(word),
                    Err(why) => Err(dialer.told(&sentinel.node, why).await),
                };
                (place, sentinel.connection.filter(|_| word.is_ok()), word)
            });
        }
        let (mut words, mut failed) = (Vec::new(), Vec::new());
        for (place, connection, word) in asked.join_all().await {
            self.nodes[place].connection = connection;
            match word {
                Ok(word) => words.push(word),
                Err(error) => failed.push(error),
            }
        }
        Word::latest(words).ok_or_else(|| Unreachable::NoMaster {
            master: self.master.clone(),
            why: Unreachable::Several(failed).to_string(),
        })
    }
}

impl Sentinel {
    async fn ask(
        &mut self,
        dialer: &Dialer,
        login: &Login,
        master: &str,
    ) -> Result<Word, Unreachable> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => dialer.open(&self.node, login).await?,
        };
        let mut command = cmd("SENTINEL");
        command.arg("MASTER").arg(master);
        let answer = command.query_async(&mut connection);
        let fields: HashMap<String, String> = dialer.within(&self.node, answer).await?;
        self.connection = Some(connection);
        let word = Word::read(&fields);
        word.ok_or_else(|| Unreachable::Unusable {
            at: dialer.name(&self.node),
            what: "SENTINEL MASTER gives no `ip`, `port` and `config-epoch`".to_owned(),
        })
    }
}

impl Word {
    /// The master that whoever heard of the latest failover names.
    fn latest(words: Vec<Self>) -> Option<Node> {
        let latest = words.into_iter().max_by_key(|word| word.epoch);
        latest.map(|word| word.master)
    }

    fn read(fields: &HashMap<String, String>) -> Option<Self> {
        let port = fields.get("port")?.parse().ok()?;
        Some(Self {
            epoch: fields.get("config-epoch")?.parse().ok()?,
            master: Node::Tcp(fields.get("ip")?.clone(), port),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(epoch: u64, port: u16) -> Word {
        let fields = [
            ("ip", "one".to_owned()),
            ("port", port.to_string()),
            ("config-epoch", epoch.to_string()),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value));
        Word::read(&HashMap::from(fields)).unwrap()
    }

    #[test]
    fn a_sentinel_that_was_cut_off_does_not_count_against_those_that_heard_of_a_failover() {
        let words = vec![word(1, 7), word(2, 8), word(1, 7)];
        assert_eq!(Word::latest(words), Some(Node::Tcp("one".to_owned(), 8)));
        assert_eq!(Word::latest(Vec::new()), None);
    }
}
