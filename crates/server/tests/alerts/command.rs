//! `caller-id alert test`, as somebody types it.

use std::process::{Command, Output};

use crate::hook::{Hook, Reply, SECRET};

async fn test(
    arguments: &'static [&'static str],
    variables: &[(&str, &str)],
) -> (i32, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_caller-id"));
    command.env_clear().current_dir(folder.path());
    command.args(["alert", "test"]).args(arguments);
    command.env("DATA_DIR", folder.path());
    command.envs(variables.iter().copied());
    let ran = tokio::task::spawn_blocking(move || command.output());
    let Output {
        status,
        stdout,
        stderr,
    } = ran.await.expect("run").expect("an end");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    let (out, err) = (text(stdout), text(stderr));
    for said in [&out, &err] {
        assert!(!said.contains(SECRET) && !said.contains("sesame"), "{said}");
    }
    let left = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 0, "it writes nothing");
    (status.code().expect("a code"), out, err)
}

#[tokio::test]
async fn a_receiver_that_takes_it_is_shown_with_what_it_says() {
    let hook = Hook::start().await;
    let key = ("ALERT_WEBHOOK_SECRET", SECRET);
    let node = ("NODE_NAME", "cid7");
    let (code, out, err) = test(&[], &[("ALERT_WEBHOOK_URL", &hook.url), key, node]).await;
    assert_eq!((code, &*err), (0, ""), "{out}");
    assert!(
        out.contains("took the alert") && out.contains("(pool_low, signed)"),
        "{out}"
    );
    assert!(out.trim_end().ends_with("ms: 200: ok"), "{out}");
    let kind = &["--kind", "sign_in_attack"];
    let (code, out, _) = test(kind, &[("ALERT_WEBHOOK_URL", &hook.url)]).await;
    assert_eq!(code, 0);
    assert!(
        out.contains("not signed: ALERT_WEBHOOK_SECRET is not set"),
        "{out}"
    );
    let posts = hook.posts();
    assert_eq!(posts.len(), 2);
    assert!(posts[0].is_signed_by(SECRET));
    assert!(posts[1].header("x-callerid-signature").is_none());
    assert_eq!(posts[1].json()["kind"], "sign_in_attack");
    assert_eq!(
        (&posts[0].json()["test"], &posts[0].json()["node"]),
        (&true.into(), &"cid7".into())
    );
    assert!(
        posts[0].text().starts_with("caller-id, test: "),
        "{}",
        posts[0].text()
    );
}

#[tokio::test]
async fn what_is_wrong_is_named_and_never_the_url() {
    let hook = Hook::start().await;
    let elsewhere = Hook::start().await;
    let location = format!("location: {}\r\n", elsewhere.url);
    hook.will([
        Reply::Status(500, String::new()),
        Reply::Status(302, location),
        Reply::Reset,
    ]);
    for said in [
        "it answers 500: ok",
        "it answers 302, and redirects are not followed",
        "did not reach",
    ] {
        let (code, out, err) = test(&[], &[("ALERT_WEBHOOK_URL", &hook.url)]).await;
        assert_eq!((code, &*out), (1, ""), "{err}");
        assert!(err.contains(said) && err.lines().count() == 1, "{err}");
    }
    assert_eq!(elsewhere.posts().len(), 0);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = nobody.local_addr().expect("bound").port();
    drop(nobody);
    let url = format!("http://127.0.0.1:{port}/sesame");
    let (code, _, err) = test(&[], &[("ALERT_WEBHOOK_URL", &url)]).await;
    assert_eq!(code, 1);
    assert!(err.contains("it cannot be reached"), "{err}");
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_named() {
    let url = ("ALERT_WEBHOOK_URL", "http://127.0.0.1:1/sesame");
    for (pairs, named) in [
        (vec![], "ALERT_WEBHOOK_URL: "),
        (
            vec![("ALERT_WEBHOOK_URL", "http://127.0.0.1:70000/sesame")],
            "ALERT_WEBHOOK_URL: ",
        ),
        (
            vec![url, ("ALERT_WEBHOOK_SECRET", "sesame")],
            "ALERT_WEBHOOK_SECRET: ",
        ),
        (
            vec![url, ("ALERT_QUIET_HOURS", "night")],
            "ALERT_QUIET_HOURS: ",
        ),
        (
            vec![url, ("ALERT_REPEAT_MINUTES", "1")],
            "ALERT_REPEAT_MINUTES: ",
        ),
    ] {
        let (code, out, err) = test(&[], &pairs).await;
        assert_eq!((code, &*out), (2, ""), "{err}");
        assert!(err.starts_with(named), "{err}");
    }
    let (code, _, err) = test(&["--kind", "nonsense"], &[url]).await;
    assert_eq!(code, 2);
    assert!(err.contains("expected one of pool_exhausted"), "{err}");
}
