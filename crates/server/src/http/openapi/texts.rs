//! What texts look like that a request may give, as JSON Schema: the same name means the same everywhere.
//!
//! They say what is read, so that a client may check before it asks. What no schema can
//! say is in words beside them: names are counted in bytes, a cursor is one that an answer gave, an area code is in service.

use serde_json::{Value, json};

/// What people write between digits.
const BETWEEN: &str = "[-. ()/]{0,2}";
/// Three digits, the first from 2 to 9, not N11.
const AREA_CODE: &str = "[2-9](?:[02-9][0-9]|1[02-9])";
/// No control characters.
const PLAIN: &str = r"[^\u0000-\u001f\u007f-\u009f]";
const REGIONS: &str = "AB|AK|AL|AR|AS|AZ|BC|CA|CO|CT|DC|DE|FL|GA|GU|HI|IA|ID|IL|IN|KS|KY|LA|MA|MB|MD|ME|MI|MN|MO|MP|MS|MT|NB|NC|ND|NE|\
    NH|NJ|NL|NM|NS|NT|NV|NY|OH|OK|ON|OR|PA|PR|QC|RI|SC|SD|SK|TN|TX|UT|VA|VI|VT|WA|WI|WV|WY";
const STATUSES: &str = "active|paused|resting|retired";
/// The words of networks for callers who hide their number.
const NOBODY: &str = "anonymous|restricted|private|unknown|unavailable";

/// Nothing but blanks, which is like none. (A blank in front is a plus in a query, and stays one.)
const BLANK: &str = r"[\t-\r][\t-\r ]*";

/// A network; IPv6 ones in the forms that most people write.
pub(super) const NETWORK: &str = "^(?:(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\
    /(?:3[0-2]|[12]?[0-9])|(?:[0-9a-fA-F]{1,4}:){1,6}:/(?:12[0-8]|1[01][0-9]|[1-9]?[0-9]))$";

/// What is all blank is no name.
const ALL_BLANK: &str = r"[\t-\r\u0085]";

/// Whether nothing may be given, too: an empty value is like none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Optional,
    Required,
}

/// A phone number in any form that people write.
pub(super) fn phone(need: Need) -> Value {
    among_blanks(&phone_pattern(), need)
}

fn phone_pattern() -> String {
    let digits = |least: u32, most: u32| format!("(?:{BETWEEN}[0-9]){{{least},{most}}}{BETWEEN}");
    let area_code = format!("[2-9](?:{BETWEEN}1{BETWEEN}[02-9]|{BETWEEN}[02-9]{BETWEEN}[0-9])");
    let north_american = format!(
        r"(?:\+?{BETWEEN}1{BETWEEN}|\(?){area_code}{BETWEEN}[2-9]{}",
        digits(6, 6)
    );
    let with_plus = format!(r"\+{BETWEEN}[2-9]{}", digits(7, 14));
    let bare = format!("[2-9]{}", digits(10, 14));
    let dialed = format!("00[2-9]{}|011[2-9]{}", digits(8, 14), digits(7, 14));
    format!("{north_american}|{with_plus}|{bare}|{dialed}")
}

/// What fits the whole of a text.
fn pattern(whole: &str, need: Need) -> Value {
    match need {
        Need::Required => json!({"type": "string", "pattern": format!("^(?:{whole})$")}),
        Need::Optional => {
            json!({"type": "string", "pattern": format!("^(?:{whole}|{BLANK})?$")})
        }
    }
}

/// The same with blanks around it.
fn among_blanks(whole: &str, need: Need) -> Value {
    pattern(&format!(r"(?:{BLANK})?(?:{whole})[\t-\r ]*"), need)
}

/// A name of at most `most` bytes.
pub(super) fn name(most: u32, need: Need) -> Value {
    match need {
        // What is not blank must be there.
        Need::Required => json!({"type": "string", "minLength": 1, "maxLength": most,
            "pattern": format!(r"^{PLAIN}*[^\s\u0000-\u001f\u007f-\u009f]{PLAIN}*$")}),
        Need::Optional => {
            // Blanks around it are no part of it, as where a shell puts a line feed behind.
            json!({"type": "string", "pattern":
                format!(r"^(?:[\t-\r]*{PLAIN}{{0,{most}}}[\t-\r]*|{ALL_BLANK}*)$")})
        }
    }
}

/// A flag or a count; an empty value is like none.
pub(super) fn or_blank(kind: &Value) -> Value {
    json!({"type": [kind, "string"], "pattern": format!("^(?:{BLANK})?$")})
}

/// Names with commas between them.
pub(super) fn names(most: u32) -> Value {
    let one = r"[^,\u0000-\u001f\u007f-\u009f]";
    json!({"type": "string", "pattern": format!("^{one}{{0,{most}}}(?:,{one}{{0,{most}}})*$")})
}

/// Values with commas between them.
pub(super) fn list(one: &str) -> Value {
    json!({"type": "string", "pattern": format!("^(?:(?:{one}) *(?:, *(?:{one}) *)*)?$")})
}

/// One of these words.
pub(super) fn words(words: &[&str]) -> Value {
    json!({"type": "string", "enum": words})
}

/// Digits as people type them.
pub(super) fn digits(need: Need) -> Value {
    let digits = format!(r"\+?{BETWEEN}[0-9](?:{BETWEEN}[0-9]){{0,17}}{BETWEEN}");
    among_blanks(&digits, need)
}

/// What a filter of numbers may say under `name`, with commas between values.
pub(super) fn of_number_filter(name: &str) -> Option<Value> {
    Some(match name {
        "pool" => names(64),
        "status" => list(STATUSES),
        "area_code" => list(AREA_CODE),
        "region" => list(REGIONS),
        "attestation" => list("[A-Ca-c]"),
        "number" => list(&phone_pattern()),
        "begins" | "q" => digits(Need::Optional),
        _ => return None,
    })
}

/// What a request may say under `name` in its path or query.
pub(super) fn of_parameter(name: &str, need: Need) -> Option<Value> {
    Some(match name {
        "number" | "destination" | "caller_id" | "to" => phone(need),
        "from" => among_blanks(&format!("{}|{NOBODY}", phone_pattern()), need),
        "campaign" | "agent" | "call" | "call_id" | "carrier" => self::name(128, need),
        "pool" => self::name(64, need),
        "since" | "until" => json!({"type": "string", "anyOf": [
            {"format": "date"}, {"format": "date-time"}, {"maxLength": 0}]}),
        "time_zone" => json!({"type": "string", "pattern": "^[A-Za-z0-9_+/-]*$", "maxLength": 64}),
        "cursor" => json!({"type": "string", "pattern": "^[A-Za-z0-9_-]*$"}),
        "span" => words(&["", "whole", "hour", "day"]),
        "by" => words(&[
            "",
            "all",
            "pool",
            "campaign",
            "area_code",
            "carrier",
            "number",
            "rung",
        ]),
        "on_duplicate" => words(&["", "skip", "update", "fail"]),
        "sort" => words(&[
            "",
            "number",
            "-number",
            "area_code",
            "-area_code",
            "carrier",
            "-carrier",
            "pool",
            "-pool",
            "status",
            "-status",
            "created_at",
            "-created_at",
            "updated_at",
            "-updated_at",
        ]),
        "If-Match" | "If-None-Match" => json!({"type": "string"}),
        _ => return None,
    })
}

/// What a body may say of a number under `name`.
pub(super) fn of_number(name: &str, need: Need) -> Option<Value> {
    Some(match name {
        "number" | "caller_id" => phone(need),
        "pool" => self::name(64, need),
        "carrier" => self::name(128, need),
        "area_code" => pattern(AREA_CODE, need),
        "attestation" => words(&["", "A", "B", "C", "a", "b", "c"]),
        "resting_until" => {
            json!({"type": "string", "anyOf": [{"format": "date-time"}, {"maxLength": 0}]})
        }
        "daily_limit" | "hourly_limit" => {
            json!({"type": "integer", "minimum": 1, "maximum": i32::MAX})
        }
        _ => return None,
    })
}

/// The words for how a number stands.
pub(super) fn statuses() -> Value {
    words(&STATUSES.split('|').collect::<Vec<_>>())
}

/// One word of a filter that may have many.
pub(super) fn word_of_filter(name: &str) -> Value {
    match name {
        "region" => words(&REGIONS.split('|').collect::<Vec<_>>()),
        _ => pattern(AREA_CODE, Need::Required),
    }
}

/// One of these words, or an empty text.
pub(super) fn or_empty(mut words: Value) -> Value {
    if let Some(words) = words.get_mut("enum").and_then(Value::as_array_mut) {
        words.push(Value::from(""));
    }
    words
}
