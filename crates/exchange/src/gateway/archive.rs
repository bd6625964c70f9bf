//! The archive of `GET /verificationconf`: the instance and its shared parameters, for a verifier that is offline.

use std::fmt::{self, Write};

use base::xml;

use crate::{
    model::{federation::View, meta::verificationconf as names},
    zip,
};

/// The archive: two files.
pub(super) fn verificationconf(view: &View) -> Vec<u8> {
    let directory = view.directory();
    let mut params = String::new();
    // Writing to a string cannot fail.
    let _ = shared_params(view, &mut params);
    zip::write(&[
        (
            names::INSTANCE.to_owned(),
            directory.instance.as_str().as_bytes().to_vec(),
        ),
        (names::shared_params(&directory.instance), params.into_bytes()),
    ])
}

/// Members, subsystems and servers as X-Road's shared parameters have them (PR-GCONF, Annex B). The keys of logs, by which
/// our evidence is verified, stand with the servers in a namespace of ours.
fn shared_params(view: &View, out: &mut impl Write) -> fmt::Result {
    let directory = view.directory();
    let text = |text: &str| xml::escape(text);
    writeln!(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<x:conf xmlns:x=\"http://x-road.eu/xsd/xroad.xsd\" \
         xmlns:m=\"https://motcua.vn/xsd/log\">\n<instanceIdentifier>{}</instanceIdentifier>",
        text(directory.instance.as_str())
    )?;
    for anchor in &directory.anchors {
        let der: String = anchor
            .certificate
            .lines()
            .filter(|line| !line.starts_with("---"))
            .collect();
        writeln!(
            out,
            "<approvedCA><topCA><cert>{}</cert></topCA></approvedCA>",
            text(&der)
        )?;
    }
    for (m, member) in directory.members.iter().enumerate() {
        write!(
            out,
            "<member id=\"m{m}\"><memberClass><code>{}</code></memberClass><memberCode>{}</memberCode><name>{}</name>",
            text(member.id.class.as_str()),
            text(member.id.code.as_str()),
            text(&member.name.vi)
        )?;
        for (s, subsystem) in member.subsystems.iter().enumerate() {
            let code = text(subsystem.code.as_str());
            write!(
                out,
                "<subsystem id=\"m{m}s{s}\"><subsystemCode>{code}</subsystemCode></subsystem>"
            )?;
        }
        writeln!(out, "</member>")?;
        for gateway in &member.gateways {
            write!(
                out,
                "<securityServer><owner>m{m}</owner><serverCode>{}</serverCode><address>{}</address>",
                text(gateway.code.as_str()),
                text(&gateway.address)
            )?;
            (0..member.subsystems.len()).try_for_each(|s| write!(out, "<client>m{m}s{s}</client>"))?;
            gateway
                .log_keys
                .iter()
                .try_for_each(|key| write!(out, "<m:logKey>{}</m:logKey>", text(key)))?;
            writeln!(out, "</securityServer>")?;
        }
    }
    writeln!(out, "</x:conf>")
}
