//! Rows of number lists: CSV in, [`caller_id_core::Number`] out, and back.
