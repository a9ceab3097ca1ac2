//! What nodes tell one another of their jobs.

use caller_id_core::job_board::{JobAsked, JobBoard, JobStanding, JobTold, JobWord};
use caller_id_testkit::redis::RedisServer;
use redis::Value;

use crate::rig::{clock, engine, time};

const MOST: usize = 3;
const SILENT_MS: i64 = 5_000;

fn word(id: &str, standing: JobStanding, more: Option<&str>) -> JobWord {
    JobWord {
        id: id.to_owned(),
        standing,
        text: format!("{id} so far"),
        more: more.map(str::to_owned),
    }
}

async fn tell(board: &dyn JobBoard, word: &JobWord) -> JobAsked {
    let told = board.tell_job(word, MOST, SILENT_MS).await;
    told.expect("redis answers")
}

async fn ids(board: &dyn JobBoard) -> Vec<String> {
    let told = board.told_jobs().await.expect("redis answers");
    let mut ids: Vec<_> = told
        .iter()
        .map(|job| job.text.replace(" so far", ""))
        .collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn what_a_node_tells_of_a_job_another_reads_and_may_ask_for_its_end() {
    let server = RedisServer::start();
    let clock = clock();
    let node = || engine(&server, "default", time(&clock));
    let (one, other) = (node(), node());
    let new = JobAsked {
        to_end: false,
        is_new: true,
    };
    let known = JobAsked {
        is_new: false,
        ..new
    };
    assert_eq!(other.told_job("a").await.expect("there"), None);
    assert!(!other.end_job("a").await.expect("there"));
    let first = word("a", JobStanding::Running, Some("[1]"));
    assert_eq!(tell(&*one, &first).await, new);
    clock.advance_ms(1_000);
    let next = word("a", JobStanding::Running, None);
    assert_eq!(tell(&*one, &next).await, known);
    clock.advance_ms(700);
    let told = JobTold {
        standing: JobStanding::Running,
        ago_ms: 700,
        text: "a so far".to_owned(),
        more: "[1]".to_owned(),
    };
    assert_eq!(
        other.told_job("a").await.expect("there"),
        Some(told.clone())
    );
    let brief = JobTold {
        more: String::new(),
        ..told
    };
    assert_eq!(other.told_jobs().await.expect("there"), [brief]);
    assert!(other.end_job("a").await.expect("there"));
    let asked = JobAsked {
        to_end: true,
        ..known
    };
    assert_eq!(tell(&*one, &next).await, asked);
    for key in ["jobs", "j:a"] {
        let key = format!("caller-id:{{default}}:{key}");
        match server.ask(&["PTTL", &key]).expect("redis answers") {
            Value::Int(ms) => assert!((86_000_000..=86_400_000).contains(&ms), "{ms}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn the_latest_jobs_are_kept_and_all_that_go_on() {
    let server = RedisServer::start();
    let clock = clock();
    let node = engine(&server, "default", time(&clock));
    let running = word("0", JobStanding::Running, None);
    tell(&*node, &running).await;
    for id in ["1", "2", "3", "4"] {
        clock.advance_ms(1_000);
        tell(&*node, &word(id, JobStanding::Ended, None)).await;
        tell(&*node, &running).await;
    }
    assert_eq!(ids(&*node).await, ["0", "3", "4"]);
    // Its node is gone: it is the oldest by then.
    clock.advance_ms(SILENT_MS + 1);
    tell(&*node, &word("5", JobStanding::Ended, None)).await;
    assert_eq!(ids(&*node).await, ["3", "4", "5"]);
    let left: i64 = server
        .ask(&["EXISTS", "caller-id:{default}:j:0"])
        .expect("redis answers");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn as_many_run_as_run_whatever_is_kept() {
    let server = RedisServer::start();
    let node = engine(&server, "default", time(&clock()));
    for id in ["1", "2", "3", "4", "5"] {
        tell(&*node, &word(id, JobStanding::Running, None)).await;
    }
    assert_eq!(ids(&*node).await.len(), 5);
}
