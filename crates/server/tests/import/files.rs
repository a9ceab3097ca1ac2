//! Files to import.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// A file of `count` numbers in area code 312.
pub(crate) fn csv(count: u64) -> String {
    let mut file = "caller_id,carrier,area_code,daily_limit,hourly_limit\n".to_owned();
    for line in 0..count {
        file.push_str(&format!("1312{},carrierA,312,500,50\n", 2_000_000 + line));
    }
    file
}

pub(crate) fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}
