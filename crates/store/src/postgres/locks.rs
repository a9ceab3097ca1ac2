//! The numbers of the advisory locks we take. They mean nothing, and are looked up in the one database only.

/// Whoever makes or drops tables holds it, until the end of a transaction. "CID".
pub(super) const TABLES: i64 = 4_409_668;
/// Whoever uses the database holds it, for the life of a session: alone, or together with others.
pub(super) const OWNER: i64 = TABLES + 1;
