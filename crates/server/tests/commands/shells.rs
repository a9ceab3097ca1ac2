//! What shells complete, and pages for `man`.

use crate::rig::run;

#[tokio::test(flavor = "multi_thread")]
async fn shells_complete_commands_below_others() {
    for shell in ["bash", "zsh", "fish"] {
        let told = run(&["completions", shell], &[]).await.fine();
        for word in ["numbers", "on-duplicate", "key-file"] {
            assert!(told.out.contains(word), "{shell}: no `{word}`");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_has_a_page() {
    let page = run(&["man", "numbers", "bulk"], &[]).await.fine();
    assert!(
        page.out.contains(".TH caller-id-numbers-bulk 1"),
        "{page:?}"
    );
    assert!(page.out.contains("tells how many, and asks"), "{page:?}");
    assert!(
        page.out.contains(".SH EXAMPLES") && page.out.is_ascii(),
        "{page:?}"
    );
    let page = run(&["man"], &[]).await.fine();
    assert!(page.out.contains(".TH caller-id 1"), "{page:?}");
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    run(&["man", "--dir", pages.to_str().unwrap()], &[])
        .await
        .fine();
    for name in [
        "caller-id",
        "caller-id-serve",
        "caller-id-audit-verify",
        "caller-id-keys-make",
    ] {
        assert!(pages.join(format!("{name}.1")).exists(), "{name}");
    }
    let none = run(&["man", "numbers", "fly"], &[]).await;
    none.refused(1, &["there is no command `fly`"]);
}
