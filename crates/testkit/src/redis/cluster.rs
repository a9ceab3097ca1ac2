//! A throw-away Redis Cluster: three masters.

use redis::{RedisResult, Value};

use super::process::wait_for;
use super::{Reach, RedisServer, RedisSetup};

/// How many slots a cluster has, and where the shares of three begin and end.
const SHARES: [(u16, u16); 3] = [(0, 5_460), (5_461, 10_922), (10_923, 16_383)];
/// So many keys move at once.
const KEYS_AT_ONCE: &str = "100";

/// Three masters that share the slots, and replicas of some.
#[derive(Debug)]
pub struct RedisCluster {
    servers: Vec<RedisServer>,
    replicas: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts three masters and waits until all of them agree that the cluster is whole: some seconds.
    ///
    /// # Panics
    /// When redis-server is not installed, or the cluster is not whole within 30 seconds.
    pub fn start() -> Self {
        let cluster = Self {
            servers: SHARES.map(|_| start()).into(),
            replicas: Vec::new(),
        };
        for (server, (from, to)) in cluster.servers.iter().zip(SHARES) {
            let slots: Vec<String> = (from..=to).map(|slot| slot.to_string()).collect();
            let slots = slots.iter().map(String::as_str);
            let words: Vec<&str> = ["CLUSTER", "ADDSLOTS"].into_iter().chain(slots).collect();
            let _: () = server.ask(&words).expect("slots are taken");
            let port = server.port().to_string();
            let meet = ["CLUSTER", "MEET", "127.0.0.1", &port];
            let _: () = cluster.servers[0].ask(&meet).expect("they meet");
        }
        cluster.wait_until_whole();
        cluster
    }

    /// Adds a replica of the master that owns the slot of a hash tag, and waits until it follows and all know it.
    ///
    /// # Panics
    /// When that is not so within 30 seconds.
    pub fn add_replica(&mut self, hash_tag: &str) {
        let owner = &self.servers[self.owner(self.slot(hash_tag))];
        let id: String = owner.ask(&["CLUSTER", "MYID"]).expect("an id");
        let replica = start();
        let port = owner.port().to_string();
        let meet = ["CLUSTER", "MEET", "127.0.0.1", &port];
        let _: () = replica.ask(&meet).expect("they meet");
        wait_for("the replica knows its master", || {
            let done: RedisResult<()> = replica.ask(&["CLUSTER", "REPLICATE", &id]);
            done.ok()
        });
        wait_for("the replica follows", || {
            let info: String = replica.ask(&["INFO", "replication"]).ok()?;
            info.contains("master_link_status:up").then_some(())
        });
        self.replicas.push(replica);
        self.wait_until_whole();
    }

    /// Ends the master that owns the slot of a hash tag at once.
    pub fn kill_owner(&mut self, hash_tag: &str) {
        let owner = self.owner(self.slot(hash_tag));
        self.servers[owner].kill();
    }

    /// The address of one of them alone: the others are found from there.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.servers[0].port())
    }

    /// The addresses of all that were masters at the start, in one.
    pub fn url_of_all(&self) -> String {
        let places = self.servers.iter();
        let places: Vec<_> = places
            .map(|server| format!("127.0.0.1:{}", server.port()))
            .collect();
        format!("redis://{}", places.join(","))
    }

    /// Gives the slot of a hash tag, with all its keys, to another master.
    ///
    /// # Panics
    /// When one of them does not do its part.
    pub fn move_slot(&self, hash_tag: &str) {
        let slot = self.slot(hash_tag);
        let owner = self.owner(slot);
        let [from, to] = [owner, (owner + 1) % self.servers.len()];
        let [from_id, to_id] = [from, to].map(|place| {
            let id: String = self.servers[place]
                .ask(&["CLUSTER", "MYID"])
                .expect("an id");
            id
        });
        let (from, to) = (&self.servers[from], &self.servers[to]);
        let slot = slot.to_string();
        set_slot(to, &slot, "IMPORTING", &from_id);
        set_slot(from, &slot, "MIGRATING", &to_id);
        while self.move_some(from, to, &slot) {}
        for server in [to, from].into_iter().chain(&self.servers) {
            set_slot(server, &slot, "NODE", &to_id);
        }
    }

    /// Moves some keys of a slot; tells whether there were any.
    fn move_some(&self, from: &RedisServer, to: &RedisServer, slot: &str) -> bool {
        let some = ["CLUSTER", "GETKEYSINSLOT", slot, KEYS_AT_ONCE];
        let keys: Vec<String> = from.ask(&some).expect("the keys of a slot");
        if keys.is_empty() {
            return false;
        }
        let port = to.port().to_string();
        let mut words = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
        words.extend(keys.iter().map(String::as_str));
        let _: Value = from.ask(&words).expect("the keys are moved");
        true
    }

    fn wait_until_whole(&self) {
        let servers = || self.servers.iter().chain(&self.replicas);
        let known = servers().count();
        wait_for("the cluster is whole", || {
            servers().all(|server| whole(server, known)).then_some(())
        });
    }

    fn slot(&self, hash_tag: &str) -> u16 {
        let key = format!("{{{hash_tag}}}");
        let slot = self.servers[0].ask(&["CLUSTER", "KEYSLOT", &key]);
        slot.expect("each key has a slot")
    }

    fn owner(&self, slot: u16) -> usize {
        let slot = usize::from(slot);
        let owns = |server: &RedisServer| {
            let nodes: String = server.ask(&["CLUSTER", "NODES"]).expect("the nodes");
            let own = nodes.lines().find(|line| line.contains("myself"));
            let shares = own.unwrap_or_default().split(' ').skip(8);
            shares.into_iter().any(|share| {
                let (from, to) = share.split_once('-').unwrap_or((share, share));
                let number = |text: &str| text.parse::<usize>().ok();
                number(from)
                    .zip(number(to))
                    .is_some_and(|(from, to)| (from..=to).contains(&slot))
            })
        };
        let owner = self.servers.iter().position(owns);
        owner.expect("each slot has an owner")
    }
}

fn set_slot(server: &RedisServer, slot: &str, how: &str, id: &str) {
    let words = ["CLUSTER", "SETSLOT", slot, how, id];
    let _: () = server.ask(&words).expect("a slot is set");
}

fn start() -> RedisServer {
    let more = [
        ["--cluster-enabled", "yes"],
        ["--cluster-node-timeout", "2000"],
        ["--repl-diskless-sync-delay", "0"],
    ];
    let setup = RedisSetup {
        reach: Reach::Tcp,
        more: more.concat().into_iter().map(str::to_owned).collect(),
        ..RedisSetup::default()
    };
    setup.start()
}

fn whole(server: &RedisServer, known: usize) -> bool {
    let info: String = server.ask(&["CLUSTER", "INFO"]).unwrap_or_default();
    let known = format!("cluster_known_nodes:{known}\r");
    let facts = ["cluster_state:ok", "cluster_slots_assigned:16384", &known];
    facts.iter().all(|fact| info.contains(fact))
}
