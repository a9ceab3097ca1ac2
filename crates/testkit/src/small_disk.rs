//! A disk that is soon full.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small disk in memory, unmounted when dropped.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one of so many megabytes over `folder`. None, and a line that says so, where this process may not mount.
    pub fn mount_on(folder: &Path, megabytes: u32) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(folder)
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(folder.to_owned())),
            refused => {
                eprintln!("NOT TESTED: a small disk cannot be mounted here: {refused:?}");
                None
            }
        }
    }

    /// Leaves no room on it, until [`SmallDisk::make_room`].
    ///
    /// # Panics
    /// When it cannot be written for another reason than that it is full.
    pub fn fill(&self) {
        let mut filler = File::create(self.filler()).expect("a file can be made");
        let block = [1; 4_096];
        loop {
            match filler.write_all(&block) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return,
                Err(error) => panic!("the small disk cannot be filled: {error}"),
            }
        }
    }

    /// Takes away what [`SmallDisk::fill`] wrote.
    ///
    /// # Panics
    /// When it was not filled.
    pub fn make_room(&self) {
        fs::remove_file(self.filler()).expect("it was filled");
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

impl SmallDisk {
    /// From now on nobody can write to it.
    ///
    /// # Panics
    /// When somebody has a file of it open to write.
    pub fn make_read_only(&self) {
        let mounted = Command::new("mount")
            .args(["-o", "remount,ro"])
            .arg(&self.0)
            .output()
            .expect("`mount` was run before");
        assert!(mounted.status.success(), "{mounted:?}");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} stays mounted", self.0.display());
        }
    }
}
