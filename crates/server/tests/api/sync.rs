//! Changes of the inventory on their way to the engine: nothing is left behind, and nobody waits for ever.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use caller_id::auth::Access;
use caller_id::auth::key_keeper::KeyKeeper;
use caller_id::auth::token::Keys;
use caller_id::config::secret::Secret;
use caller_id::http::dispatch::Dispatch;
use caller_id::http::explain::Counting;
use caller_id::http::health::Vitals;
use caller_id::http::sign_in::SignIn;
use caller_id::http::{Answers, Api};
use caller_id::retention::Kept;
use caller_id::sync::{Bringing, InventorySync, SyncError};
use caller_id_core::store::OnDuplicate;
use caller_id_core::{
    AgentLimit, Allocator, AllocatorError, Ask, CallEnd, CallReport, DialPlan, EndRecord,
    EngineNumber, InventoryStep, InventoryStore, ManualClock, Number, NumberFormat, NumberState,
    Outcome, PhoneNumber, Policy, PoolId, Position, Recovered, ReleaseTarget, Reported, Rotator,
};
use caller_id_engine::MemoryAllocator;
use caller_id_store::{SqliteOptions, SqliteStore};
use caller_id_testkit::builders::{number, somebody};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::support::{Answer, NOON, TOKEN, ask};

/// An engine that takes changes of the inventory only while its door is open.
struct Doored {
    engine: Arc<MemoryAllocator>,
    door: Semaphore,
}

impl Doored {
    async fn open(&self) {
        drop(self.door.acquire().await.expect("never closed"));
    }
}

#[async_trait]
impl Allocator for Doored {
    async fn allocate(&self, ask: Ask<'_>) -> Result<Outcome, AllocatorError> {
        self.engine.allocate(ask).await
    }

    async fn release(
        &self,
        target: &ReleaseTarget,
        end: CallEnd,
    ) -> Result<Option<EndRecord>, AllocatorError> {
        self.engine.release(target, end).await
    }

    async fn report(
        &self,
        target: &ReleaseTarget,
        report: &CallReport,
    ) -> Result<Reported, AllocatorError> {
        self.engine.report(target, report).await
    }

    async fn put_pools(&self, pools: Vec<(PoolId, Policy)>) -> Result<(), AllocatorError> {
        self.open().await;
        self.engine.put_pools(pools).await
    }

    async fn put_numbers(&self, numbers: Vec<EngineNumber>) -> Result<(), AllocatorError> {
        self.open().await;
        self.engine.put_numbers(numbers).await
    }

    async fn known_inventory(&self) -> Result<Position, AllocatorError> {
        self.engine.known_inventory().await
    }

    async fn follow(&self, step: InventoryStep) -> Result<bool, AllocatorError> {
        self.open().await;
        self.engine.follow(step).await
    }

    fn step_most(&self) -> usize {
        self.engine.step_most()
    }

    async fn recover(&self, recovered: Recovered) -> Result<(), AllocatorError> {
        self.engine.recover(recovered).await
    }

    async fn number_state(
        &self,
        number: PhoneNumber,
    ) -> Result<Option<NumberState>, AllocatorError> {
        self.engine.number_state(number).await
    }
}

/// A store, an engine with a door, and the routes. Nobody asks the store what changed unless a test does.
struct Rig {
    dispatch: Dispatch,
    store: Arc<SqliteStore>,
    engine: Arc<Doored>,
    sync: Arc<InventorySync>,
    _folder: TempDir,
}

impl Rig {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::at(NOON));
        let options = SqliteOptions::new(clock.clone());
        let store = SqliteStore::open(&folder.path().join("a.db"), options).expect("a store");
        let engine = Arc::new(Doored {
            engine: MemoryAllocator::new(store.clone(), clock.clone()),
            door: Semaphore::new(1),
        });
        let rotator = Arc::new(Rotator::new(engine.clone(), AgentLimit::OFF));
        let policy = Policy::default();
        let sync = Arc::new(InventorySync::new(
            store.clone(),
            engine.clone(),
            rotator.clone(),
            policy.clone(),
        ));
        let token: Secret = TOKEN.parse().expect("a secret");
        let sign_in = SignIn::new(store.clone(), store.clone(), [0; 32]);
        let api = Api {
            sign_in,
            rotator,
            inventory: store.clone(),
            history: store.clone(),
            inspector: engine.engine.clone(),
            counting: Counting::default(),
            jobs: Arc::new(caller_id::jobs::Jobs::new(
                clock.clone(),
                Default::default(),
                None,
            )),
            sync: sync.clone(),
            access: Arc::new(Access {
                admin_tokens: Keys::new([&token]),
                ..Access::default()
            }),
            keys: Arc::new(KeyKeeper::new(
                store.clone(),
                Arc::default(),
                Arc::default(),
            )),
            audit: store.clone(),
            settings: Arc::default(),
            health: Vitals::new(store.clone(), None, std::sync::Arc::default()),
            clock,
            answers: Answers {
                dial_plan: DialPlan::default(),
                format: NumberFormat::National,
                policy,
                kept: Kept::All,
                deadline: Duration::from_secs(1),
                body_deadline: Duration::from_secs(1),
            },
            requests: Arc::new(caller_id::request_log::RequestLog::none()),
            pulse: Arc::new(caller_id::pulse::Pulse::new(None)),
            meters: Arc::default(),
            alerts: Arc::default(),
            gathered: Default::default(),
        };
        Self {
            dispatch: Dispatch::new(Arc::new(api), &[], |api| api, Handle::current()),
            store,
            engine,
            sync,
            _folder: folder,
        }
    }

    async fn write(&self, lines: std::ops::Range<u64>) {
        let numbers = lines.map(|line| Number::new(number(312, line))).collect();
        let written = self
            .store
            .write_numbers(numbers, OnDuplicate::Fail, &somebody())
            .await;
        written.expect("written");
    }

    /// How many of the numbers the engine knows.
    async fn known(&self, lines: std::ops::Range<u64>) -> usize {
        let mut known = 0;
        for line in lines {
            let state = self.engine.number_state(number(312, line)).await;
            known += usize::from(state.expect("answers").is_some());
        }
        known
    }

    async fn admin(&self, method: &str, path: &str, body: &Value) -> Answer {
        let call = ask(&self.dispatch, method, path).header("x-admin-token", TOKEN);
        call.json(body).send().await
    }
}

#[tokio::test]
async fn what_one_transaction_wrote_comes_whole_however_many_pages_it_takes() {
    let rig = Rig::start();
    rig.write(0..12_000).await;
    rig.sync.load().await.expect("loaded");
    assert_eq!(rig.known(0..12_000).await, 12_000);
}

#[tokio::test]
async fn what_a_pool_says_is_in_force_when_the_answer_is_there() {
    let rig = Rig::start();
    rig.write(0..2).await;
    rig.sync.load().await.expect("loaded");
    for seconds in [60, 61] {
        let policy = json!({"reservation_seconds": seconds});
        let put = rig.admin("PUT", "/api/v1/pools/default", &policy).await;
        assert_eq!(put.status, 200, "{}", put.body);
        let next = ask(&rig.dispatch, "GET", "/next-cid?to=13125551212");
        assert_eq!(next.send().await.json()["reservation_ttl"], seconds);
    }
}

#[tokio::test(start_paused = true)]
async fn an_admin_does_not_wait_for_ever_until_a_change_is_in_force() {
    let rig = Rig::start();
    rig.sync.load().await.expect("loaded");
    let closed = rig.engine.door.acquire().await.expect("open");
    let changes = [
        ("PUT", "/api/v1/pools/solar", json!({})),
        (
            "PUT",
            "/api/v1/campaigns/SOLAR",
            json!({"pools": ["solar"]}),
        ),
        ("DELETE", "/api/v1/campaigns/SOLAR", json!({})),
        ("POST", "/add-number", json!({"caller_id": "3125550100"})),
    ];
    for (method, path, body) in &changes {
        let asked = tokio::time::timeout(Duration::from_secs(60), rig.admin(method, path, body));
        let late = asked.await.expect("an answer, and no wait for ever");
        assert_eq!(
            (late.status, late.header("retry-after")),
            (503, "1"),
            "{path}"
        );
        assert!(late.detail().contains("is written"), "{}", late.detail());
    }
    drop(closed);
    rig.sync.now().await.expect("the door is open");
    let again = rig.admin("POST", "/add-number", &changes[3].2).await;
    assert_eq!(again.status, 409, "it was written: {}", again.body);
}

/// Times are the runtime's, which stand still but where something waits for them.
#[tokio::test(start_paused = true)]
async fn who_writes_much_is_not_far_ahead_of_the_engine_and_waits_once_for_one_that_takes_nothing()
{
    let rig = Rig::start();
    rig.sync.load().await.expect("loaded");
    let closed = rig.engine.door.acquire().await.expect("open");
    rig.write(0..2).await;
    let mut bringing = Bringing::by(Some(rig.sync.clone()));
    let begun = tokio::time::Instant::now();
    bringing.written(19_999).await;
    assert_eq!(begun.elapsed(), Duration::ZERO);
    bringing.written(20_000).await;
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_secs(10), "{waited:?}");
    bringing.written(60_000).await;
    assert_eq!(begun.elapsed(), waited);
    assert_eq!(rig.known(0..2).await, 0);
    drop(closed);
    Bringing::by(Some(rig.sync.clone())).written(20_000).await;
    assert_eq!(rig.known(0..2).await, 2);
}

/// Another node brought the state from its own database, between two looks of ours.
#[tokio::test(start_paused = true)]
async fn a_state_that_another_database_made_is_left_alone_and_the_sync_ends() {
    let rig = Rig::start();
    rig.sync.load().await.expect("loaded");
    assert!(*rig.sync.belongs().borrow());
    let identity = rig.store.identity().await.expect("an identity");
    let from = rig.engine.known_inventory().await.expect("known");
    assert_eq!(from.store, Some(identity));
    let another = Position {
        store: Some(identity ^ 1),
        ..from
    };
    let step = InventoryStep {
        from,
        to: another,
        ..InventoryStep::default()
    };
    assert!(rig.engine.follow(step).await.expect("taken"));
    rig.write(0..2).await;
    let running = rig.sync.run(CancellationToken::new());
    tokio::time::timeout(Duration::from_secs(60), running)
        .await
        .expect("it ends by itself");
    assert!(!*rig.sync.belongs().borrow());
    for brought in [rig.sync.now().await, rig.sync.load().await.map(drop)] {
        let error = brought.expect_err("nothing is brought");
        assert!(matches!(error, SyncError::OtherStore(_)), "{error}");
    }
    assert_eq!(rig.engine.known_inventory().await.expect("known"), another);
    assert_eq!(rig.known(0..2).await, 0);
}
