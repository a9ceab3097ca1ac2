//! Redis Cluster: which of its servers holds the tenant's slot.

use redis::aio::MultiplexedConnection;
use redis::{Value, pipe};

use super::address::Node;
use super::dial::{Dialer, field};
use super::error::Unreachable;

/// How many slots a cluster has.
const SLOTS: u16 = 16_384;

/// What a server of a cluster knows of the tenant's slot.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct View {
    /// Who holds it; none: the server that was asked.
    pub(super) owner: Option<Node>,
    /// All servers of the cluster.
    pub(super) nodes: Vec<Node>,
}

/// Asks a server of a cluster who holds the slot.
pub(super) async fn view(
    dialer: &Dialer,
    at: &Node,
    connection: &mut MultiplexedConnection,
    slot: u16,
) -> Result<View, Unreachable> {
    let mut asked = pipe();
    for word in ["INFO", "MYID", "SLOTS"] {
        asked.cmd("CLUSTER").arg(word);
    }
    let answer = asked.query_async(connection);
    let (info, own_id, slots): (String, String, Value) = dialer.within(at, answer).await?;
    let unusable = |what: String| Unreachable::Unusable {
        at: dialer.name(at),
        what,
    };
    match field(&info, "cluster_state") {
        Some("ok") => read(at, &own_id, &slots, slot).map_err(unusable),
        Some(state) => Err(unusable(format!(
            "its cluster's state is `{state}`, `ok` is expected"
        ))),
        None => Err(unusable("CLUSTER INFO gives no `cluster_state`".to_owned())),
    }
}

fn read(at: &Node, own_id: &str, slots: &Value, slot: u16) -> Result<View, String> {
    let (mut owner, mut nodes) = (None, Vec::new());
    for range in array(slots) {
        let [Value::Int(from), Value::Int(to), servers @ ..] = array(range) else {
            return Err("CLUSTER SLOTS gives something else than slots".to_owned());
        };
        let ours = (*from..=*to).contains(&slot.into());
        for (place, server) in servers.iter().enumerate() {
            let Some((node, id)) = node(at, server) else {
                continue;
            };
            if ours && place == 0 {
                let another = id != own_id.as_bytes();
                owner = Some(another.then(|| node.clone()));
            }
            if !nodes.contains(&node) {
                nodes.push(node);
            }
        }
    }
    let owner = owner.ok_or_else(|| format!("slot {slot} of its cluster has no owner"))?;
    Ok(View { owner, nodes })
}

/// Place and id of a server. It may leave out its own host: then it is where it was asked.
fn node<'a>(at: &Node, server: &'a Value) -> Option<(Node, &'a [u8])> {
    let [host, Value::Int(port), Value::BulkString(id), ..] = array(server) else {
        return None;
    };
    let host = match host {
        Value::BulkString(host) if !host.is_empty() && host != b"?" => {
            String::from_utf8_lossy(host).into_owned()
        }
        _ => match at {
            Node::Tcp(host, _) => host.clone(),
            Node::Unix(_) => return None,
        },
    };
    Some((Node::Tcp(host, u16::try_from(*port).ok()?), id))
}

fn array(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        _ => &[],
    }
}

/// The slot of keys with this hash tag.
pub(super) fn slot(hash_tag: &str) -> u16 {
    crc16(hash_tag.as_bytes()) % SLOTS
}

/// CRC-16/XMODEM, as the specification of Redis Cluster has it.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        let mixed = crc ^ (u16::from(*byte) << 8);
        (0..8).fold(mixed, |crc, _| match crc & 0x8000 {
            0 => crc << 1,
            _ => (crc << 1) ^ 0x1021,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(slot("foo"), 12_182);
    }

    fn text(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    fn range(from: i64, to: i64, host: Value, id: &str) -> Value {
        let server = Value::Array(vec![host, Value::Int(7_000 + from), text(id)]);
        Value::Array(vec![Value::Int(from), Value::Int(to), server])
    }

    #[test]
    fn the_owner_is_another_or_the_one_that_was_asked() {
        let at = Node::Tcp("here".to_owned(), 7_000);
        let all = vec![
            range(0, 9, Value::Nil, "a"),
            range(10, 19, text("there"), "b"),
        ];
        let all = Value::Array(all);
        let own = read(&at, "a", &all, 9).unwrap();
        assert_eq!(own.owner, None);
        let there = Node::Tcp("there".to_owned(), 7_010);
        assert_eq!(own.nodes, [at.clone(), there.clone()]);
        assert_eq!(read(&at, "a", &all, 10).unwrap().owner, Some(there));
        assert!(read(&at, "a", &all, 20).is_err());
    }
}
