//! What people are shown: tables, lists of facts, and JSON for programs.

pub(super) mod out;
mod pages;
mod table;
mod words;

pub(super) use self::pages::{Listing, PageArgs, list};
pub(super) use self::table::{Column, Table, facts};
pub(super) use self::words::{Words, plain, typed_number};
