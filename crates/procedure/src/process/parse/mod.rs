//! Reads a BPMN 2.0 file into a [`Process`]. The file is hostile until proven otherwise: its size, depth and counts
//! are bounded, a DOCTYPE is refused, and every fault is found before any of it is used.

mod di;
mod guard;
mod illustration;
mod nodes;

use std::collections::{HashMap, HashSet};

use base::Text;
use roxmltree::{Document, Node as Xml, ParsingOptions};

use super::{
    finding::{Finding, Findings, Position},
    game::InclusiveJoin,
    model::{Flow, FlowIx, Node, NodeIx, NodeKind, Process, Scope, ScopeIx},
};
use guard::Lines;

/// The namespace of BPMN 2.0 models.
pub const BPMN: &str = "http://www.omg.org/spec/BPMN/20100524/MODEL";
/// The namespace of this platform's attributes and extension elements, by custom with the prefix `mc`.
pub const MC: &str = "https://motcua.gov.example/bpmn/1";

/// The most flow nodes in one file.
const MOST_NODES: usize = 2_000;
/// The most sequence flows in one file.
const MOST_FLOWS: usize = 4_000;
/// The most XML nodes in one file.
const MOST_XML_NODES: u32 = 100_000;
/// The longest label, in characters.
const MOST_NAME: usize = 500;
/// The longest expression, in characters.
const MOST_EXPRESSION: usize = 4_000;
/// The longest id, in bytes.
const MOST_ID: usize = 100;

impl Process {
    /// Reads a BPMN 2.0 file of the platform's profile. The main process is the executable one that no call activity
    /// calls; further processes in the file are there to be called.
    ///
    /// # Errors
    /// Every fault of the file at once: not XML, too large, elements outside the profile, references that lead
    /// nowhere, malformed budgets, outcomes or fields. What a well-formed file gets wrong as a process is for
    /// [`check`](super::check) to say; [`examine`](super::examine) says both.
    pub fn parse(xml: &str) -> Result<Self, Vec<Finding>> {
        let (process, findings) = read(xml);
        match process {
            Some(process) if !findings.any_error() => Ok(process),
            _ => Err(findings.0),
        }
    }
}

/// Reads as much as can be read. With an error among the findings the process is good for looking for more errors,
/// and for nothing else.
pub(super) fn read(xml: &str) -> (Option<Process>, Findings) {
    let mut findings = Findings::default();
    let nowhere = Position::default();
    if xml.len() > guard::MOST_BYTES {
        findings.error(
            "too-large",
            "",
            nowhere,
            "Tệp quy trình lớn hơn 2 MB.",
            "The process file is larger than 2 MB.",
        );
        return (None, findings);
    }
    let lines = Lines::of(xml);
    if !guard::admit(xml, &lines, &mut findings) {
        return (None, findings);
    }
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MOST_XML_NODES,
        ..ParsingOptions::default()
    };
    let document = match Document::parse_with_options(xml, options) {
        Ok(document) => document,
        Err(error) => {
            let at = error.pos();
            findings.error(
                "not-xml",
                "",
                Position {
                    line: at.row,
                    column: at.col,
                },
                format!("Tệp không phải là XML hợp lệ ({error})."),
                format!("The file is not well-formed XML ({error})."),
            );
            return (None, findings);
        }
    };
    let root = document.root_element();
    if !is(root, "definitions") {
        findings.error(
            "not-bpmn",
            "",
            lines.position(root.range().start),
            "Phần tử gốc phải là bpmn:definitions của BPMN 2.0.",
            "The root element must be bpmn:definitions of BPMN 2.0.",
        );
        return (None, findings);
    }
    let mut reader = Reader {
        lines: &lines,
        findings,
        ids: HashSet::new(),
        messages: HashMap::new(),
        errors: HashMap::new(),
        process: Process {
            id: String::new(),
            name: Text::default(),
            nodes: Vec::new(),
            flows: Vec::new(),
            scopes: Vec::new(),
            lanes: Vec::new(),
            pools: Vec::new(),
            message_flows: Vec::new(),
            artifacts: Vec::new(),
            diagram: None,
            by_id: HashMap::new(),
            flow_by_id: HashMap::new(),
            joins: Vec::new(),
        },
        links: Vec::new(),
        drawn: HashMap::new(),
        full: false,
    };
    let usable = reader.definitions(root);
    let Reader {
        findings, mut process, ..
    } = reader;
    if !usable {
        return (None, findings);
    }
    process.joins = InclusiveJoin::all(&process);
    (Some(process), findings)
}

/// A reference from a node that can be followed only when all nodes are known.
struct Link<'x> {
    node: NodeIx,
    at: Position,
    default: Option<&'x str>,
    host: Option<&'x str>,
    called: Option<&'x str>,
}

struct Reader<'x, 'l> {
    lines: &'l Lines<'l>,
    findings: Findings,
    ids: HashSet<&'x str>,
    messages: HashMap<&'x str, &'x str>,
    errors: HashMap<&'x str, &'x str>,
    process: Process,
    links: Vec<Link<'x>>,
    drawn: HashMap<&'x str, super::diagram::Shown>,
    full: bool,
}

fn is(xml: Xml<'_, '_>, name: &str) -> bool {
    xml.tag_name().namespace() == Some(BPMN) && xml.tag_name().name() == name
}

fn children<'a, 'x>(xml: Xml<'a, 'x>) -> impl Iterator<Item = Xml<'a, 'x>> {
    xml.children().filter(Xml::is_element)
}

fn child<'a, 'x>(xml: Xml<'a, 'x>, name: &str) -> Option<Xml<'a, 'x>> {
    children(xml).find(|c| is(*c, name))
}

/// An id short enough to be shown.
fn short(id: &str) -> &str {
    id.char_indices().nth(MOST_ID).map_or(id, |(end, _)| &id[..end])
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl<'x> Reader<'x, '_> {
    fn position(&self, xml: Xml<'_, '_>) -> Position {
        self.lines.position(xml.range().start)
    }

    fn definitions(&mut self, root: Xml<'x, 'x>) -> bool {
        for element in children(root) {
            let named = |key: &str| element.attribute(key).unwrap_or_default();
            if is(element, "message") {
                self.messages.insert(named("id"), named("name"));
            } else if is(element, "error") {
                self.errors.insert(named("id"), named("errorCode"));
            }
        }
        let processes: Vec<Xml<'x, 'x>> = children(root).filter(|e| is(*e, "process")).collect();
        let called: HashSet<&str> = root
            .descendants()
            .filter(|e| is(*e, "callActivity"))
            .filter_map(|e| e.attribute("calledElement"))
            .collect();
        let executable = |p: &&Xml<'_, '_>| p.attribute("isExecutable") == Some("true");
        let main = processes
            .iter()
            .filter(executable)
            .find(|p| !p.attribute("id").is_some_and(|id| called.contains(id)))
            .or_else(|| processes.iter().find(executable))
            .copied();
        let Some(main) = main else {
            let at = self.position(root);
            self.findings.error(
                "no-process",
                "",
                at,
                "Tệp không có quy trình nào thực thi được (bpmn:process với isExecutable=\"true\").",
                "The file has no executable process (bpmn:process with isExecutable=\"true\").",
            );
            return false;
        };
        self.process.id = main.attribute("id").unwrap_or_default().to_owned();
        self.process.name = self.name_of(main);
        let mut inside = Vec::new();
        for element in std::iter::once(main).chain(processes.iter().copied().filter(|p| *p != main)) {
            let scope = self.new_scope(element);
            inside.push((element, scope));
        }
        for (element, scope) in &inside {
            self.scope_contents(*element, *scope, &mut Vec::new());
        }
        if self.full {
            return false;
        }
        self.sequence_flows(&inside);
        self.follow_links();
        self.refuse_recursion();
        for (element, _) in &inside {
            self.lanes_and_artifacts(*element);
        }
        for element in children(root).filter(|e| is(*e, "collaboration")) {
            self.collaboration(element);
        }
        self.process.diagram = di::read(root, &self.drawn);
        true
    }

    /// The id of an element: present, well-formed and the only one of its name. An unusable id is reported and
    /// stands in for itself as well as it can.
    fn id_of(&mut self, xml: Xml<'x, 'x>) -> &'x str {
        let at = self.position(xml);
        let what = xml.tag_name().name();
        let Some(id) = xml.attribute("id").map(str::trim).filter(|id| !id.is_empty()) else {
            self.findings.error(
                "no-id",
                "",
                at,
                format!("Phần tử {what} không có thuộc tính id."),
                format!("The {what} element has no id."),
            );
            return "";
        };
        let mut letters = id.chars();
        let first = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        if !first || !letters.all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c)) || id.len() > MOST_ID {
            self.findings.error(
                "bad-id",
                short(id),
                at,
                format!("Mã (id) của phần tử {what} chỉ được gồm chữ cái không dấu, chữ số, dấu “_”, “-”, “.”, bắt đầu bằng chữ cái, dài không quá {MOST_ID} ký tự."),
                format!("The id of this {what} may hold only unaccented letters, digits, “_”, “-” and “.”, must begin with a letter and be at most {MOST_ID} characters long."),
            );
        }
        if !self.ids.insert(id) {
            self.findings.error(
                "duplicate-id",
                id,
                at,
                format!("Mã “{id}” được dùng cho nhiều phần tử."),
                format!("The id “{id}” is used for more than one element."),
            );
        }
        id
    }

    fn name_of(&mut self, xml: Xml<'x, 'x>) -> Text {
        Text {
            vi: self.label(xml, xml.attribute("name")),
            en: self.label(xml, xml.attribute((MC, "name-en"))),
        }
    }

    /// A label with its white space made single, within bounds.
    fn label(&mut self, xml: Xml<'x, 'x>, text: Option<&str>) -> String {
        self.bounded(xml, text, MOST_NAME)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn bounded<'t>(&mut self, xml: Xml<'x, 'x>, text: Option<&'t str>, most: usize) -> &'t str {
        let text = text.unwrap_or_default();
        match text.char_indices().nth(most) {
            None => text,
            Some((end, _)) => {
                let at = self.position(xml);
                self.findings.error(
                    "text-too-long",
                    short(xml.attribute("id").unwrap_or_default()),
                    at,
                    format!("Văn bản ở đây dài hơn {most} ký tự."),
                    format!("A text here is longer than {most} characters."),
                );
                &text[..end]
            }
        }
    }

    fn new_scope(&mut self, xml: Xml<'x, 'x>) -> ScopeIx {
        let ix = ScopeIx(number(self.process.scopes.len()));
        // The id of a sub-process was taken when its node was read.
        let id = if is(xml, "process") {
            self.id_of(xml)
        } else {
            xml.attribute("id").unwrap_or_default()
        };
        let (name, at) = (self.name_of(xml), self.position(xml));
        self.process.scopes.push(Scope {
            id: id.to_owned(),
            name,
            starts: Vec::new(),
            nodes: Vec::new(),
            at,
        });
        ix
    }

    fn scope_contents(&mut self, xml: Xml<'x, 'x>, scope: ScopeIx, inside: &mut Vec<(Xml<'x, 'x>, ScopeIx)>) {
        for element in children(xml).filter(|e| e.tag_name().namespace() == Some(BPMN)) {
            let name = element.tag_name().name();
            match name {
                "sequenceFlow"
                | "extensionElements"
                | "documentation"
                | "laneSet"
                | "textAnnotation"
                | "association"
                | "group"
                | "dataObject"
                | "dataObjectReference"
                | "dataStoreReference"
                | "property"
                | "incoming"
                | "outgoing"
                | "auditing"
                | "monitoring"
                | "ioSpecification"
                | "supportedInterfaceRef" => {}
                _ if self.process.nodes.len() >= MOST_NODES => {
                    if !self.full {
                        let at = self.position(element);
                        self.findings.error(
                            "too-many-nodes",
                            "",
                            at,
                            format!("Quy trình có hơn {MOST_NODES} phần tử."),
                            format!("The process has more than {MOST_NODES} elements."),
                        );
                    }
                    self.full = true;
                    return;
                }
                _ => self.flow_node(element, scope, inside),
            }
        }
    }

    fn sequence_flows(&mut self, roots: &[(Xml<'x, 'x>, ScopeIx)]) {
        let flows = roots
            .iter()
            .flat_map(|(root, _)| root.descendants().filter(|e| is(*e, "sequenceFlow")));
        for element in flows.collect::<Vec<_>>() {
            let at = self.position(element);
            if self.process.flows.len() >= MOST_FLOWS {
                self.findings.error(
                    "too-many-flows",
                    "",
                    at,
                    format!("Quy trình có hơn {MOST_FLOWS} đường nối."),
                    format!("The process has more than {MOST_FLOWS} sequence flows."),
                );
                return;
            }
            let id = self.id_of(element);
            let mut end = |key: &str| -> Option<NodeIx> {
                let wanted = element.attribute(key).unwrap_or_default();
                let found = self.process.by_id.get(wanted).copied();
                if found.is_none() {
                    self.findings.error(
                        "flow-nowhere",
                        id,
                        at,
                        format!("Đường nối “{id}”: {key} trỏ đến “{wanted}”, không phải là phần tử nào của quy trình."),
                        format!("Sequence flow “{id}”: its {key} “{wanted}” is no element of the process."),
                    );
                }
                found
            };
            let (source, target) = (end("sourceRef"), end("targetRef"));
            let (Some(source), Some(target)) = (source, target) else {
                continue;
            };
            if self.process.at(source).scope != self.process.at(target).scope {
                self.findings.error(
                    "flow-crosses",
                    id,
                    at,
                    format!("Đường nối “{id}” đi qua ranh giới của quy trình con; chỉ được nối trong cùng một cấp."),
                    format!("Sequence flow “{id}” crosses the border of a sub-process; it must stay on one level."),
                );
                continue;
            }
            let condition = child(element, "conditionExpression").map(|c| {
                let text = c.text();
                self.bounded(element, text, MOST_EXPRESSION).trim().to_owned()
            });
            let name = self.name_of(element);
            let ix = FlowIx(number(self.process.flows.len()));
            let condition = condition.filter(|c| !c.is_empty());
            self.process.flows.push(Flow {
                id: id.to_owned(),
                name,
                source,
                target,
                condition,
                at,
            });
            self.process.flow_by_id.insert(id.to_owned(), ix);
            self.drawn.insert(id, super::diagram::Shown::Flow(ix));
            self.process.nodes[source.0 as usize].outgoing.push(ix);
            self.process.nodes[target.0 as usize].incoming.push(ix);
        }
    }

    fn follow_links(&mut self) {
        for link in std::mem::take(&mut self.links) {
            let id = self.process.at(link.node).id.clone();
            if let Some(wanted) = link.default {
                let found = self.process.flow_by_id.get(wanted).copied();
                let found = found.filter(|f| self.process.flow(*f).source == link.node);
                if found.is_none() {
                    self.findings.error(
                        "default-nowhere",
                        &id,
                        link.at,
                        format!("Nhánh mặc định “{wanted}” không phải là đường nối đi ra từ “{id}”."),
                        format!("The default “{wanted}” is not a sequence flow out of “{id}”."),
                    );
                }
                if let NodeKind::Exclusive { default } | NodeKind::Inclusive { default } =
                    &mut self.process.nodes[link.node.0 as usize].kind
                {
                    *default = found;
                }
            }
            if let Some(wanted) = link.host {
                let found = self.process.by_id.get(wanted).copied().filter(|h| {
                    let host = self.process.at(*h);
                    host.is_activity() && host.scope == self.process.at(link.node).scope
                });
                match found {
                    Some(found) => {
                        if let NodeKind::Boundary { host, .. } = &mut self.process.nodes[link.node.0 as usize].kind {
                            *host = found;
                        }
                        self.process.nodes[found.0 as usize].boundary.push(link.node);
                    }
                    None => self.findings.error(
                        "boundary-nowhere",
                        &id,
                        link.at,
                        format!("Sự kiện biên “{id}” phải gắn vào một công việc cùng cấp; “{wanted}” không phải là công việc như vậy."),
                        format!("Boundary event “{id}” must be attached to an activity of its own level; “{wanted}” is none."),
                    ),
                }
            }
            if let Some(wanted) = link.called {
                let found = self
                    .process
                    .scopes
                    .iter()
                    .position(|s| s.id == wanted && self.is_process(wanted));
                if found.is_none() {
                    self.findings.error(
                        "call-nowhere",
                        &id,
                        link.at,
                        format!("“{id}” gọi quy trình “{wanted}”, nhưng trong tệp không có quy trình này."),
                        format!("“{id}” calls the process “{wanted}”, which is not in this file."),
                    );
                }
                if let NodeKind::Call { scope, .. } = &mut self.process.nodes[link.node.0 as usize].kind {
                    *scope = found.map(|ix| ScopeIx(number(ix)));
                }
            }
        }
    }

    fn is_process(&self, id: &str) -> bool {
        !self.process.by_id.contains_key(id)
    }

    /// A process that calls itself, however far around, would never end: such calls are cut and reported.
    fn refuse_recursion(&mut self) {
        let calls: Vec<(NodeIx, ScopeIx, ScopeIx)> = (0..number(self.process.nodes.len()))
            .filter_map(|ix| {
                let node = self.process.at(NodeIx(ix));
                node.inner().map(|inner| (NodeIx(ix), node.scope, inner))
            })
            .collect();
        let mut inside: HashMap<ScopeIx, Vec<ScopeIx>> = HashMap::new();
        for (_, from, to) in &calls {
            inside.entry(*from).or_default().push(*to);
        }
        for (ix, from, to) in calls {
            let (mut seen, mut queue) = (HashSet::new(), vec![to]);
            while let Some(scope) = queue.pop() {
                if seen.insert(scope) {
                    queue.extend(inside.get(&scope).into_iter().flatten());
                }
            }
            if !seen.contains(&from) {
                continue;
            }
            let (id, at) = (self.process.at(ix).id.clone(), self.process.at(ix).at);
            if let NodeKind::Call { scope, called } = &mut self.process.nodes[ix.0 as usize].kind {
                *scope = None;
                let called = called.clone();
                self.findings.error(
                    "recursive-call",
                    &id,
                    at,
                    format!(
                        "“{id}” gọi quy trình “{called}”, quy trình này lại gọi vòng trở về; sẽ không bao giờ kết thúc."
                    ),
                    format!(
                        "“{id}” calls the process “{called}”, which in turn calls back here; that would never end."
                    ),
                );
            }
        }
    }

    fn push_node(&mut self, id: &'x str, name: Text, kind: NodeKind, scope: ScopeIx, at: Position) -> NodeIx {
        let ix = NodeIx(number(self.process.nodes.len()));
        self.process.nodes.push(Node {
            id: id.to_owned(),
            name,
            kind,
            scope,
            incoming: Vec::new(),
            outgoing: Vec::new(),
            boundary: Vec::new(),
            at,
        });
        if !id.is_empty() {
            self.process.by_id.entry(id.to_owned()).or_insert(ix);
            self.drawn.entry(id).or_insert(super::diagram::Shown::Node(ix));
        }
        self.process.scopes[scope.0 as usize].nodes.push(ix);
        ix
    }
}
