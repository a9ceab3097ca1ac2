//! One kind of rows on both sides: how many, and in which they differ.

use std::fmt;

use super::super::digest::{Canonical, Digest};

/// So many rows that differ in one way are named; all are counted.
const NAMED_MOST: usize = 5;

/// One kind of rows on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Part {
    /// What they are.
    pub(in crate::cli) name: &'static str,
    /// All rows of the source.
    pub(in crate::cli) source: Digest,
    /// Those rows of the target that the source has too.
    pub(in crate::cli) target: Digest,
    /// How many the target has not.
    pub(in crate::cli) missing: u64,
    /// How many it has otherwise.
    pub(in crate::cli) different: u64,
    /// How many only the target has.
    pub(in crate::cli) extra: u64,
    named: Vec<(Difference, String)>,
}

/// How the sides differ in one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Difference {
    /// Only the source has it.
    Missing,
    /// Both have it, each otherwise.
    Different,
    /// Only the target has it.
    Extra,
}

impl Difference {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "is missing in the target",
            Self::Different => "is another in the target",
            Self::Extra => "is in the target alone",
        }
    }
}

impl Part {
    pub(in crate::cli) fn new(name: &'static str) -> Self {
        Self {
            name,
            source: Digest::default(),
            target: Digest::default(),
            missing: 0,
            different: 0,
            extra: 0,
            named: Vec::new(),
        }
    }

    /// Whether the target has all that the source has.
    pub(in crate::cli) fn is_whole(&self) -> bool {
        self.missing == 0 && self.different == 0 && self.source == self.target
    }

    /// Whether the target has anything that does not come from the source.
    pub(in crate::cli) fn is_foreign(&self) -> bool {
        self.different > 0 || self.extra > 0
    }

    pub(in crate::cli) fn both<R: Canonical + PartialEq>(
        &mut self,
        source: &R,
        target: &R,
    ) -> bool {
        self.source.add(source);
        self.target.add(target);
        source == target
    }

    /// Counts what the sides may have of a row. `learned` is what the target would have with what the source knows. Tells
    /// whether that is what the source has, and the target has it not yet.
    pub(in crate::cli) fn part_of<R: Canonical + PartialEq>(
        &mut self,
        source: Option<R>,
        target: Option<R>,
        learned: Option<&R>,
        name: &dyn fmt::Display,
    ) -> bool {
        match (source, target) {
            (None, None) => false,
            (None, Some(_)) => {
                self.extra(name);
                false
            }
            (Some(source), None) => {
                self.missing(&source, name);
                true
            }
            (Some(source), Some(target)) if source != target && Some(&source) == learned => {
                self.missing(&source, name);
                true
            }
            (Some(source), Some(target)) => {
                if !self.both(&source, &target) {
                    self.different(name);
                }
                false
            }
        }
    }

    pub(in crate::cli) fn missing(&mut self, row: &impl Canonical, name: &dyn fmt::Display) {
        self.source.add(row);
        self.missing += 1;
        self.name(Difference::Missing, name);
    }

    pub(in crate::cli) fn different(&mut self, name: &dyn fmt::Display) {
        self.different += 1;
        self.name(Difference::Different, name);
    }

    pub(in crate::cli) fn extra(&mut self, name: &dyn fmt::Display) {
        self.extra += 1;
        self.name(Difference::Extra, name);
    }

    fn name(&mut self, difference: Difference, name: &dyn fmt::Display) {
        if self.named(difference).count() < NAMED_MOST {
            let text = format!("{name} {}", difference.as_str());
            self.named.push((difference, text));
        }
    }

    /// Some of the rows that differ in this way.
    pub(in crate::cli) fn named(&self, difference: Difference) -> impl Iterator<Item = &str> {
        let named = self.named.iter().filter(move |(how, _)| *how == difference);
        named.map(|(_, text)| text.as_str())
    }
}
