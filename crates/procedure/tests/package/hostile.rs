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

/// What hostile authors write into a file: the code of the refusal, its file, and whether it has a line.
#[test]
fn every_refusal_says_where() {
    let start = Instant::now();
    let good = good_files();
    let whole = |file: &str, text: String| {
        let mut files = good.clone();
        files.insert(file.to_owned(), text);
        report_of(files)
    };
    let changed = |file: &str, from: &str, to: &str| {
        let text = &good[file];
        assert!(text.contains(from), "{file} does not contain {from}");
        whole(file, text.replacen(from, to, 1))
    };
    let dear = "count(for i in 1..1000 return i) > 0";
    let dear_papers: String = (0..12)
        .map(|n| {
            format!(
                "\n[[paper]]\nid = \"p{n}\"\nname = {{ vi = \"Giấy\", en = \"Paper\" }}\nkind = \"submit\"\nbasis = \"x\"\nwhen = \"{dear}\"\n"
            )
        })
        .collect();
    let calls = "<bpmn:process id=\"other\" isExecutable=\"true\"><bpmn:startEvent id=\"o1\"/>\
         <bpmn:callActivity id=\"o2\" calledElement=\"other\"/><bpmn:endEvent id=\"o3\"/>\
         <bpmn:sequenceFlow id=\"o4\" sourceRef=\"o1\" targetRef=\"o2\"/><bpmn:sequenceFlow id=\"o5\" sourceRef=\"o2\" targetRef=\"o3\"/>\
         </bpmn:process></bpmn:definitions>";
    let bomb = "<!DOCTYPE d [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>";
    let chain = format!("8000{}", " + 1".repeat(900));
    let nested = format!("{}8000{}", "(".repeat(900), ")".repeat(900));
    let ifs = format!("{}1{}", "if true then ".repeat(150), " else 1".repeat(150));
    let fee = "8000 * answers.request.copies";
    let reports = [
        (
            "too-large",
            "form.toml",
            false,
            whole("form.toml", "# x\n".repeat(1_500_000)),
        ),
        (
            "too-large",
            "decisions.dmn",
            false,
            whole("decisions.dmn", " ".repeat(2 << 20)),
        ),
        (
            "too-large",
            "process.bpmn",
            false,
            whole("process.bpmn", " ".repeat(3 << 20)),
        ),
        (
            "bad-toml",
            "procedure.toml",
            true,
            whole("procedure.toml", format!("a = {}", "[".repeat(100_000))),
        ),
        (
            "bad-toml",
            "procedure.toml",
            true,
            whole("procedure.toml", format!("{}a = 1", "a.".repeat(100_000))),
        ),
        (
            "bad-toml",
            "form.toml",
            true,
            whole("form.toml", format!("a = {}", "{ b = ".repeat(50_000))),
        ),
        (
            "bad-xml",
            "decisions.dmn",
            true,
            changed("decisions.dmn", "<definitions", &format!("{bomb}<definitions")),
        ),
        (
            "doctype",
            "process.bpmn",
            true,
            changed("process.bpmn", "<bpmn:definitions", &format!("{bomb}<bpmn:definitions")),
        ),
        (
            "missing-file",
            "procedure.toml",
            true,
            changed("procedure.toml", "\"result.typ\"", "\"../form.toml\""),
        ),
        (
            "missing-file",
            "procedure.toml",
            true,
            changed("procedure.toml", "\"result.typ\"", "\"/etc/passwd\""),
        ),
        (
            "recursive-call",
            "process.bpmn",
            true,
            changed("process.bpmn", "</bpmn:definitions>", calls),
        ),
        ("too-deep", "decisions.dmn", true, changed("decisions.dmn", fee, &chain)),
        (
            "too-deep",
            "decisions.dmn",
            true,
            changed("decisions.dmn", fee, &nested),
        ),
        ("too-deep", "decisions.dmn", true, changed("decisions.dmn", fee, &ifs)),
        (
            "too-deep",
            "form.toml",
            true,
            changed(
                "form.toml",
                "when = \"event.on_paper\"",
                &format!("when = \"{}event.on_paper{}\"", "not(".repeat(40), ")".repeat(40)),
            ),
        ),
        (
            "condition",
            "process.bpmn",
            true,
            changed(
                "process.bpmn",
                "request.copies > 0",
                &format!("request.copies{} > 0", " + 1".repeat(500)).replace('>', "&gt;"),
            ),
        ),
        (
            "too-costly",
            "form.toml",
            false,
            whole("form.toml", format!("{}{dear_papers}", good["form.toml"])),
        ),
    ];
    for (code, file, line, report) in reports {
        let found = report.findings.iter().find(|f| f.code.contains(code));
        let found = found.unwrap_or_else(|| panic!("{file} should give {code}:\n{}", report.human(base::Lang::En)));
        assert_eq!(found.file, file, "{code}");
        assert_eq!(found.line > 0, line, "{code} in {file} is at line {}", found.line);
        assert!(!found.text.vi.is_empty() && !found.text.en.is_empty());
        assert!(!report.ok());
    }
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

/// Decisions are evaluated anew for each that needs them.
#[test]
fn decisions_that_fan_out_do_not_explode() {
    let start = Instant::now();
    let layered = |layers: usize, twice: bool| {
        let mut xml = String::new();
        for n in 0..layers {
            let (needs, text) = match (n, twice) {
                (0, _) => (0, "1".to_owned()),
                (_, true) => (2, format!("x{p} + x{p}", p = n - 1)),
                (_, false) => (1, format!("x{}", n - 1)),
            };
            let need = format!(
                "<informationRequirement><requiredDecision href=\"#d_x{}\"/></informationRequirement>",
                n.saturating_sub(1)
            );
            xml += &format!(
                "<decision name=\"x{n}\" id=\"d_x{n}\"><variable name=\"x{n}\"/>{}<literalExpression><text>{text}</text></literalExpression></decision>\n",
                need.repeat(needs)
            );
        }
        broken(
            "decisions.dmn",
            "<decision name=\"exempt\"",
            &(xml + "<decision name=\"exempt\""),
        )
    };
    assert!(layered(8, true).ok(), "{}", layered(8, true).human(base::Lang::En));
    let report = layered(40, true);
    let finding = report
        .findings
        .iter()
        .find(|f| f.code == "too-costly")
        .expect("refused");
    assert!(finding.line > 0 && finding.text.en.contains("“x"), "{finding:?}");
    assert!(layered(60, false).ok(), "a chain is no fan");
    assert!(layered(300, false).has("too-large"));
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[cfg(unix)]
#[test]
fn a_file_that_is_a_link_or_a_socket_is_not_opened() {
    let outside = tempfile::tempdir().expect("a folder");
    let dir = tempfile::tempdir().expect("a folder");
    for (name, text) in good_files() {
        std::fs::write(dir.path().join(name), text).expect("written");
    }
    let inside = dir.path().join("procedure.toml");
    std::fs::rename(&inside, outside.path().join("procedure.toml")).expect("moved");
    std::os::unix::fs::symlink(outside.path().join("procedure.toml"), &inside).expect("linked");
    let report = check::check(dir.path(), &CheckOptions::default());
    assert!(
        report
            .findings
            .iter()
            .any(|f| f.code == "bad-file" && f.file == "procedure.toml")
    );
    std::fs::remove_file(&inside).expect("removed");
    // To open a pipe would wait for ever for somebody to write into it.
    let _socket = std::os::unix::net::UnixListener::bind(&inside).expect("a socket");
    let pipe = std::process::Command::new("mkfifo")
        .arg(dir.path().join("pipe.txt"))
        .status();
    assert!(pipe.expect("mkfifo").success());
    let report = check::check(dir.path(), &CheckOptions::default());
    for name in ["procedure.toml", "pipe.txt"] {
        assert!(
            report.findings.iter().any(|f| f.code == "bad-file" && f.file == name),
            "{name}"
        );
    }
}
