//! Databases to migrate between, and what is in them.

use std::ops::Range;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use caller_id_core::audit::AuditEntry;
use caller_id_core::listing::{Expected, NumberChange};
use caller_id_core::roles::{ApiKey, KeyId, Role, Session, SignedInBy};
use caller_id_core::store::{Fields, OnDuplicate, PastAllocation};
use caller_id_core::takeover::{DaySum, HourSum, RemovedNumber, SumMarks};
use caller_id_core::{
    AllocationId, AuditLog, CallEnd, CallReport, Campaign, HistoryReader, HistoryStore,
    InventoryStore, Journal, KeyStore, ManualClock, Number, Pool, Status, Takeover, Timestamp,
};
use caller_id_store::{PostgresOptions, PostgresStore, SqliteOptions, SqliteStore};
use caller_id_testkit::builders::{START, campaign, campaign_id, full_number, pool, somebody};
use caller_id_testkit::postgres;
use caller_id_testkit::store_suite::records::{
    allocated, ended, full_record, full_report, own, reported,
};
use tempfile::TempDir;

/// Of who is signed in at the source.
pub(crate) const SESSION: [u8; 32] = [5; 32];

/// All that a database has.
#[derive(Debug, PartialEq)]
pub(crate) struct Contents {
    pub(crate) numbers: Vec<Number>,
    pub(crate) pools: Vec<Pool>,
    pub(crate) campaigns: Vec<Campaign>,
    pub(crate) history: Vec<PastAllocation>,
    pub(crate) keys: Vec<ApiKey>,
    pub(crate) entries: Vec<AuditEntry>,
    pub(crate) removed: Vec<RemovedNumber>,
    pub(crate) hours: Vec<HourSum>,
    pub(crate) days: Vec<DaySum>,
    pub(crate) marks: SumMarks,
}

async fn contents<S>(store: &S) -> Contents
where
    S: InventoryStore + HistoryStore + KeyStore + AuditLog + Takeover,
{
    let mut history = Vec::new();
    store
        .allocations_since(Timestamp::ZERO, &mut |past| history.push(past))
        .await
        .unwrap();
    Contents {
        numbers: store.numbers(None, usize::MAX).await.unwrap(),
        pools: store.pools().await.unwrap(),
        campaigns: store.campaigns().await.unwrap(),
        history,
        keys: store.keys().await.unwrap(),
        entries: store.after(None, usize::MAX).await.unwrap(),
        removed: store.removed_numbers(None, usize::MAX).await.unwrap(),
        hours: store.hour_sums(None, usize::MAX).await.unwrap(),
        days: store.day_sums(None, usize::MAX).await.unwrap(),
        marks: store.sum_marks().await.unwrap(),
    }
}

/// A key with this name; the same name gives the same one.
pub(crate) fn key(name: &str) -> ApiKey {
    ApiKey {
        id: KeyId(format!("{name:0<12}")),
        name: name.to_owned(),
        role: Role::Dialer,
        hash: [name.len() as u8; 32],
        addresses: vec!["10.0.0.0/8".to_owned()],
        campaigns: vec![campaign_id("SOLAR")],
        created_at: START,
        created_by: "admin".to_owned(),
        expires_at: Some(START.plus_ms(86_400_000)),
        revoked_at: None,
        last_used_at: None,
    }
}

/// Sums up all that can be.
pub(crate) async fn sum_up(sqlite: &Sqlite) {
    let store = sqlite.open();
    let now = START.plus_ms(60 * 86_400_000);
    while store.sum_up(now).await.unwrap() {}
    store.close().await;
}

/// A database of SQLite in a folder of its own.
pub(crate) struct Sqlite(TempDir);

impl Sqlite {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("caller-id.db")
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite:{}", self.path().display())
    }

    /// Does what nobody should.
    pub(crate) fn sql(&self, sql: &str) {
        rusqlite::Connection::open(self.path())
            .unwrap()
            .execute_batch(sql)
            .unwrap();
    }

    pub(crate) fn open(&self) -> Arc<SqliteStore> {
        let options = SqliteOptions::new(Arc::new(ManualClock::at(START)));
        SqliteStore::open(&self.path(), options).unwrap()
    }

    /// How many allocations there are, also while somebody writes.
    pub(crate) async fn calls(&self) -> usize {
        let options = SqliteOptions::new(Arc::new(ManualClock::at(START)));
        let store = SqliteStore::open_beside(&self.path(), options).unwrap();
        let first = AllocationId::first_at(Timestamp::ZERO);
        store
            .allocations_page(first, usize::MAX)
            .await
            .unwrap()
            .len()
    }

    pub(crate) async fn contents(&self) -> Contents {
        let store = self.open();
        let contents = contents(&*store).await;
        store.close().await;
        contents
    }
}

/// What `caller-id export` says of a database.
pub(crate) fn export(url: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_caller-id"));
    let output = command
        .env_clear()
        .args(["export", "--database-url", url])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// What `caller-id audit` says of a database.
pub(crate) fn audit(words: &[&str], url: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_caller-id"));
    command.env_clear().arg("audit").args(words);
    command.args(["--database-url", url]).output().unwrap()
}

/// A database of PostgreSQL.
pub(crate) struct Postgres(Arc<postgres::Postgres>, String);

impl Postgres {
    pub(crate) fn new() -> Self {
        let server = postgres::Postgres::shared();
        let database = server.database();
        Self(server, database)
    }

    pub(crate) fn url(&self) -> String {
        self.0.url(&self.1)
    }

    pub(crate) fn psql(&self, sql: &str) -> String {
        self.0.psql(&self.1, sql).trim().to_owned()
    }

    /// How many allocations there are, also while somebody writes.
    pub(crate) fn calls(&self) -> usize {
        let count = self.psql("SELECT count(*) FROM caller_id.allocations");
        count.parse().unwrap()
    }

    pub(crate) async fn open(&self) -> Arc<PostgresStore> {
        let options = PostgresOptions::new(Arc::new(ManualClock::at(START)));
        PostgresStore::open(&self.url(), options).await.unwrap()
    }

    pub(crate) async fn contents(&self) -> Contents {
        let store = self.open().await;
        let contents = contents(&*store).await;
        store.close();
        contents
    }
}

/// Numbers, pools with policies, campaigns, and so many calls over six weeks, most of them ended.
pub(crate) async fn fill(sqlite: &Sqlite, calls: u64) {
    let store = sqlite.open();
    let mut solar = Pool::new(pool("solar"));
    solar.policy.cooldown_ms = Some(5_000);
    solar.policy.time_zone = Some(caller_id_core::TimeZone::parse("America/Denver").unwrap());
    let mut default = Pool::new(pool("default"));
    default.policy.sticky_ms = Some(86_400_000);
    for pool in [solar, default, Pool::new(pool("empty"))] {
        store
            .put_pool(pool, Expected::Any, &somebody())
            .await
            .unwrap();
    }
    let numbers = (0..120).map(|line| match line % 4 {
        0 => full_number(own(line)),
        1 => Number {
            status: Status::Retired,
            ..Number::new(own(line))
        },
        2 => Number {
            status: Status::Paused,
            meta: Some(serde_json::json!({"z": 1, "a": [1.5, "é"]})),
            ..Number::new(own(line))
        },
        _ => Number::new(own(line)),
    });
    store
        .write_numbers(
            numbers.collect(),
            OnDuplicate::Update(Fields::ALL),
            &somebody(),
        )
        .await
        .unwrap();
    for (name, pools) in [("SOLAR", &["solar", "default"][..]), ("été", &["empty"])] {
        store
            .put_campaign(campaign(name, pools), Expected::Any, &somebody())
            .await
            .unwrap();
    }
    // One that was deleted, a key that was revoked, somebody who is signed in.
    let gone = Number::new(own(900));
    store
        .write_numbers(vec![gone], OnDuplicate::Fail, &somebody())
        .await
        .unwrap();
    store
        .change_number(own(900), &NumberChange::Delete, Expected::Any, &somebody())
        .await
        .unwrap();
    for name in ["east", "west2"] {
        store.add_key(key(name), &somebody()).await.unwrap();
    }
    store
        .revoke_key(&key("east").id, START, &somebody())
        .await
        .unwrap();
    let session = Session {
        hash: SESSION,
        name: "ann".to_owned(),
        role: Role::Viewer,
        by: SignedInBy::Provider,
        created_at: START,
        expires_at: START.plus_ms(1),
    };
    store
        .begin_session(session, START, &somebody())
        .await
        .unwrap();
    store.close().await;
    more(sqlite, 0..calls).await;
    sum_up(sqlite).await;
}

/// These calls of a history that is 6,000 calls long, or 30,000, over six weeks; some end, and some stay in the journal.
pub(crate) async fn more(sqlite: &Sqlite, calls: Range<u64>) {
    const APART_MS: i64 = 120_000;
    let store = sqlite.open();
    let all: Vec<_> = calls.collect();
    for (place, lot) in all.chunks(1_000).enumerate() {
        let mut events = Vec::new();
        for call in lot {
            let ms = *call as i64 * APART_MS;
            let record = full_record(ms, *call, own(call % 120));
            events.push(allocated(&record));
            if call % 3 > 0 {
                events.push(ended(&record, ms + 30_000, CallEnd::Answer));
            }
            if call % 4 > 0 {
                let report = match call % 2 {
                    0 => CallReport::default(),
                    _ => full_report(CallEnd::Busy),
                };
                events.push(reported(&record, ms + 31_000, report));
            }
        }
        store.commit(events).await.unwrap();
        if place == 0 {
            store.settle().await.unwrap();
        }
    }
    store.close().await;
}

/// The command with these flags, and nothing of this process's environment. An empty value is none.
pub(crate) fn command(flags: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_caller-id"));
    command.env_clear().arg("migrate").stdin(Stdio::null());
    for (flag, value) in flags {
        command.arg(flag);
        command.args((!value.is_empty()).then_some(value));
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) fn migrate(flags: &[(&str, &str)]) -> Output {
    command(flags).output().unwrap()
}

pub(crate) fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// What it wrote to standard error.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
