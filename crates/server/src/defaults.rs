//! What a number gets when its owner says nothing, in every way in.

use caller_id_core::Limits;

/// The limits of a number that came without: 500 uses a day, 50 an hour, as the reference.
pub const LIMITS: Limits = Limits::new(500, 50);
