//! The dashboard: how long its pages take and how large they are, and what calls notice of dashboards that are open.

mod fill;
mod list;
mod open;
mod pages;

use caller_id_core::PhoneNumber;

use crate::client::Client;
use crate::contest::SETTINGS;
use crate::numbers::inventory;
use crate::place::{Kind, Place, csv};
use crate::server::Server;

/// How many numbers there are, and how long a page may take at the median, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Size {
    word: &'static str,
    numbers: usize,
    asked_ms: f64,
}

const SIZES: [Size; 2] = [
    Size {
        word: "few",
        numbers: 20_000,
        asked_ms: 100.0,
    },
    Size {
        word: "many",
        numbers: 1_000_000,
        asked_ms: 150.0,
    },
];

/// Prints milliseconds and bytes of each page, and allocations beside open dashboards against allocations alone. `only` are words:
/// `sqlite` or `postgres`, `few` or `many`, `pages` or `open`.
pub(crate) fn run(only: &[String]) -> anyhow::Result<()> {
    println!("## The dashboard");
    let wanted = |one: &str, other: &str| {
        only.iter().any(|word| word == one) || only.iter().all(|word| word != other)
    };
    for kind in Kind::ALL {
        let is_wanted = match kind {
            Kind::Sqlite => wanted("sqlite", "postgres"),
            Kind::Postgres => wanted("postgres", "sqlite"),
        };
        for size in SIZES.into_iter().filter(|_| is_wanted) {
            let other = if size.word == "few" { "many" } else { "few" };
            if wanted(size.word, other) {
                println!("### {}, {} numbers", kind.name(), size.numbers);
                at(kind, size, wanted("pages", "open"), wanted("open", "pages"))?;
            }
        }
    }
    println!();
    Ok(())
}

fn at(kind: Kind, size: Size, with_pages: bool, with_open: bool) -> anyhow::Result<()> {
    let place = Place::new(kind)?;
    let numbers = inventory(size.numbers);
    let file = csv(&place.site, &numbers)?;
    place.site.import(&file, &["--mode", "db"])?;
    fill::history(&place, kind, &numbers)?;
    place.settle();
    let server = place.site.serve(&SETTINGS)?;
    println!("ready after {:.1} s", server.start_seconds);
    fill::administration(&mut Client::of(server.address)?, &numbers)?;
    fill::calls(&server)?;
    if with_pages {
        measure_pages(&server, &numbers, size)?;
    }
    if with_open {
        open::measure(&server)?;
    }
    println!(
        "memory of the service: {:.0} MB, at most {:.0}",
        server.memory_mb()?,
        server.peak_mb()?
    );
    Ok(())
}

fn measure_pages(server: &Server, numbers: &[PhoneNumber], size: Size) -> anyhow::Result<()> {
    let list = list::all(&mut Client::of(server.address)?, numbers)?;
    let mut client = Client::signed_in(server.address)?;
    pages::measure(&mut client, &list, size.asked_ms)
}
