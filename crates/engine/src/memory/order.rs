//! The index: numbers in the order in which they are free.

use std::collections::BTreeSet;

use caller_id_core::{AreaCode, PhoneNumber, Timestamp};

/// A number's place in an order: free the longest first, ties by number.
///
/// Packed into one integer that sorts as its parts do: 46 bits of `available_at` (enough until the year 4199), 50 of the
/// number, 32 of its slot. That makes the trees a third smaller and their comparisons one instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(u128);

const SLOT_BITS: u32 = 32;
const NUMBER_BITS: u32 = 50;
const INSTANT_MOST: i64 = (1 << 46) - 1;

impl Place {
    pub(super) fn new(available_at: Timestamp, number: PhoneNumber, slot: u32) -> Self {
        let instant = available_at.as_ms().clamp(0, INSTANT_MOST) as u128;
        let number = u128::from(number.e164_digits());
        Self((instant << NUMBER_BITS | number) << SLOT_BITS | u128::from(slot))
    }

    pub(super) const fn available_at(self) -> Timestamp {
        Timestamp::from_ms((self.0 >> (SLOT_BITS + NUMBER_BITS)) as i64)
    }

    pub(super) const fn slot(self) -> u32 {
        self.0 as u32
    }

    fn is_of(self, number: PhoneNumber) -> bool {
        (self.0 >> SLOT_BITS) as u64 & ((1 << NUMBER_BITS) - 1) == number.e164_digits()
    }
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
            Some(head) if head.is_of(except) => self.places.iter().nth(1).copied(),
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
        Place::new(Timestamp::from_ms(available_at), number(line), line as u32)
    }

    fn number(line: u64) -> PhoneNumber {
        PhoneNumber::from_e164_digits(13_125_550_000 + line).expect("a number")
    }

    #[test]
    fn a_place_keeps_its_parts() {
        let number = PhoneNumber::from_e164_digits(999_999_999_999_999).expect("a number");
        let place = Place::new(Timestamp::from_ms(1_795_359_600_123), number, u32::MAX);
        assert_eq!(place.available_at(), Timestamp::from_ms(1_795_359_600_123));
        assert_eq!(place.slot(), u32::MAX);
        assert!(place.is_of(number));
        assert!(!place.is_of(self::number(1)));
    }

    #[test]
    fn the_head_is_the_one_free_the_longest_and_ties_go_by_number() {
        let mut order = Order::default();
        let nobody = number(999);
        for one in [place(5, 1), place(3, 3), place(3, 2), place(9, 0)] {
            order.insert(one);
        }
        assert_eq!(order.first_but(nobody), Some(place(3, 2)));
        order.remove(place(3, 2));
        assert_eq!(order.first_but(nobody), Some(place(3, 3)));
        assert_eq!(order.first_but(number(3)), Some(place(5, 1)));
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
            orders.first_but(&[chicago, suburbs], number(9)),
            Some(place(4, 2))
        );
        assert!(orders.get(AreaCode::new(200).expect("valid")).is_none());
    }
}
