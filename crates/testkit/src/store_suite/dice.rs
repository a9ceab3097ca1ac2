//! Chance that is the same in every run.

/// Numbers that look random and are the same in every run.
pub(super) struct Dice(u64);

impl Dice {
    /// Each seed gives other numbers.
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number less than `sides`.
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}
