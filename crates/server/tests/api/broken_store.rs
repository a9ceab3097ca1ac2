//! A store that fails or hangs: errors, never a number that is not recorded.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use caller_id::auth::Access;
use caller_id::auth::key_keeper::KeyKeeper;
use caller_id::http::dispatch::Dispatch;
use caller_id::http::explain::Counting;
use caller_id::http::health::Vitals;
use caller_id::http::sign_in::SignIn;
use caller_id::http::{Answers, Api};
use caller_id::retention::Kept;
use caller_id::sync::InventorySync;
use caller_id_core::inspection::{Counts, Foreseen};
use caller_id_core::ladder::Candidates;
use caller_id_core::store::OnDuplicate;
use caller_id_core::{
    AgentLimit, AllocatorError, Ask, DialPlan, Inspector, InventoryStore, Journal, JournalEvent,
    ManualClock, Number, NumberFormat, NumberState, PhoneNumber, Policy, PoolId, Rotator,
    StoreError,
};
use caller_id_engine::MemoryAllocator;
use caller_id_store::{SqliteOptions, SqliteStore};
use caller_id_testkit::builders::somebody;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::support::{Answer, NOON, ask};

/// A journal that can be broken, and can be made to hang.
struct Fragile {
    journal: Arc<SqliteStore>,
    broken: AtomicBool,
    /// A commit needs the permit for as long as it takes.
    open: Semaphore,
}

impl Fragile {
    fn check(&self) -> Result<(), StoreError> {
        match self.broken.load(Ordering::SeqCst) {
            true => Err(StoreError::Full("no space left on device".into())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Journal for Fragile {
    async fn commit(&self, events: Vec<JournalEvent>) -> Result<(), StoreError> {
        let _open = self.open.acquire().await.expect("never closed");
        self.check()?;
        self.journal.commit(events).await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.check()?;
        self.journal.probe().await
    }
}

/// An engine that takes its time to count.
struct Slow {
    engine: Arc<MemoryAllocator>,
    /// To count needs the permit.
    open: Semaphore,
}

#[async_trait]
impl Inspector for Slow {
    async fn states(
        &self,
        numbers: &[PhoneNumber],
    ) -> Result<Vec<Option<NumberState>>, AllocatorError> {
        self.engine.states(numbers).await
    }

    async fn foresee(&self, ask: Ask<'_>) -> Result<Foreseen, AllocatorError> {
        self.engine.foresee(ask).await
    }

    async fn counts(&self, pool: &PoolId, among: Candidates) -> Result<Counts, AllocatorError> {
        let _open = self.open.acquire().await.expect("never closed");
        self.engine.counts(pool, among).await
    }
}

/// One number, an engine on a fragile journal, and the routes.
struct Rig {
    dispatch: Dispatch,
    api: Arc<Api>,
    inspector: Arc<Slow>,
    clock: Arc<ManualClock>,
    journal: Arc<Fragile>,
    _folder: TempDir,
}

impl Rig {
    async fn start(deadline: Duration) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::at(NOON));
        let options = SqliteOptions::new(clock.clone());
        let store = SqliteStore::open(&folder.path().join("a.db"), options).expect("a store");
        let number = Number::new(PhoneNumber::parse("3125550100").expect("a number"));
        store
            .write_numbers(vec![number], OnDuplicate::Fail, &somebody())
            .await
            .expect("written");
        let journal = Arc::new(Fragile {
            journal: store.clone(),
            broken: AtomicBool::new(false),
            open: Semaphore::new(1),
        });
        let engine = MemoryAllocator::new(journal.clone(), clock.clone());
        let inspector = Arc::new(Slow {
            engine: engine.clone(),
            open: Semaphore::new(1),
        });
        let rotator = Arc::new(Rotator::new(engine.clone(), AgentLimit::OFF));
        let policy = Policy {
            cooldown_ms: 0,
            ..Policy::default()
        };
        let sync = InventorySync::new(
            store.clone(),
            engine.clone(),
            rotator.clone(),
            policy.clone(),
        );
        sync.load().await.expect("loaded");
        let sign_in = SignIn::new(store.clone(), store.clone(), [0; 32]);
        let api = Api {
            sign_in,
            rotator,
            inventory: store.clone(),
            history: store.clone(),
            inspector: inspector.clone(),
            counting: Counting::default(),
            jobs: Arc::new(caller_id::jobs::Jobs::new(
                clock.clone(),
                Default::default(),
                None,
            )),
            sync: Arc::new(sync),
            access: Arc::new(Access::default()),
            keys: Arc::new(KeyKeeper::new(
                store.clone(),
                Arc::default(),
                Arc::default(),
            )),
            audit: store,
            settings: Arc::default(),
            health: Vitals::new(journal.clone(), None, std::sync::Arc::default()),
            clock: clock.clone(),
            answers: Answers {
                dial_plan: DialPlan::default(),
                format: NumberFormat::National,
                policy,
                kept: Kept::All,
                deadline,
                body_deadline: deadline,
            },
            requests: Arc::new(caller_id::request_log::RequestLog::none()),
            pulse: Arc::new(caller_id::pulse::Pulse::new(None)),
            meters: Arc::default(),
            alerts: Arc::default(),
            gathered: Default::default(),
        };
        let api = Arc::new(api);
        let dispatch = Dispatch::new(api.clone(), &[], |api| api, Handle::current());
        Self {
            dispatch,
            api,
            inspector,
            clock,
            journal,
            _folder: folder,
        }
    }

    async fn get(&self, path: &str) -> Answer {
        ask(&self.dispatch, "GET", path).send().await
    }
}

/// As after a start with a million numbers.
#[tokio::test]
async fn while_numbers_are_being_counted_the_overview_says_that_pools_are_not_known() {
    let rig = Rig::start(Duration::from_secs(20)).await;
    let overview = || async {
        rig.clock.advance_ms(2_000);
        let said = rig.api.overview().await.expect("an overview");
        serde_json::from_slice::<Value>(&said).expect("JSON")
    };
    let counting = rig.inspector.open.acquire().await.expect("never closed");
    let before = overview().await;
    assert_eq!(before["missing"], json!(["pools"]));
    assert_eq!(
        (&before["pools"], &before["attention"]),
        (&json!([]), &json!([]))
    );
    drop(counting);
    let counted = async {
        loop {
            let after = overview().await;
            if after["missing"] == json!([]) {
                return after;
            }
        }
    };
    let after = tokio::time::timeout(Duration::from_secs(20), counted).await;
    assert_eq!(after.expect("it ends")["pools"][0]["numbers"], 1);
}

#[tokio::test]
async fn fault_09_health_tells_when_the_store_cannot_commit_and_no_number_is_handed_out() {
    let rig = Rig::start(Duration::from_secs(20)).await;
    assert_eq!(rig.get("/health").await.status, 200);

    rig.journal.broken.store(true, Ordering::SeqCst);
    assert_eq!(
        rig.get("/health").await.status,
        200,
        "a result is shared for a second"
    );
    rig.clock.advance_ms(1_000);
    let health = rig.get("/health").await;
    assert_eq!(health.status, 503);
    assert_eq!(health.json()["status"], "degraded");
    assert_eq!(
        (&health.json()["db"], &health.json()["redis"]),
        (&json!("error"), &json!("ok"))
    );
    assert_eq!(rig.get("/ready").await.status, 503);
    let metrics = rig.get("/metrics").await.body;
    assert!(metrics.contains("caller_id_serving 0\n"), "{metrics}");
    assert!(metrics.contains("caller_id_store_up 0\n"), "{metrics}");
    assert_eq!(rig.get("/live").await.status, 200);
    let refused = rig.get("/next-cid?to=13125551212").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "1"));
    assert!(
        !refused.body.contains("no space left"),
        "internals stay inside"
    );
    assert_eq!(
        rig.get("/next-cid?to=13125551212&format=text").await.body,
        ""
    );

    rig.journal.broken.store(false, Ordering::SeqCst);
    rig.clock.advance_ms(1_000);
    assert_eq!(rig.get("/ready").await.status, 200);
    let answer = rig.get("/next-cid?to=13125551212").await;
    assert_eq!(
        answer.status, 200,
        "the failures kept nothing: {}",
        answer.body
    );
}

#[tokio::test]
async fn a_number_that_comes_after_the_deadline_is_given_back() {
    let rig = Rig::start(Duration::from_millis(50)).await;
    let hanging = rig.journal.open.acquire().await.expect("open");
    let late = rig.get("/next-cid?to=13125551212").await;
    assert_eq!((late.status, late.header("retry-after")), (503, "1"));
    drop(hanging);
    // The clock stands: only a release makes the number free again.
    let free = async {
        while rig.get("/next-cid?to=13125551212").await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), free)
        .await
        .expect("given back");
}

#[tokio::test]
async fn a_number_that_a_call_may_ask_for_again_is_not_given_back() {
    let rig = Rig::start(Duration::from_millis(50)).await;
    let hanging = rig.journal.open.acquire().await.expect("open");
    let first = "/next-cid?to=13125551212&call=A";
    assert_eq!(rig.get(first).await.status, 503);
    drop(hanging);
    let again = async {
        while rig.get(first).await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), again)
        .await
        .expect("the call gets what it was given");
    for _ in 0..20 {
        tokio::task::yield_now().await;
        let other = rig.get("/next-cid?to=13125551213&call=B").await;
        assert_eq!(
            other.status, 404,
            "the number is the first call's: {}",
            other.body
        );
    }
}
