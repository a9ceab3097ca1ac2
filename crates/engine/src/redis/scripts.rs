//! The scripts: the rule book in Lua, each one atomic step (or several, one after the other) inside Redis.

use redis::Script;

use super::keys;

/// Tries every command that the scripts call: a function `trial` of a key.
pub(super) const TRIAL: &str = include_str!("scripts/trial.lua");

/// The scripts, each with the names of the keys and what all of them know in front.
pub(super) struct Scripts {
    /// Requests and releases.
    pub(super) decide: Script,
    /// Gives a pool its next midnights.
    pub(super) put_days: Script,
    /// Makes or changes pools, adds or changes numbers.
    pub(super) put_inventory: Script,
    /// Forgets numbers.
    pub(super) remove: Script,
    /// Up to where the inventory is known.
    pub(super) position: Script,
    /// Puts numbers into their places after a change of policy.
    pub(super) reindex: Script,
    /// Takes over what history knows.
    pub(super) recover: Script,
    /// Counts allocations and ends that were forgotten.
    pub(super) replay: Script,
    /// Notes what was counted with the rest of history.
    pub(super) counted: Script,
    /// Which events were not counted.
    pub(super) missing: Script,
    /// Whether the state is whole.
    pub(super) standing: Script,
    /// What nodes tell one another.
    pub(super) announce: Script,
    /// What people are shown on every node, written down.
    pub(super) post: Script,
    /// The same, read.
    pub(super) posted: Script,
    /// What nodes counted in steps of time, written down.
    pub(super) tell_counts: Script,
    /// The same, read.
    pub(super) told_counts: Script,
    /// How far a job is, written down.
    pub(super) tell_job: Script,
    /// The same of all nodes, read.
    pub(super) told_jobs: Script,
    /// A job is to end.
    pub(super) end_job: Script,
    /// Who tells people of what is wrong, and what was told.
    pub(super) lead_alerts: Script,
    /// Lets another node do that.
    pub(super) leave_alerts: Script,
    /// Whether anything can be written.
    pub(super) writes: Script,
    /// It is not.
    pub(super) disown: Script,
    /// Who rebuilds it, and how far that is.
    pub(super) rebuild: Script,
    /// It is whole again.
    pub(super) ready: Script,
    /// Gives events to who stores them.
    pub(super) outbox_take: Script,
    /// Forgets events that are stored.
    pub(super) outbox_done: Script,
    /// Lets another node store them.
    pub(super) outbox_leave: Script,
    /// How many events wait.
    pub(super) outbox_lag: Script,
    /// Reads numbers.
    pub(super) states: Script,
    /// What a request would be answered.
    pub(super) foresee: Script,
    /// The groups of a pool.
    pub(super) groups: Script,
    /// Counts the numbers of groups.
    pub(super) counts: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        let script = |body: &str| {
            let names = keys::lua();
            let parts = [
                &names,
                include_str!("scripts/clock.lua"),
                include_str!("scripts/journal.lua"),
                include_str!("scripts/number.lua"),
                include_str!("scripts/look.lua"),
                include_str!("scripts/orders.lua"),
                body,
            ];
            Script::new(&parts.concat())
        };
        let choosing = |body: &str| script(&[include_str!("scripts/choose.lua"), body].concat());
        let writes = [TRIAL, include_str!("scripts/writes.lua")].concat();
        Self {
            decide: choosing(include_str!("scripts/decide.lua")),
            put_days: script(include_str!("scripts/put_days.lua")),
            put_inventory: script(include_str!("scripts/put_inventory.lua")),
            remove: script(include_str!("scripts/remove.lua")),
            position: script(include_str!("scripts/position.lua")),
            reindex: script(include_str!("scripts/reindex.lua")),
            recover: script(include_str!("scripts/recover.lua")),
            replay: script(include_str!("scripts/replay.lua")),
            counted: script(include_str!("scripts/counted.lua")),
            missing: script(include_str!("scripts/missing.lua")),
            standing: script(include_str!("scripts/standing.lua")),
            announce: script(include_str!("scripts/announce.lua")),
            post: script(include_str!("scripts/post.lua")),
            posted: script(include_str!("scripts/posted.lua")),
            tell_counts: script(include_str!("scripts/tell_counts.lua")),
            told_counts: script(include_str!("scripts/told_counts.lua")),
            tell_job: script(include_str!("scripts/tell_job.lua")),
            told_jobs: script(include_str!("scripts/told_jobs.lua")),
            end_job: script(include_str!("scripts/end_job.lua")),
            lead_alerts: script(include_str!("scripts/lead_alerts.lua")),
            leave_alerts: script(include_str!("scripts/leave_alerts.lua")),
            writes: script(&writes),
            disown: script(include_str!("scripts/disown.lua")),
            rebuild: script(include_str!("scripts/rebuild.lua")),
            ready: script(include_str!("scripts/ready.lua")),
            outbox_take: script(include_str!("scripts/outbox_take.lua")),
            outbox_done: script(include_str!("scripts/outbox_done.lua")),
            outbox_leave: script(include_str!("scripts/outbox_leave.lua")),
            outbox_lag: script(include_str!("scripts/outbox_lag.lua")),
            states: script(include_str!("scripts/states.lua")),
            foresee: choosing(include_str!("scripts/foresee.lua")),
            groups: script(include_str!("scripts/groups.lua")),
            counts: script(include_str!("scripts/counts.lua")),
        }
    }
}
