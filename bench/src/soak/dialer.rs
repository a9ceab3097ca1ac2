//! A dialer: it makes calls at its pace, over HTTP or FastAGI, and writes down what it was told and when.

use std::thread;
use std::time::Duration;

use caller_id_core::{CallEnd, PhoneNumber};
use caller_id_testkit::told::{Ended, Handed, Log, Reported};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use super::agi::dialog;
use super::field::{Doors, Field};
use super::seen::{Event, SERVICES, What};
use crate::client::Client;

const DESTINATIONS: [&str; 6] = ["312", "773", "415", "808", "212", "441"];
/// Few, so that their limit refuses some.
const AGENTS: u32 = 4;
/// Longer than any deadline of the service.
const PATIENCE: Duration = Duration::from_secs(3);
/// A call of a dialer, and what it does until its next one, takes so long at least.
const PACE_S: f64 = 0.05;
/// Who dials holds a number so long at most.
const HOLD_MOST_MS: u64 = 30;

/// How a dialer asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Http,
    Agi,
}

/// What a dialer was told, and how that looked.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) log: Log,
    pub(super) events: Vec<Event>,
    /// Numbers over FastAGI.
    pub(super) by_agi: usize,
    /// Reports over FastAGI that were kept.
    pub(super) kept_by_agi: usize,
}

impl Notes {
    /// What these and others saw.
    pub(super) fn events_with(&self, others: &Self) -> Vec<Event> {
        [&self.events[..], &others.events].concat()
    }

    /// Takes over what another was told.
    pub(super) fn take(&mut self, other: Self) {
        self.log.take(other.log);
        self.events.extend(other.events);
        self.by_agi += other.by_agi;
        self.kept_by_agi += other.kept_by_agi;
    }
}

/// One dialer.
pub(super) struct Dialer<'a> {
    field: &'a Field,
    way: Way,
    /// Whom it asks.
    services: &'static [usize],
    clients: [Option<(Doors, Client)>; SERVICES],
    name: String,
    calls: u32,
    random: SmallRng,
    notes: Notes,
}

/// What is asked.
struct Call {
    id: String,
    to: String,
    campaign: &'static str,
    agent: Option<u32>,
}

impl<'a> Dialer<'a> {
    /// `name` makes its calls unlike all others.
    pub(super) fn new(
        field: &'a Field,
        way: Way,
        services: &'static [usize],
        (name, seed): (String, u64),
    ) -> Self {
        Self {
            field,
            way,
            services,
            clients: [const { None }; SERVICES],
            name,
            calls: 0,
            random: SmallRng::seed_from_u64(seed),
            notes: Notes::default(),
        }
    }

    /// Makes calls until it is over.
    pub(super) fn dial(mut self) -> Notes {
        while !self.field.is_over() {
            let begun = self.field.seconds();
            self.call();
            self.field.wait_until(begun + PACE_S);
        }
        self.notes
    }

    fn call(&mut self) {
        let call = self.new_call();
        let Some(handed) = self.ask(&call) else {
            return;
        };
        let hold = self.random.random_range(0..HOLD_MOST_MS);
        thread::sleep(Duration::from_millis(hold));
        match (self.way, self.random.random_range(0..100)) {
            (Way::Agi, 0..90) => self.report_by_agi(&handed),
            (Way::Http, 0..30) => {
                self.release_by_call(&handed);
                self.report(&handed);
            }
            (Way::Http, 30..50) => self.release_by_reservation(&handed),
            (Way::Http, 50..70) => self.report(&handed),
            (Way::Http, 70..90) => {
                self.ask(&call);
                self.release_by_call(&handed);
            }
            _ => {}
        }
    }

    fn new_call(&mut self) -> Call {
        self.calls += 1;
        let area_code = DESTINATIONS[self.random.random_range(0..DESTINATIONS.len())];
        let line = self.random.random_range(0..10_000);
        let names_agent = self.random.random_range(0..10) == 0;
        Call {
            id: format!("{}-{}", self.name, self.calls),
            to: format!("1{area_code}444{line:04}"),
            campaign: match self.random.random_range(0..20) {
                0..3 => "",
                3..6 => "BOTH",
                6 => "SMALL",
                7 => "DAY",
                _ => "BUSY",
            },
            agent: names_agent.then(|| self.random.random_range(0..AGENTS)),
        }
    }

    /// Asks some service for a number.
    fn ask(&mut self, call: &Call) -> Option<Handed> {
        let service = self.services[self.random.random_range(0..self.services.len())];
        let (asked, begun) = (self.field.now(), self.field.seconds());
        let (what, told) = match self.way {
            Way::Http => self.ask_by_http(service, call),
            Way::Agi => self.ask_by_agi(service, call),
        };
        let at = self.field.seconds();
        match &what {
            What::Number => self.field.count_handed(service),
            What::Refused(cause) => drop(self.notes.log.causes.insert(cause.clone())),
            What::Unavailable => self.field.count_unavailable(service),
            What::NoAnswer => {}
        }
        if matches!(what, What::Unavailable | What::NoAnswer) {
            self.notes.log.unknown.insert(call.id.clone());
        }
        self.notes.events.push(Event {
            at,
            service,
            what,
            ms: (at - begun) * 1_000.0,
        });
        let (id, number, repeated) = told?;
        let handed = Handed {
            node: service,
            call: call.id.clone(),
            id: id.parse().expect("the id of a reservation"),
            number,
            destination: format!("+{}", call.to).parse().expect("a number"),
            repeated,
            asked,
            answered: self.field.now(),
        };
        self.notes.log.handed.push(handed.clone());
        Some(handed)
    }

    fn ask_by_http(&mut self, service: usize, call: &Call) -> (What, Option<Told>) {
        let mut line = format!("GET /next-cid?to={}&call={}", call.to, call.id);
        if !call.campaign.is_empty() {
            line.push_str(&format!("&campaign={}", call.campaign));
        }
        if let Some(agent) = call.agent {
            line.push_str(&format!("&agent=a{agent}"));
        }
        let Some((status, body)) = self.exchange(service, &line, "") else {
            return (What::NoAnswer, None);
        };
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        match status {
            200 => {
                let number = text("caller_id").parse().expect("a number");
                let repeated = body["repeated"] == true;
                (
                    What::Number,
                    Some((text("reservation_id"), number, repeated)),
                )
            }
            404 => (What::Refused(text("cause")), None),
            429 => (What::Refused("agent".to_owned()), None),
            503 => (What::Unavailable, None),
            _ => panic!("{line}: {status} {body}"),
        }
    }

    fn ask_by_agi(&mut self, service: usize, call: &Call) -> (What, Option<Told>) {
        let mut arguments = vec![format!("to={}", call.to), format!("call={}", call.id)];
        // Without one Asterisk would be asked for the campaign, and says that there is none.
        if !call.campaign.is_empty() {
            arguments.push(format!("campaign={}", call.campaign));
        }
        arguments.extend(call.agent.map(|agent| format!("agent=a{agent}")));
        let doors = self.field.doors(service);
        let set = doors.map(|doors| dialog(doors.agi, "next-cid", &arguments, PATIENCE));
        let Some(Ok(set)) = set else {
            return (What::NoAnswer, None);
        };
        let text = |name: &str| set.get(name).cloned().unwrap_or_default();
        match text("CIDROT_STATUS").as_str() {
            "OK" => {
                self.notes.by_agi += 1;
                let number = format!("+1{}", text("CIDROT_CALLER_ID"));
                let number = number.parse().expect("a number");
                (
                    What::Number,
                    Some((text("CIDROT_RESERVATION"), number, false)),
                )
            }
            "EXHAUSTED" => (What::Refused("exhausted".to_owned()), None),
            "AGENT_LIMITED" => (What::Refused("agent".to_owned()), None),
            "UNAVAILABLE" => (What::Unavailable, None),
            // The connection broke before it was said.
            "" => (What::NoAnswer, None),
            other => panic!("FastAGI says {other}: {arguments:?}"),
        }
    }

    fn release_by_call(&mut self, handed: &Handed) {
        let body = format!(
            "{{\"call_id\": \"{}\", \"dialstatus\": \"ANSWER\"}}",
            handed.call
        );
        self.release(handed, "POST /api/v1/release", &body, CallEnd::Answer);
    }

    fn release_by_reservation(&mut self, handed: &Handed) {
        let line = format!("DELETE /api/v1/reservations/{}?dialstatus=BUSY", handed.id);
        self.release(handed, &line, "", CallEnd::Busy);
    }

    fn release(&mut self, handed: &Handed, line: &str, body: &str, end: CallEnd) {
        let Some((node, 200, answer)) = self.end(handed, line, body) else {
            return;
        };
        // Null when the reservation had run out.
        if let (Some(id), Some(at)) = (
            answer["reservation_id"].as_str(),
            answer["released_at"].as_str(),
        ) {
            let ended = Ended {
                id: id.parse().expect("an id"),
                at: at.parse().expect("an instant"),
                end,
            };
            self.notes.log.ended.push((node, ended));
        }
    }

    fn report(&mut self, handed: &Handed) {
        let answered_seconds = self.calls;
        let body = format!(
            "{{\"reservation\": \"{}\", \"answered_seconds\": {answered_seconds}}}",
            handed.id
        );
        if let Some((_, 200, answer)) = self.end(handed, "POST /call-result", &body)
            && answer["kept"] == true
        {
            let released = answer["released"] == true;
            self.kept(handed, answered_seconds, released);
        }
    }

    fn report_by_agi(&mut self, handed: &Handed) {
        self.notes.log.tried.push((handed.id, self.field.now()));
        let service = self.services[self.random.random_range(0..self.services.len())];
        let answered_seconds = self.calls;
        let arguments = [
            format!("reservation={}", handed.id),
            "dialstatus=ANSWER".to_owned(),
            format!("answered_seconds={answered_seconds}"),
        ];
        let Some(doors) = self.field.doors(service) else {
            return;
        };
        let set = dialog(doors.agi, "call-result", &arguments, PATIENCE);
        if set.is_ok_and(|set| set.get("CIDROT_REPORT").is_some_and(|word| word == "KEPT")) {
            self.notes.kept_by_agi += 1;
            self.kept(handed, answered_seconds, false);
        }
    }

    fn kept(&mut self, handed: &Handed, answered_seconds: u32, released: bool) {
        self.notes.log.reported.push(Reported {
            id: handed.id,
            answered_seconds,
            released,
        });
    }

    /// Tells some service that a call has ended.
    fn end(&mut self, handed: &Handed, line: &str, body: &str) -> Option<(usize, u16, Value)> {
        self.notes.log.tried.push((handed.id, self.field.now()));
        let service = self.services[self.random.random_range(0..self.services.len())];
        let (status, answer) = self.exchange(service, line, body)?;
        let expected = matches!(status, 200 | 404 | 503);
        assert!(expected, "{line}: {status} {answer}");
        Some((service, status, answer))
    }

    /// None: it is not there, or is no more, or takes too long.
    fn exchange(&mut self, service: usize, line: &str, body: &str) -> Option<(u16, Value)> {
        let doors = self.field.doors(service)?;
        let kept = &mut self.clients[service];
        if kept.as_ref().is_none_or(|(at, _)| *at != doors) {
            *kept = Some((doors, Client::within(doors.http, PATIENCE).ok()?));
        }
        let (_, client) = kept.as_mut()?;
        let answer = client.status_of(line, body);
        if answer.is_err() {
            *kept = None;
        }
        answer.ok()
    }
}

/// The reservation, the number, and whether the answer was a repeated one.
type Told = (String, PhoneNumber, bool);
