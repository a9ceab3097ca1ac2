//! An engine that fails, or does not answer in time.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use caller_id::auth::Access;
use caller_id::fastagi::FastAgi;
use caller_id::pulse::Pulse;
use caller_id::request_log::RequestLog;
use caller_id_core::allocator::EngineNumber;
use caller_id_core::{
    AgentLimit, Allocator, DialPlan, Journal, JournalEvent, ManualClock, Number, NumberFormat,
    PhoneNumber, Rotator, StoreError, Timestamp,
};
use caller_id_engine::MemoryAllocator;
use tokio::io::duplex;
use tokio::sync::Semaphore;

use crate::asterisk::{Channel, Told, within};

/// A journal in which a commit needs a permit: without one it hangs, and when it is closed it fails.
struct Gate(Semaphore);

#[async_trait]
impl Journal for Gate {
    async fn commit(&self, _events: Vec<JournalEvent>) -> Result<(), StoreError> {
        match self.0.acquire().await {
            Ok(permit) => {
                permit.forget();
                Ok(())
            }
            Err(_) => Err(StoreError::Full("no space left on device".into())),
        }
    }

    async fn probe(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

pub(crate) struct Rig {
    pub(crate) agi: Arc<FastAgi>,
    gate: Arc<Gate>,
    engine: Arc<dyn Allocator>,
}

impl Rig {
    async fn start() -> Self {
        let gate = Arc::new(Gate(Semaphore::new(0)));
        let clock = Arc::new(ManualClock::at(Timestamp::from_ms(1_795_348_800_000)));
        let engine = MemoryAllocator::new(gate.clone(), clock.clone());
        let number = Number::new(PhoneNumber::parse("3125550100").unwrap());
        let numbers = vec![EngineNumber::from(&number)];
        let engine: Arc<dyn Allocator> = engine;
        engine.put_numbers(numbers).await.unwrap();
        let agi = FastAgi {
            rotator: Arc::new(Rotator::new(engine.clone(), AgentLimit::OFF)),
            access: Arc::new(Access::default()),
            clock,
            requests: Arc::new(RequestLog::none()),
            pulse: Arc::new(Pulse::new(None)),
            meters: Arc::default(),
            dial_plan: DialPlan::new(&["9".to_owned()]).unwrap(),
            format: NumberFormat::National,
            deadline: Duration::from_millis(150),
        };
        Self {
            agi: Arc::new(agi),
            gate,
            engine,
        }
    }

    /// One whose journal takes all that comes.
    pub(crate) async fn that_commits() -> Self {
        let rig = Self::start().await;
        rig.gate.0.add_permits(1_000);
        rig
    }

    async fn is_reserved(&self) -> bool {
        let number = PhoneNumber::parse("3125550100").unwrap();
        let state = self.engine.number_state(number).await.unwrap();
        state.unwrap().reservations > 0
    }

    async fn told(&self, channel: Channel) -> Told {
        let (theirs, ours) = duplex(10_000);
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let (told, ()) = tokio::join!(channel.talk(theirs), self.agi.converse(ours, here, || {}));
        told
    }
}

fn nameless() -> Channel {
    Channel::asks("next-cid").name("").unique_id("")
}

#[tokio::test]
async fn an_engine_that_fails_leaves_the_call_its_own_number() {
    let rig = Rig::start().await;
    rig.gate.0.close();
    within(rig.told(nameless())).await.only("UNAVAILABLE");
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_hangs_is_told_of_before_the_deadline() {
    let rig = Rig::start().await;
    let start = tokio::time::Instant::now();
    rig.told(nameless()).await.only("UNAVAILABLE");
    // The clock stands still but for what is waited for.
    assert_eq!(start.elapsed().as_millis(), 120);
}

#[tokio::test(start_paused = true)]
async fn what_comes_too_late_for_a_call_without_an_id_is_given_back() {
    let rig = Rig::start().await;
    rig.told(nameless()).await.only("UNAVAILABLE");
    // The allocation, its end, and whatever is asked meanwhile.
    rig.gate.0.add_permits(1_000);
    while rig.is_reserved().await {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_too_late_for_a_call_with_an_id_waits_for_it_to_ask_again() {
    let rig = Rig::start().await;
    rig.told(Channel::asks("next-cid"))
        .await
        .only("UNAVAILABLE");
    rig.gate.0.add_permits(1_000);
    assert_eq!(rig.told(Channel::asks("next-cid")).await.status(), "OK");
}
