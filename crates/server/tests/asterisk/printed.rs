//! What `caller-id dialplan` prints, and that Asterisk takes it.

use std::process::Command;

use crate::rig::Rig;

/// What `caller-id dialplan` prints for these arguments.
pub(crate) fn printed(words: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_caller-id"))
        .arg("dialplan")
        .args(words.split_whitespace())
        .env_clear()
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}: {said}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn every_combination_is_loaded_without_a_complaint() {
    let mut rig = Rig::start("");
    let [mut loaded, at_start] = [0, rig.complaints().len()];
    for version in ["13", "16", "18", "20", "22"] {
        for trunk in ["sip", "pjsip"] {
            if (version, trunk) == ("22", "sip") {
                continue;
            }
            for via in ["agi", "curl"] {
                for more in [
                    "",
                    "--plain",
                    "--plain --campaign SALES --prefix=",
                    "--host 127.0.0.1,127.0.0.2 --key KEY",
                    "--prefix 71 --caller-id-format digits",
                    "--caller-id-format e164",
                ] {
                    let words = format!(
                        "--peer gw --asterisk {version} --trunk {trunk} --via {via} {more}"
                    );
                    assert_eq!(
                        rig.reload(&printed(&words)),
                        Vec::<String>::new(),
                        "{words}"
                    );
                    let known = rig.manager.command("dialplan show vicidial-auto-external");
                    assert!(known.contains("cidrot_end_"), "{words}: {known}");
                    loaded += 1;
                }
            }
        }
    }
    assert_eq!(loaded, 9 * 2 * 6);
    assert_eq!(rig.complaints().len(), at_start);
}

#[test]
fn two_carriers_are_loaded_together_without_a_complaint() {
    let first = printed("--peer gw");
    let second = printed("--peer gw --prefix 8 --trunk pjsip --another");
    let third = printed("--peer gwfu --prefix 7 --via curl");
    let mut rig = Rig::start("");
    assert_eq!(
        rig.reload(&format!("{first}\n{second}\n{third}")),
        Vec::<String>::new()
    );
}
