//! Who runs a command on this machine.

use std::fs;

use caller_id_core::Author;

/// The account that somebody signed in with, also where they became another one since (`sudo`): Linux keeps it, where PAM told it.
const LOGIN: &str = "/proc/self/loginuid";
const ACCOUNTS: &str = "/etc/passwd";

/// The author of what `command` changes in the store itself: `import (maria)`.
pub(super) fn author(command: &str) -> Author {
    let own = rustix::process::getuid().as_raw();
    let login = fs::read_to_string(LOGIN).unwrap_or_default();
    let accounts = fs::read_to_string(ACCOUNTS).unwrap_or_default();
    let account = signed_in(&login).unwrap_or(own);
    let name = name_of(account, &accounts).map_or_else(|| account.to_string(), str::to_owned);
    Author::command(&format!("{command} ({name})"))
}

/// None where nobody signed in: services and containers.
fn signed_in(login: &str) -> Option<u32> {
    login.trim().parse().ok().filter(|&id| id != u32::MAX)
}

fn name_of(account: u32, accounts: &str) -> Option<&str> {
    let named = |line: &'_ str| -> Option<u32> { line.split(':').nth(2)?.parse().ok() };
    let line = accounts.lines().find(|line| named(line) == Some(account))?;
    line.split(':').next().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_told_by_its_name() {
        let accounts =
            "root:x:0:0:root:/root:/bin/bash\nbroken\nmaria:x:1000:1000::/home/maria:/bin/sh\n";
        assert_eq!(name_of(1_000, accounts), Some("maria"));
        assert_eq!(name_of(0, accounts), Some("root"));
        assert_eq!(name_of(7, accounts), None);
    }

    #[test]
    fn who_signed_in_counts_and_nobody_else() {
        assert_eq!(signed_in("1000"), Some(1_000));
        assert_eq!(signed_in("4294967295"), None);
        assert_eq!(signed_in(""), None);
    }

    #[test]
    fn the_command_and_the_account_are_the_author() {
        let name = author("import").name;
        let account = name
            .strip_prefix("import (")
            .and_then(|rest| rest.strip_suffix(')'));
        assert!(account.is_some_and(|account| !account.is_empty()), "{name}");
    }
}
