//! What people do with a million numbers, through the API of a real service, and what calls notice of it.

mod explain;
mod imports;
mod pages;

pub(crate) use self::pages::{median, part};

use crate::client::Client;
use crate::contest::SETTINGS;
use crate::place::{Kind, Place};

/// Prints times for lists, imports and explanations, in a file and in Redis and PostgreSQL. `only` names one of the three.
pub(crate) fn run(only: Option<&str>) -> anyhow::Result<()> {
    println!("## Administration of 1,000,000 numbers by API");
    let wanted = |what| only.is_none_or(|only| only == what);
    for kind in Kind::ALL {
        println!("### {}{}", kind.name(), busy());
        if wanted("imports") {
            imports::few(kind)?;
        }
        if wanted("lists") {
            let place = Place::new(kind)?;
            imports::many_by_db(&place)?;
            let server = place.site.serve(&SETTINGS)?;
            println!("ready after {:.1} s", server.start_seconds);
            pages::measure(&mut Client::of(server.address)?)?;
        }
        if wanted("explain") {
            explain::measure(kind)?;
        }
        if wanted("imports") {
            imports::beside_calls(kind)?;
        }
    }
    println!();
    Ok(())
}

/// How busy the machine is, in words; times are worth little on one that does much else.
fn busy() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let minute = load.split(' ').next().unwrap_or_default();
    format!(" (load of the machine in the last minute: {minute})")
}
