//! How many connections the system lets us have.

/// Files that are no connections: the database, the log, the listener, the runtime.
const RESERVE: u64 = 64;

/// `wanted` connections at each of `doors`, or as many as the limit of open files leaves. The limit is raised as far as it may
/// be.
pub(super) fn connections_most(wanted: u32, doors: u32) -> u32 {
    let all = u64::from(wanted) * u64::from(doors);
    let Some(files) = file_limit(all + RESERVE) else {
        return wanted;
    };
    let most = within(wanted, doors, files);
    if most < wanted {
        tracing::warn!(
            "MAX_CONNECTIONS is {wanted}, but only {files} files may be open: at most {most} connections are served; \
             raise the limit (ulimit -n, LimitNOFILE)"
        );
    }
    most
}

/// How many of `wanted` connections at each of `doors` fit into `files` open files, one at least.
fn within(wanted: u32, doors: u32, files: u64) -> u32 {
    let left = files.saturating_sub(RESERVE) / u64::from(doors);
    let left = left.max(1);
    wanted.min(u32::try_from(left).unwrap_or(u32::MAX))
}

#[cfg(unix)]
fn file_limit(wanted: u64) -> Option<u64> {
    use rlimit::Resource;
    let (soft, hard) = Resource::NOFILE.get().ok()?;
    if soft >= wanted {
        return Some(soft);
    }
    let raised = wanted.min(hard);
    Some(match Resource::NOFILE.set(raised, hard) {
        Ok(()) => raised,
        Err(_) => soft,
    })
}

#[cfg(not(unix))]
fn file_limit(_wanted: u64) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_other_files() {
        assert_eq!(within(4_096, 1, 200), 136);
        assert_eq!(within(100, 1, 1_024), 100);
        assert_eq!(within(100, 1, 10), 1);
        assert_eq!(within(4_096, 2, 200), 68);
    }
}
