//! The heads of a pool's orders, and which of them is the first.

use super::Place;

/// The heads of several orders, as a tournament: a place for each order, and over each two the earlier of both.
///
/// A head that changes is compared once on each of the at most ten levels, in one small array; what a search tree would do
/// for the same is to take out and to put in.
#[derive(Debug, Default)]
pub(super) struct Heads {
    /// The first of all is at 1, the two it was chosen from at 2 and 3, and so on: those over `node` are at `node / 2`.
    /// The second half are the heads themselves.
    nodes: Vec<Place>,
}

impl Heads {
    /// Makes room for the heads of `orders` orders.
    pub(super) fn grow(&mut self, orders: usize) {
        let heads = orders.next_power_of_two();
        if heads * 2 > self.nodes.len() {
            let before = self.nodes.split_off(self.leaves());
            self.nodes = vec![Place::NOBODY; heads * 2];
            for (at, head) in before.into_iter().enumerate() {
                self.set(at, Some(head));
            }
        }
    }

    /// Sets the head of the order at `at`; none while it is empty.
    pub(super) fn set(&mut self, at: usize, head: Option<Place>) {
        let mut node = self.leaves() + at;
        self.nodes[node] = head.unwrap_or(Place::NOBODY);
        while node > 1 {
            let first = self.nodes[node].min(self.nodes[node ^ 1]);
            node /= 2;
            if self.nodes[node] == first {
                return;
            }
            self.nodes[node] = first;
        }
    }

    /// The first of all heads.
    pub(super) fn first(&self) -> Option<Place> {
        self.nodes.get(1).copied().and_then(Place::somebody)
    }

    /// Whose head is the first.
    pub(super) fn first_at(&self) -> usize {
        let mut node = 1;
        while node < self.leaves() {
            node *= 2;
            node += usize::from(self.nodes[node] != self.nodes[node / 2]);
        }
        node.saturating_sub(self.leaves())
    }

    /// The first of the heads of all orders but the one at `at`.
    pub(super) fn first_but(&self, at: usize) -> Option<Place> {
        let mut node = self.leaves() + at;
        let mut first = Place::NOBODY;
        while node > 1 {
            first = first.min(self.nodes[node ^ 1]);
            node /= 2;
        }
        first.somebody()
    }

    const fn leaves(&self) -> usize {
        self.nodes.len() / 2
    }
}

#[cfg(test)]
mod tests {
    use caller_id_core::{PhoneNumber, Timestamp};

    use super::*;

    fn place(available_at: i64) -> Place {
        let number = PhoneNumber::from_e164_digits(13_125_550_000).expect("a number");
        Place::new(Timestamp::from_ms(available_at), number, 7)
    }

    #[test]
    fn the_first_is_always_the_earliest_head() {
        let mut heads = Heads::default();
        assert_eq!(heads.first(), None);
        let mut plain = Vec::new();
        for step in 0..5_000usize {
            let at = step * 7_919 % (1 + step / 20);
            if at >= plain.len() {
                plain.resize(at + 1, None);
                heads.grow(plain.len());
            }
            let head = (step % 5 > 0).then(|| place((step * 104_729 % 9_973) as i64));
            plain[at] = head;
            heads.set(at, head);
            let first = plain.iter().flatten().min().copied();
            assert_eq!(heads.first(), first);
            if first.is_some() {
                let at = heads.first_at();
                assert_eq!(plain[at], first);
                let others = (0..).zip(&plain).filter(|(other, _)| *other != at);
                let second = others.filter_map(|(_, head)| *head).min();
                assert_eq!(heads.first_but(at), second);
            }
        }
    }
}
