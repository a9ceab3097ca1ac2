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
use super::deadline::Deadline;
use super::kind::{Kind, Severity};
use super::ledger::{Finding, Ledger, Moment};
use super::memory::{Kept, Memory, on_board, read_messages, waiting_on, write_messages};
use super::message::{Message, Teller, Telling};
use super::outgoing::{Outgoing, WAITING_MOST};
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

/// What is left of a stop's time is for keeping what waits, and this at most.
const END_MOST: Duration = Duration::from_secs(1);

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
    /// Whether what an earlier run kept was read.
    begun: bool,
    leads: bool,
    decided: Decided,
    /// What an earlier run left to be posted, and hours are quiet.
    held: Vec<Message>,
    /// What this run wrote last: into its file, and where nodes agree.
    kept: Kept,
    board: String,
}

/// What was told, or waits to be.
#[derive(Clone, Default)]
struct Decided {
    own: Ledger,
    shared: Ledger,
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

    /// Looks every ten seconds, until `stop`; what is settled meanwhile is kept as such at once.
    pub async fn run(&self, stop: CancellationToken) {
        self.begin(&mut *self.state.lock().await).await;
        let mut ticks = tokio::time::interval_at(Instant::now() + EVERY, EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => self.look_until(&stop).await,
                () = self.outgoing.settled() => {
                    let mut state = self.state.lock().await;
                    stop.run_until_cancelled(self.keep_shared(&mut state)).await;
                    self.keep_all(&mut state).await;
                }
            }
        }
    }

    /// Keeps what waits for the next start, and lets another node lead. For when [`Watch::run`] has ended, and nothing is posted
    /// any more.
    pub async fn end(&self, deadline: &Deadline) {
        let mut state = self.state.lock().await;
        let keeping = async {
            self.begin(&mut state).await;
            let attacks = self.api.access.attempts.take_attacks();
            state.decided.attacks.note(self.api.clock.now(), attacks);
            self.keep_all(&mut state).await
        };
        let kept = tokio::time::timeout(deadline.half(END_MOST), keeping).await;
        if kept != Ok(true) {
            for message in self.waiting_here(&state, &[]) {
                let (kind, id) = (message.kind.as_str(), &message.id);
                let why = "the service stops, and cannot keep it for its next start";
                tracing::error!(kind, %id, %why, "an alert reached nobody");
            }
        }
        if let Some(board) = &self.board {
            let leaving = async {
                self.keep_shared(&mut state).await;
                // Another node leads half a minute later where this is not heard.
                let _ = board.leave_alerts(&self.run).await;
            };
            let _ = tokio::time::timeout(deadline.half(END_MOST), leaving).await;
        }
    }

    /// Looks once.
    pub async fn look(&self) {
        self.look_until(&CancellationToken::new()).await;
    }

    /// Looks once, unless `stop` comes first.
    async fn look_until(&self, stop: &CancellationToken) {
        let mut state = self.state.lock().await;
        self.begin(&mut state).await;
        let judging = self.api.judged(plain);
        let Some(judged) = stop.run_until_cancelled(judging).await else {
            return;
        };
        let now = self.api.clock.now();
        let quiet = self.is_quiet(now);
        let moment = Moment {
            now,
            quiet,
            known: &|kind| knows(&judged, kind),
            has_free: &|pool| judged.free.contains(pool),
        };
        let (shared, own) = found(&judged.attention);
        if !quiet {
            for message in std::mem::take(&mut state.held) {
                self.outgoing.push(message);
            }
        }
        let attacks = self.api.access.attempts.take_attacks();
        state.decided.attacks.note(now, attacks);

        // What is decided counts when it is kept, and is posted then: whatever ends this before, it is decided again.
        let stepping = self.step_shared(&mut state, &moment, shared);
        let stepped = stop.run_until_cancelled(stepping).await.flatten();
        let mut next = state.decided.clone();
        let mut new = self.messages(next.own.step(&moment, own), now);
        if let Some((ledger, told)) = stepped {
            next.shared = ledger;
            new.extend(told);
        }
        let guesses = next.attacks.due(now, quiet, self.rules.repeat_ms);
        new.extend(self.messages(guesses, now));
        self.keep(&mut state, next, new).await;
    }

    /// Reads what an earlier run kept, once.
    async fn begin(&self, state: &mut State) {
        if state.begun {
            return;
        }
        let kept = self.memory.read().await;
        let repeat_ms = self.rules.repeat_ms;
        state.decided = Decided {
            own: Ledger::read(&kept.own, repeat_ms),
            shared: Ledger::read(&kept.shared, repeat_ms),
            attacks: Attacks::read(&kept.attacks),
        };
        self.take_up(state, read_messages(kept.waiting.clone()));
        state.kept = kept;
        state.begun = true;
    }

    /// What nodes share: told by the one that leads, once the others would know of it. `None`: another one tells it.
    async fn step_shared(
        &self,
        state: &mut State,
        moment: &Moment<'_>,
        found: Vec<Finding>,
    ) -> Option<(Ledger, Vec<Message>)> {
        let mut next = state.decided.shared.clone();
        let Some(board) = &self.board else {
            let told = next.step(moment, found);
            return Some((next, self.messages(told, moment.now)));
        };
        let led = board.lead_alerts(&self.run, None, LEAD).await;
        let Ok(Some(written)) = led else {
            self.leave(state);
            return None;
        };
        if !state.leads {
            next = Ledger::read(&written, self.rules.repeat_ms);
            // Of what this node posts anyway nothing is posted twice.
            self.take_up(state, waiting_on(&written));
            state.decided.shared = next.clone();
            state.leads = true;
        }
        state.board = written;
        let told = next.step(moment, found);
        let new = self.messages(told, moment.now);
        self.put_on_board(state, &next, &new).await;
        state.leads.then_some((next, new))
    }

    /// Writes where nodes agree what is settled by now, where this one leads.
    async fn keep_shared(&self, state: &mut State) {
        if state.leads {
            let ledger = state.decided.shared.clone();
            self.put_on_board(state, &ledger, &[]).await;
        }
    }

    async fn put_on_board(&self, state: &mut State, ledger: &Ledger, new: &[Message]) {
        let waiting = self.waiting(state, new);
        let shared = waiting.iter().filter(|message| message.kind.is_shared());
        let text = on_board(ledger, write_messages(shared));
        let Some(board) = self.board.as_ref().filter(|_| text != state.board) else {
            return;
        };
        match board.lead_alerts(&self.run, Some(&text), LEAD).await {
            Ok(Some(_)) => state.board = text,
            _ => self.leave(state),
        }
    }

    /// Another node leads, or nobody knows who does: what is held here is posted from there.
    fn leave(&self, state: &mut State) {
        state.leads = false;
        state.held.retain(|message| self.is_kept_here(message));
    }

    async fn keep_all(&self, state: &mut State) -> bool {
        let decided = state.decided.clone();
        self.keep(state, decided, Vec::new()).await
    }

    /// Keeps what was decided, and posts what is new of it; gives whether the next start will know.
    async fn keep(&self, state: &mut State, decided: Decided, new: Vec<Message>) -> bool {
        let shared = match self.board {
            None => decided.shared.written(),
            Some(_) => String::new(),
        };
        let kept = Kept {
            node: self.rules.teller.node.clone(),
            own: decided.own.written(),
            shared,
            attacks: decided.attacks.written(),
            waiting: write_messages(&self.waiting_here(state, &new)),
        };
        let is_kept = kept == state.kept || self.memory.write(kept.clone()).await;
        if is_kept {
            state.kept = kept;
        }
        state.decided = decided;
        for message in new {
            self.outgoing.push(message);
        }
        is_kept
    }

    /// Takes what an earlier run, or another node, left to be posted.
    fn take_up(&self, state: &mut State, left: Vec<Message>) {
        let quiet = self.is_quiet(self.api.clock.now());
        for message in left {
            if !quiet || message.severity == Severity::Serious {
                self.outgoing.push(message);
            } else if !state.held.contains(&message) && state.held.len() < WAITING_MOST {
                state.held.push(message);
            }
        }
    }

    /// What is neither delivered nor given up, and what is `new`.
    fn waiting(&self, state: &State, new: &[Message]) -> Vec<Message> {
        let mut all = self.outgoing.unsettled();
        all.extend_from_slice(&state.held);
        all.extend_from_slice(new);
        all
    }

    /// That of it which this node keeps itself.
    fn waiting_here(&self, state: &State, new: &[Message]) -> Vec<Message> {
        let mut all = self.waiting(state, new);
        all.retain(|message| self.is_kept_here(message));
        all
    }

    fn is_kept_here(&self, message: &Message) -> bool {
        self.board.is_none() || !message.kind.is_shared()
    }

    fn is_quiet(&self, now: Timestamp) -> bool {
        let quiet = self.rules.quiet;
        quiet.is_some_and(|hours| hours.has(now, &self.rules.zone))
    }

    fn messages(&self, told: impl IntoIterator<Item = Telling>, now: Timestamp) -> Vec<Message> {
        let teller = &self.rules.teller;
        let told = told.into_iter();
        told.map(|telling| Message::new(&telling, teller, now))
            .collect()
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
            severity: Severity::of(one.severity),
            text: one.text.clone(),
            link: one.link.clone(),
        })
    });
    findings.partition(|finding| finding.kind.is_shared())
}
