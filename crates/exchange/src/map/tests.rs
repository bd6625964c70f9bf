use base::{Lang, Text};
use view::Page;

use super::*;
use crate::model::{
    federation::{Service, Subsystem},
    identifier::Part,
    meta::ServiceKind,
};

const NOW: Timestamp = Timestamp::from_micros(1_795_572_000_000_000);

fn member(code: &str, name: &str, services: &[&str]) -> Member {
    let service = |code: &&str| Service {
        code: Part::new(code).expect("a code"),
        name: Text::new(*code, *code),
        kind: ServiceKind::Rest,
        description: None,
        badge: None,
        gateways: Vec::new(),
    };
    Member {
        id: id(code),
        name: Text::new(name, name),
        since: NOW,
        suspended: None,
        gateways: Vec::new(),
        subsystems: vec![Subsystem {
            code: Part::new("he").expect("a code"),
            name: Text::new("Hệ thống", "System"),
            services: services.iter().map(service).collect(),
        }],
    }
}

fn id(code: &str) -> MemberId {
    format!("VN/GOV/{code}").parse().expect("a member")
}

fn directory(members: Vec<Member>) -> Directory {
    Directory {
        instance: Part::new("VN").expect("a part"),
        name: Text::new("Liên thông", "Exchange"),
        version: 1,
        issued: NOW,
        anchors: Vec::new(),
        revocations: Vec::new(),
        members,
        witnesses: Vec::new(),
        quorum: 0,
    }
}

fn flow(side: Side, client: &str, provider: &str, messages: u64, refused: u64) -> Flow {
    Flow {
        side,
        client: id(client),
        service: format!("VN/GOV/{provider}/he/dan-cu").parse().expect("a service"),
        messages,
        refused,
        failed: 0,
        half_within_ms: 4,
    }
}

fn told(flows: Vec<Flow>) -> Heard {
    Heard {
        last: Some((NOW, flows)),
        silent: None,
    }
}

#[test]
fn a_message_is_counted_once_where_it_was_sent_or_else_where_it_came_to() {
    let directory = directory(vec![
        member("A", "A", &[TRAFFIC_SERVICE]),
        member("B", "B", &[TRAFFIC_SERVICE]),
        member("C", "C", &[]),
    ]);
    let from_a = flow(Side::Client, "A", "B", 7, 1);
    let to_b = [
        flow(Side::Producer, "A", "B", 6, 1),
        flow(Side::Producer, "C", "B", 3, 0),
    ];
    let mut heard: BTreeMap<MemberId, Heard> =
        [(id("A"), told(vec![from_a.clone()])), (id("B"), told(to_b.to_vec()))].into();
    let both = picture(&directory, &heard, Some(NOW), NOW);
    assert_eq!(both.flows, [from_a.clone(), to_b[1].clone()]);
    let reach: Vec<Reach> = both.members.iter().map(|(_, reach)| *reach).collect();
    assert_eq!(reach, [Reach::Answers, Reach::Answers, Reach::Unasked]);

    // A falls silent: what it told counts as long as it is about this time, then what B knows.
    let since = NOW.plus_seconds(5);
    heard.get_mut(&id("A")).expect("A").silent = Some(since);
    let soon = picture(&directory, &heard, Some(since), since);
    assert_eq!(soon.flows, both.flows);
    assert_eq!(soon.members[0].1, Reach::Silent(since));
    let later = NOW.plus_seconds(301);
    heard.get_mut(&id("B")).expect("B").last = Some((later, to_b.to_vec()));
    assert_eq!(picture(&directory, &heard, Some(later), later).flows, to_b);
}

#[test]
fn names_are_text_and_every_pair_is_drawn_in_both_places() {
    let directory = directory(vec![
        member("A", "<script>\"&", &["dan-cu"]),
        member("B", "Bảo hiểm xã hội Việt Nam", &["the"]),
    ]);
    let heard = [(id("A"), told(vec![flow(Side::Client, "A", "B", 9, 2)]))].into();
    let found = picture(&directory, &heard, Some(NOW), NOW);
    let page = Page::new(Lang::Vi, Arc::default(), "", "/exchange/map");
    let svg = picture::draw(&page, &found).to_string();
    assert!(
        !svg.contains("<script") && svg.contains("&lt;script&gt;&quot;&amp;"),
        "{svg}"
    );
    assert_eq!(svg.matches("<svg ").count(), 2);
    // What went well and what did not, each in both drawings.
    let lines = |kind: &str| svg.matches(&format!("mc-map__line--{kind}\"")).count();
    assert_eq!((lines("flow"), lines("no")), (2, 2));
    assert!(svg.contains("9 thông điệp, 2 bị từ chối"));
    assert!(!svg.contains("style="), "the policy forbids it");
}

#[test]
fn forty_members_are_forty_lines_that_open() {
    let names: Vec<(String, String)> = (0..40)
        .map(|n| (format!("M%20{n:02}"), format!("Thành viên <{n:02}>")))
        .collect();
    let members = names.iter().map(|(code, name)| member(code, name, &["dan-cu"]));
    let directory = directory(members.collect());
    // Each asks the next, the first asks everybody.
    let next = (0..39).map(|n| (n, n + 1)).chain((2..40).map(|n| (0, n)));
    let mut heard: BTreeMap<MemberId, Heard> = BTreeMap::new();
    for (from, to) in next {
        let flow = flow(Side::Client, &names[from].0, &names[to].0, 5, 1);
        let of_member = heard.entry(id(&names[from].0)).or_insert_with(|| told(Vec::new()));
        of_member.last.as_mut().expect("told").1.push(flow);
    }
    let found = picture(&directory, &heard, Some(NOW), NOW);
    let page = Page::new(Lang::Vi, Arc::default(), "", "/exchange/map");
    let html = page::rendered(&page, &found);
    assert_eq!(html.matches("<details ").count(), 40);
    assert!(
        !html.contains("<details open") && !html.contains("Thành viên <0"),
        "closed, and names are text"
    );
    for (code, _) in &names {
        let id = format!("id=\"member-VN/GOV/{code}\"");
        assert_eq!(html.matches(&id).count(), 1, "{id}: the same at each renewal");
    }
    assert!(html.contains("40 thành viên, 39 đang trả lời"));
    // The first asked thirty-nine; the last was asked by two, and asked nobody.
    let part = |n: usize| html.split("<details ").nth(n + 1).expect("a member").to_owned();
    assert_eq!(part(0).matches("<tr><th scope=\"row\">").count(), 39);
    assert!(part(0).contains("Đã hỏi 195 · được hỏi 0 · 1 dịch vụ"));
    let last = part(39);
    assert_eq!(last.matches("<tr><th scope=\"row\">").count(), 2);
    assert!(last.contains("Được hỏi trong 5 phút gần nhất") && !last.contains("Đã hỏi trong"));
}
