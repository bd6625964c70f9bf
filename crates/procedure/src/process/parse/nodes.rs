//! Reads one flow node with everything that the profile knows about it.

use std::collections::HashSet;

use base::Text;
use roxmltree::Node as Xml;

use super::{
    super::{
        budget::TimeBudget,
        finding::Position,
        model::{
            Awaited, EndKind, FieldKind, FieldOption, NodeIx, NodeKind, Outcome, OutcomeEffect, ScopeIx, SendTask,
            Silence, TaskField, TaskKind, TimerRule, Trigger, UserTask,
        },
    },
    BPMN, Link, MC, MOST_EXPRESSION, Reader, child, children, is, short,
};

/// The most outcomes, fields or options in one list.
const MOST_LISTED: usize = 50;

/// What an event definition says, before it is known whether it may stand there.
enum Definition {
    None,
    Timer(TimerRule),
    Message(Awaited),
    Error(Option<String>),
    Terminate,
    Unsupported,
}

impl<'x> Reader<'x, '_> {
    pub(super) fn flow_node(&mut self, xml: Xml<'x, 'x>, scope: ScopeIx, inside: &mut Vec<(Xml<'x, 'x>, ScopeIx)>) {
        let tag = xml.tag_name().name();
        let at = self.position(xml);
        let id = self.id_of(xml);
        let name = self.name_of(xml);
        for part in children(xml).filter(|c| c.tag_name().namespace() == Some(BPMN)) {
            let part = part.tag_name().name();
            if part.ends_with("LoopCharacteristics") {
                self.unsupported(id, at, &format!("{tag}/{part}"));
            }
        }
        if xml.attribute("isForCompensation") == Some("true") {
            self.unsupported(id, at, "isForCompensation");
        }
        let mut link = Link {
            node: NodeIx(0),
            at,
            default: xml.attribute("default"),
            host: None,
            called: None,
        };
        let kind = match tag {
            "startEvent" => match self.definition(xml, id, at) {
                Definition::None => NodeKind::Start,
                _ => {
                    self.unsupported(id, at, "startEvent/eventDefinition");
                    NodeKind::Start
                }
            },
            "endEvent" => NodeKind::End(match self.definition(xml, id, at) {
                Definition::None => EndKind::Plain,
                Definition::Terminate => EndKind::Terminate,
                Definition::Error(code) => EndKind::Error { code },
                Definition::Message(awaited) => EndKind::Message {
                    message: awaited.message,
                },
                Definition::Timer(_) | Definition::Unsupported => {
                    self.unsupported(id, at, "endEvent/eventDefinition");
                    EndKind::Plain
                }
            }),
            "userTask" => NodeKind::User(self.user_task(xml, id, at)),
            "serviceTask" => NodeKind::Service {
                service: self.mc(xml, "service"),
            },
            "sendTask" => NodeKind::Send(SendTask {
                consult: self.mc(xml, "consult"),
                question: Text {
                    vi: self.mc(xml, "question-vi"),
                    en: self.mc(xml, "question-en"),
                },
                message: self.message(xml, xml),
                silence: self.silence(xml, id, at),
                shows: self.mc(xml, "shows").split_whitespace().map(str::to_owned).collect(),
            }),
            "receiveTask" => NodeKind::Receive(self.awaited(xml, xml)),
            "exclusiveGateway" => NodeKind::Exclusive { default: None },
            "parallelGateway" => NodeKind::Parallel,
            "inclusiveGateway" => NodeKind::Inclusive { default: None },
            "eventBasedGateway" => {
                if xml.attribute("instantiate") == Some("true") || xml.attribute("eventGatewayType") == Some("Parallel")
                {
                    self.unsupported(id, at, "eventBasedGateway/instantiate");
                }
                NodeKind::EventBased
            }
            "intermediateCatchEvent" => match self.definition(xml, id, at) {
                Definition::Timer(rule) => NodeKind::Catch(Trigger::Timer(rule)),
                Definition::Message(awaited) => NodeKind::Catch(Trigger::Message(awaited)),
                _ => {
                    self.unsupported(id, at, "intermediateCatchEvent");
                    NodeKind::Throw { message: None }
                }
            },
            "intermediateThrowEvent" => match self.definition(xml, id, at) {
                Definition::None => NodeKind::Throw { message: None },
                Definition::Message(awaited) => NodeKind::Throw {
                    message: Some(awaited.message),
                },
                _ => {
                    self.unsupported(id, at, "intermediateThrowEvent/eventDefinition");
                    NodeKind::Throw { message: None }
                }
            },
            "boundaryEvent" => {
                link.host = Some(xml.attribute("attachedToRef").unwrap_or_default());
                let interrupting = xml.attribute("cancelActivity") != Some("false");
                let trigger = match self.definition(xml, id, at) {
                    Definition::Timer(rule) => Trigger::Timer(rule),
                    Definition::Message(awaited) => Trigger::Message(awaited),
                    Definition::Error(code) if interrupting => Trigger::Error { code },
                    _ => {
                        self.unsupported(id, at, "boundaryEvent");
                        Trigger::Message(Awaited {
                            message: String::new(),
                            from: None,
                        })
                    }
                };
                NodeKind::Boundary {
                    host: NodeIx(0),
                    interrupting,
                    trigger,
                }
            }
            "subProcess" => {
                if xml.attribute("triggeredByEvent") == Some("true") {
                    self.unsupported(id, at, "subProcess/triggeredByEvent");
                }
                let inner = self.new_scope(xml);
                // Its contents follow after its own node, so that the order of nodes is that of the file.
                let ix = self.push_node(id, name, NodeKind::SubProcess { scope: inner }, scope, at);
                self.links.push(Link { node: ix, ..link });
                self.plain_name(id, at, self.process.at(ix).is_activity());
                self.scope_contents(xml, inner, inside);
                return;
            }
            "callActivity" => {
                let called = xml.attribute("calledElement").unwrap_or_default();
                link.called = Some(called);
                NodeKind::Call {
                    called: called.to_owned(),
                    scope: None,
                }
            }
            other => {
                self.unsupported(id, at, other);
                NodeKind::Throw { message: None }
            }
        };
        let sets_variables = matches!(
            kind,
            NodeKind::User(_)
                | NodeKind::Service { .. }
                | NodeKind::Receive(_)
                | NodeKind::Catch(_)
                | NodeKind::Boundary { .. }
        );
        self.plain_name(id, at, sets_variables);
        let start = matches!(kind, NodeKind::Start);
        let ix = self.push_node(id, name, kind, scope, at);
        if start {
            self.process.scopes[scope.0 as usize].starts.push(ix);
        }
        self.links.push(Link { node: ix, ..link });
    }

    /// The id of a step that sets variables is their name in FEEL, so it must be one word there.
    fn plain_name(&mut self, id: &str, at: Position, sets_variables: bool) {
        if sets_variables && id.contains(['-', '.']) {
            self.findings.error(
                "id-not-a-name",
                short(id),
                at,
                format!("Mã “{id}” cũng là tên biến trong biểu thức điều kiện, nên không được có dấu “-” hoặc “.”."),
                format!("The id “{id}” is also the name of a variable in conditions, so it may not hold “-” or “.”."),
            );
        }
    }

    fn unsupported(&mut self, id: &str, at: Position, what: &str) {
        self.findings.error(
            "unsupported",
            short(id),
            at,
            format!("Phần tử BPMN “{what}” không thuộc tập phần tử mà hệ thống thực thi được."),
            format!("The BPMN element “{what}” is not among those that the platform can execute."),
        );
    }

    /// One of our attributes, as a label within bounds; empty when absent.
    fn mc(&mut self, xml: Xml<'x, 'x>, name: &str) -> String {
        self.label(xml, xml.attribute((MC, name)))
    }

    fn optional(&mut self, xml: Xml<'x, 'x>, name: &str) -> Option<String> {
        Some(self.mc(xml, name)).filter(|text| !text.is_empty())
    }

    fn labels(&mut self, xml: Xml<'x, 'x>) -> Text {
        Text {
            vi: self.label(xml, xml.attribute("vi")),
            en: self.label(xml, xml.attribute("en")),
        }
    }

    /// The name of a message: `mc:message` on the element, else that of the `bpmn:message` it refers to.
    fn message(&mut self, xml: Xml<'x, 'x>, definition: Xml<'x, 'x>) -> String {
        let own = self.mc(xml, "message");
        if !own.is_empty() {
            return own;
        }
        let referred = definition
            .attribute("messageRef")
            .and_then(|id| self.messages.get(id))
            .copied();
        self.label(xml, referred)
    }

    /// What silence means: `mc:silence`, by default that there is no answer.
    fn silence(&mut self, xml: Xml<'x, 'x>, id: &str, at: Position) -> Silence {
        let said = xml.attribute((MC, "silence"));
        let meant = said.map_or(Some(Silence::default()), Silence::parse);
        meant.unwrap_or_else(|| {
            let text = short(said.unwrap_or_default());
            self.findings.error(
                "bad-silence",
                short(id),
                at,
                format!("“{id}”: mc:silence phải là unanswered (không trả lời) hoặc agrees (coi như đồng ý), không phải “{text}”."),
                format!("“{id}”: mc:silence must be unanswered or agrees, not “{text}”."),
            );
            Silence::default()
        })
    }

    fn awaited(&mut self, xml: Xml<'x, 'x>, definition: Xml<'x, 'x>) -> Awaited {
        Awaited {
            message: self.message(xml, definition),
            from: self.optional(xml, "from"),
        }
    }

    fn definition(&mut self, xml: Xml<'x, 'x>, id: &str, at: Position) -> Definition {
        let mut definitions = children(xml).filter(|c| {
            c.tag_name().namespace() == Some(BPMN)
                && (c.tag_name().name().ends_with("EventDefinition") || c.tag_name().name() == "eventDefinitionRef")
        });
        let Some(definition) = definitions.next() else {
            return Definition::None;
        };
        if definitions.next().is_some() {
            return Definition::Unsupported;
        }
        match definition.tag_name().name() {
            "timerEventDefinition" => match self.timer(xml, definition, id, at) {
                Some(rule) => Definition::Timer(rule),
                // Reported there; any rule will do to look for further faults.
                None => Definition::Timer(TimerRule::At(String::new())),
            },
            "messageEventDefinition" => Definition::Message(self.awaited(xml, definition)),
            "errorEventDefinition" => {
                let code = definition
                    .attribute("errorRef")
                    .map(|id| self.errors.get(id).copied().unwrap_or(id));
                Definition::Error(code.filter(|c| !c.is_empty()).map(|c| self.label(xml, Some(c))))
            }
            "terminateEventDefinition" => Definition::Terminate,
            _ => Definition::Unsupported,
        }
    }

    fn timer(&mut self, xml: Xml<'x, 'x>, definition: Xml<'x, 'x>, id: &str, at: Position) -> Option<TimerRule> {
        let budget = xml
            .attribute((MC, "budget"))
            .or_else(|| definition.attribute((MC, "budget")));
        let part = |name| {
            child(definition, name)
                .and_then(|c| c.text())
                .map(str::trim)
                .filter(|t| !t.is_empty())
        };
        let (duration, date) = (part("timeDuration"), part("timeDate"));
        let rule = match (budget, duration, date) {
            (Some(text), _, _) => text.parse().ok().map(TimerRule::After),
            (None, Some(text), None) => TimeBudget::from_iso(text)
                .or_else(|| text.parse().ok())
                .map(TimerRule::After),
            (None, None, Some(text)) => Some(TimerRule::At(self.bounded(xml, Some(text), MOST_EXPRESSION).to_owned())),
            _ => None,
        };
        if rule.is_none() {
            self.findings.error(
                "bad-timer",
                short(id),
                at,
                format!("Sự kiện thời gian “{id}” phải có một thời hạn: timeDuration (ví dụ P12D, 12wd, PT8H) hoặc timeDate (biểu thức FEEL)."),
                format!("Timer “{id}” needs one time: a timeDuration (such as P12D, 12wd, PT8H) or a timeDate (in FEEL)."),
            );
        }
        rule
    }

    fn user_task(&mut self, xml: Xml<'x, 'x>, id: &str, at: Position) -> UserTask {
        let budget = xml.attribute((MC, "budget")).and_then(|text| {
            let budget = text.parse().ok();
            if budget.is_none() {
                let text = short(text);
                self.findings.error(
                    "bad-budget",
                    short(id),
                    at,
                    format!("Bước “{id}”: thời hạn “{text}” không hợp lệ; hãy ghi số nguyên và đơn vị wd, wh, d hoặc h, ví dụ 2wd."),
                    format!("Step “{id}”: “{text}” is not a time budget; write a whole number and wd, wh, d or h, such as 2wd."),
                );
            }
            budget
        });
        let kind = xml
            .attribute((MC, "kind"))
            .map_or(Some(TaskKind::Other), TaskKind::parse);
        if kind.is_none() {
            self.findings.error(
                "bad-kind",
                short(id),
                at,
                format!("Bước “{id}”: mc:kind phải là intake, review, inspect, draft, sign, deliver hoặc other."),
                format!("Step “{id}”: mc:kind must be intake, review, inspect, draft, sign, deliver or other."),
            );
        }
        let mut task = UserTask {
            role: self.mc(xml, "role"),
            unit: self.optional(xml, "unit"),
            budget,
            kind: kind.unwrap_or(TaskKind::Other),
            outcomes: Vec::new(),
            fields: Vec::new(),
            help: Text::default(),
        };
        let extensions = children(xml).filter(|c| is(*c, "extensionElements")).flat_map(children);
        for part in extensions.filter(|c| c.tag_name().namespace() == Some(MC)) {
            let name = part.tag_name().name();
            if task.outcomes.len() > MOST_LISTED || task.fields.len() > MOST_LISTED {
                self.findings.error(
                    "too-many-parts",
                    short(id),
                    self.lines.position(part.range().start),
                    format!("Bước “{id}” có quá nhiều kết quả hoặc trường thông tin."),
                    format!("Step “{id}” has too many outcomes or fields."),
                );
                break;
            }
            match name {
                "outcome" => {
                    let outcome = self.outcome(part, id);
                    task.outcomes.extend(outcome);
                }
                "field" => {
                    let field = self.field(part, id);
                    task.fields.extend(field);
                }
                "help" => task.help = self.labels(part),
                _ => self.part(
                    "unknown-extension",
                    part,
                    id,
                    format!("mc:{name} không phải là phần mở rộng được định nghĩa"),
                    format!("mc:{name} is no extension of ours"),
                ),
            }
        }
        let mut seen = HashSet::new();
        let names = task
            .outcomes
            .iter()
            .map(|o| ("outcome", &o.id))
            .chain(task.fields.iter().map(|f| ("field", &f.id)));
        for (what, part) in names {
            if !seen.insert((what, part)) || (what == "field" && part == "outcome") {
                self.findings.error(
                    "duplicate-part",
                    short(id),
                    at,
                    format!("Bước “{id}”: mã “{part}” của mc:{what} bị trùng."),
                    format!("Step “{id}”: the id “{part}” of an mc:{what} is already taken."),
                );
            }
        }
        for field in &task.fields {
            for wanted in field
                .outcomes
                .iter()
                .filter(|o| !task.outcomes.iter().any(|t| t.id == **o))
            {
                self.findings.error(
                    "unknown-outcome",
                    short(id),
                    at,
                    format!(
                        "Bước “{id}”: trường “{}” gắn với kết quả “{wanted}”, nhưng bước này không có kết quả đó.",
                        field.id
                    ),
                    format!(
                        "Step “{id}”: the field “{}” is for the outcome “{wanted}”, which the step does not have.",
                        field.id
                    ),
                );
            }
        }
        task
    }

    fn part(&mut self, code: &str, part: Xml<'_, '_>, id: &str, vi: String, en: String) {
        let at = self.position(part);
        self.findings.error(
            code,
            short(id),
            at,
            format!("Bước “{id}”: {vi}."),
            format!("Step “{id}”: {en}."),
        );
    }

    /// The id of an outcome or field: one word in FEEL.
    fn part_id(&mut self, part: Xml<'x, 'x>, id: &str, dashes: bool) -> Option<&'x str> {
        let own = part.attribute("id").unwrap_or_default();
        let first = own.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let rest = own
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || (dashes && c == '-'));
        if first && rest && own.len() <= super::MOST_ID {
            return Some(own);
        }
        let (name, own) = (part.tag_name().name(), short(own));
        self.part(
            "bad-part-id",
            part,
            id,
            format!("mã “{own}” của mc:{name} phải là một từ gồm chữ cái không dấu, chữ số và dấu “_”"),
            format!("the id “{own}” of mc:{name} must be one word of unaccented letters, digits and “_”"),
        );
        None
    }

    fn outcome(&mut self, part: Xml<'x, 'x>, id: &str) -> Option<Outcome> {
        let own = self.part_id(part, id, true)?;
        let label = self.labels(part);
        let written = part.attribute("effect").unwrap_or("none");
        let effect = OutcomeEffect::parse(written);
        if effect.is_none() {
            let (written, known) = (short(written), OutcomeEffect::NAMES);
            self.part(
                "bad-effect",
                part,
                id,
                format!("effect=\"{written}\" của kết quả “{own}” không hợp lệ; chọn một trong: {known}"),
                format!("effect=\"{written}\" of the outcome “{own}” is not one of {known}"),
            );
        }
        if label.vi.is_empty() {
            self.no_label(part, id, own);
        }
        let primary = part.attribute("primary") == Some("true");
        Some(Outcome {
            id: own.to_owned(),
            effect: effect.unwrap_or(OutcomeEffect::None),
            label,
            primary,
        })
    }

    fn no_label(&mut self, part: Xml<'x, 'x>, id: &str, own: &str) {
        self.part(
            "no-label",
            part,
            id,
            format!("“{own}” chưa có nhãn tiếng Việt (thuộc tính vi)"),
            format!("“{own}” has no Vietnamese label (attribute vi)"),
        );
    }

    fn field(&mut self, part: Xml<'x, 'x>, id: &str) -> Option<TaskField> {
        let own = self.part_id(part, id, false)?;
        let label = self.labels(part);
        if label.vi.is_empty() {
            self.no_label(part, id, own);
        }
        let mut options = Vec::new();
        for option in children(part).filter(|c| c.tag_name().namespace() == Some(MC) && c.tag_name().name() == "option")
        {
            let value = self.label(option, option.attribute("value").or_else(|| option.attribute("id")));
            let label = self.labels(option);
            if options.len() < MOST_LISTED {
                options.push(FieldOption { value, label });
            }
        }
        let kind = match part.attribute("type").unwrap_or_default() {
            "text" => Some(FieldKind::Text),
            "longtext" => Some(FieldKind::LongText),
            "date" => Some(FieldKind::Date),
            "number" => Some(FieldKind::Number),
            "yes-no" => Some(FieldKind::YesNo),
            "file" => Some(FieldKind::File),
            "choice"
                if !options.is_empty() && options.iter().all(|o| !o.value.is_empty() && !o.label.vi.is_empty()) =>
            {
                Some(FieldKind::Choice(options))
            }
            _ => None,
        };
        if kind.is_none() {
            self.part(
                "bad-field",
                part,
                id,
                format!("trường “{own}” phải có type là text, longtext, date, number, yes-no, file hoặc choice (choice phải có các mc:option với value và vi)"),
                format!("the field “{own}” needs a type of text, longtext, date, number, yes-no, file or choice (with mc:option elements that have value and vi)"),
            );
        }
        let required = part.attribute("required") == Some("true");
        let outcomes = part.attribute("for").unwrap_or_default().split_whitespace();
        let outcomes = outcomes.take(MOST_LISTED).map(str::to_owned).collect();
        Some(TaskField {
            id: own.to_owned(),
            kind: kind?,
            label,
            required,
            outcomes,
        })
    }
}
