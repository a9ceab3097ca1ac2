//! The United States and Canada as squares of one size: each at about its place, small states as easy to hit as large ones.

use serde_json::{Value, json};

/// The side of a square with the gap beside it, in units of the drawing.
const STEP: u32 = 52;

/// Two letters, name, column and row.
type Tile = (&'static str, &'static str, u32, u32);

const TILES: &[Tile] = &[
    ("AK", "Alaska", 0, 0),
    ("NT", "Yukon, Northwest Territories and Nunavut", 2, 0),
    ("ME", "Maine", 11, 0),
    ("NB", "New Brunswick", 12, 0),
    ("NL", "Newfoundland and Labrador", 13, 0),
    ("BC", "British Columbia", 1, 1),
    ("AB", "Alberta", 2, 1),
    ("SK", "Saskatchewan", 3, 1),
    ("MB", "Manitoba", 4, 1),
    ("ON", "Ontario", 6, 1),
    ("QC", "Quebec", 8, 1),
    ("VT", "Vermont", 10, 1),
    ("NH", "New Hampshire", 11, 1),
    ("NS", "Nova Scotia and Prince Edward Island", 12, 1),
    ("WA", "Washington", 1, 2),
    ("ID", "Idaho", 2, 2),
    ("MT", "Montana", 3, 2),
    ("ND", "North Dakota", 4, 2),
    ("MN", "Minnesota", 5, 2),
    ("IL", "Illinois", 6, 2),
    ("WI", "Wisconsin", 7, 2),
    ("MI", "Michigan", 8, 2),
    ("NY", "New York", 9, 2),
    ("RI", "Rhode Island", 10, 2),
    ("MA", "Massachusetts", 11, 2),
    ("OR", "Oregon", 1, 3),
    ("NV", "Nevada", 2, 3),
    ("WY", "Wyoming", 3, 3),
    ("SD", "South Dakota", 4, 3),
    ("IA", "Iowa", 5, 3),
    ("IN", "Indiana", 6, 3),
    ("OH", "Ohio", 7, 3),
    ("PA", "Pennsylvania", 8, 3),
    ("NJ", "New Jersey", 9, 3),
    ("CT", "Connecticut", 10, 3),
    ("CA", "California", 1, 4),
    ("UT", "Utah", 2, 4),
    ("CO", "Colorado", 3, 4),
    ("NE", "Nebraska", 4, 4),
    ("MO", "Missouri", 5, 4),
    ("KY", "Kentucky", 6, 4),
    ("WV", "West Virginia", 7, 4),
    ("VA", "Virginia", 8, 4),
    ("MD", "Maryland", 9, 4),
    ("DE", "Delaware", 10, 4),
    ("AZ", "Arizona", 2, 5),
    ("NM", "New Mexico", 3, 5),
    ("KS", "Kansas", 4, 5),
    ("AR", "Arkansas", 5, 5),
    ("TN", "Tennessee", 6, 5),
    ("NC", "North Carolina", 7, 5),
    ("SC", "South Carolina", 8, 5),
    ("DC", "District of Columbia", 9, 5),
    ("AS", "American Samoa", 0, 6),
    ("OK", "Oklahoma", 4, 6),
    ("LA", "Louisiana", 5, 6),
    ("MS", "Mississippi", 6, 6),
    ("AL", "Alabama", 7, 6),
    ("GA", "Georgia", 8, 6),
    ("HI", "Hawaii", 0, 7),
    ("GU", "Guam", 1, 7),
    ("MP", "Northern Mariana Islands", 2, 7),
    ("TX", "Texas", 4, 7),
    ("FL", "Florida", 9, 7),
    ("PR", "Puerto Rico", 11, 7),
    ("VI", "US Virgin Islands", 12, 7),
];

/// What the squares are coloured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Local of all calls.
    Local,
    /// Numbers that are short in its area codes.
    Short,
    /// Calls.
    Calls,
    /// Answered of those reported.
    Answered,
    /// Active numbers.
    Numbers,
}

impl By {
    /// Each with its word in the query and its name for people.
    pub(super) const ALL: [(Self, &str, &str); 5] = [
        (Self::Local, "local", "Local share"),
        (Self::Short, "short", "Numbers short"),
        (Self::Calls, "calls", "Calls"),
        (Self::Answered, "answered", "Answer rate"),
        (Self::Numbers, "numbers", "Numbers owned"),
    ];

    /// What a query asks for; the local share when it says nothing known.
    pub(super) fn read(word: &str) -> Self {
        let known = Self::ALL.iter().find(|(_, known, _)| *known == word);
        known.map_or(Self::Local, |(by, _, _)| *by)
    }

    /// The word for it in a query.
    pub(super) fn word(self) -> &'static str {
        let found = Self::ALL.iter().find(|(by, _, _)| *by == self);
        found.map_or("local", |(_, word, _)| word)
    }

    fn value(self, region: &Value) -> Option<f64> {
        match self {
            Self::Local => region["local_share"].as_f64(),
            Self::Answered => region["answer_rate"].as_f64(),
            Self::Short => region["codes_short"].as_f64(),
            Self::Calls => region["calls"].as_f64(),
            Self::Numbers => region["active"].as_f64(),
        }
    }

    fn is_share(self) -> bool {
        matches!(self, Self::Local | Self::Answered)
    }

    /// As it stands in a square.
    fn text(self, value: f64) -> String {
        match (self.is_share(), value) {
            (true, share) => format!("{:.0} %", share * 100.0),
            (_, few) if few < 999.5 => format!("{few:.0}"),
            (_, some) if some < 9_999.5 => {
                let some = some.round();
                format!("{:.0},{:03.0}", (some / 1_000.0).floor(), some % 1_000.0)
            }
            (_, more) if more < 9_999_500.0 => format!("{:.0}k", more / 1_000.0),
            (_, most) => format!("{:.0}M", most / 1_000_000.0),
        }
    }

    /// One of five steps, 1 to 5; 0 where there is nothing. Shares are parted evenly, counts by their size beside the largest.
    fn step(self, value: Option<f64>, most: f64) -> u8 {
        let Some(value) = value else { return 0 };
        let share = match self.is_share() {
            true => value,
            false if value <= 0.0 || most <= 0.0 => return 0,
            // A few large states would leave all others in the lowest step.
            false => (value / most).sqrt(),
        };
        (share * 5.0).ceil().clamp(1.0, 5.0) as u8
    }
}

/// The map: its squares with what is said of each, and the steps of its colours.
pub(super) fn draw(regions: &[Value], by: By, chosen: &str) -> Value {
    let find = |code: &str| regions.iter().find(|region| region["region"] == code);
    let values = TILES.iter().filter_map(|tile| by.value(find(tile.0)?));
    let most = values.fold(0.0, f64::max);
    let draw = |(code, name, column, row): &Tile| {
        let region = find(code);
        let value = region.and_then(|region| by.value(region));
        json!({
            "code": code, "name": name, "x": column * STEP, "y": row * STEP,
            "step": by.step(value, most), "text": value.map(|value| by.text(value)),
            "region": region, "is_chosen": *code == chosen,
        })
    };
    let tiles: Vec<Value> = TILES.iter().map(draw).collect();
    json!({
        "tiles": tiles, "legend": legend(by, most), "is_bad": by == By::Short,
        "width": 14 * STEP - 4, "height": 8 * STEP - 4,
    })
}

/// What each step means.
fn legend(by: By, most: f64) -> Vec<Value> {
    let from = |step: f64| match by.is_share() {
        true => (step - 1.0) / 5.0,
        false => ((step - 1.0) / 5.0).powi(2) * most,
    };
    let steps = (1..=5_u8).map(|step| {
        let (least, next) = (from(f64::from(step)), from(f64::from(step) + 1.0));
        let text = match by.is_share() {
            true => format!("{:.0}–{:.0} %", least * 100.0, next * 100.0),
            false => {
                let least = if step == 1 { 1.0 } else { least.floor() + 1.0 };
                let next = next.floor();
                match least >= next {
                    true => by.text(next),
                    false => format!("{}–{}", by.text(least), by.text(next)),
                }
            }
        };
        json!({"step": step, "text": text})
    });
    match most > 0.0 || by.is_share() {
        // With few there are fewer steps than colours.
        true => {
            let mut steps: Vec<Value> = steps.collect();
            steps.dedup_by(|next, before| next["text"] == before["text"]);
            steps.retain(|step| step["text"] != "0");
            steps
        }
        false => Vec::new(),
    }
}

/// The name of a state or province.
pub(super) fn name(code: &str) -> Option<&'static str> {
    let tile = TILES.iter().find(|tile| tile.0 == code);
    tile.map(|tile| tile.1)
}

#[cfg(test)]
mod tests {
    use caller_id_core::area_codes::table;

    use super::*;

    #[test]
    fn each_place_has_one_square_and_each_square_is_a_place() {
        for (place, (code, ..)) in TILES.iter().enumerate() {
            assert!(!table().codes_in(code).is_empty(), "{code}");
            for (other, _, column, row) in &TILES[..place] {
                assert_ne!(other, code);
                assert_ne!(
                    (*column, *row),
                    (TILES[place].2, TILES[place].3),
                    "{other} {code}"
                );
            }
        }
        // 50 states, the district, five territories, and ten for the 13 provinces and territories of Canada.
        assert_eq!(TILES.len(), 50 + 1 + 5 + 10);
    }

    #[test]
    fn every_region_of_the_table_is_on_the_map() {
        for npa in 200..1_000 {
            let code = caller_id_core::AreaCode::new(npa);
            let Some(region) = code.and_then(|code| table().region(code)) else {
                continue;
            };
            assert!(name(region.as_str()).is_some(), "{npa} {}", region.as_str());
        }
    }

    #[test]
    fn shares_are_parted_evenly_and_counts_by_their_size() {
        assert_eq!(By::Local.step(None, 1.0), 0);
        assert_eq!(
            (
                By::Local.step(Some(0.0), 1.0),
                By::Local.step(Some(1.0), 1.0)
            ),
            (1, 5)
        );
        assert_eq!(By::Local.step(Some(0.5), 1.0), 3);
        assert_eq!(
            (
                By::Calls.step(Some(0.0), 9.0),
                By::Calls.step(Some(9.0), 9.0)
            ),
            (0, 5)
        );
        assert_eq!(By::Short.step(Some(1.0), 100.0), 1);
    }

    #[test]
    fn squares_say_what_they_are_coloured_by() {
        let regions = [json!({"region": "TX", "calls": 25_300, "local_share": 0.82})];
        let text = |by| {
            let map = draw(&regions, by, "TX");
            let tiles = map["tiles"].as_array().cloned().unwrap_or_default();
            let tile = tiles.into_iter().find(|tile| tile["code"] == "TX");
            tile.map(|tile| (tile["text"].clone(), tile["is_chosen"].clone()))
        };
        assert_eq!(text(By::Local), Some((json!("82 %"), json!(true))));
        assert_eq!(text(By::Calls), Some((json!("25k"), json!(true))));
        assert_eq!(By::Calls.text(2_084.0), "2,084");
        assert_eq!(text(By::Answered), Some((Value::Null, json!(true))));
    }
}
