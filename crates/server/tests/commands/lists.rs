//! Long lists, and what programs read.

use crate::rig::{Service, unread};

async fn with_numbers(count: u32) -> Service {
    let service = Service::start().await;
    let mut file = "caller_id\n".to_owned();
    for line in 0..count {
        file.push_str(&format!("1312{}\n", 2_000_000 + line));
    }
    let path = service.folder().join("numbers.csv");
    std::fs::write(&path, file).unwrap();
    let imported = service
        .ask(&["numbers", "import", path.to_str().unwrap()])
        .await;
    imported.fine();
    service
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_what_the_api_says_to_the_letter() {
    let service = with_numbers(3).await;
    for (words, path) in [
        (&["pools", "list"][..], "/api/v1/pools"),
        (
            &["numbers", "list", "--limit", "2"],
            "/api/v1/numbers?limit=2",
        ),
        (&["campaigns", "list"], "/api/v1/campaigns"),
        (
            &["numbers", "show", "13122000000"],
            "/api/v1/numbers/13122000000",
        ),
    ] {
        let told = service.ask(&[words, &["--json"]].concat()).await.fine();
        assert_eq!(told.out, format!("{}\n", service.said(path).await));
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_pages_are_one_table_or_one_object_a_line() {
    let service = with_numbers(2_500).await;
    let table = service.ask(&["numbers", "list", "--all"]).await.fine();
    let lines: Vec<&str> = table.out.lines().collect();
    assert_eq!(lines.len(), 2_501);
    assert!(lines[0].starts_with("NUMBER") && lines[2_500].starts_with("312-200-2499"));
    let lines = service.ask(&["numbers", "list", "--all", "--limit", "999", "--json"]);
    let lines = lines.await.fine().out;
    let numbers: Vec<String> = lines
        .lines()
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            value["number"].as_str().unwrap().to_owned()
        })
        .collect();
    let expected: Vec<String> = (0..2_500)
        .map(|it| format!("+1312{}", 2_000_000 + it))
        .collect();
    assert_eq!(numbers, expected);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_tells_where_the_next_begins() {
    let service = with_numbers(5).await;
    let first = service
        .ask(&["numbers", "list", "--limit", "3", "--count"])
        .await
        .fine();
    assert_eq!(first.out.lines().count(), 4);
    assert!(first.err.starts_with("5 in all\n"), "{first:?}");
    let cursor = first
        .err
        .trim()
        .rsplit_once("--cursor ")
        .unwrap()
        .1
        .to_owned();
    let next = [
        "numbers", "list", "--limit", "3", "--count", "--cursor", &cursor,
    ];
    let next = service.ask(&next).await.fine();
    let lines: Vec<&str> = next.out.lines().collect();
    assert!(
        lines.len() == 3 && lines[1].starts_with("312-200-0003"),
        "{next:?}"
    );
    assert!(!next.err.contains("there are more"), "{next:?}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stops_reading_is_no_failure() {
    let service = with_numbers(1_500).await;
    for words in [
        &["numbers", "list", "--all"][..],
        &["numbers", "export"],
        &["numbers", "list", "--json"],
        &["completions", "bash"],
    ] {
        assert_eq!(
            unread(&service, words).await,
            (0, String::new()),
            "{words:?}"
        );
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_very_many_numbers_are_waited_for() {
    let service = with_numbers(10_100).await;
    let bulk = ["numbers", "bulk", "pause", "--begins", "1312", "--yes"];
    let told = service.ask(&bulk).await.fine();
    assert!(told.err.contains("goes on by itself"), "{told:?}");
    assert!(
        told.out.contains("10,100 changed, 10,100 of 10,100"),
        "{told:?}"
    );
    let resume = [
        "numbers",
        "bulk",
        "resume",
        "--all",
        "--yes",
        "--no-wait",
        "--json",
    ];
    let job = service.ask(&resume).await.fine().json();
    let id = job["id"].as_str().unwrap();
    service.ask(&["jobs", "wait", id]).await.fine();
    let shown = service.ask(&["jobs", "show", id]).await.fine();
    assert!(shown.out.contains("state    done"), "{shown:?}");
    let cancelled = service.ask(&["jobs", "cancel", id]).await.fine();
    assert!(cancelled.out.contains("state    done"), "{cancelled:?}");
    let list = service.ask(&["jobs", "list"]).await.fine();
    assert_eq!(list.out.lines().count(), 3, "{list:?}");
    service.stop().await;
}
