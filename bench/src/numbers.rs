//! An inventory to measure with: numbers spread over the area codes in service, as an owner of many has them.

use caller_id_core::{AreaCode, PhoneNumber, area_codes};

/// This many different numbers, round robin over the geographic area codes.
pub(crate) fn inventory(count: usize) -> Vec<PhoneNumber> {
    let codes: Vec<u64> = (200u16..1_000)
        .filter_map(AreaCode::new)
        .filter(|code| geographic(*code))
        .map(|code| u64::from(code.get()))
        .collect();
    let number = |place: usize| {
        let (code, line) = (codes[place % codes.len()], (place / codes.len()) as u64);
        PhoneNumber::from_e164_digits(10_000_000_000 + code * 10_000_000 + 2_000_000 + line)
    };
    (0..count)
        .map(|place| number(place).expect("the exchange starts with 2"))
        .collect()
}

fn geographic(code: AreaCode) -> bool {
    area_codes::table()
        .get(code)
        .is_some_and(|info| info.kind == area_codes::Kind::Geographic && !info.planned)
}
