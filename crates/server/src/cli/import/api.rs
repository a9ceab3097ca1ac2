//! The import through the service: chunks of the file, some requests at once.

use std::io::Read;
use std::thread;

use super::chunk::{Chunk, Filler};
use super::client::Client;
use super::requests::Requests;
use crate::rows::{Intake, Options, RowReader, Tally, Watcher};

/// Sends all rows of `input`. Rows that cannot be written are told to `watcher`, with their lines in the file.
/// After a request that fails no more are made; those under way are waited for.
pub(super) fn send(
    input: impl Read,
    client: &Client,
    options: Options,
    concurrency: usize,
    watcher: &mut dyn Watcher,
) -> Intake<anyhow::Error> {
    let mut reader = match RowReader::open(input) {
        Ok(reader) => reader,
        Err(error) => {
            return Intake {
                tally: Tally::default(),
                stopped: Some(error.into()),
            };
        }
    };
    if !reader.unknown_columns().is_empty() {
        watcher.unknown_columns(reader.unknown_columns());
    }
    let columns = reader.columns();
    let mut filler = Filler::new(options);
    thread::scope(|scope| {
        let mut requests = Requests::new(watcher);
        loop {
            let mut chunk = Chunk::new(&columns);
            let filled = filler.fill(&mut reader, &mut chunk);
            requests.tell_unsent(&mut chunk);
            if chunk.rows() > 0 {
                requests.make_room(concurrency, &chunk);
                if requests.failed() {
                    return requests.finish(None);
                }
                let request = requests.begin(chunk);
                scope.spawn(move || request.make(client, options));
            }
            match filled {
                Ok(true) => {}
                Ok(false) => return requests.finish(None),
                Err(error) => return requests.finish(Some(error)),
            }
        }
    })
}
