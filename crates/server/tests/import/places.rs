//! Where an import looks for the service and the database.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_makes_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "numbers.csv", csv(3) + "13122000000,,,,\n");
    let data = folder.path().join("data");
    let data_dir = format!("--data-dir={}", data.display());
    let told = import(&["--csv", &file, "--mode=db", "--dry-run", &data_dir]).await;
    assert_eq!(told.code, 0, "{}", told.err);
    let line = "nothing written: 3 added, 0 updated, 1 skipped, 0 bad";
    assert!(told.out.contains(line), "{}", told.out);
    assert!(!data.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_is_looked_for_where_the_settings_say_it_listens() {
    let running = Running::start(&[]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "numbers.csv", csv(3));
    let port = running.url.rsplit_once(':').unwrap().1.to_owned();
    let mut command = command(&["--csv", &file, "--admin-token", TOKEN]);
    command.env("API_HOST", "0.0.0.0").env("API_PORT", port);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(out.starts_with("3 added"), "{output:?}");
    running.stop().await;
}
