//! The ladder: which numbers are tried first for a destination.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::area_code::AreaCode;
use crate::area_codes;

/// How a number came to be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// The destination was shown this number before.
    Sticky,
    /// It has the destination's area code.
    AreaCode,
    /// Its area code shares territory with the destination's.
    Overlay,
    /// It is of the destination's state or province.
    Region,
    /// It is the one of the pool that has been free the longest.
    Any,
}

impl Rung {
    /// All of them. Kept data has their places here as codes: what comes new comes last.
    pub const ALL: [Self; 5] = [
        Self::Sticky,
        Self::AreaCode,
        Self::Overlay,
        Self::Region,
        Self::Any,
    ];

    /// The word used in answers, columns and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sticky => "sticky",
            Self::AreaCode => "area_code",
            Self::Overlay => "overlay",
            Self::Region => "region",
            Self::Any => "any",
        }
    }
}

impl FromStr for Rung {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = [
            Self::Sticky,
            Self::AreaCode,
            Self::Overlay,
            Self::Region,
            Self::Any,
        ];
        known
            .into_iter()
            .find(|rung| rung.as_str() == text)
            .ok_or_else(|| format!("rung `{text}` is unknown"))
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The numbers of a pool that one rung may choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Candidates {
    /// Those of one area code.
    Area(AreaCode),
    /// Those of these area codes.
    Areas(&'static [AreaCode]),
    /// All of them.
    All,
}

impl Candidates {
    /// Whether a number of this area code is one of them.
    pub fn has(self, code: Option<AreaCode>) -> bool {
        match self {
            Self::Area(one) => code == Some(one),
            Self::Areas(some) => code.is_some_and(|code| some.contains(&code)),
            Self::All => true,
        }
    }
}

/// The rungs a policy allows. They are always tried in the same order: area code, overlay, region, any.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ladder(u8);

const RUNGS: [Rung; 4] = [Rung::AreaCode, Rung::Overlay, Rung::Region, Rung::Any];

impl Ladder {
    /// All four rungs.
    pub const ALL: Self = Self(0b1111);

    /// A ladder of these rungs, in whatever order they are given.
    ///
    /// # Errors
    /// When there is none, or `sticky`, which is no rung of the ladder.
    pub fn new(rungs: &[Rung]) -> Result<Self, String> {
        let mut bits = 0;
        for rung in rungs {
            let place = RUNGS.iter().position(|known| known == rung);
            bits |= 1 << place.ok_or_else(|| format!("`{rung}` is no rung of the ladder"))?;
        }
        if bits == 0 {
            return Err(
                "a ladder needs at least one rung of area_code, overlay, region, any".to_owned(),
            );
        }
        Ok(Self(bits))
    }

    /// Whether this rung may be tried.
    pub fn has(self, rung: Rung) -> bool {
        RUNGS
            .iter()
            .position(|known| *known == rung)
            .is_some_and(|place| self.0 & (1 << place) != 0)
    }

    /// What to try for a destination with this area code, in order. Without an area code that is `any` alone.
    pub fn climb(self, destination: Option<AreaCode>) -> impl Iterator<Item = (Rung, Candidates)> {
        RUNGS
            .into_iter()
            .filter(move |rung| self.has(*rung))
            .filter_map(move |rung| {
                let candidates = match (rung, destination) {
                    (Rung::Any, _) => Candidates::All,
                    (Rung::AreaCode, Some(code)) => Candidates::Area(code),
                    (Rung::Overlay, Some(code)) => {
                        Candidates::Areas(area_codes::table().overlay(code))
                    }
                    (Rung::Region, Some(code)) => {
                        Candidates::Areas(area_codes::table().region_codes(code))
                    }
                    (_, None) | (Rung::Sticky, _) => return None,
                };
                (candidates != Candidates::Areas(&[])).then_some((rung, candidates))
            })
    }
}

impl fmt::Display for Ladder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = RUNGS
            .into_iter()
            .filter(|rung| self.has(*rung))
            .map(Rung::as_str)
            .collect();
        f.write_str(&words.join(","))
    }
}

impl fmt::Debug for Ladder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Ladder {
    type Err = String;

    /// Reads rungs with commas between them: `area_code,overlay,any`.
    ///
    /// # Errors
    /// Names the word that is no rung.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rungs: Result<Vec<Rung>, String> = text
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .map(str::parse)
            .collect();
        Self::new(
            &rungs.map_err(|error| {
                format!("{error}, expected some of area_code,overlay,region,any")
            })?,
        )
    }
}

impl Serialize for Ladder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Ladder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn climb(ladder: &str, code: Option<u16>) -> Vec<Rung> {
        let ladder: Ladder = ladder.parse().expect("a ladder");
        ladder
            .climb(code.and_then(AreaCode::new))
            .map(|(rung, _)| rung)
            .collect()
    }

    #[test]
    fn rungs_are_climbed_from_near_to_far() {
        assert_eq!(climb("any,region,overlay,area_code", Some(212)), RUNGS);
        assert_eq!(
            climb("area_code,any", Some(212)),
            [Rung::AreaCode, Rung::Any]
        );
        assert_eq!(climb("area_code", Some(212)), [Rung::AreaCode]);
    }

    #[test]
    fn a_destination_without_area_code_starts_at_any() {
        assert_eq!(climb("area_code,overlay,region,any", None), [Rung::Any]);
        assert_eq!(climb("area_code,overlay,region", None), []);
    }

    #[test]
    fn an_area_code_without_overlay_or_region_skips_those_rungs() {
        assert_eq!(
            climb("area_code,overlay,region,any", Some(800)),
            [Rung::AreaCode, Rung::Any]
        );
    }

    #[test]
    fn a_ladder_prints_and_reads_back() {
        let ladder: Ladder = " region , any".parse().expect("a ladder");
        assert_eq!(ladder.to_string(), "region,any");
        assert!("".parse::<Ladder>().is_err());
        assert_eq!(
            "areacode".parse::<Ladder>().map(|_| ()),
            Err(
                "rung `areacode` is unknown, expected some of area_code,overlay,region,any"
                    .to_owned()
            )
        );
        assert!("sticky".parse::<Ladder>().is_err());
    }
}
