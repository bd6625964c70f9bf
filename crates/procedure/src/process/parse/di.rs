//! Reads the diagram. A diagram cannot make a process wrong: what does not fit is left out of the drawing.

use std::collections::HashMap;

use roxmltree::Node as Xml;

use super::{
    super::diagram::{Bounds, Diagram, Edge, Shape, Shown},
    children,
};

const BPMNDI: &str = "http://www.omg.org/spec/BPMN/20100524/DI";
/// Coordinates beyond this are no drawing.
const FARTHEST: f64 = 100_000.0;
/// The most corners of one line.
const MOST_POINTS: usize = 100;

/// The first plane that shows a whole process or a collaboration (further planes show the inside of collapsed
/// sub-processes). `None` when no step stands in it.
pub(super) fn read(root: Xml<'_, '_>, drawn: &HashMap<&str, Shown>) -> Option<Diagram> {
    let di =
        |xml: &Xml<'_, '_>, name: &str| xml.tag_name().namespace() == Some(BPMNDI) && xml.tag_name().name() == name;
    let planes = children(root)
        .filter(|e| di(e, "BPMNDiagram"))
        .flat_map(children)
        .filter(|e| di(e, "BPMNPlane"));
    let plane = planes.into_iter().find(|p| {
        !p.attribute("bpmnElement")
            .is_some_and(|of| matches!(drawn.get(of), Some(Shown::Node(_))))
    })?;
    let mut diagram = Diagram::default();
    for element in children(plane) {
        let Some(shown) = element.attribute("bpmnElement").and_then(|id| drawn.get(id)).copied() else {
            continue;
        };
        let label = children(element).find(|e| di(e, "BPMNLabel")).and_then(bounds);
        if di(&element, "BPMNShape") {
            if let Some(bounds) = bounds(element) {
                let flag = |key: &str| element.attribute(key) != Some("false");
                diagram.shapes.push(Shape {
                    shown,
                    bounds,
                    label,
                    horizontal: flag("isHorizontal"),
                    expanded: flag("isExpanded"),
                });
            }
        } else if di(&element, "BPMNEdge") {
            let points: Vec<(f64, f64)> = children(element)
                .filter(|e| e.tag_name().name() == "waypoint")
                .take(MOST_POINTS)
                .filter_map(|e| Some((coordinate(e, "x")?, coordinate(e, "y")?)))
                .collect();
            if points.len() >= 2 {
                diagram.edges.push(Edge { shown, points, label });
            }
        }
    }
    diagram
        .shapes
        .iter()
        .any(|s| matches!(s.shown, Shown::Node(_)))
        .then_some(diagram)
}

fn coordinate(xml: Xml<'_, '_>, key: &str) -> Option<f64> {
    let value: f64 = xml.attribute(key)?.trim().parse().ok()?;
    (value.is_finite() && value.abs() <= FARTHEST).then_some(value)
}

fn bounds(xml: Xml<'_, '_>) -> Option<Bounds> {
    let element = children(xml).find(|e| e.tag_name().name() == "Bounds")?;
    let get = |key| coordinate(element, key);
    let (x, y, width, height) = (get("x")?, get("y")?, get("width")?, get("height")?);
    (width > 0.0 && height > 0.0).then_some(Bounds { x, y, width, height })
}
