//! The file that is imported, and how much of it was read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, ensure};

/// A file or the standard input; counts its bytes.
pub(super) struct Input {
    reader: Box<dyn Read + Send>,
    bytes: Option<u64>,
    done: Arc<AtomicU64>,
}

impl Input {
    /// Opens `path`; `-` is the standard input.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let (reader, bytes): (Box<dyn Read + Send>, _) = if path.as_os_str() == "-" {
            (Box::new(io::stdin()), None)
        } else {
            let cannot = || format!("cannot read {}", path.display());
            let file = File::open(path).with_context(cannot)?;
            let metadata = file.metadata().with_context(cannot)?;
            ensure!(
                !metadata.is_dir(),
                "{} is a folder, a CSV file expected",
                path.display()
            );
            let bytes = metadata.is_file().then_some(metadata.len());
            (Box::new(file), bytes)
        };
        Ok(Self {
            reader,
            bytes,
            done: Arc::default(),
        })
    }

    /// How long the file is, where that is known.
    pub(super) fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    /// How many bytes were read; goes on counting.
    pub(super) fn done(&self) -> Arc<AtomicU64> {
        self.done.clone()
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.reader.read(buffer)?;
        self.done.fetch_add(bytes as u64, Ordering::Relaxed);
        Ok(bytes)
    }
}
