//! `CALLER_ID_URL` and `CALLER_ID_KEY`, for the two commands that have flags of their own for the service.

use std::fs;

use assert_cmd::Command;

use crate::rig::{Service, TOKEN, Told, run};

/// The key of the service that is named, and nobody else's.
const KEY: (&str, &str) = ("CALLER_ID_KEY", TOKEN);
/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:1";

#[tokio::test(flavor = "multi_thread")]
async fn health_asks_the_service_that_is_named_unless_its_own_is_wanted() {
    let service = Service::start().await;
    let named = ("CALLER_ID_URL", service.url.as_str());
    let elsewhere = ("API_PORT", "1");
    let well = run(&["health"], &[named, elsewhere]).await.fine();
    assert!(well.out.contains("\"status\":\"ok\""), "{well:?}");
    // A flag is nearer than the environment, and the service beside it is what an engine asks.
    let flag = ["health", "--url", NOWHERE];
    let told = run(&flag, &[named]).await;
    told.refused(1, &[NOWHERE]);
    let own = run(&["health", "--local"], &[named, elsewhere]).await;
    own.refused(1, &[NOWHERE]);
    let wrong = run(&["health"], &[("CALLER_ID_URL", "nonsense")]).await;
    wrong.refused(2, &["CALLER_ID_URL", "`nonsense`"]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn import_asks_the_service_that_is_named_with_its_key() {
    let service = Service::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("numbers.csv");
    fs::write(&file, "caller_id\n3125550100\n").unwrap();
    let words = ["import", "--csv", file.to_str().unwrap()];
    let named = ("CALLER_ID_URL", service.url.as_str());
    let elsewhere = ("API_PORT", "1");
    // The token of a service whose settings happen to be here is not the one of the service that is named.
    let other = ("ADMIN_TOKEN", "the-token-of-another-service-0123456789");
    let told = run(&words, &[named, elsewhere, KEY, other]).await.fine();
    assert!(told.out.starts_with("1 added"), "{told:?}");
    let flag = [&words[..], &["--api-url", NOWHERE]].concat();
    let told = run(&flag, &[named, KEY]).await;
    told.refused(2, &[NOWHERE]);
    let given = [&words[..], &["--admin-token", TOKEN]].concat();
    let told = run(&given, &[named, ("CALLER_ID_KEY", "wrong")])
        .await
        .fine();
    assert!(told.out.contains("1 skipped"), "{told:?}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_folder_one_is_in_is_sent_to_no_service_that_is_named_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".env"), "ADMIN_TOKEN=of-this-folder\n").unwrap();
    fs::write(folder.path().join("numbers.csv"), "caller_id\n3125550100\n").unwrap();
    let told = tokio::task::spawn_blocking(move || {
        let mut command = Command::cargo_bin("caller-id").unwrap();
        command.env_clear().current_dir(folder.path());
        command.env("CALLER_ID_URL", "https://192.0.2.1");
        command.args(["import", "--csv", "numbers.csv"]);
        command.output().unwrap()
    });
    let told = Told::of(told.await.unwrap());
    told.refused(2, &["no admin token", "CALLER_ID_KEY"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_file_without_a_header_only_the_reason_is_told() {
    let service = Service::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("none.csv");
    fs::write(&file, "a,b\n1,2\n").unwrap();
    let named = ("CALLER_ID_URL", service.url.as_str());
    for mode in ["api", "db"] {
        let words = ["import", "--csv", file.to_str().unwrap(), "--mode", mode];
        let told = run(&words, &[named, KEY]).await;
        told.refused(2, &["caller_id"]);
    }
    service.stop().await;
}
