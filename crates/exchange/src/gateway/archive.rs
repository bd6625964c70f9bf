//! The archive of `GET /verificationconf`: the instance and its shared parameters, for a verifier that is offline.

use std::fmt::{self, Write};

use crate::model::{federation::View, meta::verificationconf as names, xml};

/// The archive: two files.
pub(super) fn verificationconf(view: &View) -> Vec<u8> {
    let directory = view.directory();
    let mut params = String::new();
    // Writing to a string cannot fail.
    let _ = shared_params(view, &mut params);
    stored(&[
        (names::INSTANCE.to_owned(), directory.instance.as_str().as_bytes()),
        (names::shared_params(&directory.instance), params.as_bytes()),
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

/// A zip of files as they are (APPNOTE.TXT 6.3.10, 4.3.7, 4.3.12 and 4.3.16; method 0).
fn stored(files: &[(String, &[u8])]) -> Vec<u8> {
    let (mut out, mut list) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let size = length(content.len());
        // Version 2.0, names in UTF-8, stored, 1 January 1980.
        let mut common = vec![20, 0, 0, 8, 0, 0, 0, 0, 0x21, 0];
        common.extend(crc32fast::hash(content).to_le_bytes());
        common.extend([size, size].concat());
        common.extend(&length(name.len())[..2]);
        common.extend([0, 0]);
        list.extend(
            [
                b"PK\x01\x02\x14\0",
                common.as_slice(),
                &[0; 10],
                &length(out.len()),
                name.as_bytes(),
            ]
            .concat(),
        );
        out.extend([b"PK\x03\x04", common.as_slice(), name.as_bytes(), content].concat());
    }
    let count = &length(files.len())[..2];
    let end = [
        b"PK\x05\x06\0\0\0\0",
        count,
        count,
        &length(list.len()),
        &length(out.len()),
        &[0, 0],
    ]
    .concat();
    [out, list, end].concat()
}

/// A number as zip writes it. The directory is far smaller than 4 GiB.
fn length(n: usize) -> [u8; 4] {
    u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes()
}
