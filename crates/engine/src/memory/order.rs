//! The index: numbers in the order in which they are free.

use std::collections::BTreeSet;

use caller_id_core::ladder::Candidates;
use caller_id_core::{AreaCode, PhoneNumber, Timestamp};

use self::heads::Heads;

mod heads;

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
    /// Behind all places, and nobody's: no number has so many digits.
    const NOBODY: Self = Self(u128::MAX);

    fn somebody(self) -> Option<Self> {
        (self != Self::NOBODY).then_some(self)
    }

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

/// The numbers of one area code in order. The head is the answer when its instant has come; if not, nobody behind it is
/// free either.
#[derive(Debug, Default)]
pub(super) struct Order {
    places: BTreeSet<Place>,
    head: Option<Place>,
}

impl Order {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = u32> {
        self.places.iter().map(|place| place.slot())
    }

    fn insert(&mut self, place: Place) {
        self.places.insert(place);
        if self.head.is_none_or(|head| place < head) {
            self.head = Some(place);
        }
    }

    fn remove(&mut self, place: Place) {
        if self.head == Some(place) {
            self.places.pop_first();
            self.head = self.places.first().copied();
        } else {
            self.places.remove(&place);
        }
    }

    /// The first place whose number is not `except`.
    fn first_but(&self, except: PhoneNumber) -> Option<Place> {
        match self.head {
            Some(head) if head.is_of(except) => self.places.iter().nth(1).copied(),
            head => head,
        }
    }
}

/// Area codes from 200 to 999, and one place for numbers that have none.
const ORDERS: usize = 801;
const NONE: u16 = u16::MAX;

/// A pool's numbers: one order for each area code that has any, and the first of their heads.
///
/// The first of all numbers is the first of the heads, so no order of all is kept: what changes at each allocation stays
/// small enough for the cache, also with a million numbers.
#[derive(Debug)]
pub(super) struct Orders {
    /// Where in `orders` an area code's order is.
    index: Box<[u16; ORDERS]>,
    orders: Vec<Order>,
    /// The heads, each where its order is.
    heads: Heads,
}

impl Default for Orders {
    fn default() -> Self {
        Self {
            index: Box::new([NONE; ORDERS]),
            orders: Vec::new(),
            heads: Heads::default(),
        }
    }
}

impl Orders {
    /// Takes a number of this area code from one place and puts it into another; it may have had none, or get none.
    pub(super) fn change_place(
        &mut self,
        from: Option<Place>,
        to: Option<Place>,
        code: Option<AreaCode>,
    ) {
        let at = self.get_or_make(code);
        let order = &mut self.orders[at];
        let before = order.head;
        if let Some(place) = from {
            order.remove(place);
        }
        if let Some(place) = to {
            order.insert(place);
        }
        if order.head != before {
            self.heads.set(at, order.head);
        }
    }

    /// The first of all but `except`.
    pub(super) fn first(&self, except: PhoneNumber) -> Option<Place> {
        let head = self.heads.first()?;
        if !head.is_of(except) {
            return Some(head);
        }
        let at = self.heads.first_at();
        let behind = self.orders[at].first_but(except);
        behind.into_iter().chain(self.heads.first_but(at)).min()
    }

    /// The first of those of one area code, but `except`.
    pub(super) fn first_of(&self, code: AreaCode, except: PhoneNumber) -> Option<Place> {
        let at = self.index[position(Some(code))];
        self.orders.get(usize::from(at))?.first_but(except)
    }

    /// The first of those of several area codes, but `except`.
    pub(super) fn first_of_any(&self, codes: &[AreaCode], except: PhoneNumber) -> Option<Place> {
        codes
            .iter()
            .filter_map(|code| self.first_of(*code, except))
            .min()
    }

    /// The orders in which these candidates stand.
    pub(super) fn among(&self, among: Candidates) -> impl Iterator<Item = &Order> {
        let (all, codes) = match among {
            Candidates::All => (self.orders.as_slice(), Vec::new()),
            Candidates::Area(code) => (&[][..], vec![code]),
            Candidates::Areas(codes) => (&[][..], codes.to_vec()),
        };
        let some = codes.into_iter().filter_map(|code| {
            let at = self.index[position(Some(code))];
            self.orders.get(usize::from(at))
        });
        all.iter().chain(some)
    }

    fn get_or_make(&mut self, code: Option<AreaCode>) -> usize {
        let at = &mut self.index[position(code)];
        if *at == NONE {
            *at = self.orders.len() as u16;
            self.orders.push(Order::default());
            self.heads.grow(self.orders.len());
        }
        usize::from(*at)
    }
}

fn position(code: Option<AreaCode>) -> usize {
    code.map_or(ORDERS - 1, |code| usize::from(code.get() - 200))
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

    fn area(code: u16) -> Option<AreaCode> {
        AreaCode::new(code)
    }

    #[test]
    fn the_first_is_the_one_free_the_longest_and_ties_go_by_number() {
        let mut orders = Orders::default();
        for (one, code) in [
            (place(5, 1), 312),
            (place(3, 3), 312),
            (place(3, 2), 312),
            (place(9, 0), 212),
        ] {
            orders.change_place(None, Some(one), area(code));
        }
        assert_eq!(orders.first(number(999)), Some(place(3, 2)));
        orders.change_place(Some(place(3, 2)), None, area(312));
        assert_eq!(orders.first(number(999)), Some(place(3, 3)));
        assert_eq!(orders.first(number(3)), Some(place(5, 1)));
        orders.change_place(None, Some(place(1, 7)), None);
        assert_eq!(orders.first(number(999)), Some(place(1, 7)));
        assert_eq!(orders.first(number(7)), Some(place(3, 3)));
    }

    #[test]
    fn one_area_code_and_several_are_candidate_sets() {
        let mut orders = Orders::default();
        orders.change_place(None, Some(place(5, 1)), area(312));
        orders.change_place(None, Some(place(4, 2)), area(999));
        let [chicago, elsewhere, empty] = [312, 999, 200].map(|code| area(code).expect("valid"));
        assert_eq!(orders.first_of(chicago, number(9)), Some(place(5, 1)));
        assert_eq!(orders.first_of(chicago, number(1)), None);
        assert_eq!(orders.first_of(empty, number(9)), None);
        assert_eq!(
            orders.first_of_any(&[chicago, elsewhere, empty], number(9)),
            Some(place(4, 2))
        );
    }

    #[test]
    fn an_order_that_empties_leaves_no_head() {
        let mut orders = Orders::default();
        orders.change_place(None, Some(place(5, 1)), area(312));
        orders.change_place(Some(place(5, 1)), None, area(312));
        assert_eq!(orders.first(number(9)), None);
    }
}
