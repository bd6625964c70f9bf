//! Processes from file to end: reading, checking, running, drawing.

mod checking;
mod drawing;
mod hostile;
mod mini_feel;
mod random;
mod running;

use mini_feel::MiniFeel;
use procedure::process::{CheckContext, Examined, Process, VariableType, Variables, examine};

pub(crate) const PERMIT: &str = include_str!("building-permit.bpmn");
pub(crate) const EVERY: &str = include_str!("every-element.bpmn");

pub(crate) const ROLES: &[&str] = &["receptionist", "specialist", "leader"];
pub(crate) const SERVICES: &[&str] = &["fee.compute", "result.render", "notify"];

pub(crate) fn judge(xml: &str) -> Examined {
    let variables = Variables::from([("appointment".to_owned(), VariableType::Date)]);
    examine(
        xml,
        &CheckContext {
            roles: ROLES,
            services: SERVICES,
            feel: &MiniFeel,
            variables: &variables,
        },
    )
}

pub(crate) fn errors(xml: &str) -> Vec<(String, String)> {
    let all = judge(xml).findings;
    all.into_iter()
        .filter(|f| f.is_error())
        .map(|f| (f.code, f.element_id))
        .collect()
}

pub(crate) fn permit() -> Process {
    Process::parse(PERMIT).expect("a readable process")
}

pub(crate) fn every() -> Process {
    Process::parse(EVERY).expect("a readable process")
}

/// A file around the contents of one process.
pub(crate) fn file(contents: &str) -> String {
    format!(
        r#"<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:mc="https://motcua.gov.example/bpmn/1" id="d"><bpmn:process id="p" name="Thử" isExecutable="true">{contents}</bpmn:process></bpmn:definitions>"#
    )
}
