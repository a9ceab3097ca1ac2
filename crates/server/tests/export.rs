//! Exports, as their users see them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use assert_cmd::Command;

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::cargo_bin("caller-id").unwrap();
    command
        .env_clear()
        .args(arguments)
        .timeout(Duration::from_secs(60))
        .output()
        .unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

const FILE: &str = concat!(
    "caller_id,carrier,area_code,daily_limit,hourly_limit,pool,attestation,status,meta\n",
    "+13125550100,\"=HYPERLINK(\"\"http://x\"\",1)\",773,none,30,\"solar, \"\"west\"\"\",A,active,\"{\"\"note\"\":\"\"two\\nlines, ünïcödé\"\"}\"\n",
    "+13125550101,,312,500,none,default,,paused,{}\n",
    "+13125550102,漢字 🎈,312,500,50,default,B,resting:2099-11-22T07:47:40.052000Z,\n",
    "+13125550103,@carrier;x,312,1,1,default,C,retired,\n",
    "+442079460958,-1,,500,50,uk,,active,\n",
);

/// The same as it is exported: no spreadsheet runs anything in it.
const EXPORT: &str = concat!(
    "caller_id,carrier,area_code,daily_limit,hourly_limit,pool,attestation,status,meta\n",
    "+13125550100,\"'=HYPERLINK(\"\"http://x\"\",1)\",773,none,30,\"solar, \"\"west\"\"\",A,active,\"{\"\"note\"\":\"\"two\\nlines, ünïcödé\"\"}\"\n",
    "+13125550101,,312,500,none,default,,paused,{}\n",
    "+13125550102,漢字 🎈,312,500,50,default,B,resting:2099-11-22T07:47:40.052000Z,\n",
    "+13125550103,'@carrier;x,312,1,1,default,C,retired,\n",
    "+442079460958,'-1,,500,50,uk,,active,\n",
);

#[test]
fn an_export_imports_again_to_the_same_state() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let (given, one, two) = (
        folder.path().join("given.csv"),
        folder.path().join("one.csv"),
        folder.path().join("two.csv"),
    );
    fs::write(&given, FILE).unwrap();
    for (from, data, to) in [(&given, &first, &one), (&one, &second, &two)] {
        let import = run(&[
            "import",
            "--mode=db",
            "--csv",
            text(from),
            "--data-dir",
            text(data),
        ]);
        assert!(
            import.status.success(),
            "{}",
            String::from_utf8_lossy(&import.stderr)
        );
        let export = run(&["export", "--csv", text(to), "--data-dir", text(data)]);
        assert!(
            export.status.success(),
            "{}",
            String::from_utf8_lossy(&export.stderr)
        );
    }
    assert_eq!(fs::read_to_string(&one).unwrap(), EXPORT);
    assert_eq!(fs::read_to_string(&two).unwrap(), EXPORT);
    let out = run(&["export", "--data-dir", text(&second)]);
    assert_eq!(
        String::from_utf8(out.stdout).unwrap(),
        EXPORT,
        "the standard output"
    );
}

#[test]
fn an_export_that_fails_leaves_the_old_file_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("numbers.csv");
    fs::write(&target, "old").unwrap();
    let nowhere = folder.path().join("nowhere");
    let export = run(&[
        "export",
        "--csv",
        text(&target),
        "--data-dir",
        text(&nowhere),
    ]);
    assert!(!export.status.success());
    assert!(String::from_utf8_lossy(&export.stderr).contains("there is no database"));
    assert!(!nowhere.exists(), "an export makes no database");
    assert_eq!(fs::read_to_string(&target).unwrap(), "old");
    let data = folder.path().join("data");
    let given = folder.path().join("given.csv");
    fs::write(&given, FILE).unwrap();
    run(&[
        "import",
        "--mode=db",
        "--csv",
        text(&given),
        "--data-dir",
        text(&data),
    ]);
    let in_the_way = folder.path().join("folder.csv");
    fs::create_dir(&in_the_way).unwrap();
    fs::write(in_the_way.join("x"), "").unwrap();
    let export = run(&[
        "export",
        "--csv",
        text(&in_the_way),
        "--data-dir",
        text(&data),
    ]);
    assert!(!export.status.success());
    let left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".new"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn neither_an_export_nor_a_report_is_written_over_the_service_s_own_files() {
    let folder = tempfile::tempdir().unwrap();
    let (data, given) = (folder.path().join("data"), folder.path().join("given.csv"));
    fs::write(&given, FILE).unwrap();
    let import = ["import", "--mode=db", "--csv", text(&given), "--data-dir"];
    assert!(
        run(&[&import[..], &[text(&data)]].concat())
            .status
            .success()
    );
    fs::write(data.join("admin-token"), "a token\n").unwrap();
    for own in ["caller-id.db", "caller-id.journal.db", "admin-token"] {
        let own = data.join(own);
        let before = fs::read(&own).ok();
        let export = ["export", "--csv", text(&own), "--data-dir", text(&data)];
        let report = [&import[..], &[text(&data), "--report", text(&own)]].concat();
        for command in [&export[..], &report] {
            let output = run(command);
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success(), "{command:?}");
            assert!(said.contains("belongs to the service itself"), "{said}");
            assert_eq!(fs::read(&own).ok(), before, "{command:?}");
        }
    }
}
