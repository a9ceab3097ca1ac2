//! What somebody might write into any field in the hope that a page runs it, or breaks.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// Each fits every name: at most 64 bytes.
pub(crate) const HOSTILE: [&str; 12] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'-alert(1)-'",
    "{{7*7}}",
    "</textarea><script>alert(1)</script>",
    "javascript:alert(1)",
    "</script><svg onload=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "' autofocus onfocus=alert(1) x='",
    "\" hx-get=/x hx-trigger=load data-x=\"",
    "a/b?c#d%2f&e=1",
    "=cmd|' /C calc'!A0",
];

/// All parameters that any page reads from its address.
pub(crate) const PARAMETERS: [&str; 39] = [
    "action",
    "agent",
    "area_code",
    "attestation",
    "author",
    "begins",
    "by",
    "call",
    "call_id",
    "campaign",
    "carrier",
    "changed",
    "cursor",
    "days",
    "delete",
    "destination",
    "done",
    "from",
    "in",
    "name",
    "new",
    "no_carrier",
    "number",
    "only",
    "outcome",
    "page",
    "part",
    "pool",
    "q",
    "region",
    "since",
    "sort",
    "status",
    "subject",
    "to",
    "trail",
    "until",
    "which",
    "format",
];

/// A text as one part of an address.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// What makes a pool, a campaign, a number and a key of each text, and calls in which everything is one: method, path, body.
pub(crate) fn orders() -> Vec<(&'static str, String, Value)> {
    let mut orders = Vec::new();
    for (place, text) in HOSTILE.into_iter().enumerate() {
        let name = encoded(text);
        orders.push(("PUT", format!("/api/v1/pools/{name}"), json!({})));
        let pools = json!({"pools": [text, "default"]});
        orders.push(("PUT", format!("/api/v1/campaigns/{name}"), pools));
        let number = json!({
            "number": format!("31255501{place:02}"), "pool": text, "carrier": text, "meta": {text: text},
        });
        orders.push(("POST", "/api/v1/numbers".to_owned(), number));
        let key = json!({"name": text, "role": "dialer", "campaigns": [text]});
        orders.push(("POST", "/api/v1/keys".to_owned(), key));
        let of = format!("campaign={name}&agent={name}&call={name}");
        let call = format!("/next-cid?to=31255510{place:02}&{of}&format=json");
        orders.push(("GET", call, Value::Null));
        let told = format!("/call-result?call={name}&dialstatus={name}&hangup_cause={name}");
        // Of the others the dialer says nothing: their numbers stay reserved.
        if place % 2 == 0 {
            orders.push(("GET", told, Value::Null));
        }
        orders.push(("GET", format!("/next-cid?to={name}&{of}"), Value::Null));
    }
    orders
}

/// A file in which every cell is such a text, some rows good and some bad.
pub(crate) fn file() -> String {
    let mut file = "caller_id,carrier,pool,status,<script>alert(1)</script>\n".to_owned();
    for (place, text) in HOSTILE.into_iter().enumerate() {
        let cell = format!("\"{}\"", text.replace('"', "\"\""));
        file.push_str(&format!("77355501{place:02},{cell},{cell},,{cell}\n"));
        file.push_str(&format!("77355502{place:02},{cell},{cell},{cell},{cell}\n"));
        file.push_str(&format!("{cell},{cell},{cell},,{cell}\n"));
    }
    file
}
