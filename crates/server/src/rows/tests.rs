use std::io::{Cursor, Read, Write};

use caller_id_core::area_codes::table;
use caller_id_core::{
    AreaCode, Attestation, Limits, Number, PhoneNumber, PoolId, Status, Timestamp,
};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::lines::BYTES_MOST;
use super::*;

fn rows(file: &[u8]) -> Result<Vec<Row>, FileError> {
    let mut reader = RowReader::open(file)?;
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row()? {
        rows.push(row);
    }
    Ok(rows)
}

/// Each row in short: its line and its number, or its line and what is wrong.
fn told(file: impl AsRef<[u8]>) -> Vec<String> {
    let told = |row| match row {
        Row::Good(line, number) => format!("{line} {}", number.number),
        Row::Bad(row) => format!("{} bad [{}] {}", row.line, row.caller_id, row.reason),
    };
    rows(file.as_ref()).unwrap().into_iter().map(told).collect()
}

fn refused(file: impl AsRef<[u8]>) -> String {
    rows(file.as_ref()).unwrap_err().to_string()
}

fn one(file: &str) -> Number {
    match rows(file.as_bytes()).unwrap().pop() {
        Some(Row::Good(_, number)) => number,
        other => panic!("one good row expected, got {other:?}"),
    }
}

/// What is wrong with a row whose cell under `column` is `cell`.
fn fault(column: &str, cell: &str) -> String {
    let file = format!(
        "caller_id,{column}\n3125550100,\"{}\"\n",
        cell.replace('"', "\"\"")
    );
    match rows(file.as_bytes()).unwrap().pop() {
        Some(Row::Bad(row)) => row.reason,
        other => panic!("a bad row expected, got {other:?}"),
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn the_header_of_the_reference_is_read() {
    let number = one(
        "caller_id,carrier,area_code,daily_limit,hourly_limit\n13125550100,carrierA,312,200,30\n",
    );
    assert_eq!(number.number.to_string(), "+13125550100");
    assert_eq!(number.carrier.as_deref(), Some("carrierA"));
    assert_eq!(number.area_code.map(|code| code.get()), Some(312));
    assert_eq!(number.limits, Limits::new(200, 30));
    assert_eq!(number.status, Status::Active);
    assert_eq!(number.pool, PoolId::default());
}

#[test]
fn columns_are_found_in_any_order_case_and_spelling() {
    for header in [
        "hourly_limit,caller_id",
        "Hourly Limit, Caller ID ",
        "HOURLY-LIMIT,caller-id",
        "\"hourlyLimit\",\"number\"",
        "hourly_limit,DID",
    ] {
        let number = one(&format!("{header}\n7,312-555-0100\n"));
        assert_eq!(number.number.to_string(), "+13125550100", "{header}");
        assert_eq!(
            number.limits.hourly.map(|limit| limit.get()),
            Some(7),
            "{header}"
        );
    }
}

#[test]
fn separators_line_ends_marks_and_packing_do_not_matter() {
    let plain = "caller_id,carrier\n3125550100,a\n3125550101,b\n";
    let same = [
        plain.to_owned(),
        plain.replace('\n', "\r\n"),
        plain.replace('\n', "\r"),
        plain.replace(',', ";"),
        plain.replace(',', "\t"),
        format!("\u{feff}{plain}"),
        plain.trim_end().to_owned(),
    ];
    for file in same {
        let expected = ["2 +13125550100", "3 +13125550101"];
        assert_eq!(told(&file), expected, "{file:?}");
        assert_eq!(told(gzip(file.as_bytes())), expected, "packed {file:?}");
    }
}

#[test]
fn blank_lines_are_no_rows_but_count_as_lines() {
    assert_eq!(
        told("\n\ncaller_id\n\n3125550100\n  \n3125550101"),
        ["5 +13125550100", "7 +13125550101"]
    );
}

/// Fault 15 of the reference: "no limit" could not be said.
#[test]
fn fault_15_no_limit_can_be_said_and_an_empty_cell_is_the_default() {
    let limits = |cells: &str| {
        one(&format!(
            "caller_id,daily_limit,hourly_limit\n3125550100,{cells}\n"
        ))
        .limits
    };
    assert_eq!(limits("none,unlimited"), Limits::NONE);
    assert_eq!(limits("None,UNLIMITED"), Limits::NONE);
    assert_eq!(limits(","), Limits::new(500, 50));
    assert_eq!(limits("1,2147483647"), Limits::new(1, i32::MAX as u32));
    assert_eq!(one("caller_id\n3125550100\n").limits, Limits::new(500, 50));
}

#[test]
fn a_bad_limit_names_the_field_the_value_and_what_is_expected() {
    for value in [
        "0",
        "-1",
        "many",
        "1.5",
        "2147483648",
        "4294967296",
        "+5",
        "1e3",
        "0x10",
    ] {
        assert_eq!(
            fault("daily_limit", value),
            format!(
                "daily_limit `{value}` is no limit, expected 1 to 2147483647, `none` for no limit, or empty for the default"
            )
        );
    }
    assert!(fault("hourly_limit", "0").starts_with("hourly_limit `0` is no limit"));
}

/// Fault 14 of the reference: any three digits were an area code, also of numbers that have none.
#[test]
fn fault_14_an_area_code_must_exist_and_fit_the_number() {
    let with = |number: &str, code: &str| told(format!("caller_id,area_code\n{number},{code}\n"));
    assert_eq!(with("3125550100", "773"), ["2 +13125550100"]);
    assert_eq!(
        with("2995550100", "299"),
        ["2 +12995550100"],
        "the number's own"
    );
    assert!(with("3125550100", "299")[0].contains("area_code `299` is not in service"));
    assert!(with("3125550100", "12")[0].contains("area code `12` is not one"));
    assert!(with("+442079460958", "312")[0].contains("does not fit +442079460958"));
    assert_eq!(one("caller_id\n+442079460958\n").area_code, None);
}

#[test]
fn every_other_bad_cell_is_named() {
    let expected = [
        (
            "status",
            "asleep",
            "status `asleep` is unknown, expected active",
        ),
        ("status", "resting:soon", "status `resting:soon` is unknown"),
        (
            "attestation",
            "D",
            "attestation `D` is unknown, expected A, B, C",
        ),
        ("pool", "a\u{1}b", "pool has a control character"),
        ("carrier", "a\nb", "carrier `a\u{fffd}b` is not a name"),
        ("carrier", &"x".repeat(129), "carrier `xxx"),
        ("meta", "[1]", "meta `[1]` is no JSON object"),
        ("meta", "{\"a\":", "meta `{\"a\":` is no JSON (EOF"),
        ("meta", "null", "meta `null` is no JSON object"),
    ];
    for (column, cell, reason) in expected {
        let told = fault(column, cell);
        assert!(told.starts_with(reason), "{column} {cell}: {told}");
    }
}

#[test]
fn what_a_spreadsheet_made_of_a_number_is_never_another_countrys_number() {
    for cell in [
        "3125550100.0",
        "3.12555E+09",
        "1.3125550100E10",
        "13125550100.00",
    ] {
        let told = told(format!("caller_id\n{cell}\n"));
        assert!(told[0].contains("as a spreadsheet writes it"), "{told:?}");
    }
    assert_eq!(told("caller_id\n312.555.0100\n"), ["2 +13125550100"]);
}

#[test]
fn formulas_are_text() {
    let number = one("caller_id,carrier\n3125550100,\"=HYPERLINK(\"\"http://x\"\",1)\"\n");
    assert_eq!(
        number.carrier.as_deref(),
        Some("=HYPERLINK(\"http://x\",1)")
    );
    assert!(told("caller_id\n=1+1\n")[0].contains("number `=1+1` has `=` at place 1"));
}

#[test]
fn a_bad_row_is_not_the_end_of_the_file() {
    let mut file = b"caller_id,carrier\n".to_vec();
    file.extend_from_slice(b"3125550100,\xff\xfe\n"); // 2
    file.extend_from_slice(b"31255\xff0101,a\n"); // 3
    file.extend_from_slice(b"3125550102\n"); // 4
    file.extend_from_slice(b"3125550103,a,b\n"); // 5
    file.extend_from_slice(b"3125550104,a\0b\n"); // 6
    file.extend_from_slice(b"3125550105,\"a\"b\n"); // 7
    file.extend_from_slice(b"3125550106,\"never closed\n"); // 8
    file.extend_from_slice(b"3125550107,a\n"); // 9
    file.extend_from_slice(b"3125550108,\xc3\n\xa9,b\n"); // 10 and 11
    assert_eq!(
        told(file),
        [
            "2 bad [3125550100] carrier `\u{fffd}\u{fffd}` is not UTF-8 at byte 1",
            "3 bad [31255\u{fffd}0101] caller_id `31255\u{fffd}0101` is not UTF-8 at byte 6",
            "4 bad [3125550102] has 1 fields, 2 expected as in the header",
            "5 bad [3125550103] has 3 fields, 2 expected as in the header",
            "6 bad [3125550104] has a NUL byte, text expected",
            "7 bad [3125550105] has text after a closing quote, a quote in quoted text is written twice",
            "8 bad [3125550106] has a quote that is opened and not closed",
            "9 +13125550107",
            "10 bad [3125550108] carrier `\u{fffd}` is not UTF-8 at byte 1",
            "11 bad [\u{fffd}] caller_id `\u{fffd}` is not UTF-8 at byte 1",
        ]
    );
}

#[test]
fn a_character_cut_in_two_by_a_separator_is_a_bad_row() {
    let told = told(b"caller_id,carrier,pool\n3125550100,\xc3,\xa9\n");
    assert_eq!(
        told,
        ["2 bad [3125550100] carrier `\u{fffd}` is not UTF-8 at byte 1"]
    );
}

#[test]
fn a_stray_quote_spoils_its_own_line_only() {
    let mut file = "caller_id,carrier\n3125550100,\"oops\n".to_owned();
    let numbers = 20_000;
    for number in 0..numbers {
        file.push_str(&format!("312{:07},a\n", 5_550_000 + number));
    }
    let rows = rows(file.as_bytes()).unwrap();
    assert_eq!(rows.len(), numbers + 1);
    let bad: Vec<u64> = rows
        .iter()
        .filter_map(|row| match row {
            Row::Bad(row) => Some(row.line),
            Row::Good(..) => None,
        })
        .collect();
    assert_eq!(bad, [2]);
    assert!(matches!(rows.last(), Some(Row::Good(20_002, _))));
}

#[test]
fn a_line_without_end_is_a_bad_row_and_its_memory_is_bounded() {
    let long = "x".repeat(BYTES_MOST * 4);
    let file = format!(
        "caller_id,carrier\n3125550100,{long}\n3125550101,b\n3125550102,\"{long}\n3125550103,b\n"
    );
    assert_eq!(
        told(file),
        [
            "2 bad [3125550100] is longer than 262144 bytes, the most a row may have",
            "3 +13125550101",
            "4 bad [3125550102] is longer than 262144 bytes, the most a row may have",
            "5 +13125550103",
        ]
    );
}

#[test]
fn quoted_text_goes_on_for_several_lines() {
    let file =
        "caller_id,meta\r\n3125550100,\"{\r\n  \"\"a\"\": 1\r\n}\"\r\n3125550101,\r\n555,\r\n";
    assert_eq!(
        one(&file[..file.len() - 19]).meta,
        Some(serde_json::json!({"a": 1}))
    );
    assert_eq!(told(file)[..2], ["2 +13125550100", "5 +13125550101"]);
    assert!(told(file)[2].starts_with("6 bad [555] number `555` has 3 digits"));
}

#[test]
fn a_file_that_is_no_list_of_numbers_is_refused_with_what_was_found() {
    let cases: [(&[u8], &str); 9] = [
        (b"", "the file is empty"),
        (b"\n \n", "the file is empty"),
        (
            b"PK\x03\x04rest",
            "not CSV but a ZIP archive or an Excel workbook",
        ),
        (b"\xff\xfec\0a\0", "not CSV but text in UTF-16"),
        (b"caller_id\0,x\n", "not CSV but binary data"),
        (b"\x80\x81\n", "not CSV but binary data"),
        (
            b"phone,name\n1,2\n",
            "names `phone`, `name`, but caller_id (or number, did) is expected",
        ),
        (
            b"13125550100,carrierA\n",
            "it looks like a row of data: the first line must name the columns",
        ),
        (
            b"caller_id,\"carrier\n1,2\n",
            "the header (line 1) has a quote that is opened and not closed",
        ),
    ];
    for (file, expected) in cases {
        let told = refused(file);
        assert!(told.contains(expected), "{file:?}: {told}");
    }
}

#[test]
fn a_column_named_twice_is_refused() {
    assert!(
        refused("caller_id,carrier,Carrier\n").contains(
            "has the column carrier twice: `carrier` at place 2 and `Carrier` at place 3"
        )
    );
    assert!(refused("caller_id,DID\n").contains("has the column caller_id twice"));
    assert!(refused("caller_id,note,note\n").contains("has the column `note` twice"));
    assert_eq!(
        told("caller_id,,\n3125550100,,\n"),
        ["2 +13125550100"],
        "columns without a name"
    );
}

#[test]
fn unknown_columns_are_told_and_kept_out() {
    let reader = RowReader::open(&b"caller_id,Note, cnam \n3125550100,x,y\n"[..]).unwrap();
    assert_eq!(reader.unknown_columns(), ["Note", "cnam"]);
}

#[test]
fn damaged_gzip_is_named_with_the_line_it_got_to() {
    assert!(
        refused(b"\x1f\x8bgarbage that is no gzip")
            .contains("the gzip data is damaged after line 0")
    );
    let mut packed = gzip(b"caller_id\n3125550100\n3125550101\n");
    packed.truncate(packed.len() - 6);
    let mut reader = RowReader::open(&packed[..]).unwrap();
    let mut good = 0;
    let error = loop {
        match reader.next_row() {
            Ok(Some(_)) => good += 1,
            Ok(None) => panic!("the end of the file is missing"),
            Err(error) => break error.to_string(),
        }
    };
    assert!(
        error.contains("the gzip data is damaged after line"),
        "{error} after {good} rows"
    );
}

#[test]
fn a_stream_that_breaks_says_after_which_line() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the line went dead"))
        }
    }
    let input = Cursor::new(b"caller_id\n3125550100\n312555".to_vec()).chain(Broken);
    let mut reader = RowReader::open(input).unwrap();
    assert!(matches!(reader.next_row(), Ok(Some(Row::Good(2, _)))));
    assert_eq!(
        reader.next_row().unwrap_err().to_string(),
        "reading stopped after line 2: the line went dead"
    );
}

#[test]
fn a_report_is_csv_itself() {
    let mut report = Vec::new();
    let mut writer = ReportWriter::new(&mut report).unwrap();
    let row = BadRow {
        line: 7,
        caller_id: "=1,2".to_owned(),
        reason: "has \"quotes\"".to_owned(),
    };
    writer.write(&row).unwrap();
    writer.finish().unwrap();
    assert_eq!(
        String::from_utf8(report).unwrap(),
        "line,caller_id,reason\n7,\"=1,2\",\"has \"\"quotes\"\"\"\n"
    );
}

#[test]
fn a_file_of_quotes_ends() {
    for line in [
        "\"\n",
        "x\",\"\n",
        "\",\"\n",
        "\"\"\"\n",
        "x\"y,\"\n",
        "\"\r",
    ] {
        let file = format!("caller_id,carrier\n{}", line.repeat(50_000));
        assert!(!rows(file.as_bytes()).unwrap().is_empty(), "{line:?}");
    }
}

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
