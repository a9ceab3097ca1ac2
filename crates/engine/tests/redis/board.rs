//! What nodes count, told to one another.

use caller_id_core::shared::Board;
use caller_id_testkit::redis::RedisServer;
use redis::Value;

use crate::rig::{clock, engine, time};

fn told(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(node, counts)| ((*node).to_owned(), (*counts).to_owned()))
        .collect()
}

fn counts(steps: &[(i64, &str)]) -> Vec<(i64, String)> {
    let steps = steps.iter();
    steps
        .map(|(step, counts)| (*step, (*counts).to_owned()))
        .collect()
}

#[tokio::test]
async fn each_node_has_one_line_in_a_step_and_replaces_it() {
    let server = RedisServer::start();
    let (one, other) = {
        let clock = clock();
        let node = || engine(&server, "default", time(&clock));
        (node(), node())
    };
    let tell = async |node: &str, steps: &[(i64, &str)]| {
        one.tell_counts(node, &counts(steps)).await.expect("told");
    };
    tell("a1", &[(7, "1 2"), (8, "3")]).await;
    tell("a12", &[(7, "5")]).await;
    tell("2", &[(7, "6 a1 9")]).await;
    tell("a1", &[(7, "10 2")]).await;
    tell("a1", &[(7, "11 2")]).await;
    let found = other.told_counts(6..9).await.expect("read");
    assert_eq!(found.len(), 3);
    assert_eq!(found[0], []);
    let seven = told(&[("a12", "5"), ("2", "6 a1 9"), ("a1", "11 2")]);
    assert_eq!(found[1], seven);
    assert_eq!(found[2], told(&[("a1", "3")]));
}

#[tokio::test]
async fn an_hour_and_more_is_read_at_once_and_each_step_is_forgotten_by_itself() {
    let server = RedisServer::start();
    let node = engine(&server, "default", time(&clock()));
    let steps: Vec<_> = (0..1_200).map(|step| (step, step.to_string())).collect();
    node.tell_counts("n", &steps).await.expect("told");
    let found = node.told_counts(0..1_200).await.expect("read");
    let expected: Vec<_> = (0..1_200)
        .map(|step| told(&[("n", &step.to_string())]))
        .collect();
    assert_eq!(found, expected);
    let key = "caller-id:{default}:p:1199";
    match server.ask(&["PTTL", key]).expect("redis answers") {
        Value::Int(ms) => assert!((3_600_000..=3_660_000).contains(&ms), "{ms}"),
        other => panic!("{other:?}"),
    }
}
