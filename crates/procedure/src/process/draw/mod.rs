//! The drawing of a process, from the file's own diagram. No style attribute, no script, no reference to anything
//! outside: presentation attributes and class names only, so that a strict content security policy holds and a theme
//! can restyle it.

mod layout;
mod shapes;
mod text;

use std::fmt::Write as _;

use base::{Lang, xml::escape};

use super::{
    diagram::{Bounds, Diagram, Shown},
    model::{NodeKind, Process},
};

/// How to draw.
#[derive(Debug, Clone, Copy)]
pub struct DrawOptions<'a> {
    /// The language of labels.
    pub lang: Lang,
    /// Ids of nodes where the dossier stands; see [`super::Instance::where_now`].
    pub here: &'a [String],
    /// Ids of nodes that were passed.
    pub done: &'a [String],
    /// Begins the ids in the SVG, so that two drawings can stand on one page. Letters, digits and dashes.
    pub prefix: &'a str,
}

impl<'a> DrawOptions<'a> {
    /// A drawing of the process alone, without a dossier in it.
    pub const fn plain(lang: Lang) -> Self {
        Self {
            lang,
            here: &[],
            done: &[],
            prefix: "process",
        }
    }

    /// A drawing with where a dossier stands.
    pub fn of(lang: Lang, now: &'a super::WhereNow) -> Self {
        Self {
            lang,
            here: &now.active,
            done: &now.done,
            prefix: "process",
        }
    }
}

/// An SVG document fragment: `role="img"` with a title and a description that says where the dossier stands. Scales by
/// its `viewBox`; `width` and `height` are its natural size. Put [`super::outline`] beside it: a picture of a whole
/// process is not readable on a small screen or by ear.
pub fn draw(process: &Process, options: &DrawOptions<'_>) -> String {
    let made;
    let diagram = match &process.diagram {
        Some(diagram) => diagram,
        None => {
            made = layout::layered(process);
            &made
        }
    };
    let extent = diagram.extent().unwrap_or(Bounds {
        x: 0.0,
        y: 0.0,
        width: 100.0,
        height: 100.0,
    });
    // Labels under events and the mark of the current step reach beyond the shapes.
    let (left, top) = (extent.x - 40.0, extent.y - 26.0);
    let (width, height) = (extent.width + 80.0, extent.height + 70.0);
    let prefix: String = options
        .prefix
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_')
        .collect();
    let mut pen = shapes::Pen {
        out: String::new(),
        lang: options.lang,
    };
    let _ = write!(
        pen.out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" class="bpmn" role="img" aria-labelledby="{prefix}-title {prefix}-desc" viewBox="{left:.0} {top:.0} {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}" font-family="'Be Vietnam Pro', 'Public Sans', 'Noto Sans', 'Liberation Sans', Arial, sans-serif"><title id="{prefix}-title">{}</title><desc id="{prefix}-desc">{}</desc>"#,
        escape(&title(process, options.lang)),
        escape(&description(process, options)),
    );
    layers(process, diagram, options, &mut pen);
    pen.out.push_str("</svg>");
    pen.out
}

fn title(process: &Process, lang: Lang) -> String {
    let name = process.name.get(lang);
    let name = if name.is_empty() { &process.id } else { name };
    format!("{}: {name}", lang.t("Sơ đồ quy trình", "Process diagram"))
}

fn description(process: &Process, options: &DrawOptions<'_>) -> String {
    let lang = options.lang;
    let labels = |ids: &[String]| {
        let shown = |id: &String| {
            process
                .node(id)
                .filter(|n| n.is_activity())
                .map(|n| n.label(lang).to_owned())
        };
        ids.iter().filter_map(shown).collect::<Vec<_>>().join("; ")
    };
    let count = process.tasks().count();
    let mut text = match lang {
        Lang::Vi => format!("Quy trình có {count} bước do cán bộ, công chức thực hiện."),
        Lang::En => format!("The process has {count} steps that officers carry out."),
    };
    let (done, here) = (labels(options.done), labels(options.here));
    if !done.is_empty() {
        let _ = write!(text, " {}: {done}.", lang.t("Đã thực hiện", "Done"));
    }
    if !here.is_empty() {
        let _ = write!(text, " {}: {here}.", lang.t("Đang thực hiện", "In progress"));
    }
    text
}

fn layers(process: &Process, diagram: &Diagram, options: &DrawOptions<'_>, pen: &mut shapes::Pen) {
    let lang = options.lang;
    for shape in &diagram.shapes {
        match shape.shown {
            Shown::Pool(ix) => {
                let name = process.pools.get(ix as usize).map_or("", |p| p.name.get(lang));
                pen.band(&shape.bounds, name, shape.horizontal, true);
            }
            Shown::Lane(ix) => {
                let name = process.lanes.get(ix as usize).map_or("", |l| l.name.get(lang));
                pen.band(&shape.bounds, name, shape.horizontal, false);
            }
            _ => {}
        }
    }
    for shape in &diagram.shapes {
        if let Shown::Artifact(ix) = shape.shown
            && let Some(artifact) = process.artifacts.get(ix as usize)
        {
            pen.artifact(&shape.bounds, artifact.kind, artifact.text.get(lang));
        }
    }
    let nodes = || {
        diagram.shapes.iter().filter_map(|s| match s.shown {
            Shown::Node(ix) => Some((s, process.at(ix))),
            _ => None,
        })
    };
    let inside = |shape: &super::diagram::Shape| shape.expanded;
    for (shape, node) in nodes().filter(|(s, n)| inside(s) && matches!(n.kind, NodeKind::SubProcess { .. })) {
        pen.frame(&shape.bounds, node, mark(process, diagram, &node.id, options));
    }
    for edge in &diagram.edges {
        match edge.shown {
            Shown::Flow(ix) => {
                let flow = process.flow(ix);
                let default = matches!(&process.at(flow.source).kind,
                    NodeKind::Exclusive { default } | NodeKind::Inclusive { default } if *default == Some(ix));
                let passed = |id: &String| options.done.contains(id);
                let target = &process.at(flow.target).id;
                let travelled =
                    passed(&process.at(flow.source).id) && (passed(target) || options.here.contains(target));
                pen.flow(
                    &edge.points,
                    flow.name.get(lang),
                    edge.label.as_ref(),
                    default,
                    travelled,
                );
            }
            Shown::Message(ix) => {
                let name = process.message_flows.get(ix as usize).map_or("", |m| m.name.get(lang));
                pen.message_flow(&edge.points, name, edge.label.as_ref());
            }
            Shown::Artifact(_) => pen.association(&edge.points),
            _ => {}
        }
    }
    let framed = |s: &super::diagram::Shape, k: &NodeKind| s.expanded && matches!(k, NodeKind::SubProcess { .. });
    let on_border = |k: &NodeKind| matches!(k, NodeKind::Boundary { .. });
    for border in [false, true] {
        for (shape, node) in nodes().filter(|(s, n)| on_border(&n.kind) == border && !framed(s, &n.kind)) {
            pen.node(shape, node, mark(process, diagram, &node.id, options));
        }
    }
}

/// How a node is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    None,
    Done,
    Here,
}

fn mark(process: &Process, diagram: &Diagram, id: &String, options: &DrawOptions<'_>) -> Mark {
    let node = process.node(id);
    // A closed box is where the dossier is when something inside it is.
    let hidden_inside = |scope| {
        options
            .here
            .iter()
            .filter_map(|h| process.by_id.get(h))
            .any(|ix| process.at(*ix).scope == scope && diagram.shape(*ix).is_none())
    };
    if options.here.contains(id) || node.and_then(|n| n.inner()).is_some_and(hidden_inside) {
        Mark::Here
    } else if options.done.contains(id) {
        Mark::Done
    } else {
        Mark::None
    }
}
