//! What holds for all numbers and all files.

use caller_id_core::area_codes::table;
use caller_id_core::{
    AreaCode, Attestation, Limits, Number, PhoneNumber, PoolId, Status, Timestamp,
};
use proptest::prelude::*;

use super::tests::rows;
use super::{NumberWriter, Row};

/// Text with all that CSV and spreadsheets stumble over.
fn awkward() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[-=+@,;\"'a-zé漢🎈 \\\\]{1,24}").expect("a regex")
}

fn phone() -> impl Strategy<Value = PhoneNumber> {
    let nanp =
        (200_u64..1_000, 200_u64..1_000, 0_u64..10_000).prop_map(|(area, exchange, line)| {
            10_000_000_000 + area * 10_000_000 + exchange * 10_000 + line
        });
    let other = 20_000_000_u64..999_999_999_999_999;
    prop_oneof![3 => nanp, 1 => other].prop_filter_map("no number", PhoneNumber::from_e164_digits)
}

fn area_code() -> impl Strategy<Value = Option<AreaCode>> {
    proptest::option::of((200_u16..1_000).prop_filter_map("not in service", |code| {
        AreaCode::new(code).filter(|code| table().get(*code).is_some())
    }))
}

fn status() -> impl Strategy<Value = Status> {
    let until = (0_i64..4_102_444_800_000).prop_map(|ms| Status::Resting(Timestamp::from_ms(ms)));
    let fixed = prop::sample::select(vec![Status::Active, Status::Paused, Status::Retired]);
    prop_oneof![fixed, until]
}

fn meta() -> impl Strategy<Value = Option<serde_json::Value>> {
    let value = prop_oneof![
        ".{0,16}".prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
    ];
    let members = prop::collection::btree_map(".{0,8}", value, 0..4);
    proptest::option::of(members.prop_map(|members| members.into_iter().collect()))
}

prop_compose! {
    fn number()(
        phone in phone(),
        other_area in area_code(),
        carrier in proptest::option::of(awkward()),
        attestation in proptest::option::of(prop::sample::select(vec![Attestation::A, Attestation::B, Attestation::C])),
        status in status(),
        pool in awkward(),
        daily in 0_u32..=i32::MAX as u32,
        hourly in 0_u32..3,
        meta in meta(),
    ) -> Number {
        let own = phone.area_code();
        Number {
            number: phone,
            area_code: own.and(other_area).or(own),
            carrier: carrier.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()),
            attestation,
            status,
            pool: PoolId::new(&pool).unwrap_or_default(),
            limits: Limits::new(daily, hourly),
            meta,
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_back_as_the_same_numbers(numbers in prop::collection::vec(number(), 1..20)) {
        let mut writer = NumberWriter::new(Vec::new()).expect("a Vec takes all");
        for number in &numbers {
            writer.write(number).expect("a Vec takes all");
        }
        let file = writer.finish().expect("a Vec takes all");
        let expected: Vec<Row> = numbers
            .into_iter()
            .enumerate()
            .map(|(place, number)| Row::Good(place as u64 + 2, number))
            .collect();
        prop_assert_eq!(rows(&file).expect("our own file"), expected);
    }

    #[test]
    fn no_file_panics_and_every_line_is_told_at_most_once(bytes in prop::collection::vec(any::<u8>(), 0..400), text in "[\",;\\n\\r0-9a\\x00]{0,400}") {
        for tail in [&bytes[..], text.as_bytes()] {
            let mut file = b"caller_id,carrier\n".to_vec();
            file.extend_from_slice(tail);
            let lines: Vec<u64> = rows(&file)
                .expect("a header")
                .into_iter()
                .map(|row| match row {
                    Row::Good(line, _) => line,
                    Row::Bad(row) => row.line,
                })
                .collect();
            prop_assert!(lines.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", lines);
            let _ = rows(tail);
        }
    }
}
