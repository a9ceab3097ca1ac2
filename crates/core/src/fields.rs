//! The fields of a number that a row of an import gives, and those it leaves as they are.

use crate::inventory::Number;

/// A field of a number that a row may leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// [`Number::area_code`].
    AreaCode,
    /// [`Number::carrier`].
    Carrier,
    /// [`Number::attestation`].
    Attestation,
    /// [`Number::status`].
    Status,
    /// [`Number::pool`].
    Pool,
    /// The limit of a day.
    DailyLimit,
    /// The limit of an hour.
    HourlyLimit,
    /// [`Number::meta`].
    Meta,
}

/// Some fields of a number: those that a row gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fields(u8);

impl Fields {
    /// Every field.
    pub const ALL: Self = Self(u8::MAX);
    /// No field.
    pub const NONE: Self = Self(0);

    /// These and `field`.
    #[must_use]
    pub const fn with(self, field: Field) -> Self {
        Self(self.0 | 1 << field as u8)
    }

    /// Whether `field` is among them.
    pub const fn has(self, field: Field) -> bool {
        self.0 & (1 << field as u8) != 0
    }

    /// `kept` with these fields as `row` has them.
    pub fn merge(self, kept: Number, row: &Number) -> Number {
        let mut merged = kept;
        if self.has(Field::AreaCode) {
            merged.area_code = row.area_code;
        }
        if self.has(Field::Carrier) {
            merged.carrier.clone_from(&row.carrier);
        }
        if self.has(Field::Attestation) {
            merged.attestation = row.attestation;
        }
        if self.has(Field::Status) {
            merged.status = row.status;
        }
        if self.has(Field::Pool) {
            merged.pool.clone_from(&row.pool);
        }
        if self.has(Field::DailyLimit) {
            merged.limits.daily = row.limits.daily;
        }
        if self.has(Field::HourlyLimit) {
            merged.limits.hourly = row.limits.hourly;
        }
        if self.has(Field::Meta) {
            merged.meta.clone_from(&row.meta);
        }
        merged
    }
}
