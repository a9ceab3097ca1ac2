//! One file that is written to, and older ones beside it.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use caller_id_core::Clock;

use super::Place;

/// The file that is written to.
const CURRENT: &str = "caller-id.log";
/// How the others begin; the day and a number follow, so that their names stand in order.
const OLDER: &str = "caller-id-";
const END: &str = ".log";
/// The first characters of a time are its day.
const DAY: usize = 10;

/// The files of a log.
pub(super) struct Rotated {
    place: Place,
    clock: Arc<dyn Clock>,
    open: Option<Open>,
}

struct Open {
    file: File,
    bytes: u64,
    /// The day of its lines.
    day: String,
}

impl Rotated {
    /// Nothing is opened yet.
    pub(super) fn new(place: Place, clock: Arc<dyn Clock>) -> Self {
        Self {
            place,
            clock,
            open: None,
        }
    }

    /// Opens the file, and makes it and its folder where they are missing.
    ///
    /// # Errors
    /// Either cannot be made.
    pub(super) fn open(&mut self) -> io::Result<()> {
        if self.open.is_some() {
            return Ok(());
        }
        fs::create_dir_all(&self.place.folder)?;
        let path = self.current();
        let mut options = File::options();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
        let mut file = options.open(&path)?;
        let bytes = file.seek(SeekFrom::End(0))?;
        // What an earlier run has left may be of another day.
        let day = match bytes {
            0 => self.today(),
            _ => first_day(&path).unwrap_or_else(|| self.today()),
        };
        self.open = Some(Open { file, bytes, day });
        Ok(())
    }

    /// Writes whole lines; none of them, or all.
    ///
    /// # Errors
    /// The disk took not all of it. It is tried anew with the next lines.
    pub(super) fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        self.open()?;
        let today = self.today();
        let is_over = |open: &Open| {
            open.bytes > 0
                && (open.day != today || open.bytes + lines.len() as u64 > self.place.bytes_most)
        };
        if self.open.as_ref().is_some_and(is_over) {
            self.rotate()?;
            self.open()?;
        }
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        if let Err(error) = open.file.write_all(lines) {
            // Half a line would break whoever reads it.
            let _ = open.file.set_len(open.bytes);
            self.open = None;
            return Err(error);
        }
        open.bytes += lines.len() as u64;
        Ok(())
    }

    /// Gives the file the name of its day, and removes the oldest.
    fn rotate(&mut self) -> io::Result<()> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        drop(open.file);
        let older = self.older()?;
        let begins = format!("{OLDER}{}-", open.day);
        let of_day = older.iter().filter_map(|name| {
            let number = name.strip_prefix(&begins)?.strip_suffix(END)?;
            number.parse::<u32>().ok()
        });
        let number = of_day.max().map_or(1, |last| last + 1);
        let name = format!("{begins}{number:04}{END}");
        fs::rename(self.current(), self.place.folder.join(&name))?;
        let mut all = older;
        all.push(name);
        all.sort_unstable();
        let kept = self.place.files_most.saturating_sub(1);
        let too_many = all.len().saturating_sub(kept);
        for name in all.into_iter().take(too_many) {
            fs::remove_file(self.place.folder.join(name))?;
        }
        Ok(())
    }

    /// The names of the older files.
    fn older(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.place.folder)? {
            let name = entry?.file_name();
            if let Some(name) = name.to_str().filter(|name| is_older(name)) {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    fn current(&self) -> PathBuf {
        self.place.folder.join(CURRENT)
    }

    fn today(&self) -> String {
        self.clock.now().to_string()[..DAY].to_owned()
    }
}

/// Nothing else in the folder is ever removed.
fn is_older(name: &str) -> bool {
    let inner = name
        .strip_prefix(OLDER)
        .and_then(|rest| rest.strip_suffix(END));
    inner.is_some_and(|inner| {
        let is_of_name = |byte: u8| byte.is_ascii_digit() || byte == b'-';
        inner.len() > DAY + 1 && inner.bytes().all(is_of_name)
    })
}

/// The day that the first line of a file says.
fn first_day(path: &Path) -> Option<String> {
    use std::io::Read;
    let mut begin = [0; 64];
    let read = File::open(path).ok()?.read(&mut begin).ok()?;
    let text = std::str::from_utf8(&begin[..read]).ok()?;
    let text = text.strip_prefix("{\"timestamp\":\"").unwrap_or(text);
    let day = text.get(..DAY)?;
    let is_day = |(place, byte): (usize, u8)| match place {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    day.bytes().enumerate().all(is_day).then(|| day.to_owned())
}

#[cfg(test)]
mod tests {
    use caller_id_core::{ManualClock, Timestamp};

    use super::*;

    const DAY_MS: i64 = 86_400_000;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        names
    }

    fn files(folder: &Path) -> (Rotated, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(Timestamp::from_ms(1_795_348_800_000)));
        let place = Place {
            folder: folder.to_owned(),
            bytes_most: 20,
            files_most: 3,
        };
        (Rotated::new(place, clock.clone()), clock)
    }

    #[test]
    fn a_file_is_begun_when_one_is_full_or_its_day_is_over_and_the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("caller-id-notes.log"), "mine").unwrap();
        let (mut files, clock) = files(folder.path());
        files.write(b"twelve bytes").unwrap();
        files.write(b"eight by").unwrap();
        assert_eq!(names(folder.path()), ["caller-id-notes.log", CURRENT]);
        files.write(b"one").unwrap();
        clock.advance_ms(DAY_MS);
        files.write(b"two").unwrap();
        let of_day = |number| format!("caller-id-2026-11-22-000{number}.log");
        let (first, second) = (of_day(1), of_day(2));
        assert_eq!(
            names(folder.path()),
            [&*first, &*second, "caller-id-notes.log", CURRENT]
        );
        assert_eq!(fs::read(folder.path().join(&second)).unwrap(), b"one");
        clock.advance_ms(DAY_MS);
        files.write(b"three").unwrap();
        let third = "caller-id-2026-11-23-0001.log";
        assert_eq!(
            names(folder.path()),
            [&*second, third, "caller-id-notes.log", CURRENT]
        );
    }

    #[test]
    fn a_restart_goes_on_in_the_file_and_a_day_later_begins_another() {
        let folder = tempfile::tempdir().unwrap();
        for line in ["2026-11-22T1", "+2"] {
            files(folder.path()).0.write(line.as_bytes()).unwrap();
        }
        assert_eq!(names(folder.path()), [CURRENT]);
        let (mut later, clock) = files(folder.path());
        clock.advance_ms(DAY_MS);
        later.write(b"3").unwrap();
        let first = folder.path().join("caller-id-2026-11-22-0001.log");
        assert_eq!(fs::read(first).unwrap(), b"2026-11-22T1+2");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_disk_that_was_full_is_written_to_again() {
        let folder = tempfile::tempdir().unwrap();
        let (mut files, _) = files(folder.path());
        let path = folder.path().join(CURRENT);
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        assert!(files.write(b"lost").is_err());
        fs::remove_file(&path).unwrap();
        files.write(b"kept").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"kept");
    }
}
