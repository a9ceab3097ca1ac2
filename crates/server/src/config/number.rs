//! Whole numbers within bounds.

use std::str::FromStr;

/// Reads a whole number from `LEAST` to `MOST`.
///
/// # Errors
/// Says what was expected.
pub fn within<const LEAST: u32, const MOST: u32>(text: &str) -> Result<u32, String> {
    let number = u32::from_str(text.trim()).ok();
    number
        .filter(|number| (LEAST..=MOST).contains(number))
        .ok_or_else(|| format!("expected a whole number from {LEAST} to {MOST}"))
}

/// Reads a port.
///
/// # Errors
/// Says what was expected.
pub fn port(text: &str) -> Result<u16, String> {
    u16::from_str(text.trim()).map_err(|_| "expected a port from 1 to 65535".to_owned())
}
