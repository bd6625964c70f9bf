//! A plain layered layout for a file without a diagram: columns by distance from the start, rows by branch.

use std::collections::{HashMap, HashSet};

use super::super::{
    diagram::{Bounds, Diagram, Edge, Shape, Shown},
    model::{FlowIx, NodeIx, NodeKind, Process, ScopeIx},
    outline::order,
};

const COLUMN: f64 = 170.0;
const ROW: f64 = 165.0;

/// Lays out the main process; sub-processes are closed boxes.
pub(super) fn layered(process: &Process) -> Diagram {
    let order = order(process, ScopeIx(0));
    let place: HashMap<NodeIx, usize> = order.iter().enumerate().map(|(n, ix)| (*ix, n)).collect();
    let forward = |from: &NodeIx, to: &NodeIx| place.get(from) < place.get(to);
    let mut cells: HashMap<NodeIx, (usize, usize)> = HashMap::new();
    let mut taken: HashSet<(usize, usize)> = HashSet::new();
    for ix in &order {
        let node = process.at(*ix);
        if matches!(node.kind, NodeKind::Boundary { .. }) {
            continue;
        }
        let before = node
            .incoming
            .iter()
            .map(|f| process.flow(*f).source)
            .filter(|s| forward(s, ix));
        let before: Vec<(usize, usize)> = before
            .filter_map(|s| match process.at(s).kind {
                NodeKind::Boundary { host, .. } => cells.get(&host).map(|(c, r)| (*c, r + 1)),
                _ => cells.get(&s).copied(),
            })
            .collect();
        let column = before.iter().map(|(c, _)| c + 1).max().unwrap_or(0);
        let mut row = before.iter().map(|(_, r)| *r).min().unwrap_or(0);
        while !taken.insert((column, row)) {
            row += 1;
        }
        cells.insert(*ix, (column, row));
    }
    let mut diagram = Diagram::default();
    let mut boxes: HashMap<NodeIx, Bounds> = HashMap::new();
    for ix in &order {
        let node = process.at(*ix);
        let (width, height) = match node.kind {
            _ if node.is_activity() => (130.0, 80.0),
            NodeKind::Exclusive { .. } | NodeKind::Parallel | NodeKind::Inclusive { .. } | NodeKind::EventBased => {
                (50.0, 50.0)
            }
            _ => (36.0, 36.0),
        };
        let bounds = match node.kind {
            NodeKind::Boundary { host, .. } => {
                let Some(host_box) = boxes.get(&host).copied() else {
                    continue;
                };
                let nth = process.at(host).boundary.iter().position(|b| b == ix).unwrap_or(0);
                let x = host_box.right() - 40.0 - 62.0 * f64::from(u32::try_from(nth.min(2)).unwrap_or(0));
                Bounds {
                    x,
                    y: host_box.bottom() - 18.0,
                    width,
                    height,
                }
            }
            _ => {
                let Some((column, row)) = cells.get(ix) else { continue };
                let at = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
                let (x, y) = (at(*column) * COLUMN + 80.0, at(*row) * ROW + 60.0);
                Bounds {
                    x: x - width / 2.0,
                    y: y - height / 2.0,
                    width,
                    height,
                }
            }
        };
        boxes.insert(*ix, bounds);
        // Events side by side on one border leave little room each.
        let label = matches!(node.kind, NodeKind::Boundary { .. }).then(|| Bounds {
            x: bounds.middle().0 - 29.0,
            y: bounds.bottom() + 3.0,
            width: 58.0,
            height: 28.0,
        });
        diagram.shapes.push(Shape {
            shown: Shown::Node(*ix),
            bounds,
            label,
            horizontal: true,
            expanded: false,
        });
    }
    for (n, flow) in process.flows.iter().enumerate() {
        let (Some(from), Some(to)) = (boxes.get(&flow.source), boxes.get(&flow.target)) else {
            continue;
        };
        let leaves_border = matches!(process.at(flow.source).kind, NodeKind::Boundary { .. });
        let points = route(from, to, leaves_border, forward(&flow.source, &flow.target));
        let flow = FlowIx(u32::try_from(n).unwrap_or(u32::MAX));
        diagram.edges.push(Edge {
            shown: Shown::Flow(flow),
            points,
            label: None,
        });
    }
    diagram
}

fn route(from: &Bounds, to: &Bounds, leaves_border: bool, forward: bool) -> Vec<(f64, f64)> {
    let ((fx, fy), (tx, ty)) = (from.middle(), to.middle());
    if leaves_border {
        return if forward && (ty - fy).abs() > 1.0 {
            vec![(fx, from.bottom()), (fx, ty), (to.x, ty)]
        } else {
            let below = from.bottom() + 24.0;
            vec![(fx, from.bottom()), (fx, below), (tx, below), (tx, to.bottom())]
        };
    }
    if !forward {
        // Loops run back above everything that stands between.
        let above = from.y.min(to.y) - 18.0;
        return vec![(fx, from.y), (fx, above), (tx, above), (tx, to.y)];
    }
    if (fy - ty).abs() < 1.0 {
        if tx - fx > COLUMN * 1.5 {
            let below = fy + ROW / 2.0 - 6.0;
            return vec![(fx, from.bottom()), (fx, below), (tx, below), (tx, to.bottom())];
        }
        return vec![(from.right(), fy), (to.x, ty)];
    }
    let corner = to.x - 20.0;
    vec![(from.right(), fy), (corner, fy), (corner, ty), (to.x, ty)]
}
