//! The archive of `GET /verificationconf`: the instance and its shared parameters, for a verifier that is offline.

use std::fmt::{self, Write};

use base::xml;

use crate::{
    model::{
        federation::{Directory, View},
        meta::verificationconf as names,
    },
    zip,
};

/// The version of X-Road's format of shared parameters that ours are of: the oldest that has room for what others add.
const VERSION: &str = "{\"configurationVersion\":\"3\"}";
/// How X-Road's tools are to read certificates of a CA: they need the name of a class.
const PROFILE: &str = "ee.ria.xroad.common.certificateprofile.impl.BasicCertificateProfileInfoProvider";

/// The archive: the instance, its shared parameters, and of which version they are.
pub(super) fn verificationconf(view: &View) -> Vec<u8> {
    let directory = view.directory();
    let mut params = String::new();
    // Writing to a string cannot fail.
    let _ = shared_params(directory, &mut params);
    let name = names::shared_params(&directory.instance);
    zip::write(&[
        (
            names::INSTANCE.to_owned(),
            directory.instance.as_str().as_bytes().to_vec(),
        ),
        (names::metadata(&directory.instance), VERSION.as_bytes().to_vec()),
        (name, params.into_bytes()),
    ])
}

/// Members, subsystems and servers as X-Road's shared parameters have them (PR-GCONF, Annex B; the order is that of its schema). Our CAs
/// certify TLS alone. The keys of logs, by which our evidence is verified, stand at the end in a namespace of ours.
fn shared_params(directory: &Directory, out: &mut impl Write) -> fmt::Result {
    let text = |text: &str| xml::escape(text);
    writeln!(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<x:conf xmlns:x=\"http://x-road.eu/xsd/xroad.xsd\" \
         xmlns:m=\"https://motcua.vn/xsd/log\">\n<instanceIdentifier>{}</instanceIdentifier>\n<source><address/></source>",
        text(directory.instance.as_str())
    )?;
    for (n, anchor) in directory.anchors.iter().enumerate() {
        let der: String = anchor
            .certificate
            .lines()
            .filter(|line| !line.starts_with("---"))
            .collect();
        writeln!(
            out,
            "<approvedCA><name>{} {}</name><authenticationOnly>true</authenticationOnly><topCA><cert>{}</cert></topCA>\
             <certificateProfileInfo>{PROFILE}</certificateProfileInfo></approvedCA>",
            text(&directory.name.vi),
            n + 1,
            text(&der)
        )?;
    }
    for (m, member) in directory.members.iter().enumerate() {
        let class = text(member.id.class.as_str());
        write!(
            out,
            "<member id=\"m{m}\"><memberClass><code>{class}</code><description>{class}</description></memberClass>\
             <memberCode>{}</memberCode><name>{}</name>",
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
    }
    for (m, member) in directory.members.iter().enumerate() {
        for gateway in &member.gateways {
            write!(
                out,
                "<securityServer><owner>m{m}</owner><serverCode>{}</serverCode><address>{}</address>",
                text(gateway.code.as_str()),
                text(&gateway.address)
            )?;
            (0..member.subsystems.len()).try_for_each(|s| write!(out, "<client>m{m}s{s}</client>"))?;
            writeln!(out, "</securityServer>")?;
        }
    }
    // There is no OCSP: what is revoked, the directory says.
    writeln!(
        out,
        "<globalSettings><ocspFreshnessSeconds>0</ocspFreshnessSeconds></globalSettings>"
    )?;
    for member in &directory.members {
        for gateway in &member.gateways {
            let server = text(&format!("{}/{}", member.id, gateway.code));
            for key in &gateway.log_keys {
                writeln!(out, "<m:logKey server=\"{server}\">{}</m:logKey>", text(key))?;
            }
        }
    }
    writeln!(out, "</x:conf>")
}
