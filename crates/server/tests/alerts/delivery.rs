//! How what waits is posted, to a receiver that fails on purpose. The clock of pauses stands, so that nobody waits for them.

use std::sync::Arc;
use std::time::Duration;

use caller_id::alerts::kind::{Kind, Severity};
use caller_id::alerts::message::{Message, Teller};
use caller_id::alerts::outgoing::{Counts, WAITING_MOST};
use caller_id::alerts::{Deadline, Delivery, Outgoing, Receiver, deliver};
use caller_id::cli::serve_settings;
use caller_id_core::{ManualClock, Timestamp};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::hook::{Hook, Reply, SECRET, until};

/// 2026-11-22T12:00:00Z.
const NOON: Timestamp = Timestamp::from_ms(1_795_348_800_000);

fn message(kind: Kind, severity: Severity) -> Message {
    Message {
        severity,
        ..Message::test(kind, &Teller::default(), NOON)
    }
}

fn warning() -> Message {
    message(Kind::PoolLow, Severity::Warning)
}

/// What is posted to a receiver, until it is stopped.
struct Rig {
    outgoing: Arc<Outgoing>,
    deadline: Deadline,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Rig {
    fn start(url: &str, outgoing: Arc<Outgoing>) -> Self {
        Self::start_with(url, outgoing, Duration::from_millis(400))
    }

    /// An answer has to be there `within` that time.
    fn start_with(url: &str, outgoing: Arc<Outgoing>, within: Duration) -> Self {
        let pairs = [("ALERT_WEBHOOK_URL", url), ("ALERT_WEBHOOK_SECRET", SECRET)];
        let settings = serve_settings(&pairs).expect("settings");
        let receiver = Receiver::of(&settings.alerts, within);
        let (clock, deadline) = (Arc::new(ManualClock::at(NOON)), Deadline::default());
        let receiver = receiver.expect("a receiver");
        let delivery = Delivery::new(outgoing.clone(), receiver, clock, deadline.clone());
        let stop = CancellationToken::new();
        let own = stop.clone();
        Self {
            outgoing,
            deadline,
            stop,
            task: tokio::spawn(async move { delivery.run(own).await }),
        }
    }

    async fn settled(&self, count: u64) -> Counts {
        let all = || self.outgoing.counts().outcomes.iter().sum::<u64>();
        until("all is settled", || all() >= count).await;
        self.outgoing.counts()
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.expect("an end");
    }
}

fn status(status: u16) -> Reply {
    Reply::Status(status, String::new())
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_tried_again_as_the_same_event_until_it_is_taken() {
    let hook = Hook::start().await;
    let failures = [
        status(500),
        Reply::Hang,
        Reply::Reset,
        status(408),
        status(503),
    ];
    hook.will(failures.clone());
    let rig = Rig::start(&hook.url, Arc::default());
    let sent = warning();
    rig.outgoing.push(sent.clone());
    let counts = rig.settled(1).await;
    assert_eq!(counts.outcomes, [1, 0, 0, 0]);
    assert_eq!(counts.retries, failures.len() as u64);
    assert_eq!(rig.outgoing.trouble(), None);
    let posts = hook.posts();
    assert_eq!(posts.len(), failures.len() + 1);
    for post in &posts {
        assert!(
            post.head.starts_with("POST /sesame/open HTTP/1.1"),
            "{}",
            post.head
        );
        assert_eq!(post.header("x-callerid-event"), Some(&*sent.id));
        assert_eq!(post.header("content-type"), Some("application/json"));
        assert!(
            post.header("user-agent")
                .is_some_and(|it| it.starts_with("caller-id/"))
        );
        assert_eq!(post.body, sent.body);
        assert!(post.is_signed_by(SECRET) && !post.is_signed_by("another key of alerts"));
        let time = format!("t={},v1=", NOON.as_ms() / 1_000);
        assert!(
            post.header("x-callerid-signature")
                .is_some_and(|it| it.starts_with(&time))
        );
    }
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_not_tried_again_and_no_redirect_is_followed() {
    let (hook, elsewhere) = (Hook::start().await, Hook::start().await);
    let redirect = |status| Reply::Status(status, format!("location: {}\r\n", elsewhere.url));
    hook.will([
        status(404),
        redirect(302),
        redirect(307),
        status(400),
        status(401),
    ]);
    let rig = Rig::start(&hook.url, Arc::default());
    (0..5).for_each(|_| rig.outgoing.push(warning()));
    let counts = rig.settled(5).await;
    assert_eq!((counts.outcomes, counts.retries), ([0, 0, 5, 0], 0));
    assert_eq!(hook.posts().len(), 5);
    assert_eq!(elsewhere.posts().len(), 0);
    assert_eq!(rig.outgoing.trouble().as_deref(), Some("it answers 401"));
    rig.outgoing.push(warning());
    let counts = rig.settled(6).await;
    assert_eq!((counts.outcomes, counts.waiting), ([1, 0, 5, 0], 0));
    assert_eq!(rig.outgoing.trouble(), None);
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_receiver_says_when_it_is_to_be_tried_again_and_not_later_than_in_a_minute() {
    let hook = Hook::start().await;
    let later = |seconds: &str| Reply::Status(429, format!("retry-after: {seconds}\r\n"));
    hook.will([later("30"), later("99999")]);
    let rig = Rig::start(&hook.url, Arc::default());
    let began = Instant::now();
    rig.outgoing.push(warning());
    rig.settled(1).await;
    let took = began.elapsed().as_secs();
    assert!((90..=95).contains(&took), "{took} s");
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_stays_away_is_given_up_and_the_next_is_tried() {
    let hook = Hook::start().await;
    hook.will((0..deliver::TRIES).map(|_| status(502)));
    let rig = Rig::start(&hook.url, Arc::default());
    let began = Instant::now();
    rig.outgoing.push(warning());
    let counts = rig.settled(1).await;
    assert_eq!(counts.outcomes, [0, 1, 0, 0]);
    assert_eq!(counts.retries, u64::from(deliver::TRIES) - 1);
    let took = began.elapsed().as_secs();
    assert!((100..=300).contains(&took), "{took} s");
    assert_eq!(rig.outgoing.trouble().as_deref(), Some("it answers 502"));
    rig.outgoing.push(warning());
    assert_eq!(rig.settled(2).await.outcomes, [1, 1, 0, 0]);
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_end_is_not_read() {
    let hook = Hook::start().await;
    hook.will([Reply::Endless]);
    let rig = Rig::start(&hook.url, Arc::default());
    rig.outgoing.push(warning());
    assert_eq!(rig.settled(1).await.outcomes, [1, 0, 0, 0]);
    assert_eq!(hook.posts().len(), 1);
    rig.end().await;
}

#[tokio::test]
async fn of_too_many_those_are_dropped_that_are_oldest_and_not_serious() {
    let hook = Hook::start().await;
    let outgoing = Arc::<Outgoing>::default();
    let serious: Vec<Message> = (0..3)
        .map(|_| message(Kind::StoreAway, Severity::Serious))
        .collect();
    serious.iter().for_each(|one| outgoing.push(one.clone()));
    let warnings: Vec<Message> = (0..WAITING_MOST).map(|_| warning()).collect();
    warnings.iter().for_each(|one| outgoing.push(one.clone()));
    let counts = outgoing.counts();
    assert_eq!(
        (counts.outcomes, counts.waiting),
        ([0, 0, 0, 3], WAITING_MOST as u64)
    );
    assert!(outgoing.trouble().is_some());
    let rig = Rig::start(&hook.url, outgoing);
    rig.settled(3 + WAITING_MOST as u64).await;
    let kept = serious.iter().chain(&warnings[3..]);
    let kept: Vec<_> = kept.map(|one| one.id.clone()).collect();
    let posts = hook.posts();
    let ids: Vec<_> = posts
        .iter()
        .filter_map(|post| post.header("x-callerid-event"))
        .collect();
    assert_eq!(ids, kept);
    rig.end().await;
    // Where all are serious the oldest goes.
    let outgoing = Outgoing::default();
    let serious = || message(Kind::StoreAway, Severity::Serious);
    (0..=WAITING_MOST).for_each(|_| outgoing.push(serious()));
    outgoing.push(warning());
    let counts = outgoing.counts();
    assert_eq!(
        (counts.outcomes[3], counts.waiting),
        (2, WAITING_MOST as u64)
    );
    for message in outgoing.unsettled() {
        assert_eq!(message.severity, Severity::Serious);
    }
}

#[tokio::test]
async fn at_a_stop_what_waits_is_tried_once_more_and_a_receiver_that_hangs_holds_nothing_up() {
    let hook = Hook::start().await;
    hook.will([status(500)]);
    let rig = Rig::start(&hook.url, Arc::default());
    (0..3).for_each(|_| rig.outgoing.push(warning()));
    hook.until(1).await;
    let outgoing = rig.outgoing.clone();
    rig.end().await;
    assert_eq!(outgoing.counts().outcomes, [3, 0, 0, 0]);

    let hook = Hook::start().await;
    hook.will((0..99).map(|_| Reply::Hang));
    let rig = Rig::start(&hook.url, Arc::default());
    (0..20).for_each(|_| rig.outgoing.push(warning()));
    hook.until(1).await;
    let outgoing = rig.outgoing.clone();
    let ended = tokio::time::timeout(Duration::from_secs(20), rig.end()).await;
    ended.expect("it ends");
    let counts = outgoing.counts();
    // Nobody is told that they are lost: they wait for the next start.
    assert_eq!((counts.outcomes, counts.waiting), ([0, 0, 0, 0], 20));
    assert_eq!(outgoing.trouble(), None);
    assert!(hook.posts().len() < 20, "{}", hook.posts().len());
}

#[tokio::test]
async fn at_a_stop_without_any_time_nothing_is_tried_any_more() {
    let hook = Hook::start().await;
    hook.will([Reply::Status(429, "retry-after: 60\r\n".to_owned())]);
    let rig = Rig::start(&hook.url, Arc::default());
    rig.outgoing.push(warning());
    hook.until(1).await;
    until("it is to be tried again", || {
        rig.outgoing.counts().retries == 1
    })
    .await;
    rig.deadline.set(Instant::now());
    let outgoing = rig.outgoing.clone();
    rig.end().await;
    assert_eq!((hook.posts().len(), outgoing.counts().waiting), (1, 1));
}

/// A receiver that never answers is given ten minutes: whoever waited for it would wait as long.
const FOR_EVER: Duration = Duration::from_secs(600);

#[test]
fn a_receiver_that_hangs_holds_up_no_end_of_the_process() {
    let runtime = || tokio::runtime::Runtime::new().expect("a runtime");
    // The receiver goes on: its own end would be an answer.
    let (elsewhere, runtime) = (runtime(), runtime());
    let hook = elsewhere.block_on(Hook::start());
    hook.will((0..99).map(|_| Reply::Hang));
    runtime.block_on(async {
        let rig = Rig::start_with(&hook.url, Arc::default(), FOR_EVER);
        (0..3).for_each(|_| rig.outgoing.push(warning()));
        hook.until(1).await;
        rig.end().await;
    });
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        drop(runtime);
        tell.send(())
    });
    let ended = told.recv_timeout(FOR_EVER / 10);
    ended.expect("it ends long before the receiver's time is over");
}

#[tokio::test]
async fn a_message_that_was_settled_is_not_taken_again() {
    let hook = Hook::start().await;
    let rig = Rig::start(&hook.url, Arc::default());
    let one = warning();
    rig.outgoing.push(one.clone());
    rig.outgoing.push(one.clone());
    rig.settled(1).await;
    rig.outgoing.push(one);
    rig.outgoing.push(warning());
    let counts = rig.settled(2).await;
    assert_eq!((counts.outcomes, counts.waiting), ([2, 0, 0, 0], 0));
    assert_eq!(hook.posts().len(), 2);
    rig.end().await;
}
