//! Dialers that ask all nodes, and write down what they were told and when.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use caller_id_core::{CallEnd, Clock, PhoneNumber, SystemClock, Timestamp};
use caller_id_testkit::told::{Ended, Handed, Log, Reported};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::client::{Answer, Client};
use crate::inventory::CAMPAIGNS;
use crate::rig::wait_for;

/// How many nodes there are.
pub(crate) const NODES: usize = 3;
/// How many dialers ask at the same time.
const DIALERS: u64 = 9;
const DESTINATIONS: [&str; 6] = ["312", "773", "415", "808", "212", "441"];
const AGENTS: u32 = 8;
/// The causes that are waited for before anything fails.
pub(crate) const LIMITS: [&str; 2] = ["hourly_limit", "daily_limit"];
/// A dialer that is refused for want of a state asks again after so long; who dials holds a number so long at most.
const PAUSE: Duration = Duration::from_millis(20);
const HOLD_MOST_MS: u64 = 30;

/// Where the nodes are now, and what is seen from outside while dialers ask.
pub(crate) struct Field {
    addresses: Mutex<[Option<SocketAddr>; NODES]>,
    clock: SystemClock,
    over: AtomicBool,
    /// So many numbers were handed out by each node.
    pub(crate) handed: [AtomicUsize; NODES],
    /// So many requests were answered 503.
    pub(crate) unavailable: AtomicUsize,
    /// Somebody was refused for the limit of an hour, of a day.
    limits_bite: [AtomicBool; 2],
}

impl Field {
    pub(crate) fn new() -> Self {
        Self {
            addresses: Mutex::default(),
            clock: SystemClock::new(),
            over: AtomicBool::new(false),
            handed: Default::default(),
            unavailable: AtomicUsize::new(0),
            limits_bite: Default::default(),
        }
    }

    pub(crate) fn now_at(&self, node: usize, address: Option<SocketAddr>) {
        self.addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)[node] = address;
    }

    pub(crate) fn address(&self, node: usize) -> Option<SocketAddr> {
        self.addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)[node]
    }

    /// By the one clock of the dialers.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// How many numbers were handed out so far.
    pub(crate) fn handed(&self) -> usize {
        let each = self.handed.iter();
        each.map(|node| node.load(Ordering::Relaxed)).sum()
    }

    /// Puts load on all nodes until limits bite, so that whoever forgets passes them, and then while `meanwhile` runs.
    pub(crate) fn dial(&self, seed: u64, meanwhile: impl FnOnce()) -> Log {
        self.over.store(false, Ordering::Relaxed);
        let mut log = Log::default();
        thread::scope(|scope| {
            let dialers: Vec<_> = (0..DIALERS)
                .map(|place| Dialer::new(self, seed, place))
                .map(|dialer| scope.spawn(move || dialer.dial()))
                .collect();
            let over = Over(&self.over);
            let bite = |limit: &AtomicBool| limit.load(Ordering::Relaxed);
            wait_for("limits bite", || self.limits_bite.iter().all(bite));
            meanwhile();
            drop(over);
            for dialer in dialers {
                log.take(dialer.join().expect("a dialer does not panic"));
            }
        });
        log
    }
}

/// Ends the load, also when what goes on meanwhile fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Dialer<'a> {
    field: &'a Field,
    clients: [Option<(SocketAddr, Client)>; NODES],
    name: String,
    calls: u32,
    random: SmallRng,
    log: Log,
}

impl<'a> Dialer<'a> {
    fn new(field: &'a Field, seed: u64, place: u64) -> Self {
        Self {
            field,
            clients: [const { None }; NODES],
            name: format!("{seed}-{place}"),
            calls: 0,
            random: SmallRng::seed_from_u64(seed.wrapping_mul(1_000) + place),
            log: Log::default(),
        }
    }

    fn dial(mut self) -> Log {
        while !self.field.over.load(Ordering::Relaxed) {
            self.call();
        }
        self.log
    }

    fn call(&mut self) {
        let (path, destination) = self.new_call();
        let Some(handed) = self.ask(&path, destination) else {
            return;
        };
        // A call takes its time: it is what is tested, that its number is nobody else's meanwhile.
        thread::sleep(Duration::from_millis(
            self.random.random_range(0..HOLD_MOST_MS),
        ));
        match self.random.random_range(0..100) {
            0..30 => {
                self.release_by_call(&handed);
                self.report(&handed);
            }
            30..50 => self.release_by_reservation(&handed),
            50..70 => self.report(&handed),
            70..90 => {
                self.ask(&path, destination);
                self.release_by_call(&handed);
            }
            _ => {}
        }
    }

    fn new_call(&mut self) -> (String, PhoneNumber) {
        self.calls += 1;
        let area_code = DESTINATIONS[self.random.random_range(0..DESTINATIONS.len())];
        let line = self.random.random_range(0..10_000);
        let to = format!("1{area_code}444{line:04}");
        let mut path = format!("/next-cid?to={to}&call={}-{}", self.name, self.calls);
        let campaign = match self.random.random_range(0..10) {
            place @ 0..5 => CAMPAIGNS[place],
            _ => "BUSY",
        };
        if !campaign.is_empty() {
            path.push_str(&format!("&campaign={campaign}"));
        }
        if self.random.random_range(0..4) == 0 {
            path.push_str(&format!("&agent=a{}", self.random.random_range(0..AGENTS)));
        }
        (path, format!("+{to}").parse().expect("a number"))
    }

    /// Asks some node.
    fn ask(&mut self, path: &str, destination: PhoneNumber) -> Option<Handed> {
        let call = path.split_once("call=").expect("a call has an id").1;
        let call = call.split('&').next().expect("a part").to_owned();
        let asked = self.field.clock.now();
        let Some((node, answer)) = self.exchange("GET", path, "") else {
            self.log.unknown.insert(call);
            return None;
        };
        match answer.status {
            200 => {
                self.field.handed[node].fetch_add(1, Ordering::Relaxed);
                let text = |name| answer.text(name).expect("a text");
                let handed = Handed {
                    node,
                    call,
                    id: text("reservation_id").parse().expect("an id"),
                    number: text("caller_id").parse().expect("a number"),
                    destination,
                    repeated: answer.json()["repeated"] == true,
                    asked,
                    answered: self.field.clock.now(),
                };
                self.log.handed.push(handed.clone());
                return Some(handed);
            }
            404 => self.refused(answer.text("cause").expect("a text")),
            429 => drop(self.log.causes.insert("agent".to_owned())),
            _ => drop(self.log.unknown.insert(call)),
        }
        None
    }

    fn refused(&mut self, cause: String) {
        let place = LIMITS.iter().position(|limit| *limit == cause);
        if let Some(place) = place {
            self.field.limits_bite[place].store(true, Ordering::Relaxed);
        }
        self.log.causes.insert(cause);
    }

    fn release_by_call(&mut self, handed: &Handed) {
        let body = format!(
            "{{\"call_id\": \"{}\", \"dialstatus\": \"ANSWER\"}}",
            handed.call
        );
        self.release(handed, ("POST", "/api/v1/release", &body), CallEnd::Answer);
    }

    fn release_by_reservation(&mut self, handed: &Handed) {
        let path = format!("/api/v1/reservations/{}?dialstatus=BUSY", handed.id);
        self.release(handed, ("DELETE", &path, ""), CallEnd::Busy);
    }

    fn release(&mut self, handed: &Handed, (method, path, body): (&str, &str, &str), end: CallEnd) {
        self.log.tried.push((handed.id, self.field.clock.now()));
        let Some((node, answer)) = self.exchange(method, path, body) else {
            return;
        };
        if let (200, Some(id)) = (answer.status, answer.text("reservation_id")) {
            let ended = Ended {
                id: id.parse().expect("an id"),
                at: answer
                    .text("released_at")
                    .expect("an instant")
                    .parse()
                    .expect("an instant"),
                end,
            };
            self.log.ended.push((node, ended));
        }
    }

    fn report(&mut self, handed: &Handed) {
        self.log.tried.push((handed.id, self.field.clock.now()));
        let answered_seconds = self.calls;
        let body = format!(
            "{{\"reservation\": \"{}\", \"answered_seconds\": {answered_seconds}}}",
            handed.id
        );
        let Some((_, answer)) = self.exchange("POST", "/call-result", &body) else {
            return;
        };
        if answer.status == 200 && answer.json()["kept"] == true {
            self.log.reported.push(Reported {
                id: handed.id,
                answered_seconds,
                released: answer.json()["released"] == true,
            });
        }
    }

    /// Asks some node, and tells which. Nothing: it was not there, or is no more.
    fn exchange(&mut self, method: &str, path: &str, body: &str) -> Option<(usize, Answer)> {
        let node = self.random.random_range(0..NODES);
        let Some(client) = self.client(node) else {
            thread::sleep(PAUSE);
            return None;
        };
        let Ok(answer) = client.ask(method, path, body) else {
            self.clients[node] = None;
            return None;
        };
        let expected = matches!(answer.status, 200 | 404 | 429 | 503);
        assert!(expected, "{method} {path}: {answer:?}");
        if answer.status == 503 {
            self.field.unavailable.fetch_add(1, Ordering::Relaxed);
            thread::sleep(PAUSE);
        }
        Some((node, answer))
    }

    fn client(&mut self, node: usize) -> Option<&mut Client> {
        let address = self.field.address(node)?;
        let kept = &mut self.clients[node];
        if kept.as_ref().is_none_or(|(at, _)| *at != address) {
            *kept = Some((address, Client::reach(address).ok()?));
        }
        kept.as_mut().map(|(_, client)| client)
    }
}
