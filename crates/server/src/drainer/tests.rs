use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use caller_id_core::shared::{Lag, Taken};
use caller_id_core::{AllocationId, CallEnd, EndRecord, JournalEvent};
use caller_id_testkit::builders::{START, number};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::*;

fn end(place: u32) -> JournalEvent {
    JournalEvent::Ended(EndRecord {
        id: AllocationId::of(number(312, 1), START, place),
        at: START,
        end: CallEnd::Answer,
    })
}

/// An outbox that nodes share. One of them empties it at a time, until it leaves or `frees_at`.
#[derive(Default)]
struct Waiting {
    /// Of each entry the events, of which a batch has all or none, and when it joined.
    entries: VecDeque<(Vec<JournalEvent>, Instant)>,
    told: u32,
    /// Before all of them.
    unread: Vec<Unread>,
    aside: u64,
    drainer: Option<&'static str>,
    frees_at: Option<Instant>,
    takes: usize,
    leaves: usize,
    /// More at once do not come in time.
    slow_above: Option<usize>,
}

impl Waiting {
    fn join(&mut self, events: u32) {
        let first = self.told;
        self.told += events;
        let events = (first..self.told).map(end).collect();
        self.entries.push_back((events, Instant::now()));
    }

    fn events(&self) -> usize {
        self.entries.iter().map(|(events, _)| events.len()).sum()
    }
}

/// It, as a node sees it.
#[derive(Clone)]
struct Node(&'static str, Arc<Mutex<Waiting>>);

impl Node {
    fn alone() -> Self {
        Self("a", Arc::default())
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.1.lock().expect("nobody panics with it")
    }
}

#[async_trait]
impl Outbox for Node {
    async fn take(&self, most: usize) -> Result<Option<Taken>, AllocatorError> {
        let mut waiting = self.waiting();
        waiting.takes += 1;
        if waiting.frees_at.is_some_and(|at| Instant::now() >= at) {
            waiting.drainer = None;
        }
        if waiting.drainer.is_some_and(|drainer| drainer != self.0) {
            return Ok(None);
        }
        waiting.drainer = Some(self.0);
        if waiting.slow_above.is_some_and(|above| most > above) {
            let late = "redis did not answer within 150 ms";
            return Err(AllocatorError::Unavailable(Arc::from(Box::from(late))));
        }
        let (mut events, mut entries) = (Vec::new(), 0);
        for (entry, _) in &waiting.entries {
            if events.len() + entry.len() > most {
                break;
            }
            events.extend(entry.iter().cloned());
            entries += 1;
        }
        let nothing = entries == 0 && waiting.unread.is_empty();
        Ok(Some(Taken {
            events,
            unread: waiting.unread.clone(),
            upto: if nothing {
                String::new()
            } else {
                entries.to_string()
            },
        }))
    }

    async fn done(&self, taken: &Taken) -> Result<(), AllocatorError> {
        let mut waiting = self.waiting();
        let entries: usize = taken.upto.parse().expect("a count");
        if waiting.drainer == Some(self.0) {
            waiting.entries.drain(..entries);
            waiting.aside += taken.unread.len() as u64;
            waiting.unread.clear();
        }
        Ok(())
    }

    async fn leave(&self) -> Result<(), AllocatorError> {
        let mut waiting = self.waiting();
        waiting.leaves += 1;
        if waiting.drainer == Some(self.0) {
            waiting.drainer = None;
        }
        Ok(())
    }

    async fn lag(&self) -> Result<Lag, AllocatorError> {
        let waiting = self.waiting();
        let first = waiting.entries.front();
        Ok(Lag {
            events: waiting.events() as u64,
            oldest_ms: first.map_or(0, |(_, joined)| millis(*joined)),
            most: 1_000_000,
            aside: waiting.aside,
        })
    }
}

/// A store that keeps what it takes while its door is open, or that is away.
struct Store {
    stored: Mutex<Vec<JournalEvent>>,
    door: Semaphore,
    asked: AtomicUsize,
    is_away: bool,
    each_event_takes_ms: AtomicUsize,
    /// How long it took for each batch.
    took: Mutex<Vec<Duration>>,
}

impl Store {
    fn of(door: usize, is_away: bool) -> Arc<Self> {
        Arc::new(Self {
            stored: Mutex::default(),
            door: Semaphore::new(door),
            asked: AtomicUsize::new(0),
            is_away,
            each_event_takes_ms: AtomicUsize::new(0),
            took: Mutex::default(),
        })
    }

    fn open() -> Arc<Self> {
        Self::of(Semaphore::MAX_PERMITS, false)
    }

    /// Whether it has these, each once and in order.
    fn has(&self, events: u32) -> bool {
        let stored = self.stored.lock().expect("nobody panics with it");
        stored.iter().eq(&(0..events).map(end).collect::<Vec<_>>())
    }
}

#[async_trait]
impl Journal for Store {
    async fn commit(&self, events: Vec<JournalEvent>) -> Result<(), StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.is_away {
            return Err(StoreError::Failed("connection refused".into()));
        }
        drop(self.door.acquire().await.expect("never closed"));
        let each_ms = self.each_event_takes_ms.load(Ordering::SeqCst) as u64;
        let time = Duration::from_millis(each_ms * events.len() as u64);
        tokio::time::sleep(time).await;
        self.took.lock().expect("no panic").push(time);
        let mut stored = self.stored.lock().expect("nobody panics with it");
        stored.extend(events);
        Ok(())
    }

    async fn probe(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A drainer that runs, and what stops it.
struct Running {
    stop: CancellationToken,
    ended: JoinHandle<()>,
    _belongs: watch::Sender<bool>,
}

impl Running {
    fn start(node: &Node, journal: Arc<Store>, is_ours: bool) -> Self {
        let (told, belongs) = watch::channel(is_ours);
        let drainer = Drainer {
            outbox: Arc::new(node.clone()),
            journal,
            belongs,
            outages: Arc::default(),
        };
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        Self {
            stop,
            ended: tokio::spawn(async move { drainer.run(stopped).await }),
            _belongs: told,
        }
    }

    /// One that is told to stop before it began.
    fn stopping(node: &Node, journal: Arc<Store>) -> Self {
        let running = Self::start(node, journal, true);
        running.stop.cancel();
        running
    }

    async fn end(self) {
        self.stop.cancel();
        self.ended.await.expect("it ends");
    }
}

/// As others go on meanwhile.
async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

const A_MOMENT: Duration = Duration::from_millis(200);

#[test]
fn a_store_is_late_far_behind_or_the_outbox_full() {
    let lag = |events, oldest_ms| Lag {
        events,
        oldest_ms,
        most: 1_000,
        aside: 0,
    };
    assert_eq!(Delay::of(lag(499, LATE_MS)), Delay::None);
    assert_eq!(Delay::of(lag(1, LATE_MS + 1)), Delay::Late);
    assert_eq!(Delay::of(lag(500, 0)), Delay::Far);
    assert_eq!(Delay::of(lag(1_000, 0)), Delay::Full);
}

#[tokio::test(start_paused = true)]
async fn who_stops_stores_all_that_waits_although_no_batch_is_whole() {
    let (node, store) = (Node::alone(), Store::open());
    for _ in 0..1_000 {
        node.waiting().join(29);
    }
    Running::stopping(&node, store.clone()).end().await;
    assert!(store.has(29_000));
    let waiting = node.waiting();
    assert_eq!((waiting.events(), waiting.leaves), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_reach_the_store_takes_nothing_off_and_lets_others_try() {
    let node = Node::alone();
    node.waiting().join(1);
    let running = Running::start(&node, Store::of(0, true), true);
    pass(AFTER_FAILURE * 5 / 2).await;
    assert_eq!(node.waiting().leaves, 3, "after each failure");
    running.end().await;
    let waiting = node.waiting();
    assert_eq!((waiting.events(), waiting.drainer), (1, None));
}

#[tokio::test(start_paused = true)]
async fn a_backlog_that_is_too_much_at_once_for_a_slow_redis_comes_in_smaller_batches() {
    let (node, store) = (Node::alone(), Store::open());
    node.waiting().slow_above = Some(500);
    for _ in 0..10_000 {
        node.waiting().join(1);
    }
    let running = Running::start(&node, store.clone(), true);
    pass(AFTER_FAILURE * 60).await;
    assert_eq!(node.waiting().events(), 0);
    assert!(store.has(10_000), "each once and in order");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_takes_long_for_many_events_is_given_fewer() {
    let (node, store) = (Node::alone(), Store::open());
    store.each_event_takes_ms.store(2, Ordering::SeqCst);
    for _ in 0..20_000 {
        node.waiting().join(1);
    }
    let running = Running::start(&node, store.clone(), true);
    pass(Duration::from_secs(50)).await;
    running.end().await;
    assert!(store.has(20_000));
    // The first one is as large as it may be.
    let later = store.took.lock().expect("no panic").split_off(1);
    let longest = later.into_iter().max().expect("more than one");
    assert!(longest < Duration::from_secs(5), "{longest:?}");
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_another_store_is_not_taken_and_not_at_the_end_either() {
    let node = Node::alone();
    node.waiting().join(1);
    let running = Running::start(&node, Store::open(), false);
    pass(OTHERS_PAUSE * 5 / 2).await;
    running.end().await;
    let waiting = node.waiting();
    assert_eq!((waiting.takes, waiting.leaves), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_set_aside_and_all_else_is_stored() {
    let (node, store) = (Node::alone(), Store::open());
    node.waiting().unread.push(Unread {
        place: "1-1".to_owned(),
        field: b"e".to_vec(),
        bytes: b"later".to_vec(),
        why: "an event has the kind 9".to_owned(),
    });
    let running = Running::start(&node, store.clone(), true);
    pass(A_MOMENT).await;
    assert_eq!(node.waiting().aside, 1, "alone, too");
    node.waiting().join(3);
    running.end().await;
    assert!(store.has(3));
    assert_eq!(node.waiting().aside, 1, "it is not asked for again");
}

#[tokio::test(start_paused = true)]
async fn of_two_nodes_that_stop_at_once_the_last_one_stores_what_the_first_one_left() {
    let first = Node::alone();
    let second = Node("b", first.1.clone());
    let (slow, store) = (Store::of(0, false), Store::open());
    first.waiting().join(1);
    let stopping = Running::stopping(&first, slow.clone());
    pass(A_MOMENT).await;
    assert_eq!(slow.asked.load(Ordering::SeqCst), 1);
    // The first one has taken its last batch: this comes too late for it.
    first.waiting().join(1);
    pass(A_MOMENT).await;
    let last = Running::stopping(&second, store.clone());
    pass(A_MOMENT).await;
    assert_eq!(store.asked.load(Ordering::SeqCst), 0);
    slow.door.add_permits(1);
    stopping.end().await;
    assert_eq!(first.waiting().events(), 1, "younger than its stop");
    last.end().await;
    assert_eq!(first.waiting().events(), 0);
    assert!(slow.has(1));
    assert_eq!(*store.stored.lock().expect("no panic"), [end(1)]);
}

#[tokio::test(start_paused = true)]
async fn who_stops_takes_the_place_of_a_drainer_that_was_killed_before() {
    let (node, store) = (Node::alone(), Store::open());
    node.waiting().join(1);
    node.waiting().drainer = Some("killed");
    // As long as Redis keeps the work for one that is not heard of.
    node.waiting().frees_at = Some(Instant::now() + Duration::from_secs(5));
    Running::stopping(&node, store.clone()).end().await;
    assert!(store.has(1));
}

#[tokio::test(start_paused = true)]
async fn who_stops_does_not_wait_for_ever_for_a_drainer_that_goes_on() {
    let (node, store) = (Node::alone(), Store::open());
    node.waiting().join(1);
    node.waiting().drainer = Some("slow");
    let began = Instant::now();
    Running::stopping(&node, store.clone()).end().await;
    assert!(began.elapsed() <= OTHERS_LAST_WORDS_MOST + PAUSE);
    assert_eq!((node.waiting().events(), store.has(0)), (1, true));
}
