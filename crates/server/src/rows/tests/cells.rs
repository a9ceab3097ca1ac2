//! What is read of good and bad cells.

use caller_id_core::Limits;

use super::*;

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
fn a_number_in_meta_that_would_lose_digits_is_refused() {
    let file = |meta: &str| format!("caller_id;meta\n3125550100;{meta}\n");
    for kept in [
        "{'a':18446744073709551615}",
        "{'a':-9223372036854775808}",
        "{'a':'123456789012345678901'}",
        "{'a':1e300}",
        "{'a':'x\\\\','b':1}",
    ] {
        let quoted = format!("\"{}\"", kept.replace('\'', "\"\""));
        assert_eq!(told(file(&quoted)), ["2 +13125550100"], "{kept}");
    }
    for lost in ["123456789012345678901", "-9223372036854775809"] {
        let quoted = format!("\"{{\"\"a\"\":[1, {lost}]}}\"");
        let told = told(file(&quoted));
        let expected = format!("meta has the number `{lost}`");
        assert!(told[0].contains(&expected), "{told:?}");
    }
}
