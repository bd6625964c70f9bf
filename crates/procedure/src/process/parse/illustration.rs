//! Reads what is there only to be drawn: lanes, pools, message flows, notes, data objects.

use roxmltree::Node as Xml;

use super::{
    super::{
        diagram::Shown,
        model::{Artifact, ArtifactKind, Lane, MessageFlow, Pool},
    },
    BPMN, Reader, child, children, number,
};

impl<'x> Reader<'x, '_> {
    pub(super) fn lanes_and_artifacts(&mut self, root: Xml<'x, 'x>) {
        for element in root.descendants().filter(|e| e.tag_name().namespace() == Some(BPMN)) {
            let kind = match element.tag_name().name() {
                "lane" => {
                    let id = self.id_of(element);
                    let name = self.name_of(element);
                    self.drawn.insert(id, Shown::Lane(number(self.process.lanes.len())));
                    self.process.lanes.push(Lane {
                        id: id.to_owned(),
                        name,
                    });
                    continue;
                }
                "textAnnotation" => ArtifactKind::Note,
                "dataObjectReference" | "dataStoreReference" => ArtifactKind::Data,
                "group" => ArtifactKind::Group,
                "association" => ArtifactKind::Association,
                _ => continue,
            };
            self.artifact(element, kind);
        }
    }

    fn artifact(&mut self, element: Xml<'x, 'x>, kind: ArtifactKind) {
        let id = self.id_of(element);
        let mut text = self.name_of(element);
        if let Some(note) = child(element, "text") {
            text.vi = self.label(element, note.text());
        }
        self.drawn
            .insert(id, Shown::Artifact(number(self.process.artifacts.len())));
        self.process.artifacts.push(Artifact {
            id: id.to_owned(),
            text,
            kind,
        });
    }

    pub(super) fn collaboration(&mut self, root: Xml<'x, 'x>) {
        for element in children(root).filter(|e| e.tag_name().namespace() == Some(BPMN)) {
            match element.tag_name().name() {
                "participant" => {
                    let id = self.id_of(element);
                    let name = self.name_of(element);
                    self.drawn.insert(id, Shown::Pool(number(self.process.pools.len())));
                    self.process.pools.push(Pool {
                        id: id.to_owned(),
                        name,
                    });
                }
                "messageFlow" => {
                    let id = self.id_of(element);
                    let name = self.name_of(element);
                    self.drawn
                        .insert(id, Shown::Message(number(self.process.message_flows.len())));
                    self.process.message_flows.push(MessageFlow {
                        id: id.to_owned(),
                        name,
                    });
                }
                "textAnnotation" => self.artifact(element, ArtifactKind::Note),
                "group" => self.artifact(element, ArtifactKind::Group),
                "association" => self.artifact(element, ArtifactKind::Association),
                _ => {}
            }
        }
    }
}
