//! Dialers that ask as fast as they are answered, and remember all they were told.

use std::collections::HashSet;
use std::thread;

use caller_id_core::{AllocationId, CallEnd, PhoneNumber, Timestamp};
use caller_id_testkit::told::Ended;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::client::{Answer, Client};
use crate::inventory::{CAMPAIGNS, RESERVATION_S};
use crate::process::Process;

/// How many connections ask at the same time.
pub(crate) const CALLERS: usize = 16;
/// So many calls a connection makes at most: who is not told enough by then never will be.
const CALLS_MOST: u32 = 100_000;
const DESTINATIONS: [&str; 6] = ["312", "773", "415", "808", "212", "441"];
const AGENTS: u32 = 8;

/// A number was handed out for a call.
#[derive(Debug, Clone)]
pub(crate) struct Handed {
    /// What was asked, to be asked again.
    pub(crate) path: String,
    pub(crate) call: String,
    pub(crate) id: AllocationId,
    pub(crate) number: PhoneNumber,
    /// The end of its reservation, if nobody ends it.
    pub(crate) until: Timestamp,
    pub(crate) repeated: bool,
}

/// All that the service said.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) handed: Vec<Handed>,
    pub(crate) ended: Vec<Ended>,
    /// Calls for which a number was asked and neither given nor refused: it may be in history, or not.
    pub(crate) unknown: HashSet<String>,
    /// Why there was no number: causes of 404, and `agent`.
    pub(crate) causes: HashSet<String>,
    /// Handed out, and nobody has tried to release them.
    pub(crate) left: Vec<Handed>,
    /// How many requests were in flight when their connection ended.
    pub(crate) cut: usize,
    /// How many answers ended in their middle.
    pub(crate) torn: usize,
    /// How many answers were 503.
    pub(crate) unavailable: usize,
    /// How many of them came to calls since the last number. What is refused needs no commit, and says nothing of the disk.
    pub(crate) unavailable_in_a_row: usize,
}

impl Told {
    /// Takes over what another was told.
    pub(crate) fn take(&mut self, other: Self) {
        self.handed.extend(other.handed);
        self.ended.extend(other.ended);
        self.unknown.extend(other.unknown);
        self.causes.extend(other.causes);
        self.left.extend(other.left);
        self.cut += other.cut;
        self.torn += other.torn;
        self.unavailable += other.unavailable;
    }
}

/// One connection, and what was said on it.
pub(crate) struct Caller {
    client: Client,
    name: String,
    calls: u32,
    random: SmallRng,
    pub(crate) told: Told,
}

/// The connection ended.
struct Cut;

impl Caller {
    /// `name` makes its calls unlike all others.
    pub(crate) fn new(client: Client, name: String, seed: u64) -> Self {
        Self {
            client,
            name,
            calls: 0,
            random: SmallRng::seed_from_u64(seed),
            told: Told::default(),
        }
    }

    /// Makes calls until the connection ends, or it was told enough.
    fn make_calls(mut self, enough: impl Fn(&Told) -> bool) -> Told {
        while !enough(&self.told) && self.make_call().is_ok() {
            assert!(
                self.calls < CALLS_MOST,
                "never told enough: {:?}; {} handed, {} unavailable, {} in a row",
                self.told.causes,
                self.told.handed.len(),
                self.told.unavailable,
                self.told.unavailable_in_a_row,
            );
        }
        self.told
    }

    fn make_call(&mut self) -> Result<(), Cut> {
        let path = self.new_call();
        let Some(handed) = self.ask(&path)? else {
            return Ok(());
        };
        match self.random.random_range(0..100) {
            0..45 => self.release_by_call(&handed),
            45..85 => self.release_by_reservation(&handed),
            85..97 => {
                self.ask(&path)?;
                self.release_by_call(&handed)
            }
            _ => {
                self.told.left.push(handed);
                Ok(())
            }
        }
    }

    /// What a new call asks.
    pub(crate) fn new_call(&mut self) -> String {
        self.calls += 1;
        let area_code = DESTINATIONS[self.random.random_range(0..DESTINATIONS.len())];
        let line = self.random.random_range(0..10_000);
        let mut path = format!(
            "/next-cid?to=1{area_code}444{line:04}&call={}-{}",
            self.name, self.calls
        );
        // Most calls go where numbers are free, so that there is always something to commit.
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
        path
    }

    /// Asks for a number, and takes note of the answer; gives it when it is one.
    fn ask(&mut self, path: &str) -> Result<Option<Handed>, Cut> {
        let call = call_of(path);
        let Ok(answer) = self.exchange("GET", path, "") else {
            self.told.unknown.insert(call);
            return Err(Cut);
        };
        self.told.unavailable_in_a_row = match answer.status {
            503 => self.told.unavailable_in_a_row + 1,
            200 => 0,
            _ => self.told.unavailable_in_a_row,
        };
        match answer.status {
            200 => {
                let handed = handed(path, call, &answer);
                self.told.handed.push(handed.clone());
                return Ok(Some(handed));
            }
            404 => self.told.causes.extend(answer.text("cause")),
            429 => drop(self.told.causes.insert("agent".to_owned())),
            _ => drop(self.told.unknown.insert(call)),
        }
        Ok(None)
    }

    /// Asks once more on a connection that must hold; gives the number that came.
    pub(crate) fn ask_on(&mut self, path: &str) -> Option<Handed> {
        self.ask(path)
            .unwrap_or_else(|_| panic!("{path}: the connection ended"))
    }

    fn release_by_call(&mut self, handed: &Handed) -> Result<(), Cut> {
        let body = format!(
            "{{\"call_id\": \"{}\", \"dialstatus\": \"ANSWER\"}}",
            handed.call
        );
        self.release("POST", "/api/v1/release", &body, CallEnd::Answer)
    }

    fn release_by_reservation(&mut self, handed: &Handed) -> Result<(), Cut> {
        let path = format!("/api/v1/reservations/{}?dialstatus=BUSY", handed.id);
        self.release("DELETE", &path, "", CallEnd::Busy)
    }

    fn release(&mut self, method: &str, path: &str, body: &str, end: CallEnd) -> Result<(), Cut> {
        let answer = self.exchange(method, path, body)?;
        // Null when the reservation had run out.
        if let (200, Some(id)) = (answer.status, answer.text("reservation_id")) {
            let at = answer.text("released_at").expect("an instant");
            self.told.ended.push(Ended {
                id: id.parse().expect("an id"),
                at: at.parse().expect("an instant"),
                end,
            });
        }
        Ok(())
    }

    fn exchange(&mut self, method: &str, path: &str, body: &str) -> Result<Answer, Cut> {
        let answer = self.client.ask(method, path, body).map_err(|error| {
            self.told.cut += 1;
            self.told.torn += usize::from(error.kind() == std::io::ErrorKind::UnexpectedEof);
            Cut
        })?;
        self.told.unavailable += usize::from(answer.status == 503);
        let expected = matches!(answer.status, 200 | 404 | 429 | 503);
        assert!(expected, "{method} {path}: {answer:?}");
        Ok(answer)
    }
}

fn call_of(path: &str) -> String {
    let (_, rest) = path.split_once("call=").expect("every call has an id");
    rest.split('&').next().expect("a part").to_owned()
}

fn handed(path: &str, call: String, answer: &Answer) -> Handed {
    let text = |name| answer.text(name).expect("a text");
    Handed {
        path: path.to_owned(),
        call,
        id: text("reservation_id").parse().expect("an id"),
        number: text("caller_id").parse().expect("a number"),
        until: text("expires_at").parse().expect("an instant"),
        repeated: answer.json()["repeated"] == true,
    }
}

/// Asks once more, after a restart, for the calls whose reservations nobody released, and releases some of them; tells
/// how many got the same answer again, as all must whose reservation still lives. The newest calls first: their reservations live the longest from now.
pub(crate) fn ask_again(process: &Process, name: &str, told: &mut Told) -> usize {
    let mut caller = Caller::new(process.connect(), name.to_owned(), 0);
    let mut repeated = 0;
    for (place, before) in std::mem::take(&mut told.left).into_iter().rev().enumerate() {
        // A call whose reservation has run out may find none free.
        let Some(now) = caller.ask_on(&before.path) else {
            continue;
        };
        if now.repeated {
            assert_eq!((now.id, now.number), (before.id, before.number));
            repeated += 1;
        } else {
            let at = now.until.plus_ms(-i64::from(RESERVATION_S) * 1_000);
            assert!(at >= before.until, "{before:?} was forgotten: {now:?}");
        }
        if place % 2 == 0 {
            let released = caller.release_by_call(&now);
            assert!(released.is_ok(), "{now:?}: the connection ended");
        }
    }
    told.take(caller.told);
    repeated
}

/// Puts load on the service while `meanwhile` runs: each connection until it ends or was told enough.
pub(crate) fn load<T>(
    process: T,
    callers: Vec<Caller>,
    enough: impl Fn(&Told) -> bool + Sync,
    meanwhile: impl FnOnce(T),
) -> Told {
    let mut told = Told::default();
    thread::scope(|scope| {
        let enough = &enough;
        let running: Vec<_> = callers
            .into_iter()
            .map(|caller| scope.spawn(move || caller.make_calls(enough)))
            .collect();
        meanwhile(process);
        for caller in running {
            told.take(caller.join().expect("a caller does not panic"));
        }
    });
    told
}

/// Connections for [`load`], connected; `name` makes their calls unlike all others.
pub(crate) fn callers(process: &Process, name: &str, seed: u64) -> Vec<Caller> {
    (0..CALLERS)
        .map(|place| {
            Caller::new(
                process.connect(),
                format!("{name}-{place}"),
                seed + place as u64,
            )
        })
        .collect()
}
