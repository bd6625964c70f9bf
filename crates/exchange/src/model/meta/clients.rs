//! `listClients` (PR-META section 2, Annexes A and C.1).

use std::fmt::Write;

use base::xml;
use serde_json::{Map, Value, json};

use crate::model::identifier::ClientId;

/// A member or subsystem of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientEntry {
    /// Which.
    pub id: ClientId,
    /// The name of the member.
    pub name: String,
    /// The name of the subsystem, if it is one and has one.
    pub subsystem_name: Option<String>,
}

impl ClientEntry {
    const fn object_type(&self) -> &'static str {
        match self.id.subsystem {
            Some(_) => "SUBSYSTEM",
            None => "MEMBER",
        }
    }
}

/// `{"member":[{"id":{…},"name":…}]}` in snake case, without members that are empty.
pub fn clients_json(clients: &[ClientEntry]) -> String {
    let member: Vec<Value> = clients
        .iter()
        .map(|client| {
            let mut id = Map::new();
            id.insert("member_class".to_owned(), client.id.member.class.as_str().into());
            id.insert("member_code".to_owned(), client.id.member.code.as_str().into());
            if let Some(subsystem) = &client.id.subsystem {
                id.insert("subsystem_code".to_owned(), subsystem.as_str().into());
            }
            id.insert("object_type".to_owned(), client.object_type().into());
            id.insert("xroad_instance".to_owned(), client.id.member.instance.as_str().into());
            let mut entry = json!({"id": id, "name": client.name});
            if let Some(name) = &client.subsystem_name {
                entry["subsystem_name"] = name.as_str().into();
            }
            entry
        })
        .collect();
    json!({ "member": member }).to_string()
}

/// `clientList` of `http://x-road.eu/xsd/xroad.xsd`.
pub fn clients_xml(clients: &[ClientEntry]) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<ns2:clientList \
         xmlns:ns1=\"http://x-road.eu/xsd/identifiers\" xmlns:ns2=\"http://x-road.eu/xsd/xroad.xsd\">\n",
    );
    for client in clients {
        let member = &client.id.member;
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            "<ns2:member><ns2:id ns1:objectType=\"{}\"><ns1:xRoadInstance>{}</ns1:xRoadInstance><ns1:memberClass>{}</ns1:memberClass>\
             <ns1:memberCode>{}</ns1:memberCode>",
            client.object_type(),
            xml::escape(member.instance.as_str()),
            xml::escape(member.class.as_str()),
            xml::escape(member.code.as_str()),
        );
        element(
            &mut out,
            "ns1:subsystemCode",
            client.id.subsystem.as_ref().map(|s| s.as_str()),
        );
        out.push_str("</ns2:id>");
        element(&mut out, "ns2:name", Some(&client.name));
        element(&mut out, "ns2:subsystemName", client.subsystem_name.as_deref());
        out.push_str("</ns2:member>\n");
    }
    out.push_str("</ns2:clientList>");
    out
}

fn element(out: &mut String, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        let _ = write!(out, "<{name}>{}</{name}>", xml::escape(text));
    }
}

/// The same in GovStack's words: a subsystem is an application, the instance an `instanceId`.
pub fn clients_govstack(clients: &[ClientEntry]) -> String {
    let member: Vec<Value> = clients
        .iter()
        .map(|client| {
            let mut id = json!({
                "objectType": if client.id.subsystem.is_some() { "APPLICATION" } else { "MEMBER" },
                "instanceId": client.id.member.instance.as_str(),
                "memberClass": client.id.member.class.as_str(),
                "memberCode": client.id.member.code.as_str(),
            });
            if let Some(subsystem) = &client.id.subsystem {
                id["applicationCode"] = subsystem.as_str().into();
            }
            let name = client.subsystem_name.as_ref().unwrap_or(&client.name);
            json!({"name": name, "id": id})
        })
        .collect();
    json!({ "member": member }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Vec<ClientEntry> {
        let entry = |id: &str, name: &str, subsystem_name: Option<&str>| ClientEntry {
            id: id.parse().expect(id),
            name: name.to_owned(),
            subsystem_name: subsystem_name.map(str::to_owned),
        };
        vec![
            entry("AA/GOV/TS1OWNER", "TS1 Owner", None),
            entry("AA/ENT/CLIENT1/sub", "Client One", Some("Client <One> Sub")),
        ]
    }

    #[test]
    fn json_is_that_of_annex_c_1() {
        assert_eq!(
            clients_json(&example()),
            r#"{"member":[{"id":{"member_class":"GOV","member_code":"TS1OWNER","object_type":"MEMBER","xroad_instance":"AA"},"name":"TS1 Owner"},{"id":{"member_class":"ENT","member_code":"CLIENT1","subsystem_code":"sub","object_type":"SUBSYSTEM","xroad_instance":"AA"},"name":"Client One","subsystem_name":"Client <One> Sub"}]}"#
        );
        assert_eq!(clients_json(&[]), r#"{"member":[]}"#);
    }

    #[test]
    fn xml_is_that_of_annex_c_1() {
        let lines: Vec<String> = clients_xml(&example()).lines().map(str::to_owned).collect();
        assert_eq!(lines[0], r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#);
        assert_eq!(
            lines[1],
            r#"<ns2:clientList xmlns:ns1="http://x-road.eu/xsd/identifiers" xmlns:ns2="http://x-road.eu/xsd/xroad.xsd">"#
        );
        assert_eq!(
            lines[3],
            "<ns2:member><ns2:id ns1:objectType=\"SUBSYSTEM\"><ns1:xRoadInstance>AA</ns1:xRoadInstance><ns1:memberClass>ENT\
             </ns1:memberClass><ns1:memberCode>CLIENT1</ns1:memberCode><ns1:subsystemCode>sub</ns1:subsystemCode></ns2:id>\
             <ns2:name>Client One</ns2:name><ns2:subsystemName>Client &lt;One&gt; Sub</ns2:subsystemName></ns2:member>"
        );
        assert_eq!(lines[4], "</ns2:clientList>");
    }

    #[test]
    fn govstack_calls_a_subsystem_an_application() {
        assert_eq!(
            clients_govstack(&example()[1..]),
            r#"{"member":[{"name":"Client <One> Sub","id":{"objectType":"APPLICATION","instanceId":"AA","memberClass":"ENT","memberCode":"CLIENT1","applicationCode":"sub"}}]}"#
        );
    }
}
