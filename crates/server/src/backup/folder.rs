//! Where backups lie: a draft that becomes one as a whole, and old ones that go.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use caller_id_core::Timestamp;

use super::Head;
use super::unpack::{Fault, Unpacker};

const NAME: &str = "caller-id-";
const ENDING: &str = ".backup.gz";
/// A backup gets the name of its second, or of one of so many, where that has one already.
const NAMES: u32 = 100;
const SECOND_MS: i64 = 1_000;
/// Of two processes that write the same backup one may put it in place while the other looks at the draft.
const TRIES: u32 = 100;
/// A backup with less than one of so many numbers of an older one is no successor that lets that go.
const NEARLY_EMPTY: u64 = 10;

/// The name of a backup that was begun at an instant. Names sort as their instants do.
fn name(at: Timestamp) -> String {
    let text = at.to_string();
    let digits: String = text[..19]
        .chars()
        .filter(|&c| c != '-' && c != ':')
        .collect();
    format!("{NAME}{digits}Z{ENDING}")
}

/// Whether a file has a name that we gave it.
fn is_named_by_us(name: &str) -> bool {
    let inner = name
        .strip_prefix(NAME)
        .and_then(|rest| rest.strip_suffix(ENDING));
    let instant = inner.and_then(|inner| inner.strip_suffix('Z')?.split_once('T'));
    let is_digits =
        |text: &str, digits| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    instant.is_some_and(|(day, time)| is_digits(day, 8) && is_digits(time, 6))
}

/// The names in a folder that a backup begun at an instant may get, behind that of the last one that was begun then: where its
/// second has one already, the next second is its name. One that is free because an old backup was removed is none of them: it
/// would make the newest look older than others.
fn free_names(folder: &Path, begun: Timestamp) -> impl Iterator<Item = PathBuf> {
    let later = move |seconds: u32| begun.plus_ms(i64::from(seconds) * SECOND_MS);
    let folder = folder.to_owned();
    let names = (0..NAMES).map(move |seconds| folder.join(name(later(seconds))));
    let is_taken = |path: PathBuf| path.symlink_metadata().is_ok();
    let first = names.clone().rposition(is_taken).map_or(0, |last| last + 1);
    names.skip(first)
}

/// How gzip begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A file that is written beside where it is to be, by one process at a time. What a killed one left is written over.
pub struct Draft {
    path: PathBuf,
    /// Locked until the end.
    pub file: File,
}

impl Draft {
    /// The draft of a backup at `path`, or in the folder `path`.
    ///
    /// # Errors
    /// When it cannot be made, or another process writes it.
    pub fn begin(path: &Path) -> anyhow::Result<Self> {
        let cannot = || format!("cannot write {}", path.display());
        for _ in 0..TRIES {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32)
                .open(path)
                .with_context(cannot)?;
            let found = file.metadata().with_context(cannot)?;
            ensure!(found.is_file(), "{} is no file", path.display());
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    bail!("another backup is being written to {}", path.display())
                }
                Err(TryLockError::Error(cause)) => return Err(cause).with_context(cannot),
            }
            // Who had the lock may have made a backup of it: that must never be written over.
            let same = fs::symlink_metadata(path)
                .is_ok_and(|now| (now.dev(), now.ino()) == (found.dev(), found.ino()));
            if same {
                let mut begins = Vec::new();
                Read::by_ref(&mut file)
                    .take(GZIP.len() as u64)
                    .read_to_end(&mut begins)
                    .with_context(cannot)?;
                ensure!(
                    begins.is_empty() || begins == GZIP,
                    "{} is there and is no draft of a backup: it stays as it is",
                    path.display()
                );
                // Of somebody else, or under another name too: others could read what is written to it.
                if found.uid() != rustix::process::geteuid().as_raw() || found.nlink() != 1 {
                    fs::remove_file(path).with_context(cannot)?;
                    continue;
                }
                file.set_permissions(Permissions::from_mode(0o600))
                    .with_context(cannot)?;
                file.rewind().with_context(cannot)?;
                file.set_len(0).with_context(cannot)?;
                let path = path.to_owned();
                return Ok(Self { path, file });
            }
        }
        bail!("another backup is being written to {}", path.display())
    }

    /// To read what was written.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn read(&self) -> io::Result<File> {
        File::open(&self.path)
    }

    /// Puts it where it is to be, written through to the disk. What is there is replaced.
    ///
    /// # Errors
    /// When it cannot be put there: it is removed then.
    pub fn place(self, at: &Path) -> anyhow::Result<()> {
        let placed = self
            .file
            .sync_all()
            .and_then(|()| fs::rename(&self.path, at));
        self.placed(placed, at)
    }

    /// Puts it into its folder under a name that is free, and gives that.
    ///
    /// # Errors
    /// As [`Draft::place`].
    pub fn place_in(self, folder: &Path, begun: Timestamp) -> anyhow::Result<PathBuf> {
        let mut at = folder.join(name(begun));
        let placed = self.file.sync_all().and_then(|()| {
            at = self.link_in(folder, begun)?;
            match fs::remove_file(&self.path) {
                Err(cause) if cause.kind() != ErrorKind::NotFound => Err(cause),
                _ => Ok(()),
            }
        });
        self.placed(placed, &at).map(|()| at)
    }

    /// Gives it the first name in a folder that is free.
    fn link_in(&self, folder: &Path, begun: Timestamp) -> io::Result<PathBuf> {
        for free in free_names(folder, begun) {
            match fs::hard_link(&self.path, &free) {
                // Somebody else took it since.
                Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {}
                // Where there are no links: nobody else has this name, for only we write here.
                Err(cause) if cause.kind() == ErrorKind::PermissionDenied && !free.exists() => {
                    return fs::rename(&self.path, &free).map(|()| free);
                }
                linked => return linked.map(|()| free),
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }

    fn placed(&self, placed: io::Result<()>, at: &Path) -> anyhow::Result<()> {
        let folder = || {
            let folder = at.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        };
        let placed = placed.and_then(|()| folder());
        placed
            .inspect_err(|_| self.discard())
            .with_context(|| format!("cannot write {}", at.display()))
    }

    /// Removes it.
    pub fn discard(&self) {
        // What went wrong before is what the user needs to know.
        let _ = fs::remove_file(&self.path);
    }
}

/// The draft of a backup at this place.
pub fn draft_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".draft");
    path.with_file_name(name)
}

/// The draft of all backups in a folder.
pub fn draft_in(folder: &Path) -> PathBuf {
    folder.join("caller-id.backup.draft")
}

/// The head of the backup at a place.
///
/// # Errors
/// [`Fault`]; what is no file is [`Fault::Foreign`].
pub fn head(path: &Path) -> Result<Head, Fault> {
    // Looked at before it is opened: to open a pipe waits for who writes into it.
    if !path.metadata()?.is_file() {
        return Err(Fault::Foreign);
    }
    Ok(Unpacker::new(File::open(path)?)?.head().clone())
}

/// What became of old backups.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rotated {
    /// Those that were removed.
    pub removed: Vec<PathBuf>,
    /// One that would have gone, and has many more numbers than the new one: nothing was removed then.
    pub better: Option<(PathBuf, u64)>,
}

/// Removes the oldest backups of a folder that have names of ours, until there are `keep`, the new one at `newest` among them.
/// Not where one that would go has numbers and the new one has none, or hardly any.
///
/// # Errors
/// When the folder cannot be read, or a file cannot be removed.
pub fn rotate(folder: &Path, newest: &Path, numbers: u64, keep: usize) -> anyhow::Result<Rotated> {
    let cannot = || format!("cannot read the folder {}", folder.display());
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        let named = entry.file_name().to_str().is_some_and(is_named_by_us);
        if named && entry.file_type().with_context(cannot)?.is_file() && entry.path() != newest {
            all.push(entry.path());
        }
    }
    all.sort();
    let surplus = (all.len() + 1).saturating_sub(keep);
    let mut rotated = Rotated::default();
    let mut goes = Vec::new();
    for path in all.drain(..surplus) {
        match head(&path) {
            Ok(head)
                if head.numbers / NEARLY_EMPTY > numbers || (numbers == 0 && head.numbers > 0) =>
            {
                rotated.better = Some((path, head.numbers));
                return Ok(rotated);
            }
            Ok(_) => goes.push(path),
            // Of a newer version, broken, or nobody's: it is not ours to remove.
            Err(_) => {}
        }
    }
    for path in goes {
        fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        rotated.removed.push(path);
    }
    Ok(rotated)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn touch(folder: &Path, name: &str) {
        fs::write(folder.join(name), "").unwrap();
    }

    #[test]
    fn names_tell_the_second_in_utc_and_are_known_again() {
        let at = instant("2026-11-23T20:15:07.9Z");
        assert_eq!(name(at), "caller-id-20261123T201507Z.backup.gz");
        assert!(is_named_by_us(&name(at)));
        for other in [
            "caller-id-20261123T201507Z.backup.gz.draft",
            "caller-id-20261123T201507.backup.gz",
            "caller-id-before-the-move.backup.gz",
            "caller-id-20261123T201507Z-1.backup.gz",
            "caller-id-20261123T201507Zx.backup.gz",
            "caller-id-2026112xT201507Z.backup.gz",
            "caller-id-20261123T2015070Z.backup.gz",
            "admin-token",
            "caller-id.db",
        ] {
            assert!(!is_named_by_us(other), "{other}");
        }
    }

    #[test]
    fn names_of_one_second_are_never_used_again_and_sort_as_they_were_given() {
        let folder = tempfile::tempdir().unwrap();
        let at = instant("2026-11-23T23:59:58.2Z");
        let path = draft_in(folder.path());
        let mut last = PathBuf::new();
        for round in 0..5 {
            let draft = Draft::begin(&path).unwrap();
            let given = draft.place_in(folder.path(), at).unwrap();
            assert!(given > last, "{given:?} after {last:?}");
            // What a rotation does that keeps one.
            if round > 0 {
                fs::remove_file(&last).unwrap();
            }
            last = given;
        }
        assert!(last.ends_with("caller-id-20261124T000002Z.backup.gz"));
        let early = instant("2026-11-23T23:58:00Z");
        let draft = Draft::begin(&path).unwrap();
        let given = draft.place_in(folder.path(), early).unwrap();
        assert!(given.ends_with(name(early)), "of another time: {given:?}");
    }

    #[test]
    fn of_many_in_one_second_the_last_one_is_refused_and_none_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let at = instant("2026-11-23T20:15:07Z");
        touch(folder.path(), &name(at.plus_ms(99_000)));
        let draft = Draft::begin(&draft_in(folder.path())).unwrap();
        let refused = draft.place_in(folder.path(), at).unwrap_err();
        assert!(refused.to_string().contains("cannot write"), "{refused}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_head_of_what_is_no_file_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        assert!(matches!(head(&path), Err(Fault::Foreign)));
        assert!(matches!(head(Path::new("/dev/zero")), Err(Fault::Foreign)));
    }

    #[test]
    fn a_draft_is_written_by_one_and_what_a_killed_one_left_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = draft_in(folder.path());
        fs::write(&path, [&GZIP[..], b"left behind"].concat()).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
        let draft = Draft::begin(&path).unwrap();
        let made = draft.file.metadata().unwrap();
        assert_eq!((made.len(), made.mode() & 0o777), (0, 0o600));
        let refused = Draft::begin(&path).err().unwrap().to_string();
        assert!(
            refused.contains("another backup is being written"),
            "{refused}"
        );
        let at: Timestamp = "2026-11-23T20:15:07Z".parse().unwrap();
        let first = draft.place_in(folder.path(), at).unwrap();
        let second = Draft::begin(&path)
            .unwrap()
            .place_in(folder.path(), at)
            .unwrap();
        assert_ne!(first, second);
        assert!(!path.exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_no_draft_stays_and_one_with_another_name_too_is_left_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.draft");
        fs::write(&path, "important").unwrap();
        let refused = Draft::begin(&path).err().unwrap().to_string();
        assert!(refused.contains("is no draft of a backup"), "{refused}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "important");
        let (theirs, path) = (folder.path().join("theirs"), draft_in(folder.path()));
        fs::write(&theirs, GZIP).unwrap();
        fs::hard_link(&theirs, &path).unwrap();
        let draft = Draft::begin(&path).unwrap();
        assert_eq!(draft.file.metadata().unwrap().nlink(), 1);
        assert_eq!(fs::read(&theirs).unwrap(), GZIP);
    }

    #[test]
    fn a_draft_never_follows_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("admin-token");
        fs::write(&secret, "kept").unwrap();
        let path = draft_in(folder.path());
        std::os::unix::fs::symlink(&secret, &path).unwrap();
        assert!(Draft::begin(&path).is_err());
        assert_eq!(fs::read_to_string(&secret).unwrap(), "kept");
    }
}
