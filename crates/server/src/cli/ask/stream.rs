//! Files to and from the service: whole, or not at all.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::Context;

use super::query::Pairs;
use super::{Answer, Service};
use crate::cli::show::out;

const PIECE: usize = 64 * 1024;

impl Service {
    /// Reads a file into `target`; `-` is the standard output. Gives its bytes.
    ///
    /// # Errors
    /// [`super::Refused`]; whatever keeps the file from being whole: then `target` is as it was.
    pub(in crate::cli) fn save(
        &self,
        path: &str,
        query: &Pairs,
        target: &Path,
    ) -> anyhow::Result<u64> {
        let mut from = self.client.download(path, query)?;
        if target.as_os_str() == "-" {
            return copy(&mut from, out::bytes);
        }
        let cannot = || format!("cannot write {}", target.display());
        let is_device = |there: fs::Metadata| !there.is_file() && !there.is_dir();
        if target.metadata().is_ok_and(is_device) {
            // A device or a pipe cannot be replaced.
            let file = File::options().write(true).open(target);
            let mut file = file.with_context(cannot)?;
            return copy(&mut from, |piece| {
                file.write_all(piece).with_context(cannot)
            });
        }
        let mut name = target.file_name().with_context(cannot)?.to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let draft = target.with_file_name(name);
        let mut file = File::create_new(&draft).with_context(cannot)?;
        let copied = copy(&mut from, |piece| {
            file.write_all(piece).with_context(cannot)
        });
        let placed = copied.and_then(|bytes| {
            file.sync_all().with_context(cannot)?;
            fs::rename(&draft, target).with_context(cannot)?;
            Ok(bytes)
        });
        if placed.is_err() {
            // What went wrong before is what the user needs to know.
            let _ = fs::remove_file(&draft);
        }
        placed
    }

    /// Sends a file, and gives what the service says of it.
    ///
    /// # Errors
    /// As [`Service::get`]; what was written stays then.
    pub(in crate::cli) fn upload(
        &self,
        path: &str,
        query: &Pairs,
        file: (&str, impl Read + 'static),
    ) -> anyhow::Result<Answer> {
        self.client.upload(path, query, file)
    }
}

fn copy(
    from: &mut impl Read,
    mut write: impl FnMut(&[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    let (mut piece, mut bytes) = (vec![0; PIECE], 0);
    loop {
        let read = match from.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read.context("the answer broke off, and what came of it is not whole")?,
        };
        if read == 0 {
            return Ok(bytes);
        }
        write(&piece[..read])?;
        bytes += read as u64;
    }
}
