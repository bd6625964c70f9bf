//! The diagram as the file holds it (BPMN DI): where each thing stands, in the file's own coordinates.

use serde::Serialize;

use super::model::{FlowIx, NodeIx};

/// What a shape or an edge of the diagram shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// A step, event or gateway.
    Node(NodeIx),
    /// A sequence flow.
    Flow(FlowIx),
    /// A lane, by its place in the process.
    Lane(u32),
    /// A pool, by its place in the process.
    Pool(u32),
    /// A message flow, by its place in the process.
    Message(u32),
    /// A note or a data object, by its place in the process.
    Artifact(u32),
}

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bounds {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width, positive.
    pub width: f64,
    /// Height, positive.
    pub height: f64,
}

impl Bounds {
    pub(super) fn right(&self) -> f64 {
        self.x + self.width
    }

    pub(super) fn bottom(&self) -> f64 {
        self.y + self.height
    }

    pub(super) fn middle(&self) -> (f64, f64) {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }
}

/// A shape.
#[derive(Debug, Clone, Serialize)]
pub struct Shape {
    /// What it shows.
    pub shown: Shown,
    /// Where.
    pub bounds: Bounds,
    /// Where its label stands, if the file says so.
    pub label: Option<Bounds>,
    /// Pools and lanes: whether they lie on their side.
    pub horizontal: bool,
    /// Sub-processes: whether the inside is drawn here.
    pub expanded: bool,
}

/// A line.
#[derive(Debug, Clone, Serialize)]
pub struct Edge {
    /// What it shows.
    pub shown: Shown,
    /// Its corners; at least two.
    pub points: Vec<(f64, f64)>,
    /// Where its label stands, if the file says so.
    pub label: Option<Bounds>,
}

/// The picture of a process.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Diagram {
    /// Shapes, in the order of the file.
    pub shapes: Vec<Shape>,
    /// Lines, in the order of the file.
    pub edges: Vec<Edge>,
}

impl Diagram {
    /// The shape of a node.
    pub fn shape(&self, node: NodeIx) -> Option<&Shape> {
        self.shapes.iter().find(|s| s.shown == Shown::Node(node))
    }

    /// The rectangle around everything; `None` when there is nothing.
    pub fn extent(&self) -> Option<Bounds> {
        let boxes = self.shapes.iter().flat_map(|s| [Some(s.bounds), s.label]).flatten();
        let boxes = boxes.chain(self.edges.iter().filter_map(|e| e.label));
        let corners = boxes.flat_map(|b| [(b.x, b.y), (b.right(), b.bottom())]);
        let corners = corners.chain(self.edges.iter().flat_map(|e| e.points.iter().copied()));
        let (mut low, mut high) = ((f64::MAX, f64::MAX), (f64::MIN, f64::MIN));
        for (x, y) in corners {
            low = (low.0.min(x), low.1.min(y));
            high = (high.0.max(x), high.1.max(y));
        }
        (low.0 <= high.0).then_some(Bounds {
            x: low.0,
            y: low.1,
            width: high.0 - low.0,
            height: high.1 - low.1,
        })
    }
}
