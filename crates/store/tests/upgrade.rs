//! Data that was written with each earlier schema: all of it is there when this version opens it. And data of a later one: it is refused
//! in a clear line, and not touched.

#![expect(clippy::unwrap_used, reason = "every function here is a test")]

#[path = "upgrade/content.rs"]
mod content;
#[path = "upgrade/postgres.rs"]
mod postgres;
#[path = "upgrade/sqlite.rs"]
mod sqlite;

use std::fs;
use std::path::Path;

/// The migrations in a folder of the store's, oldest first.
fn migrations(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("migrations")
        .join(folder);
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let texts = files.iter().map(|file| fs::read_to_string(file).unwrap());
    texts.collect()
}
