//! Facts about the lines that are printed.

use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: DialplanArgs,
}

fn printed(words: &str) -> Result<String, String> {
    let line = Line::try_parse_from(format!("dialplan {words}").split_whitespace());
    text(&line.map_err(|error| error.to_string())?.args).map_err(|error| error.to_string())
}

/// Every combination of what changes the lines.
fn all() -> Vec<String> {
    let mut all = Vec::new();
    for version in ["13", "16", "18", "20", "22"] {
        for trunk in ["sip", "pjsip"] {
            for via in ["agi", "curl"] {
                for more in [
                    "",
                    "--plain",
                    "--another",
                    "--plain --campaign X",
                    "--host a,b --key K",
                ] {
                    let words = format!(
                        "--peer my-gw --asterisk {version} --trunk {trunk} --via {via} {more}"
                    );
                    match printed(&words) {
                        Ok(text) => all.push(text),
                        Err(error) => assert_eq!((version, trunk), ("22", "sip"), "{error}"),
                    }
                }
            }
        }
    }
    all
}

/// VICIdial takes `\'` and `\\` out of an entry, and shows it again as HTML: `&copy` and its like would be read as letters.
#[test]
fn vicidial_keeps_every_letter() {
    let entities = [
        "amp", "lt", "gt", "copy", "reg", "not", "para", "sect", "times", "deg", "cent", "micro",
        "shy",
    ];
    for text in all() {
        assert!(!text.contains(['\'', '\\', '\r', '\t']), "{text}");
        assert!(text.is_ascii(), "{text}");
        for entity in entities {
            assert!(!text.contains(&format!("&{entity}")), "{entity}: {text}");
        }
    }
}

#[test]
fn the_name_of_the_call_is_never_set() {
    for text in all() {
        for word in ["Set(CALLERID(name)", "Set(CALLERID(all)", "exten => h,"] {
            assert!(!text.contains(word), "{text}");
        }
    }
}

#[test]
fn a_version_without_chan_sip_is_told_so() {
    let error = printed("--peer gw --asterisk 22").unwrap_err();
    assert!(error.contains("--trunk pjsip expected"), "{error}");
}

#[test]
fn a_campaign_is_for_those_without_vicidial() {
    let error = printed("--peer gw --campaign X").unwrap_err();
    assert!(error.contains("--plain"), "{error}");
}

#[test]
fn a_service_is_asked_where_its_settings_say_that_it_listens() {
    for (words, url) in [
        ("", "AGI(agi://127.0.0.1:4573/next-cid?"),
        (
            "--agi-listen 10.0.0.5:4600",
            "AGI(agi://10.0.0.5:4600/next-cid?",
        ),
        ("--agi-listen [::1]:4573", "AGI(agi://[::1]:4573/next-cid?"),
        (
            "--agi-listen 10.0.0.5:4600 --host b,c:1",
            "AGI(agi://b:4600/next-cid?",
        ),
        (
            "--agi-listen 10.0.0.5:4600 --host b,c:1",
            "AGI(agi://c:1/next-cid?",
        ),
        ("--agi-listen off --host b", "AGI(agi://b:4573/next-cid?"),
        (
            "--via curl --api-port 81",
            "CURL(http://127.0.0.1:81/next-cid?",
        ),
        (
            "--via curl --agi-listen off --api-host 10.0.0.5",
            "CURL(http://10.0.0.5:8000/next-cid?",
        ),
    ] {
        let text = printed(&format!("--peer gw {words}")).unwrap();
        assert!(text.contains(url), "{words}: {text}");
        assert!(!text.contains("--host"), "{words}: {text}");
    }
}

#[test]
fn one_that_listens_everywhere_is_asked_on_its_own_machine_and_the_lines_say_so() {
    for words in ["--agi-listen 0.0.0.0:4600", "--agi-listen [::]:4600"] {
        let text = printed(&format!("--peer gw {words}")).unwrap();
        assert!(
            text.contains("AGI(agi://127.0.0.1:4600/next-cid?"),
            "{text}"
        );
        assert!(
            text.contains("; For a dialer on the machine of the service: "),
            "{text}"
        );
    }
    let text = printed("--peer gw --via curl --api-host 0.0.0.0").unwrap();
    assert!(text.contains("CURL(http://127.0.0.1:8000/"), "{text}");
    assert!(text.contains("--host ADDRESS"), "{text}");
}

#[test]
fn a_service_that_answers_no_fastagi_is_told_so() {
    let error = printed("--peer gw --agi-listen off").unwrap_err();
    for part in ["AGI_LISTEN is off", "--via curl", "--host"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn failure_codes_are_for_versions_that_know_them() {
    for (version, known) in [("13", false), ("16", true), ("22", true)] {
        let words = format!("--peer gw --via curl --trunk pjsip --asterisk {version}");
        let text = printed(&words).unwrap();
        assert_eq!(text.contains("failurecodes"), known, "{version}");
    }
}

#[test]
fn carriers_share_a_context_and_no_extension_but_one() {
    let extension = |words: &str| {
        let text = printed(words).unwrap();
        let lines = text
            .lines()
            .filter_map(|line| line.strip_prefix("exten => "));
        lines
            .map(|line| line.split(',').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let first = extension("--peer gw");
    assert_eq!(first, ["_91NXXNXXXXXX", "cidrot_end_9_gw", "T"]);
    for other in [
        "--peer gw --prefix 8 --another",
        "--peer other --prefix 7 --via curl",
    ] {
        assert!(
            extension(other).iter().all(|name| !first.contains(name)),
            "{other}"
        );
    }
}
