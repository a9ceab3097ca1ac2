//! Numbers and calls from files and to them.

use std::fs;
use std::path::Path;

use crate::rig::{Service, token_of};
use crate::stub::Stub;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rows_are_told_with_their_lines_and_others_are_written() {
    let service = Service::start().await;
    let file = service.folder().join("numbers.csv");
    fs::write(
        &file,
        "caller_id,colour\n3125550100,red\n555,blue\n3125550101,\n",
    )
    .unwrap();
    let tried = service
        .ask(&["numbers", "import", text(&file), "--dry-run"])
        .await;
    assert_eq!(tried.code, 1, "{tried:?}");
    assert_eq!(
        tried.out,
        "dry run, nothing written: 2 added, 0 updated, 0 skipped, 1 bad\n"
    );
    assert!(
        tried.err.starts_with("line 3: number `555` has 3 digits"),
        "{tried:?}"
    );
    assert!(
        tried.err.contains("columns not known, kept out: colour"),
        "{tried:?}"
    );
    let written = service.ask(&["numbers", "import", text(&file)]).await;
    assert_eq!(
        (written.code, written.out.as_str()),
        (1, "2 added, 0 updated, 0 skipped, 1 bad\n")
    );
    let again = [
        "numbers",
        "import",
        text(&file),
        "--on-duplicate",
        "fail",
        "--json",
    ];
    let again = service.ask(&again).await;
    assert_eq!((again.code, &again.json()["failed"]), (1, &3.into()));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_imports_to_the_same_state() {
    let service = Service::start().await;
    for number in ["3125550100", "+442079460958"] {
        service
            .ask(&["numbers", "add", number, "--pool", "east"])
            .await
            .fine();
    }
    for name in ["all.csv", "all.ndjson"] {
        let file = service.folder().join(name);
        let told = service
            .ask(&["numbers", "export", text(&file)])
            .await
            .fine();
        assert!(
            told.out.is_empty() && told.err.contains("is written"),
            "{told:?}"
        );
        let form = name.split_once('.').unwrap().1;
        let printed = service
            .ask(&["numbers", "export", "--format", form])
            .await
            .fine();
        assert_eq!(printed.out, fs::read_to_string(&file).unwrap());
        let other = Service::start().await;
        let told = other.ask(&["numbers", "import", text(&file)]).await.fine();
        assert_eq!(told.out, "2 added, 0 updated, 0 skipped, 0 bad\n", "{name}");
        let there = other.ask(&["numbers", "export"]).await.fine();
        assert_eq!(
            there.out,
            service.ask(&["numbers", "export"]).await.fine().out
        );
        other.stop().await;
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_what_its_filter_asks_for() {
    let service = Service::start().await;
    service
        .ask(&["numbers", "add", "3125550100", "--pool", "east"])
        .await
        .fine();
    service.ask(&["numbers", "add", "3125550101"]).await.fine();
    let told = service
        .ask(&["numbers", "export", "--pool", "east"])
        .await
        .fine();
    assert!(
        told.out.contains("+13125550100") && !told.out.contains("+13125550101"),
        "{told:?}"
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_written_as_csv() {
    let service = Service::start().await;
    service.ask(&["numbers", "add", "3125550100"]).await.fine();
    service
        .call("to=17735550123&campaign=SOLAR&call=M123")
        .await;
    let file = service.folder().join("calls.csv");
    let words = ["trace", "--campaign", "SOLAR", "--csv", text(&file)];
    service.ask(&words).await.fine();
    let written = fs::read_to_string(&file).unwrap();
    assert!(
        written.contains("+17735550123") && written.contains("M123"),
        "{written}"
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_does_not_come_whole_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.csv");
    fs::write(&file, "as it was").unwrap();
    let stub = Stub::start(vec![
        "HTTP/1.1 200 OK\r\ncontent-type: text/csv\r\ncontent-length: 1000\r\n\r\ncaller_id\n"
            .to_owned(),
    ]);
    let told = stub.ask(&["numbers", "export", text(&file)]).await;
    told.refused(1, &["is not whole"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "as it was");
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "and nothing beside it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_import_is_told_before_the_file_is_sent() {
    let service = Service::start().await;
    let file = service.folder().join("numbers.csv");
    fs::write(
        &file,
        "caller_id\n".to_owned() + &"3125550100\n".repeat(200_000),
    )
    .unwrap();
    let told = service
        .ask_as(&token_of("viewer"), &["numbers", "import", text(&file)])
        .await;
    told.refused(1, &["Operator role required"]);
    let none = service
        .ask(&["numbers", "import", "/nonexistent.csv"])
        .await;
    none.refused(1, &["cannot read /nonexistent.csv"]);
    service.stop().await;
}
