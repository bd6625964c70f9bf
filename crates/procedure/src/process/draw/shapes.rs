//! The shapes of the notation, each with its own few strokes.

use std::fmt::Write as _;

use base::{Lang, xml::escape};

use super::{
    super::{
        diagram::{Bounds, Shape},
        model::{ArtifactKind, EndKind, Node, NodeKind, TimerRule, Trigger},
    },
    Mark,
    text::{width, wrap},
};

const INK: &str = "#1d2939";
const LINE: &str = "#475467";
const QUIET: &str = "#5d6b82";
const PALE: &str = "#98a2b3";
const DONE: &str = "#067647";
const DONE_FILL: &str = "#ecfdf3";
const HERE: &str = "#b54708";
const HERE_FILL: &str = "#fff4d1";
const MESSAGE: &str = "#175cd3";

pub(super) struct Pen {
    pub out: String,
    pub lang: Lang,
}

/// The colours of a shape: line, filling, thickness, class.
fn look(mark: Mark) -> (&'static str, &'static str, f64, &'static str) {
    match mark {
        Mark::None => (LINE, "#ffffff", 1.5, "step"),
        Mark::Done => (DONE, DONE_FILL, 1.8, "step step-done"),
        Mark::Here => (HERE, HERE_FILL, 3.0, "step step-here"),
    }
}

impl Pen {
    fn put(&mut self, args: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.out.write_fmt(args);
    }

    fn line_of_text(&mut self, x: f64, y: f64, size: f64, fill: &str, anchor: &str, text: &str) {
        let text = escape(text);
        self.put(format_args!(
            r#"<text x="{x:.1}" y="{y:.1}" font-size="{size}" fill="{fill}" text-anchor="{anchor}">{text}</text>"#
        ));
    }

    /// Lines of text around the middle of a place.
    fn centred(&mut self, x: f64, y: f64, size: f64, fill: &str, lines: &[String]) {
        let step = size * 1.2;
        let count = f64::from(u32::try_from(lines.len()).unwrap_or(0));
        let mut at = y - (count - 1.0) * step / 2.0 + size * 0.35;
        for line in lines {
            self.line_of_text(x, at, size, fill, "middle", line);
            at += step;
        }
    }

    /// A label outside its shape, with a halo so that lines behind it do not disturb.
    fn outside(&mut self, bounds: &Bounds, label: Option<&Bounds>, text: &str) {
        if text.is_empty() {
            return;
        }
        let room = label.map_or(104.0, |l| l.width.max(50.0) + 8.0);
        let lines = wrap(text, 11.0, room, 4);
        let (x, top) = match label {
            Some(l) => (l.middle().0, l.y),
            None => (bounds.middle().0, bounds.bottom() + 4.0),
        };
        self.halo(x, top, &lines);
    }

    fn halo(&mut self, x: f64, top: f64, lines: &[String]) {
        self.out
            .push_str(r##"<g paint-order="stroke" stroke="#ffffff" stroke-width="3" stroke-linejoin="round">"##);
        let mut y = top + 11.0;
        for line in lines {
            self.line_of_text(x, y, 11.0, INK, "middle", line);
            y += 13.5;
        }
        self.out.push_str("</g>");
    }

    /// A pool or a lane.
    pub fn band(&mut self, b: &Bounds, name: &str, horizontal: bool, pool: bool) {
        let (class, fill, head) = if pool {
            ("pool", "#ffffff", "#e4e9f2")
        } else {
            ("lane", "none", "#f5f7fa")
        };
        self.put(format_args!(
            r#"<g class="{class}"><rect x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}" fill="{fill}" stroke="{PALE}" stroke-width="1"/>"#,
            b.x, b.y, b.width, b.height
        ));
        // A pool as low as a line of text, with nothing in it, bears its name in the middle.
        let plain = pool && horizontal && b.height <= 80.0;
        if plain {
            self.out.push_str(r#"<g font-weight="600">"#);
            let lines = wrap(name, 12.0, b.width - 24.0, 2);
            self.centred(b.middle().0, b.middle().1, 12.0, INK, &lines);
            self.out.push_str("</g></g>");
            return;
        }
        let (w, h) = if horizontal {
            (30.0_f64.min(b.width), b.height)
        } else {
            (b.width, 30.0_f64.min(b.height))
        };
        self.put(format_args!(
            r#"<rect x="{:.1}" y="{:.1}" width="{w:.1}" height="{h:.1}" fill="{head}" stroke="{PALE}" stroke-width="1"/>"#,
            b.x, b.y
        ));
        let (x, y) = (b.x + w / 2.0, b.y + h / 2.0);
        if horizontal {
            let lines = wrap(name, 12.0, b.height - 12.0, 2);
            self.put(format_args!(
                r#"<g transform="rotate(-90 {x:.1} {y:.1})" font-weight="600">"#
            ));
            let size = if lines.len() > 1 { 11.0 } else { 12.0 };
            self.centred(x, y, size, INK, &lines);
        } else {
            self.out.push_str(r#"<g font-weight="600">"#);
            let lines = wrap(name, 12.0, b.width - 12.0, 2);
            self.centred(x, y, 12.0, INK, &lines);
        }
        self.out.push_str("</g></g>");
    }

    pub fn artifact(&mut self, b: &Bounds, kind: ArtifactKind, text: &str) {
        let (x, y, w, h) = (b.x, b.y, b.width, b.height);
        match kind {
            ArtifactKind::Note => {
                self.put(format_args!(
                    r#"<g class="note"><path d="M{:.1} {y:.1}h-10v{h:.1}h10" fill="none" stroke="{PALE}" stroke-width="1.5"/>"#,
                    x + 10.0
                ));
                let most = ((h / 13.5).floor().max(1.0)) as usize;
                let mut at = y + 14.0;
                for line in wrap(text, 11.0, w - 12.0, most) {
                    self.line_of_text(x + 8.0, at, 11.0, QUIET, "start", &line);
                    at += 13.5;
                }
                self.out.push_str("</g>");
            }
            ArtifactKind::Data => {
                self.put(format_args!(
                    r##"<g class="data"><path d="M{x:.1} {y:.1}h{:.1}l10 10v{:.1}h-{w:.1}zm{:.1} 0v10h10" fill="#ffffff" stroke="{LINE}" stroke-width="1.2"/>"##,
                    w - 10.0,
                    h - 10.0,
                    w - 10.0
                ));
                self.outside(b, None, text);
                self.out.push_str("</g>");
            }
            ArtifactKind::Group => self.put(format_args!(
                r#"<rect class="group" x="{x:.1}" y="{y:.1}" width="{w:.1}" height="{h:.1}" rx="10" fill="none" stroke="{PALE}" stroke-width="1.5" stroke-dasharray="8 4 2 4"/>"#
            )),
            ArtifactKind::Association => {}
        }
    }

    /// The frame of an open sub-process.
    pub fn frame(&mut self, b: &Bounds, node: &Node, mark: Mark) {
        let (line, _, thick, class) = look(mark);
        self.put(format_args!(
            r##"<g class="sub-process {class}"><rect x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}" rx="10" fill="#fafbfc" stroke="{line}" stroke-width="{thick}"/>"##,
            b.x, b.y, b.width, b.height
        ));
        let lines = wrap(node.label(self.lang), 12.0, b.width - 24.0, 1);
        self.out.push_str(r#"<g font-weight="600">"#);
        self.centred(b.middle().0, b.y + 15.0, 12.0, INK, &lines);
        self.out.push_str("</g>");
        self.badge(b, mark);
        self.out.push_str("</g>");
    }

    pub fn flow(&mut self, points: &[(f64, f64)], name: &str, label: Option<&Bounds>, default: bool, travelled: bool) {
        let (line, thick, class) = if travelled {
            (DONE, 2.2, "flow flow-done")
        } else {
            (LINE, 1.4, "flow")
        };
        self.put(format_args!(r#"<g class="{class}">"#));
        self.polyline(points, line, thick, "");
        self.arrow(points, line, line);
        if default && let [(ax, ay), (bx, by), ..] = points {
            let long = ((bx - ax).powi(2) + (by - ay).powi(2)).sqrt().max(1.0);
            let (ux, uy) = ((bx - ax) / long, (by - ay) / long);
            let (x, y) = (ax + ux * 10.0, ay + uy * 10.0);
            self.put(format_args!(
                r#"<path d="M{:.1} {:.1}L{:.1} {:.1}" stroke="{line}" stroke-width="1.6"/>"#,
                x - ux * 3.0 - uy * 5.0,
                y - uy * 3.0 + ux * 5.0,
                x + ux * 3.0 + uy * 5.0,
                y + uy * 3.0 - ux * 5.0
            ));
        }
        self.flow_label(points, name, label);
        self.out.push_str("</g>");
    }

    pub fn message_flow(&mut self, points: &[(f64, f64)], name: &str, label: Option<&Bounds>) {
        self.out.push_str(r#"<g class="message-flow">"#);
        self.polyline(points, MESSAGE, 1.4, r#" stroke-dasharray="6 4""#);
        self.arrow(points, MESSAGE, "#ffffff");
        if let Some((x, y)) = points.first() {
            self.put(format_args!(
                r##"<circle cx="{x:.1}" cy="{y:.1}" r="4" fill="#ffffff" stroke="{MESSAGE}" stroke-width="1.4"/>"##
            ));
        }
        self.flow_label(points, name, label);
        self.out.push_str("</g>");
    }

    pub fn association(&mut self, points: &[(f64, f64)]) {
        self.polyline(points, PALE, 1.3, r#" stroke-dasharray="2 4""#);
    }

    fn polyline(&mut self, points: &[(f64, f64)], line: &str, thick: f64, more: &str) {
        self.out.push_str(r#"<path d=""#);
        for (n, (x, y)) in points.iter().enumerate() {
            self.put(format_args!("{}{x:.1} {y:.1}", if n == 0 { "M" } else { "L" }));
        }
        self.put(format_args!(
            r#"" fill="none" stroke="{line}" stroke-width="{thick}" stroke-linejoin="round"{more}/>"#
        ));
    }

    fn arrow(&mut self, points: &[(f64, f64)], line: &str, fill: &str) {
        let [.., (ax, ay), (bx, by)] = points else { return };
        let long = ((bx - ax).powi(2) + (by - ay).powi(2)).sqrt();
        if long < 0.1 {
            return;
        }
        let (ux, uy) = ((bx - ax) / long, (by - ay) / long);
        let (x, y) = (bx - ux * 9.0, by - uy * 9.0);
        self.put(format_args!(
            r#"<path d="M{bx:.1} {by:.1}L{:.1} {:.1}L{:.1} {:.1}z" fill="{fill}" stroke="{line}" stroke-width="1"/>"#,
            x - uy * 4.5,
            y + ux * 4.5,
            x + uy * 4.5,
            y - ux * 4.5
        ));
    }

    fn flow_label(&mut self, points: &[(f64, f64)], name: &str, label: Option<&Bounds>) {
        if name.is_empty() {
            return;
        }
        if let Some(label) = label {
            let lines = wrap(name, 11.0, label.width.max(60.0) + 8.0, 3);
            return self.halo(label.middle().0, label.y, &lines);
        }
        let long = |(a, b): &(&(f64, f64), &(f64, f64))| (a.0 - b.0).abs() + (a.1 - b.1).abs();
        let pairs = points.iter().zip(points.iter().skip(1));
        // On the first stretch that has room, else on the longest.
        let Some((a, b)) = pairs
            .clone()
            .find(|p| long(p) > 50.0)
            .or_else(|| pairs.max_by(|p, q| long(p).total_cmp(&long(q))))
        else {
            return;
        };
        let (x, y) = ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0);
        let level = (a.1 - b.1).abs() < 1.0;
        let lines = wrap(name, 11.0, 100.0, 3);
        let tall = 13.5 * f64::from(u32::try_from(lines.len()).unwrap_or(1));
        self.halo(x, if level { y - tall - 4.0 } else { y - tall / 2.0 }, &lines);
    }

    pub fn node(&mut self, shape: &Shape, node: &Node, mark: Mark) {
        let (_, _, _, class) = look(mark);
        let label = escape(node.label(self.lang));
        self.put(format_args!(r#"<g class="{class}"><title>{label}</title>"#));
        match &node.kind {
            _ if node.is_activity() => self.task(shape, node, mark),
            NodeKind::Exclusive { .. } | NodeKind::Parallel | NodeKind::Inclusive { .. } | NodeKind::EventBased => {
                self.gateway(shape, node, mark);
            }
            _ => self.event(shape, node, mark),
        }
        self.out.push_str("</g>");
    }

    fn task(&mut self, shape: &Shape, node: &Node, mark: Mark) {
        let b = &shape.bounds;
        let (line, fill, thick, _) = look(mark);
        let call = matches!(node.kind, NodeKind::Call { .. });
        let thick = if call { thick + 1.5 } else { thick };
        self.put(format_args!(
            r#"<rect x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}" rx="8" fill="{fill}" stroke="{line}" stroke-width="{thick}"/>"#,
            b.x, b.y, b.width, b.height
        ));
        self.icon(b.x + 5.0, b.y + 5.0, &node.kind);
        let closed = node.inner().is_some();
        let note = match &node.kind {
            NodeKind::User(task) => task.budget.map(|t| t.display(self.lang)),
            _ => None,
        };
        let (x, mut y) = b.middle();
        let mut room = b.height - 16.0;
        // The icon takes the upper edge, the budget or the plus sign the lower.
        y += 4.0;
        if note.is_some() || closed {
            room -= 14.0;
            y -= 7.0;
        }
        let text = node.label(self.lang);
        let tight = |size: f64| (room / (size * 1.2)).floor().clamp(1.0, 6.0) as usize;
        let all = |size: f64| wrap(text, size, b.width - 12.0, tight(size));
        let (mut size, mut lines) = (12.0, all(12.0));
        if lines.last().is_some_and(|l| l.ends_with('…')) {
            (size, lines) = (10.5, all(10.5));
        }
        self.centred(x, y, size, INK, &lines);
        if let Some(note) = note {
            let note = wrap(&note, 10.0, b.width - 8.0, 1);
            self.centred(x, b.bottom() - 10.0, 10.0, QUIET, &note);
        }
        if closed {
            let (px, py) = (x - 6.0, b.bottom() - 16.0);
            self.put(format_args!(
                r##"<path d="M{px:.1} {py:.1}h12v12h-12zm6 2.5v7m-3.5 -3.5h7" fill="#ffffff" stroke="{LINE}" stroke-width="1.2"/>"##
            ));
        }
        self.badge(b, mark);
    }

    /// A small picture of the sort of task.
    fn icon(&mut self, x: f64, y: f64, kind: &NodeKind) {
        let strokes = |d: &str, fill: &str| {
            format!(
                r#"<path transform="translate({x:.1} {y:.1})" d="{d}" fill="{fill}" stroke="{QUIET}" stroke-width="1.1" stroke-linejoin="round"/>"#
            )
        };
        let envelope = "M0 1.5h14v9.5h-14zl7 5 7-5";
        let drawn = match kind {
            NodeKind::User(_) => strokes(
                "M7 6.4a3 3 0 1 0-.01 0zM1.2 13c0-3.4 2.4-5 5.8-5s5.8 1.6 5.8 5z",
                "#ffffff",
            ),
            NodeKind::Service { .. } => strokes(
                "M5.8 .6h2.4l.4 1.9 1.3.6 1.7-1 1.7 1.7-1 1.7.6 1.3 1.9.4v2.4l-1.9.4-.6 1.3 1 1.7-1.7 1.7-1.7-1-1.3.6-.4 1.9H5.8M7 5.4a2.2 2.2 0 1 0 .01 0zM5.8 .6l-.4 1.9-1.3.6-1.7-1L.7 3.8l1 1.7-.6 1.3-1.1.3v2.5l1.1.4.6 1.3-1 1.7 1.7 1.7 1.7-1 1.3.6.4 1.9",
                "none",
            ),
            NodeKind::Send(_) => strokes(envelope, "#b9c2d0"),
            NodeKind::Receive(_) => strokes(envelope, "#ffffff"),
            _ => return,
        };
        self.out.push_str(&drawn);
    }

    /// What tells a done or a current step apart without colour.
    fn badge(&mut self, b: &Bounds, mark: Mark) {
        match mark {
            Mark::None => {}
            Mark::Done => {
                let (x, y) = (b.right() - 4.0, b.y + 4.0);
                self.put(format_args!(
                    r##"<g class="badge-done"><circle cx="{x:.1}" cy="{y:.1}" r="9" fill="{DONE}" stroke="#ffffff" stroke-width="1.5"/><path d="M{:.1} {y:.1}l3 3.2 5.4-6" fill="none" stroke="#ffffff" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/></g>"##,
                    x - 4.0
                ));
            }
            Mark::Here => {
                let text = self.lang.t("Đang thực hiện", "In progress");
                let wide = width(text, 10.5) + 16.0;
                let (x, y) = (b.middle().0, b.y - 9.0);
                self.put(format_args!(
                    r#"<g class="badge-here" font-weight="600"><rect x="{:.1}" y="{y:.1}" width="{wide:.1}" height="17" rx="8.5" fill="{HERE}"/>"#,
                    x - wide / 2.0
                ));
                self.line_of_text(x, y + 12.2, 10.5, "#ffffff", "middle", text);
                self.out.push_str("</g>");
            }
        }
    }

    fn gateway(&mut self, shape: &Shape, node: &Node, mark: Mark) {
        let b = &shape.bounds;
        let (line, fill, thick, _) = look(mark);
        let (x, y) = b.middle();
        self.put(format_args!(
            r#"<path d="M{x:.1} {:.1}L{:.1} {y:.1}L{x:.1} {:.1}L{:.1} {y:.1}z" fill="{fill}" stroke="{line}" stroke-width="{thick}" stroke-linejoin="round"/>"#,
            b.y,
            b.right(),
            b.bottom(),
            b.x
        ));
        let r = b.width.min(b.height) * 0.18;
        match node.kind {
            NodeKind::Exclusive { .. } => self.put(format_args!(
                r#"<path d="M{:.1} {:.1}L{:.1} {:.1}M{:.1} {:.1}L{:.1} {:.1}" stroke="{line}" stroke-width="3"/>"#,
                x - r * 0.8,
                y - r,
                x + r * 0.8,
                y + r,
                x + r * 0.8,
                y - r,
                x - r * 0.8,
                y + r
            )),
            NodeKind::Parallel => self.put(format_args!(
                r#"<path d="M{x:.1} {:.1}v{:.1}M{:.1} {y:.1}h{:.1}" stroke="{line}" stroke-width="3"/>"#,
                y - r * 1.2,
                r * 2.4,
                x - r * 1.2,
                r * 2.4
            )),
            NodeKind::Inclusive { .. } => self.put(format_args!(
                r#"<circle cx="{x:.1}" cy="{y:.1}" r="{r:.1}" fill="none" stroke="{line}" stroke-width="2.6"/>"#
            )),
            _ => {
                self.put(format_args!(
                    r#"<circle cx="{x:.1}" cy="{y:.1}" r="{:.1}" fill="none" stroke="{line}"/><circle cx="{x:.1}" cy="{y:.1}" r="{:.1}" fill="none" stroke="{line}"/>"#,
                    r * 1.5,
                    r * 1.2
                ));
                self.pentagon(x, y, r * 0.8, line);
            }
        }
        self.outside(b, shape.label.as_ref(), node.name.get(self.lang));
    }

    fn pentagon(&mut self, x: f64, y: f64, r: f64, line: &str) {
        self.out.push_str(r#"<path d=""#);
        for corner in 0..5 {
            let angle = f64::from(corner) * std::f64::consts::TAU / 5.0 - std::f64::consts::FRAC_PI_2;
            let letter = if corner == 0 { "M" } else { "L" };
            self.put(format_args!(
                "{letter}{:.1} {:.1}",
                x + r * angle.cos(),
                y + r * angle.sin()
            ));
        }
        self.put(format_args!(r#"z" fill="none" stroke="{line}" stroke-width="1.2"/>"#));
    }

    fn event(&mut self, shape: &Shape, node: &Node, mark: Mark) {
        let b = &shape.bounds;
        let (mut line, mut fill, _, _) = look(mark);
        let (x, y) = b.middle();
        let r = b.width.min(b.height) / 2.0;
        let end = matches!(node.kind, NodeKind::End(_));
        if mark == Mark::None {
            (line, fill) = match node.kind {
                NodeKind::Start => (DONE, "#ffffff"),
                NodeKind::End(_) => ("#912018", "#ffffff"),
                _ => (LINE, "#ffffff"),
            };
        }
        let dash = if matches!(
            node.kind,
            NodeKind::Boundary {
                interrupting: false,
                ..
            }
        ) {
            r#" stroke-dasharray="5 3""#
        } else {
            ""
        };
        let thick = if end { 3.2 } else { 1.6 };
        self.put(format_args!(
            r#"<circle cx="{x:.1}" cy="{y:.1}" r="{r:.1}" fill="{fill}" stroke="{line}" stroke-width="{thick}"{dash}/>"#
        ));
        if !end && !matches!(node.kind, NodeKind::Start) {
            self.put(format_args!(
                r#"<circle cx="{x:.1}" cy="{y:.1}" r="{:.1}" fill="none" stroke="{line}" stroke-width="1.2"{dash}/>"#,
                r - 3.2
            ));
        }
        let s = r * 0.5;
        match &node.kind {
            NodeKind::Catch(Trigger::Timer(_))
            | NodeKind::Boundary {
                trigger: Trigger::Timer(_),
                ..
            } => {
                self.put(format_args!(
                    r#"<circle cx="{x:.1}" cy="{y:.1}" r="{:.1}" fill="none" stroke="{line}" stroke-width="1.2"/><path d="M{x:.1} {:.1}V{y:.1}l{:.1} {:.1}" fill="none" stroke="{line}" stroke-width="1.4" stroke-linecap="round"/>"#,
                    s * 1.15,
                    y - s * 0.85,
                    s * 0.6,
                    s * 0.2
                ));
            }
            NodeKind::Catch(Trigger::Message(_))
            | NodeKind::Boundary {
                trigger: Trigger::Message(_),
                ..
            } => {
                self.envelope(x, y, s, line, "#ffffff", line);
            }
            NodeKind::Throw { message: Some(_) } | NodeKind::End(EndKind::Message { .. }) => {
                self.envelope(x, y, s, line, line, "#ffffff");
            }
            NodeKind::End(EndKind::Error { .. })
            | NodeKind::Boundary {
                trigger: Trigger::Error { .. },
                ..
            } => {
                let filled = if end { line } else { "none" };
                self.put(format_args!(
                    r#"<path d="M{:.1} {:.1}l{:.1} -{:.1} {:.1} {:.1} {:.1} -{:.1} -{:.1} {:.1} -{:.1} -{:.1}z" fill="{filled}" stroke="{line}" stroke-width="1"/>"#,
                    x - s,
                    y + s,
                    s * 0.6,
                    s * 1.8,
                    s * 0.7,
                    s * 0.8,
                    s * 0.7,
                    s,
                    s * 0.7,
                    s * 2.0,
                    s * 0.6,
                    s * 0.7
                ));
            }
            NodeKind::End(EndKind::Terminate) => {
                self.put(format_args!(
                    r#"<circle cx="{x:.1}" cy="{y:.1}" r="{:.1}" fill="{line}"/>"#,
                    r * 0.6
                ));
            }
            _ => {}
        }
        let name = node.name.get(self.lang);
        let time = match &node.kind {
            NodeKind::Catch(Trigger::Timer(TimerRule::After(budget)))
            | NodeKind::Boundary {
                trigger: Trigger::Timer(TimerRule::After(budget)),
                ..
            } => Some(budget.display(self.lang)),
            _ => None,
        };
        let label = match time {
            Some(time) if name.is_empty() => time,
            _ => name.to_owned(),
        };
        self.outside(b, shape.label.as_ref(), &label);
        if mark == Mark::Here {
            self.badge(b, mark);
        }
    }

    fn envelope(&mut self, x: f64, y: f64, s: f64, line: &str, fill: &str, flap: &str) {
        let (left, top, w, h) = (x - s * 1.1, y - s * 0.75, s * 2.2, s * 1.5);
        self.put(format_args!(
            r#"<rect x="{left:.1}" y="{top:.1}" width="{w:.1}" height="{h:.1}" fill="{fill}" stroke="{line}" stroke-width="1.1"/><path d="M{left:.1} {top:.1}l{:.1} {:.1} {:.1} -{:.1}" fill="none" stroke="{flap}" stroke-width="1.1"/>"#,
            w / 2.0,
            h * 0.6,
            w / 2.0,
            h * 0.6
        ));
    }
}
