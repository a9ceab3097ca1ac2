//! How numbers, times and shares are written for people.

use caller_id_core::Timestamp;
use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, HtmlEscape};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Adds the filters.
pub(super) fn add(environment: &mut Environment<'static>) {
    environment.add_filter("phone", phone);
    environment.add_filter("count", count);
    environment.add_filter("percent", percent);
    environment.add_filter("time", time);
    environment.add_filter("minute", minute);
    environment.add_filter("minutes_after", minutes_after);
    environment.add_filter("words", words);
    environment.add_filter("per", per);
    environment.add_filter("sums_of", sums_of);
    environment.add_filter("json_text", json_text);
    environment.add_filter("segment", segment);
}

/// `+13125550100` as people write it: (312) 555-0100; numbers of other countries as they are.
fn phone(value: &Value) -> Value {
    let Some(text) = value.as_str() else {
        return empty();
    };
    let digits = text.strip_prefix("+1").filter(|rest| rest.len() == 10);
    Value::from(match digits {
        // Of a masked number the last digits are stars.
        Some(rest) if rest.is_ascii() => {
            format!("({}) {}-{}", &rest[..3], &rest[3..6], &rest[6..])
        }
        _ => text.to_owned(),
    })
}

/// A count with its thousands apart: 12,345.
fn count(value: &Value) -> Value {
    let Ok(number) = i64::try_from(value.clone()) else {
        return empty();
    };
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    let sign = if number < 0 { "−" } else { "" };
    Value::from(format!("{sign}{text}"))
}

/// A share between 0 and 1: 12 %, below ten 1.2 %.
fn percent(value: &Value) -> Value {
    let Ok(share) = f64::try_from(value.clone()) else {
        return empty();
    };
    let percent = share * 100.0;
    Value::from(match percent {
        0.0 => "0 %".to_owned(),
        some if some < 9.95 => format!("{some:.1} %"),
        more => format!("{more:.0} %"),
    })
}

/// An instant (RFC 3339): the page's script writes it in the zone of whoever looks.
fn time(value: &Value) -> Value {
    let Some(text) = value.as_str() else {
        return empty();
    };
    let escaped = HtmlEscape(text);
    Value::from_safe_string(format!("<time datetime=\"{escaped}\">{escaped}</time>"))
}

/// An instant to the minute: for what is only about so.
fn minute(value: &Value) -> Value {
    let Some(text) = value.as_str() else {
        return empty();
    };
    let escaped = HtmlEscape(text);
    Value::from_safe_string(format!(
        "<time datetime=\"{escaped}\" data-clock=\"minute\">{escaped}</time>"
    ))
}

/// Whole minutes from one instant to another; none where one of them is none.
fn minutes_after(later: &Value, earlier: &Value) -> Option<i64> {
    let instant = |value: &Value| value.as_str()?.parse::<Timestamp>().ok();
    Some(instant(later)?.ms_since(instant(earlier)?) / 60_000)
}

/// `agent_limited` as words: agent limited.
fn words(value: &Value) -> Value {
    Value::from(value.as_str().unwrap_or_default().replace('_', " "))
}

/// Counts of steps of so many seconds, each as so many a second.
fn per(values: &Value, seconds: f64) -> Result<Value, Error> {
    let each = values.try_iter()?;
    let rates = each.map(|value| f64::try_from(value).unwrap_or_default() / seconds);
    Ok(rates.collect())
}

/// Counts of steps, so many steps together: 360 of ten seconds as 60 of a minute.
fn sums_of(values: &Value, many: usize) -> Result<Value, Error> {
    let counts: Vec<u64> = values
        .try_iter()?
        .map(|value| u64::try_from(value).unwrap_or_default())
        .collect();
    let sums = counts
        .chunks(many.max(1))
        .map(|part| part.iter().sum::<u64>());
    Ok(sums.collect())
}

/// JSON as a text, which an attribute may hold once it is escaped.
fn json_text(value: &Value) -> Result<String, Error> {
    let text = serde_json::to_string(value);
    text.map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
}

/// A name as one part of a path, or as a value in a query: unlike `urlencode` it keeps no slash.
fn segment(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// What is shown where there is nothing.
fn empty() -> Value {
    Value::from("–")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(filter: fn(&Value) -> Value, value: impl Into<Value>) -> String {
        filter(&value.into()).to_string()
    }

    #[test]
    fn numbers_are_written_as_people_write_them() {
        assert_eq!(shown(phone, "+13125550100"), "(312) 555-0100");
        assert_eq!(shown(phone, "+1312555****"), "(312) 555-****");
        assert_eq!(shown(phone, "+442079460958"), "+442079460958");
        assert_eq!(shown(phone, ()), "–");
        assert_eq!(shown(count, 1_234_567), "1,234,567");
        assert_eq!(shown(count, 999), "999");
        assert_eq!(shown(count, -1_000), "−1,000");
        assert_eq!(shown(percent, 0.1234), "12 %");
        assert_eq!(shown(percent, 0.0123), "1.2 %");
        assert_eq!(shown(percent, ()), "–");
    }

    #[test]
    fn steps_are_summed_and_instants_compared() {
        let steps = Value::from(vec![1, 2, 3, 4, 5]);
        let sums = sums_of(&steps, 2).map(|sums| sums.to_string());
        assert_eq!(sums.ok().as_deref(), Some("[3, 7, 5]"));
        let at = |text: &str| Value::from(text);
        let (noon, later) = (at("2026-11-22T12:00:00Z"), at("2026-11-22T12:41:30Z"));
        assert_eq!(minutes_after(&later, &noon), Some(41));
        assert_eq!(minutes_after(&Value::from(()), &noon), None);
    }

    #[test]
    fn a_time_is_never_read_as_html() {
        assert_eq!(
            shown(time, "\"><script>"),
            "<time datetime=\"&quot;&gt;&lt;script&gt;\">&quot;&gt;&lt;script&gt;</time>"
        );
    }
}
