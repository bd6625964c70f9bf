//! Packages that are meant to harm are refused quickly, each at its place.

use std::time::{Duration, Instant};

use procedure::{
    check,
    package::{CheckOptions, Files},
};

use super::{broken, good_files, report_of};

#[test]
fn hostile_packages_are_refused_quickly() {
    let start = Instant::now();
    // Too large, by far.
    let mut files = good_files();
    files.insert("form.toml".into(), "# x\n".repeat(2_500_000));
    assert!(report_of(files).has("too-large"));
    // Deep nesting in TOML and XML.
    let mut files = good_files();
    files.insert(
        "procedure.toml".into(),
        format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000)),
    );
    assert!(!report_of(files).ok());
    let mut files = good_files();
    files.insert(
        "decisions.dmn".into(),
        format!(
            "<definitions xmlns=\"https://www.omg.org/spec/DMN/20191111/MODEL/\">{}",
            "<context>".repeat(10_000)
        ),
    );
    assert!(!report_of(files).ok());
    let deep = format!("{}{}", "<list>".repeat(200), "</list>".repeat(200));
    assert!(
        broken(
            "decisions.dmn",
            "<literalExpression id=\"l_exempt\">",
            &format!("{deep}<literalExpression id=\"l_exempt\">")
        )
        .has("too-deep")
    );
    // Entities.
    let bomb = "<!DOCTYPE d [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><definitions>&b;</definitions>";
    let mut files = good_files();
    files.insert("decisions.dmn".into(), bomb.into());
    assert!(report_of(files).has("bad-xml"));
    // Functions outside FEEL.
    let java = "{ f: function(x) external { java: { class: \"java.lang.Runtime\", method signature: \"exit(int)\" } }, r: f(1) }.r";
    assert!(!broken("decisions.dmn", "8000 * answers.request.copies", java).ok());
    let model = "<businessKnowledgeModel name=\"f\" id=\"f\"><variable name=\"f\"/><encapsulatedLogic kind=\"Java\"/></businessKnowledgeModel><decision name=\"exempt\"";
    assert!(broken("decisions.dmn", "<decision name=\"exempt\"", model).has("forbidden"));
    assert!(
        broken(
            "decisions.dmn",
            "8000 * answers.request.copies",
            "sum(for i in 1..1000000000 return i)"
        )
        .has("too-costly")
    );
    // Names that are paths.
    for name in [
        "../form.toml",
        "a/b.typ",
        "/etc/passwd",
        "CON.typ",
        "x.exe",
        ".hidden.typ",
        "a..typ",
    ] {
        let mut files = good_files();
        files.insert(name.into(), String::new());
        assert!(report_of(files).has("bad-file"), "{name}");
    }
    assert!(Files::from_map([("form.toml".to_owned(), vec![0xff, 0xfe])]).is_err_and(|r| r.has("not-utf8")));
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[cfg(unix)]
#[test]
fn a_link_or_a_folder_is_no_file_of_a_package() {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, text) in good_files() {
        std::fs::write(dir.path().join(name), text).expect("written");
    }
    assert!(check::check(dir.path(), &CheckOptions::default()).ok());
    std::os::unix::fs::symlink("/etc/passwd", dir.path().join("more.typ")).expect("linked");
    assert!(check::check(dir.path(), &CheckOptions::default()).has("bad-file"));
    std::fs::remove_file(dir.path().join("more.typ")).expect("removed");
    std::fs::create_dir(dir.path().join("sub")).expect("made");
    assert!(check::check(dir.path(), &CheckOptions::default()).has("bad-file"));
    assert!(check::check(&dir.path().join("absent"), &CheckOptions::default()).has("missing-file"));
}
