//! The index: numbers in the order in which they are free.

use std::collections::BTreeSet;

use caller_id_core::{AreaCode, PhoneNumber, Timestamp};

/// A number's place in an order: free the longest first, ties by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) available_at: Timestamp,
    pub(super) number: PhoneNumber,
    pub(super) slot: u32,
}

/// One order. Its head is the answer when its instant has come; if not, nobody behind it is free either.
#[derive(Debug, Default)]
pub(super) struct Order {
    places: BTreeSet<Place>,
    head: Option<Place>,
}

impl Order {
    pub(super) fn insert(&mut self, place: Place) {
        self.places.insert(place);
        if self.head.is_none_or(|head| place < head) {
            self.head = Some(place);
        }
    }

    pub(super) fn remove(&mut self, place: Place) {
        self.places.remove(&place);
        if self.head == Some(place) {
            self.head = self.places.first().copied();
        }
    }

    /// The first place whose number is not `except`: a number is never shown to itself.
    pub(super) fn first_but(&self, except: PhoneNumber) -> Option<Place> {
        match self.head {
            Some(head) if head.number == except => self.places.iter().nth(1).copied(),
            head => head,
        }
    }
}

const AREA_CODES: usize = 800;
const NONE: u16 = u16::MAX;

/// One order for each area code that has numbers.
#[derive(Debug)]
pub(super) struct AreaOrders {
    /// Where in `orders` an area code's order is, by area code less 200.
    index: Box<[u16; AREA_CODES]>,
    orders: Vec<Order>,
}

impl Default for AreaOrders {
    fn default() -> Self {
        Self {
            index: Box::new([NONE; AREA_CODES]),
            orders: Vec::new(),
        }
    }
}

impl AreaOrders {
    pub(super) fn get(&self, code: AreaCode) -> Option<&Order> {
        self.orders.get(usize::from(self.index[position(code)]))
    }

    pub(super) fn get_or_make(&mut self, code: AreaCode) -> &mut Order {
        let index = &mut self.index[position(code)];
        if *index == NONE {
            *index = self.orders.len() as u16;
            self.orders.push(Order::default());
        }
        &mut self.orders[usize::from(*index)]
    }

    /// The first place among those of several area codes.
    pub(super) fn first_but(&self, codes: &[AreaCode], except: PhoneNumber) -> Option<Place> {
        codes
            .iter()
            .filter_map(|code| self.get(*code)?.first_but(except))
            .min()
    }
}

fn position(code: AreaCode) -> usize {
    usize::from(code.get() - 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(available_at: i64, line: u64) -> Place {
        let number = PhoneNumber::from_e164_digits(13_125_550_000 + line).expect("a number");
        Place {
            available_at: Timestamp::from_ms(available_at),
            number,
            slot: line as u32,
        }
    }

    #[test]
    fn the_head_is_the_one_free_the_longest_and_ties_go_by_number() {
        let mut order = Order::default();
        let nobody = place(0, 999).number;
        for one in [place(5, 1), place(3, 3), place(3, 2), place(9, 0)] {
            order.insert(one);
        }
        assert_eq!(order.first_but(nobody), Some(place(3, 2)));
        order.remove(place(3, 2));
        assert_eq!(order.first_but(nobody), Some(place(3, 3)));
        assert_eq!(order.first_but(place(3, 3).number), Some(place(5, 1)));
        order.insert(place(1, 7));
        assert_eq!(order.first_but(nobody), Some(place(1, 7)));
    }

    #[test]
    fn several_area_codes_are_one_candidate_set() {
        let (chicago, suburbs) = (
            AreaCode::new(312).expect("valid"),
            AreaCode::new(999).expect("valid"),
        );
        let mut orders = AreaOrders::default();
        orders.get_or_make(chicago).insert(place(5, 1));
        orders.get_or_make(suburbs).insert(place(4, 2));
        assert_eq!(
            orders.first_but(&[chicago, suburbs], place(0, 9).number),
            Some(place(4, 2))
        );
        assert!(orders.get(AreaCode::new(200).expect("valid")).is_none());
    }
}
