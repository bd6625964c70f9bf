use base::Lang;
use procedure::process::{DrawOptions, Process, StepState, draw, outline};

use super::{every, file, permit};

fn ids(all: &[&str]) -> Vec<String> {
    all.iter().map(|s| (*s).to_owned()).collect()
}

/// Well-formed, accessible, and nothing that a strict content security policy forbids.
fn sound(svg: &str) {
    let document = roxmltree::Document::parse(svg).unwrap_or_else(|e| panic!("{e}\n{svg}"));
    let root = document.root_element();
    assert_eq!(root.attribute("role"), Some("img"));
    for (name, part) in root
        .attribute("aria-labelledby")
        .expect("labelled")
        .split(' ')
        .zip(["title", "desc"])
    {
        let found = document
            .descendants()
            .find(|n| n.attribute("id") == Some(name))
            .expect("the label is there");
        assert_eq!(found.tag_name().name(), part);
        assert!(!found.text().unwrap_or_default().is_empty());
    }
    assert!(root.attribute("viewBox").is_some());
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        assert!(!["script", "style", "image", "foreignObject", "use", "a"].contains(&node.tag_name().name()));
        for attribute in node.attributes() {
            assert!(
                attribute.name() != "style" && !attribute.name().starts_with("on"),
                "{}",
                attribute.name()
            );
            assert!(!attribute.value().contains("url(") && attribute.name() != "href");
        }
    }
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}

#[test]
fn the_permit_is_drawn_with_where_it_stands() {
    let process = permit();
    let (here, done) = (
        ids(&["get_fire"]),
        ids(&["start", "intake", "g_intake", "inspect", "g_ask", "ask_fire"]),
    );
    let svg = draw(
        &process,
        &DrawOptions {
            lang: Lang::Vi,
            here: &here,
            done: &done,
            prefix: "h\"1",
        },
    );
    sound(&svg);
    assert!(svg.contains("id=\"h1-title\""), "only plain characters reach an id");
    for text in [
        "Bộ phận một cửa",
        "Đang thực hiện",
        "4 giờ làm việc",
        "Cảnh sát phòng cháy, chữa cháy",
    ] {
        assert!(svg.contains(text), "no {text}");
    }
    assert_eq!(svg.matches("class=\"badge-done\"").count(), 3);
    assert_eq!(svg.matches("class=\"badge-here\"").count(), 1);
    let english = draw(
        &process,
        &DrawOptions {
            lang: Lang::En,
            here: &here,
            done: &done,
            prefix: "p",
        },
    );
    sound(&english);
    assert!(english.contains("In progress: Wait for the fire police") && english.contains("One-stop shop"));
}

#[test]
fn a_file_without_a_diagram_is_laid_out() {
    let process = every();
    let here = ids(&["review"]);
    let svg = draw(
        &process,
        &DrawOptions {
            lang: Lang::Vi,
            here: &here,
            done: &[],
            prefix: "p",
        },
    );
    sound(&svg);
    for node in process.nodes().iter().filter(|n| n.scope.0 == 0 && n.is_activity()) {
        let title = format!("<title>{}</title>", node.label(Lang::Vi));
        assert!(svg.contains(&title), "no {title}");
    }
    // The open step is inside the closed sub-process: that box is marked.
    assert_eq!(svg.matches("class=\"badge-here\"").count(), 1);
}

#[test]
fn a_hostile_name_stays_text() {
    let xml = file(
        r#"<bpmn:startEvent id="s" name="&lt;script&gt;alert(1)&lt;/script&gt;"/><bpmn:userTask id="t" name="&quot; onload=&quot;x&quot; &amp; ]]&gt;"/><bpmn:endEvent id="e"/><bpmn:sequenceFlow id="f" name="&lt;img src=x&gt;" sourceRef="s" targetRef="t"/><bpmn:sequenceFlow id="g" sourceRef="t" targetRef="e"/>"#,
    );
    let svg = draw(&Process::parse(&xml).expect("readable"), &DrawOptions::plain(Lang::Vi));
    sound(&svg);
    assert!(!svg.contains("<script") && !svg.contains("<img"));
}

#[test]
fn a_hostile_diagram_does_no_harm() {
    let xml = super::PERMIT
        .replacen("x=\"100\" y=\"40\"", "x=\"NaN\" y=\"inf\"", 1)
        .replacen("width=\"130\"", "width=\"-5\"", 1)
        .replacen("<di:waypoint x=\"223\"", "<di:waypoint x=\"1e300\"", 1);
    sound(&draw(
        &Process::parse(&xml).expect("readable"),
        &DrawOptions::plain(Lang::En),
    ));
}

#[test]
fn the_outline_is_in_the_order_of_the_work() {
    let process = permit();
    let (here, done) = (ids(&["inspect"]), ids(&["start", "intake"]));
    let steps = outline(
        &process,
        &DrawOptions {
            lang: Lang::Vi,
            here: &here,
            done: &done,
            prefix: "p",
        },
    );
    let place = |id: &str| {
        steps
            .iter()
            .position(|s| s.node == id)
            .unwrap_or_else(|| panic!("no {id}"))
    };
    for pair in [
        "intake", "inspect", "ask_fire", "get_fire", "draft", "sign", "render", "deliver", "end",
    ]
    .windows(2)
    {
        assert!(place(pair[0]) < place(pair[1]), "{pair:?}");
    }
    let of = |id: &str| &steps[place(id)];
    assert_eq!(
        (of("intake").state, of("inspect").state, of("draft").state),
        (StepState::Done, StepState::Here, StepState::Ahead)
    );
    assert!(of("get_fire").beside && of("get_env").beside && !of("draft").beside && !of("inspect").beside);
    assert_eq!(of("get_fire").budget.map(|b| b.to_string()).as_deref(), Some("12d"));
    assert_eq!(of("silent_fire").label, "Nếu quá 12 ngày: Im lặng: coi như đồng ý");
    assert_eq!(of("sign").role, "leader");
    assert!(!steps.iter().any(|s| s.node == "g_ask" || s.node == "start"));
    let steps = outline(&every(), &DrawOptions::plain(Lang::Vi));
    let review = steps
        .iter()
        .find(|s| s.node == "review")
        .expect("inside the sub-process");
    let work = steps.iter().find(|s| s.node == "work").expect("the sub-process");
    assert_eq!(review.depth, work.depth + 1);
}
