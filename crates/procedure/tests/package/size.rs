//! A form four times as long takes some four times as long.

use std::time::{Duration, Instant};

use procedure::{
    form::Answers,
    package::{CheckOptions, Files, Package},
};
use serde_json::json;

use super::{World, codes, good_files};

/// A form of ten fields a page, each page with a condition on an answer before it.
fn large_form(pages: usize) -> Files {
    let mut form = String::new();
    for page in 0..pages {
        form.push_str(&format!(
            "[[page]]\nid = \"p{page}\"\ntitle = {{ vi = \"Trang {page}\", en = \"Page {page}\" }}\n"
        ));
        if page > 0 {
            form.push_str(&format!("when = \"g{}.f9 = true\"\n", page - 1));
        }
        for field in 0..10 {
            let kind = match field {
                0..=4 => "text",
                5 => "date",
                6 => "integer",
                7 => "person-name",
                8 => "phone",
                _ => "yes-no",
            };
            form.push_str(&format!(
                "[[page.field]]\nid = \"g{page}.f{field}\"\ntype = \"{kind}\"\nlabel = {{ vi = \"Câu {field}\", en = \"Question {field}\" }}\nsource = \"asked\"\nbasis = \"x\"\nsensitivity = \"personal\"\nretention = \"1y\"\n"
            ));
            if field == 4 {
                form.push_str(&format!(
                    "when = \"g{page}.f0 != null and string length(g{page}.f0) > 1\"\n"
                ));
            }
        }
    }
    let mut files = good_files();
    files.insert("form.toml".into(), form);
    files.remove("decisions.dmn");
    let procedure = files.get_mut("procedure.toml").expect("there");
    *procedure = procedure
        .replace("when = \"event.on_paper\"", "when = \"g0.f9\"")
        .replace("about = \"authorisation\"\n", "");
    let process = files.get_mut("process.bpmn").expect("there");
    *process = process.replace(" and request.copies > 0", "");
    Files::from_map(files.into_iter().map(|(n, t)| (n, t.into_bytes()))).expect("files")
}

/// The least time of a walk with judgement over a fully answered form.
fn walk_time(pages: usize, world: &World) -> Duration {
    let start = Instant::now();
    let package = Package::from_files(&large_form(pages), &CheckOptions::default()).expect("loads");
    let loaded = start.elapsed();
    let mut answers = Answers::new();
    for page in 0..pages {
        for field in 0..10 {
            let value = match field {
                0..=4 => json!("một câu trả lời"),
                5 => json!("2020-01-01"),
                6 => json!(42),
                7 => json!("Nguyễn Văn An"),
                8 => json!("0912345678"),
                _ => json!(true),
            };
            answers.set(&format!("g{page}.f{field}"), value);
        }
    }
    let ctx = world.ctx();
    let problems = package.form.validate(&answers, &ctx);
    assert!(problems.is_empty(), "{:?}", codes(&problems));
    let mut least = Duration::MAX;
    for _ in 0..10 {
        let start = Instant::now();
        assert_eq!(package.form.journey(&answers, &ctx).pages.len(), pages);
        least = least.min(start.elapsed());
    }
    eprintln!(
        "{} fields: load {loaded:?}, journey with judgement {least:?}",
        pages * 10
    );
    least
}

#[test]
fn the_walk_over_a_form_does_not_grow_with_the_square() {
    let world = World::new();
    let (small, large) = (walk_time(10, &world), walk_time(40, &world));
    assert!(large < small * 10, "four times the fields: {small:?} to {large:?}");
}
