//! `caller-id audit`, as its users see it: what somebody did to the log is found, and where.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "audit_command/forged.rs"]
mod forged;

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use caller_id_core::audit::AuditEvent;
use caller_id_core::{AuditLog, ManualClock};
use caller_id_store::{PostgresOptions, PostgresStore, SqliteOptions, SqliteStore};
use caller_id_testkit::builders::{START, somebody};
use caller_id_testkit::postgres::Postgres;
use tempfile::TempDir;

/// So many entries has a log here.
const ENTRIES: usize = 6;

/// A database with a log.
enum Database {
    Sqlite(TempDir),
    Postgres(Arc<Postgres>, String),
}

impl Database {
    /// One of each kind, both with this log.
    async fn both(subjects: [&str; ENTRIES]) -> [Self; 2] {
        let sqlite = Self::Sqlite(tempfile::tempdir().unwrap());
        let server = Postgres::shared();
        let name = server.database();
        let postgres = Self::Postgres(server, name);
        for database in [&sqlite, &postgres] {
            database.fill(subjects).await;
        }
        [sqlite, postgres]
    }

    async fn fill(&self, subjects: [&str; ENTRIES]) {
        let clock = Arc::new(ManualClock::at(START));
        match self {
            Self::Sqlite(folder) => {
                let path = folder.path().join("caller-id.db");
                let store = SqliteStore::open(&path, SqliteOptions::new(clock)).unwrap();
                add(&*store, subjects).await;
                store.close().await;
            }
            Self::Postgres(..) => {
                let options = PostgresOptions::new(clock);
                let store = PostgresStore::open(&self.url(), options).await.unwrap();
                add(&*store, subjects).await;
                store.close();
            }
        }
    }

    fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => {
                format!("sqlite:{}", folder.path().join("caller-id.db").display())
            }
            Self::Postgres(server, name) => server.url(name),
        }
    }

    /// Does what nobody should.
    fn sql(&self, sql: &str) {
        match self {
            Self::Sqlite(folder) => {
                let path = folder.path().join("caller-id.db");
                let connection = rusqlite::Connection::open(path).unwrap();
                let free = "DROP TRIGGER IF EXISTS audit_is_never_changed; DROP TRIGGER IF EXISTS audit_is_never_removed;";
                connection.execute_batch(&format!("{free}{sql}")).unwrap();
            }
            Self::Postgres(server, name) => {
                let free = "SET search_path TO caller_id; ALTER TABLE audit DISABLE TRIGGER ALL;";
                server.psql(name, &format!("{free}{sql}"));
            }
        }
    }

    fn audit(&self, words: &[&str]) -> Output {
        self.run(&[&["audit"], words].concat())
    }

    fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_caller-id"));
        command.env_clear().args(words);
        command
            .args(["--database-url", &self.url()])
            .output()
            .unwrap()
    }

    /// The end of the log, as people keep it.
    fn head(&self) -> String {
        let told = self.audit(&["verify"]);
        assert_eq!(told.status.code(), Some(0), "{}", err(&told));
        let out = out(&told);
        let head = out.lines().find_map(|line| line.strip_prefix("head "));
        head.unwrap().to_owned()
    }

    fn assert_broken(&self, did: &str, words: &[&str], line: &str) {
        let told = self.audit(words);
        assert_eq!(told.status.code(), Some(1), "{did}: {}", out(&told));
        let wanted = format!("the audit log DOES NOT HOLD at {line}");
        assert_eq!(out(&told).lines().next(), Some(&*wanted), "{did}");
    }
}

async fn add<L: AuditLog>(log: &L, subjects: [&str; ENTRIES]) {
    for subject in subjects {
        let event = AuditEvent {
            author: somebody(),
            action: "pool.put".to_owned(),
            subject: subject.to_owned(),
            before: None,
            after: Some("{}".to_owned()),
        };
        log.add(event).await.unwrap();
    }
}

fn out(told: &Output) -> String {
    String::from_utf8(told.stdout.clone()).unwrap()
}

fn err(told: &Output) -> String {
    String::from_utf8(told.stderr.clone()).unwrap()
}

const SUBJECTS: [&str; ENTRIES] = ["one", "two", "three", "four", "five", "six"];

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_taken_out_put_in_or_moved_is_found_where_it_was_done() {
    const CHANGED: &str = "the entry, or its hash, is not what was written";
    let databases = Database::both(SUBJECTS).await;
    let kept = databases[0].head();
    for database in &databases {
        database.sql("CREATE TABLE untouched AS SELECT * FROM audit");
    }
    for (did, sql, line) in [
        (
            "changed",
            "UPDATE audit SET subject = 'x' WHERE place = 3",
            format!("place 3: {CHANGED}"),
        ),
        (
            "an author blamed",
            "UPDATE audit SET author = 'x' WHERE place = 1",
            format!("place 1: {CHANGED}"),
        ),
        (
            "emptied",
            "UPDATE audit SET after = NULL WHERE place = 6",
            format!("place 6: {CHANGED}"),
        ),
        (
            "a hash copied",
            "UPDATE audit SET link = (SELECT link FROM audit WHERE place = 2) WHERE place = 4",
            format!("place 4: {CHANGED}"),
        ),
        (
            "the first taken out",
            "DELETE FROM audit WHERE place = 1",
            "place 1: the entry is missing".to_owned(),
        ),
        (
            "one taken out",
            "DELETE FROM audit WHERE place = 3",
            "place 3: the entry is missing".to_owned(),
        ),
        (
            "one taken out and the others moved up",
            "DELETE FROM audit WHERE place = 3; UPDATE audit SET place = place + 1000 WHERE place > 3;
             UPDATE audit SET place = place - 1001 WHERE place > 1000",
            format!("place 3: {CHANGED}"),
        ),
        (
            "two in each other's place",
            "UPDATE audit SET place = 1000 WHERE place = 3; UPDATE audit SET place = 3 WHERE place = 4;
             UPDATE audit SET place = 4 WHERE place = 1000",
            format!("place 3: {CHANGED}"),
        ),
        (
            "one put in",
            "UPDATE audit SET place = place + 1000 WHERE place >= 3; UPDATE audit SET place = place - 999 WHERE place > 1000;
             INSERT INTO audit (place, at, author_kind, author, action, subject, link)
             SELECT 3, at, author_kind, author, action, 'x', link FROM audit WHERE place = 2",
            format!("place 3: {CHANGED}"),
        ),
    ] {
        for database in &databases {
            database.sql(sql);
            database.assert_broken(did, &["verify"], &line);
            database.sql("DELETE FROM audit; INSERT INTO audit SELECT * FROM untouched");
            assert_eq!(database.head(), kept, "{did}, and taken back");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_cut_off_is_found_by_its_head_and_by_a_head_that_somebody_kept() {
    let cut = "DELETE FROM audit WHERE place > 4;";
    let missing = "place 5: the entries up to 6 are missing";
    let head_too =
        "UPDATE audit_head SET place = 4, link = (SELECT link FROM audit WHERE place = 4);";
    for database in Database::both(SUBJECTS).await {
        let kept = database.head();
        database.sql(cut);
        database.assert_broken("cut off", &["verify"], missing);
        // Also where the service wrote on, which goes on after what it knows to be the end.
        database.fill(["a", "b", "c", "d", "e", "f"]).await;
        database.assert_broken(
            "cut off before",
            &["verify"],
            "place 5: the entry is missing",
        );
        assert!(kept.starts_with("6:"), "{kept}");
    }
    for database in Database::both(SUBJECTS).await {
        let kept = database.head();
        database.sql(&format!("{cut}{head_too}"));
        assert!(database.head().starts_with("4:"));
        database.assert_broken("cut off", &["verify", "--head", &kept], missing);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_written_anew_is_found_by_a_head_that_somebody_kept() {
    let mut forged = SUBJECTS;
    forged[2] = "another";
    let old = Database::both(SUBJECTS).await;
    let new = Database::both(forged).await;
    for (old, new) in old.iter().zip(&new) {
        let kept = old.head();
        assert_ne!(kept, new.head());
        let line = "place 6: it is not what was there when that head was kept";
        new.assert_broken("written anew", &["verify", "--head", &kept], line);
        let good = old.audit(&["verify", "--head", &kept]);
        assert_eq!(good.status.code(), Some(0), "{}", out(&good));
        assert_eq!(
            out(&good).lines().next(),
            Some("the audit log holds: 6 entries")
        );
    }
    assert_eq!(old[0].head(), old[1].head(), "both stores chain alike");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_can_read_and_an_end_that_does_not_fit_are_found() {
    for database in Database::both(SUBJECTS).await {
        database.sql("UPDATE audit SET author_kind = 'god' WHERE place = 4");
        let told = database.audit(&["verify"]);
        assert_eq!(told.status.code(), Some(1), "{}{}", out(&told), err(&told));
        let start = "the audit log DOES NOT HOLD at place 4: ";
        assert!(out(&told).starts_with(start), "{}", out(&told));
        assert!(out(&told).contains("3 entries before it hold"));
    }
    for database in Database::both(SUBJECTS).await {
        database.sql("UPDATE audit_head SET link = (SELECT link FROM audit WHERE place = 2)");
        let line = "place 6: the end of the log is not what it was when it was written";
        database.assert_broken("another end", &["verify"], line);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_tells_whether_the_end_of_the_log_holds() {
    for database in Database::both(SUBJECTS).await {
        let told = out(&database.run(&["doctor"]));
        assert!(
            told.contains("audit log: the last 6 of 6 entries hold\n"),
            "{told}"
        );
        assert!(told.contains("API keys: none\n"), "{told}");
        database.sql("UPDATE audit SET subject = 'x' WHERE place = 2");
        let broken = database.run(&["doctor"]);
        assert_eq!(broken.status.code(), Some(1));
        let line = "audit log: it does not hold at place 2: ";
        let told = out(&broken);
        let line = told.lines().find(|told| told.contains(line));
        assert!(
            line.is_some_and(|line| line.starts_with("error ")),
            "{told}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_every_entry_oldest_first_and_replaces_a_file_as_a_whole() {
    for database in Database::both(SUBJECTS).await {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("audit.csv");
        std::fs::write(&file, "before").unwrap();
        let told = database.audit(&["export", "--csv", file.to_str().unwrap()]);
        assert_eq!(told.status.code(), Some(0), "{}", err(&told));
        let written = std::fs::read_to_string(&file).unwrap();
        let subjects = written.lines().skip(1).map(|line| line.split(',').nth(6));
        let subjects: Vec<_> = subjects.map(Option::unwrap).collect();
        assert_eq!(subjects, SUBJECTS);
        let printed = database.audit(&["export"]);
        assert_eq!(out(&printed), written);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_said_in_one_line_and_changes_nothing() {
    let [database, _] = Database::both(SUBJECTS).await;
    let Database::Sqlite(folder) = &database else {
        panic!("the first is SQLite's");
    };
    let own = folder.path().join("caller-id.db");
    let before = std::fs::read(&own).unwrap();
    for (words, said) in [
        (
            vec!["export", "--csv", own.to_str().unwrap()],
            "belongs to the service itself",
        ),
        (
            vec!["export", "--csv", "/nowhere/x.csv"],
            "cannot write /nowhere/x.csv",
        ),
    ] {
        let told = database.audit(&words);
        assert_eq!(told.status.code(), Some(2), "{words:?}: {}", out(&told));
        assert!(err(&told).contains(said), "{words:?}: {}", err(&told));
        assert_eq!(err(&told).lines().count(), 1, "{}", err(&told));
    }
    for words in [["verify", "--csv", "x"], ["export", "--head", "0:0"]] {
        let other = database.audit(&words);
        assert_eq!(other.status.code(), Some(2), "{words:?}");
        assert!(err(&other).contains("unexpected argument"), "{words:?}");
    }
    let wrong = database.audit(&["verify", "--head", "7"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(err(&wrong).contains("PLACE:HASH"), "{}", err(&wrong));
    assert_eq!(std::fs::read(&own).unwrap(), before);
    std::fs::remove_file(&own).unwrap();
    let none = database.audit(&["verify"]);
    assert_eq!(none.status.code(), Some(2), "{}", err(&none));
    assert!(err(&none).contains("no audit log"), "{}", err(&none));
    assert!(!Path::new(&own).exists());
}
