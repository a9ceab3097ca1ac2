//! What goes wrong, in one line each, and the exit codes.

use std::io::Write;
use std::net::TcpListener;
use std::sync::mpsc::{self, Receiver, TrySendError};
use std::time::Duration;

use crate::rig::{Service, TOKEN, run, token_of};
use crate::stub::{Stub, answer};

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_refuses_is_one_line_and_exit_code_1() {
    let service = Service::start().await;
    service
        .ask(&["numbers", "add", "3125550100", "--pool", "east"])
        .await
        .fine();
    for (words, parts) in [
        (
            &["numbers", "show", "312-555-0199"][..],
            &["Not found", "`+13125550199`"][..],
        ),
        (&["numbers", "add", "312-555-0100"], &["already exists"]),
        (
            &["numbers", "change", "312-555-0100", "--daily-limit", "0"],
            &["daily_limit: a whole number from 1"],
        ),
        (
            &["numbers", "change", "312-555-0100", "--pool", "west"],
            &["west"],
        ),
        (
            &["numbers", "list", "--status", "asleep", "--sort", "colour"],
            &["status:", "sort:"],
        ),
        (&["pools", "show", "west"], &["There is no pool `west`"]),
        (
            &["pools", "remove", "east", "--yes"],
            &["in use", "1 number"],
        ),
        (&["pools", "set", "east", "--ladder", "moon"], &["ladder"]),
        (
            &["campaigns", "set", "SOLAR", "--agent-limit", "5"],
            &["pools"],
        ),
        (
            &["campaigns", "set", "SOLAR", "--pools", "nowhere"],
            &[
                "`nowhere`",
                " -> `caller-id pools list`",
                "`caller-id pools set NAME`",
            ],
        ),
        (&["explain", "911"], &["911"]),
        (&["stats", "--by", "colour"], &["by: one of"]),
        (&["jobs", "show", "x"], &["There is no job `x`"]),
        (&["trace", "--id", "x"], &["id: a reservation id is a UUID"]),
    ] {
        service.ask(words).await.refused(1, parts);
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn some_numbers_may_fail_and_others_go() {
    let service = Service::start().await;
    service.ask(&["numbers", "add", "3125550101"]).await.fine();
    let told = service
        .ask(&["numbers", "pause", "3125550100", "3125550101"])
        .await;
    assert_eq!(told.code, 1);
    assert_eq!(told.out, "312-555-0101 (pool default) is paused\n");
    assert!(told.err.contains("+13125550100: Not found"), "{told:?}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_wrongly_is_exit_code_2() {
    let service = Service::start().await;
    for words in [
        &["numbers"][..],
        &["numbers", "fly"],
        &["numbers", "show"],
        &["numbers", "show", "555"],
        &["numbers", "change", "3125550100"],
        &["numbers", "rest", "3125550100"],
        &[
            "numbers",
            "rest",
            "3125550100",
            "--minutes",
            "5",
            "--until",
            "2099-01-01",
        ],
        &["numbers", "rest", "3125550100", "--until", "tomorrow"],
        &["numbers", "bulk", "pause", "--yes"],
        &[
            "numbers", "bulk", "pause", "--all", "--pool", "east", "--yes",
        ],
        &["numbers", "bulk", "change", "--all", "--yes"],
        &["numbers", "bulk", "change", "--all", "--set", "x", "--yes"],
        &[
            "numbers",
            "bulk",
            "pause",
            "--all",
            "--minutes",
            "5",
            "--yes",
        ],
        &["numbers", "bulk", "rest", "--all", "--yes"],
        &["numbers", "list", "--limit", "0"],
        &["numbers", "list", "--limit", "1001"],
        &["lookup", "3125550100", "--limit", "101"],
        &["stats", "--limit", "0"],
        &["requests", "--limit", "0"],
        &["numbers", "list", "--timeout", "0"],
        &["numbers", "list", "--url", "nonsense"],
        &["numbers", "list", "--key-file", "/nonexistent"],
        &["numbers", "list", "--ca-file", "/nonexistent"],
        &["numbers", "list", "--ca-file", "/dev/null"],
        &["numbers", "list", "--key", "x"],
        &["trace"],
        &["campaigns", "set", "SOLAR"],
        &["completions", "tcsh-ish"],
    ] {
        let told = service.ask(words).await;
        assert_eq!(
            (told.code, told.out.as_str()),
            (2, ""),
            "{words:?}: {told:?}"
        );
        assert!(!told.err.is_empty(), "{words:?}");
    }
    let told = service
        .ask(&["numbers", "list", "--key-file", "/nonexistent"])
        .await;
    let begins = "caller-id: cannot read the key in /nonexistent: ";
    assert!(told.err.starts_with(begins), "{told:?}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_changed_where_nobody_can_be_asked() {
    let service = Service::start().await;
    service.ask(&["numbers", "add", "3125550100"]).await.fine();
    for (words, part) in [
        (
            &["numbers", "bulk", "pause", "--all"][..],
            "1 number will be paused",
        ),
        (
            &["numbers", "bulk", "change", "--all", "--set", "carrier=x"],
            "1 number: carrier is changed",
        ),
        (&["numbers", "remove", "3125550100"], "312-555-0100"),
    ] {
        service
            .ask(words)
            .await
            .refused(2, &[part, "--yes says that it is meant"]);
    }
    let shown = service.ask(&["numbers", "show", "3125550100"]).await.fine();
    assert!(shown.out.contains("active"), "{shown:?}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_do_not_open_are_told_and_never_shown() {
    let service = Service::start().await;
    let wrong = "wrong-key-of-somebody-0123456789";
    let told = service.ask_as(wrong, &["numbers", "list"]).await;
    assert!(!told.err.contains(wrong), "{told:?}");
    told.refused(1, &["Invalid token", "CALLER_ID_KEY"]);
    let none = run(&["numbers", "list"], &[("CALLER_ID_URL", &service.url)]).await;
    none.refused(2, &["no key", "CALLER_ID_KEY", "--key-file"]);
    let elsewhere = [
        ("CALLER_ID_URL", "https://192.0.2.1"),
        ("ADMIN_TOKEN", TOKEN),
    ];
    let elsewhere = run(&["numbers", "list"], &elsewhere).await;
    elsewhere.refused(2, &["no key"]);
    let two_lines = [
        ("CALLER_ID_URL", service.url.as_str()),
        ("CALLER_ID_KEY", "a\nb"),
    ];
    let two_lines = run(&["numbers", "list"], &two_lines).await;
    two_lines.refused(2, &["CALLER_ID_KEY", "(hidden)", "one line"]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_comes_from_a_file_the_environment_or_the_first_start() {
    let service = Service::start().await;
    let file = service.folder().join("key");
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let whoami = ["whoami", "--key-file", file.to_str().unwrap()];
    let url = ("CALLER_ID_URL", service.url.as_str());
    run(&whoami, &[url, ("CALLER_ID_KEY", "wrong")])
        .await
        .fine();
    run(&["whoami"], &[url, ("ADMIN_TOKEN", TOKEN)])
        .await
        .fine();
    let port = service.url.rsplit_once(':').unwrap().1;
    std::fs::write(service.folder().join("admin-token"), format!("{TOKEN}\n")).unwrap();
    let data = service.folder().to_str().unwrap();
    let here = [("API_PORT", port), ("DATA_DIR", data)];
    let told = run(&["whoami"], &here).await.fine();
    assert!(told.out.contains("role      admin"), "{told:?}");
    service.stop().await;
}

#[test]
fn the_folder_one_is_in_does_not_say_where_a_key_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = "CALLER_ID_URL=http://192.0.2.1:1\nAPI_PORT=1\n";
    std::fs::write(folder.path().join(".env"), elsewhere).unwrap();
    let mut command = assert_cmd::Command::cargo_bin("caller-id").unwrap();
    command
        .env_clear()
        .env("CALLER_ID_KEY", "key")
        .arg("whoami");
    let output = command.current_dir(folder.path()).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("cannot reach http://127.0.0.1:1"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_that_are_too_small_are_named() {
    let service = Service::start().await;
    service.ask(&["numbers", "add", "3125550100"]).await.fine();
    let viewer = token_of("viewer");
    service.ask_as(&viewer, &["numbers", "list"]).await.fine();
    let told = service
        .ask_as(&viewer, &["numbers", "pause", "3125550100"])
        .await;
    told.refused(1, &["Operator role required", "whoami"]);
    let operator = token_of("operator");
    service
        .ask_as(&operator, &["numbers", "pause", "3125550100"])
        .await
        .fine();
    let told = service
        .ask_as(&operator, &["numbers", "remove", "3125550100", "-y"])
        .await;
    told.refused(1, &["Admin role required"]);
    let told = service
        .ask_as(&token_of("dialer"), &["pools", "list"])
        .await;
    told.refused(1, &["Viewer role required"]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_away_or_hangs_is_told_in_time() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let away = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let key = ("CALLER_ID_KEY", TOKEN);
    let told = run(&["numbers", "list"], &[("CALLER_ID_URL", &away), key]).await;
    told.refused(1, &["cannot reach", &away, "is the service running there?"]);
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", hanging.local_addr().unwrap());
    for (words, part) in [
        (&["numbers", "list"][..], "did not answer in 1 s"),
        (
            &["numbers", "pause", "3125550100"],
            "may have been made all the same",
        ),
        (&["numbers", "export"], "did not answer in 1 s"),
    ] {
        let words = [words, &["--timeout", "1"]].concat();
        let told = run(&words, &[("CALLER_ID_URL", &url), key]).await;
        told.refused(1, &[part, &url]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_never_ends_is_told_in_time() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n";
    let (url, _drips) = dripping(head);
    let variables = [("CALLER_ID_URL", url.as_str()), ("CALLER_ID_KEY", TOKEN)];
    let told = run(&["whoami", "--timeout", "1"], &variables).await;
    told.refused(1, &["did not answer in 1 s"]);
}

/// Something that says `head`, and then a blank every now and then, until it is dropped.
fn dripping(head: &'static str) -> (String, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (wanted, held) = mpsc::sync_channel(0);
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut said = stream.write_all(head.as_bytes());
        while said.is_ok() && wanted.try_send(()) != Err(TrySendError::Disconnected(())) {
            std::thread::sleep(Duration::from_millis(50));
            said = stream.write_all(b" ");
        }
    });
    (url, held)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_caller_id_is_told_so() {
    for (said, part) in [
        (answer("502 Bad Gateway", "<html>", ""), "a proxy is there"),
        (answer("404 Not Found", "nothing", ""), "is it one?"),
        (
            answer("301 Moved", "", "location: https://x/\r\n"),
            "a redirect",
        ),
        (answer("200 OK", "<html>", ""), "but not as caller-id does"),
        ("SSH-2.0-OpenSSH_9\r\n".to_owned(), "cannot reach"),
        (
            answer(
                "503 Busy",
                r#"{"title":"Not available now","detail":"The store is not available"}"#,
                "retry-after: 1\r\n",
            ),
            "Not available now: The store is not available (try again in 1 s)",
        ),
    ] {
        let stub = Stub::start(vec![said.clone()]);
        let told = stub.ask(&["pools", "list"]).await;
        assert_eq!((told.code, told.out.as_str()), (1, ""), "{told:?}");
        assert!(
            told.err.contains(part) && told.err.lines().count() == 1,
            "{said}: {told:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_service_says_steers_the_terminal() {
    let evil = r#"{"pools":[{"id":"a\u001b[2Jb\nc","warnings":[]}]}"#;
    let stub = Stub::start(vec![answer("200 OK", evil, "")]);
    let told = stub.ask(&["pools", "list"]).await.fine();
    assert!(
        !told.out.contains('\u{1b}') && told.out.lines().count() == 2,
        "{told:?}"
    );
    let evil = r#"{"title":"x","detail":"\u001b[2J\nall is well"}"#;
    let stub = Stub::start(vec![answer("409 Conflict", evil, "")]);
    let told = stub.ask(&["pools", "list"]).await;
    assert!(
        !told.err.contains('\u{1b}') && told.err.lines().count() == 1,
        "{told:?}"
    );
}
