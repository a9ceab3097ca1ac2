//! Looks at how all is, and has told what is to be told.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use caller_id_core::alert_board::AlertBoard;
use caller_id_core::{TimeZone, Timestamp};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::attacks::Attacks;
use super::kind::Kind;
use super::ledger::{Finding, Ledger, Moment};
use super::memory::Memory;
use super::message::{Message, Teller, Telling};
use super::outgoing::Outgoing;
use super::plain::plain;
use crate::config::alerts::QuietHours;
use crate::http::Api;
use crate::http::overview::{Attention, Judged};

/// So often it looks.
pub const EVERY: Duration = Duration::from_secs(10);
/// A node that was not heard of for so long leads no more.
const LEAD: Duration = Duration::from_secs(30);

/// What it goes by.
pub struct Rules {
    /// Who tells.
    pub teller: Teller,
    /// After how many milliseconds what lasts is told again.
    pub repeat_ms: Option<i64>,
    /// When only what is serious is told.
    pub quiet: Option<QuietHours>,
    /// By which clocks.
    pub zone: TimeZone,
    /// Where what was told is kept for the next start.
    pub folder: Option<PathBuf>,
}

/// Looks, and puts messages into [`Outgoing`].
pub struct Watch {
    api: Arc<Api>,
    rules: Rules,
    board: Option<Arc<dyn AlertBoard>>,
    outgoing: Arc<Outgoing>,
    /// Which run of which node: no other has it.
    run: String,
    memory: Memory,
    state: Mutex<State>,
}

/// What is known.
#[derive(Default)]
struct State {
    /// Whether what an earlier run told was read.
    begun: bool,
    own: Ledger,
    shared: Ledger,
    leads: bool,
    attacks: Attacks,
}

impl Watch {
    /// Over that service. `board` is where nodes agree who of them tells of what they share.
    pub fn new(
        api: Arc<Api>,
        rules: Rules,
        board: Option<Arc<dyn AlertBoard>>,
        outgoing: Arc<Outgoing>,
    ) -> Self {
        Self {
            memory: Memory::new(rules.folder.clone(), &rules.teller.node),
            api,
            rules,
            board,
            outgoing,
            run: format!("{:016x}", rand::random::<u64>()),
            state: Mutex::default(),
        }
    }

    /// Looks every ten seconds, until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval_at(Instant::now() + EVERY, EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            stop.run_until_cancelled(self.look()).await;
        }
        if let Some(board) = &self.board {
            // Another node leads half a minute later where this is not heard.
            let _ =
                tokio::time::timeout(Duration::from_secs(1), board.leave_alerts(&self.run)).await;
        }
    }

    /// Looks once.
    pub async fn look(&self) {
        let mut state = self.state.lock().await;
        let repeat_ms = self.rules.repeat_ms;
        if !state.begun {
            let kept = self.memory.read().await;
            state.own = Ledger::read(&kept.own, repeat_ms);
            state.shared = Ledger::read(&kept.shared, repeat_ms);
            state.begun = true;
        }
        let judged = self.api.judged(plain).await;
        let now = self.api.clock.now();
        let quiet = self.rules.quiet;
        let quiet = quiet.is_some_and(|hours| hours.has(now, &self.rules.zone));
        let known = |kind: Kind| knows(&judged, kind);
        let moment = Moment {
            now,
            quiet,
            known: &known,
        };
        let (shared, own) = found(&judged.attention);

        let before = (state.own.written(), state.shared.written());
        let mut told = state.own.step(&moment, own);
        told.extend(self.step_shared(&mut state, &moment, shared).await);
        let after = (state.own.written(), state.shared.written());
        if before != after {
            let shared = if self.board.is_none() {
                after.1
            } else {
                String::new()
            };
            self.memory.write(after.0, shared).await;
        }
        state
            .attacks
            .note(now, self.api.access.attempts.take_attacks());
        told.extend(state.attacks.due(now, quiet, repeat_ms));
        self.tell(&told, now);
    }

    /// What nodes share: told by the one that leads, once the others would know of it.
    async fn step_shared(
        &self,
        state: &mut State,
        moment: &Moment<'_>,
        found: Vec<Finding>,
    ) -> Vec<Telling> {
        let Some(board) = &self.board else {
            return state.shared.step(moment, found);
        };
        let led = board.lead_alerts(&self.run, None, LEAD).await;
        let Ok(Some(written)) = led else {
            state.leads = false;
            return Vec::new();
        };
        if !state.leads {
            state.shared = Ledger::read(&written, self.rules.repeat_ms);
        }
        let mut next = state.shared.clone();
        let told = next.step(moment, found);
        let text = next.written();
        let kept = match text == written {
            true => Ok(Some(text)),
            false => board.lead_alerts(&self.run, Some(&text), LEAD).await,
        };
        state.leads = matches!(kept, Ok(Some(_)));
        if !state.leads {
            return Vec::new();
        }
        state.shared = next;
        told
    }

    fn tell(&self, told: &[Telling], now: Timestamp) {
        for telling in told {
            self.outgoing
                .push(Message::new(telling, &self.rules.teller, now));
        }
    }
}

/// Whether anybody knows how it stands with that kind.
fn knows(judged: &Judged, kind: Kind) -> bool {
    match kind {
        Kind::PoolExhausted | Kind::PoolLow => judged.pools,
        Kind::OutboxLag | Kind::OutboxAside => judged.outbox,
        _ => true,
    }
}

/// What nodes share, and what is this one's own.
fn found(attention: &[Attention]) -> (Vec<Finding>, Vec<Finding>) {
    let findings = attention.iter().filter_map(|one| {
        Some(Finding {
            kind: Kind::of(one.kind)?,
            subject: one.name.clone(),
            severity: super::Severity::of(one.severity),
            text: one.text.clone(),
            link: one.link.clone(),
        })
    });
    findings.partition(|finding| finding.kind.is_shared())
}
