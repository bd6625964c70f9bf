//! The map as SVG: members in a circle, and between them what passed. No script, no inline style. It is drawn for a wide and for a
//! narrow place, and the style sheet shows the one that fits; the tables beside it have the same figures.

use std::{
    collections::BTreeMap,
    f64::consts::TAU,
    fmt::{self, Write},
};

use base::Lang;
use view::{Page, ui};

use super::{Picture, Reach};
use crate::model::{federation::Member, identifier::MemberId};

/// Most members that a circle has room for: those with most traffic. The tables have all.
const MOST: usize = 24;
/// Mean width of a letter at 14 pixels.
const LETTER: f64 = 7.3;
/// Between the lines of a name.
const LINE: f64 = 17.0;
/// How far lines of the two directions keep from each other.
const BOW: f64 = 0.13;

/// One of the drawings: pixels.
struct Place {
    class: &'static str,
    width: f64,
    height: f64,
    /// Of the circle, which is flatter than round.
    across: f64,
    down: f64,
    /// Of a member.
    radius: f64,
    /// Letters in a line of a name.
    letters: usize,
}

const PLACES: [Place; 2] = [
    Place {
        class: "wide",
        width: 960.0,
        height: 530.0,
        across: 290.0,
        down: 200.0,
        radius: 25.0,
        letters: 22,
    },
    Place {
        class: "narrow",
        width: 350.0,
        height: 470.0,
        across: 112.0,
        down: 165.0,
        radius: 17.0,
        letters: 12,
    },
];

/// What passed from one member to another.
#[derive(Default, Clone, Copy)]
struct Between {
    messages: u64,
    refused: u64,
    failed: u64,
}

/// The map, ready to be written into a page.
pub(super) struct Drawn(String);

impl fmt::Display for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// Everything that comes from members is escaped where it is written.
impl askama::filters::HtmlSafe for Drawn {}

/// Draws both pictures.
pub(super) fn draw(page: &Page, picture: &Picture) -> Drawn {
    let between = between(picture);
    let shown = shown(picture, &between);
    let mut out = String::new();
    for place in &PLACES {
        // Writing into a string does not fail.
        let _ = one(&mut out, page, place, &shown, &between);
    }
    Drawn(out)
}

type Pairs<'a> = BTreeMap<(&'a MemberId, &'a MemberId), Between>;

fn between(picture: &Picture) -> Pairs<'_> {
    let mut pairs = Pairs::new();
    for flow in &picture.flows {
        let pair = pairs.entry((&flow.client, &flow.service.provider.member)).or_default();
        pair.messages += flow.messages;
        pair.refused += flow.refused;
        pair.failed += flow.failed;
    }
    pairs
}

/// The members that are drawn, in the order of the directory.
fn shown<'a>(picture: &'a Picture, between: &Pairs<'_>) -> Vec<&'a (Member, Reach)> {
    let busy = |member: &Member| -> u64 {
        let own = between
            .iter()
            .filter(|((from, to), _)| **from == member.id || **to == member.id);
        own.map(|(_, pair)| pair.messages).sum()
    };
    let mut order: Vec<(usize, &(Member, Reach))> = picture.members.iter().enumerate().collect();
    order.sort_by_key(|(n, (member, _))| (std::cmp::Reverse(busy(member)), *n));
    order.truncate(MOST);
    order.sort_by_key(|(n, _)| *n);
    order.into_iter().map(|(_, member)| member).collect()
}

fn one(out: &mut String, page: &Page, place: &Place, shown: &[&(Member, Reach)], between: &Pairs<'_>) -> fmt::Result {
    let (middle_x, middle_y) = (place.width / 2.0, place.height / 2.0);
    let spot = |n: usize| {
        let turn = TAU * n as f64 / shown.len().max(1) as f64 - TAU / 4.0;
        (
            middle_x + place.across * turn.cos(),
            middle_y + place.down * turn.sin(),
            turn,
        )
    };
    let where_is: BTreeMap<&MemberId, usize> = shown
        .iter()
        .enumerate()
        .map(|(n, (member, _))| (&member.id, n))
        .collect();
    let label = page.t(
        "Bản đồ các thành viên và thông điệp giữa họ; số liệu đầy đủ ở các bảng bên dưới",
        "Map of the members and the messages between them; the tables below have all figures",
    );
    write!(
        out,
        r#"<svg class="mc-map__svg mc-map__svg--{class}" viewBox="0 0 {} {}" role="img" aria-label="{label}"><defs>"#,
        place.width,
        place.height,
        class = place.class,
    )?;
    for kind in ["flow", "no"] {
        write!(
            out,
            r#"<marker id="arrow-{kind}-{class}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto"><path class="mc-map__head mc-map__head--{kind}" d="M0 0L8 4L0 8z"/></marker>"#,
            class = place.class,
        )?;
    }
    out.push_str("</defs>");
    let most = between.values().map(|pair| pair.messages).max().unwrap_or(1).max(1);
    for ((from, to), pair) in between {
        let (Some(&a), Some(&b)) = (where_is.get(from), where_is.get(to)) else {
            continue;
        };
        if a != b {
            let ((x1, y1, _), (x2, y2, _)) = (spot(a), spot(b));
            let names = (&shown[a].0, &shown[b].0);
            line(out, page, place, ((x1, y1), (x2, y2)), (*pair, most), names)?;
        }
    }
    for (n, (member, reach)) in shown.iter().enumerate() {
        node(out, page, place, spot(n), member, *reach)?;
    }
    out.push_str("</svg>");
    Ok(())
}

/// A bowed line from the edge of one circle to the edge of another; a second, broken one where the answer was no.
fn line(
    out: &mut String,
    page: &Page,
    place: &Place,
    ((x1, y1), (x2, y2)): ((f64, f64), (f64, f64)),
    (pair, most): (Between, u64),
    (from, to): (&Member, &Member),
) -> fmt::Result {
    let (dx, dy) = (x2 - x1, y2 - y1);
    let bow = |share: f64| ((x1 + x2) / 2.0 - dy * share, (y1 + y2) / 2.0 + dx * share);
    let towards = |(x, y): (f64, f64), (to_x, to_y): (f64, f64), by: f64| {
        let long = (to_x - x).hypot(to_y - y).max(1.0);
        (x + (to_x - x) / long * by, y + (to_y - y) / long * by)
    };
    let (good, bad) = (
        pair.messages - (pair.refused + pair.failed).min(pair.messages),
        pair.refused + pair.failed,
    );
    write!(
        out,
        r#"<g class="mc-map__flow"><title>{}</title>"#,
        Escaped(&sentence(page, from, to, pair))
    )?;
    for (kind, n, share) in [("flow", good, BOW), ("no", bad, BOW * 1.9)] {
        if n == 0 {
            continue;
        }
        let (cx, cy) = bow(share);
        let begin = towards((x1, y1), (cx, cy), place.radius + 2.0);
        let end = towards((x2, y2), (cx, cy), place.radius + 4.0);
        // As the logarithm: a hundred times the traffic is some times the width.
        let width = 1.2 + 5.0 * (1.0 + n as f64).ln() / (1.0 + most as f64).ln();
        let width = if kind == "no" { width.min(2.2) } else { width };
        write!(
            out,
            r#"<path class="mc-map__line mc-map__line--{kind}" d="M{:.1} {:.1}Q{cx:.1} {cy:.1} {:.1} {:.1}" stroke-width="{width:.1}" marker-end="url(#arrow-{kind}-{})"/>"#,
            begin.0, begin.1, end.0, end.1, place.class
        )?;
    }
    out.push_str("</g>");
    Ok(())
}

fn sentence(page: &Page, from: &Member, to: &Member, pair: Between) -> String {
    let (from, to) = (page.text(&from.name), page.text(&to.name));
    let (n, refused, failed) = (
        page.number(pair.messages),
        page.number(pair.refused),
        page.number(pair.failed),
    );
    match page.lang {
        Lang::Vi => format!("{from} hỏi {to}: {n} thông điệp, {refused} bị từ chối, {failed} không chuyển được"),
        Lang::En => format!("{from} asks {to}: {n} messages, {refused} refused, {failed} not delivered"),
    }
}

fn node(
    out: &mut String,
    page: &Page,
    place: &Place,
    (x, y, turn): (f64, f64, f64),
    member: &Member,
    reach: Reach,
) -> fmt::Result {
    let state = match reach {
        Reach::Answers => "answers",
        Reach::Silent(_) => "silent",
        Reach::Unasked => "unasked",
    };
    let services = offered(member).count();
    write!(
        out,
        r#"<g class="mc-map__node mc-map__node--{state}"><circle cx="{x:.1}" cy="{y:.1}" r="{}"/><text class="mc-map__count" x="{x:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
        place.radius,
        y + 5.5,
        if matches!(reach, Reach::Silent(_)) {
            "×".to_owned()
        } else {
            page.number(services)
        },
    )?;
    let mut lines = wrapped(page.text(&member.name), place.letters);
    if matches!(reach, Reach::Silent(_)) {
        lines.push(page.t("không trả lời", "silent").to_owned());
    }
    let tall = LINE * (lines.len() as f64 - 1.0);
    let (side, gap) = (turn.cos(), place.radius + 8.0);
    let narrow = place.class == "narrow";
    let (anchor, at, first) = if !narrow && side > 0.3 {
        ("start", x + gap, y + 5.0 - tall / 2.0)
    } else if !narrow && side < -0.3 {
        ("end", x - gap, y + 5.0 - tall / 2.0)
    } else if turn.sin() < 0.0 {
        ("middle", x, y - gap - tall)
    } else {
        ("middle", x, y + gap + 10.0)
    };
    // A name in the middle of a narrow place stays within it.
    let half = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0) as f64 * LETTER / 2.0;
    let at = if anchor == "middle" {
        at.clamp(half, place.width - half)
    } else {
        at
    };
    write!(out, r#"<text class="mc-map__name" text-anchor="{anchor}">"#)?;
    for (n, line) in lines.iter().enumerate() {
        let y = first + LINE * n as f64;
        write!(out, r#"<tspan x="{at:.1}" y="{y:.1}">{}</tspan>"#, Escaped(line))?;
    }
    out.push_str("</text></g>");
    Ok(())
}

/// What a member offers of its own; what every node has is not told.
pub(super) fn offered(member: &Member) -> impl Iterator<Item = &crate::model::federation::Service> {
    let services = member.subsystems.iter().flat_map(|subsystem| &subsystem.services);
    services.filter(|service| crate::BuiltIn::of(&service.code).is_none())
}

/// A name in lines of so many letters, three at most.
fn wrapped(name: &str, letters: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in name.split_whitespace() {
        let full = lines.len() == 3;
        match lines.last_mut() {
            Some(line) if full || line.chars().count() + 1 + word.chars().count() <= letters => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Text for XML.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// How a member stands, as a tag.
pub(super) fn tone(reach: Reach) -> ui::Tone {
    match reach {
        Reach::Answers => ui::Tone::Good,
        Reach::Silent(_) => ui::Tone::Late,
        Reach::Unasked => ui::Tone::Neutral,
    }
}
