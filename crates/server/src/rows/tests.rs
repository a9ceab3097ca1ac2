//! What is read of good and bad files.

mod cells;

use std::io::{Cursor, Read, Write};

use caller_id_core::{Limits, Number, PoolId, Status};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::lines::BYTES_MOST;
use super::*;

pub(super) fn rows(file: &[u8]) -> Result<Vec<Row>, FileError> {
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
fn a_report_is_csv_itself_and_holds_no_formula() {
    let mut report = Vec::new();
    let mut writer = ReportWriter::new(&mut report).unwrap();
    for caller_id in ["=1,2", "+1 (555) 1-2", "+1+cmd|'x'!A0", "@x"] {
        let row = BadRow {
            line: 7,
            caller_id: caller_id.to_owned(),
            reason: "has \"quotes\"".to_owned(),
        };
        writer.write(&row).unwrap();
    }
    writer.finish().unwrap();
    let reason = "\"has \"\"quotes\"\"\"";
    assert_eq!(
        String::from_utf8(report).unwrap(),
        format!(
            "line,caller_id,reason\n7,\"'=1,2\",{reason}\n7,+1 (555) 1-2,{reason}\n7,'+1+cmd|'x'!A0,{reason}\n7,'@x,{reason}\n"
        )
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
