//! Why a node may not hand out numbers from the state that it sees, for people.

use super::super::holders::Holder;
use super::super::owner::Owner;
use super::RecordedState;

impl Owner {
    pub(super) fn of_another(&self, record: &RecordedState, others: &[Holder], at: &str) -> String {
        let names: Vec<_> = others.iter().map(Holder::to_string).collect();
        format!(
            "{place} is in use by nodes with another state in Redis ({names}: state {theirs:016x} of {there}, written down by \
             the node `{writer}` at {since}). This node `{node}` has {at}: two states would give the same numbers out twice. \
             Look at REDIS_URL (its hosts and the number of the database) and REDIS_TENANT, they must be the same on all \
             nodes; to move to another Redis stop all nodes first",
            place = self.place(),
            names = names.join(", "),
            theirs = record.state.0,
            there = record.at,
            writer = record.node,
            since = record.since,
            node = self.node(),
        )
    }

    pub(super) fn may_come_back(&self, record: &RecordedState, at: &str) -> String {
        format!(
            "{} was used with the state of {}, by the node `{}` and perhaps others, which may come back: this node `{}` with \
             the state of {at} takes it over when none has within {:?}",
            self.place(),
            record.at,
            record.node,
            self.node(),
            self.come_back(),
        )
    }

    pub(super) fn without_redis(&self) -> String {
        format!(
            "{} was used without Redis meanwhile: what this node `{}` has in Redis is not enough any more. Stop all nodes, \
             empty Redis, start them again",
            self.place(),
            self.node(),
        )
    }
}
