//! What stands in the outbox and is no event to the node that empties it.

use caller_id_core::Outbox;
use caller_id_core::shared::Unread;
use caller_id_testkit::redis::RedisServer;

use crate::rig::{ask, clock, engine, far, stock, time};

#[tokio::test]
async fn what_cannot_be_read_of_the_outbox_is_set_aside_and_read_by_a_node_that_can() {
    let server = RedisServer::start();
    let clock = clock();
    let [one, other] = [(), ()].map(|()| engine(&server, "default", time(&clock)));
    stock(&one, 2).await;
    let journal = "caller-id:{default}:journal";
    let foreign = ["XADD", journal, "*", "who", "somebody"];
    let newer = ["XADD", journal, "*", "n", "0", "e", "\u{7f}later"];
    for strange in [&foreign[..], &newer[..]] {
        let _: String = server.ask(strange).expect("it is taken");
    }
    ask(&one, &far()).await.expect("redis answers");
    let lag = one.lag().await.expect("redis answers");
    assert_eq!((lag.events, lag.aside), (3, 0));
    let taken = one.take(10).await.expect("redis answers");
    let taken = taken.expect("nobody else drains");
    assert_eq!((taken.events.len(), taken.unread.len()), (1, 2));
    one.done(&taken).await.expect("redis answers");
    let lag = one.lag().await.expect("redis answers");
    assert_eq!((lag.events, lag.aside), (0, 2));
    // The same node does not try again; another one does, with what came meanwhile.
    let again = one.take(10).await.expect("redis answers");
    assert_eq!(again.expect("it still drains").unread, []);
    ask(&one, &far()).await.expect("redis answers");
    one.leave().await.expect("redis answers");
    let taken = other.take(10).await.expect("redis answers");
    let taken = taken.expect("nobody else drains");
    assert_eq!((taken.events.len(), taken.unread.len()), (1, 2));
    let lag = other.lag().await.expect("redis answers");
    assert_eq!((lag.events, lag.aside), (3, 0));
    let bytes: Vec<_> = taken
        .unread
        .iter()
        .map(|unread| &unread.bytes[..])
        .collect();
    assert_eq!(bytes, [&b"somebody"[..], "\u{7f}later".as_bytes()]);
}

#[tokio::test]
async fn where_too_much_is_set_aside_nothing_more_is_taken_off() {
    let server = RedisServer::start();
    let one = engine(&server, "default", time(&clock()));
    stock(&one, 1).await;
    ask(&one, &far()).await.expect("redis answers");
    let taken = one.take(10).await.expect("redis answers");
    let mut taken = taken.expect("nobody else drains");
    let unread = Unread {
        place: "1-1".to_owned(),
        field: b"e".to_vec(),
        bytes: b"later".to_vec(),
        why: "an event has the kind 9".to_owned(),
    };
    taken.unread = vec![unread; 10_001];
    let done = one.done(&taken).await;
    let why = done.expect_err("too many").to_string();
    assert!(why.contains("has the kind 9"), "{why}");
    let lag = one.lag().await.expect("redis answers");
    assert_eq!((lag.events, lag.aside), (1, 0));
}
