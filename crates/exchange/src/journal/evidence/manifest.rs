//! The manifest of a container (ETSI EN 319 162-1, annex A.4): a digest of every file. It has one form, so it is verified by
//! making it again.

use base::xml;
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

use super::{CHECKPOINT, DIRECTORY, MIMETYPE, TOKEN};
use crate::zip::Entry;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <asic:ASiCManifest xmlns:asic=\"http://uri.etsi.org/02918/v1.2.1#\" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\n";

/// The manifest of all files but `mimetype`.
pub(super) fn manifest(files: &[Entry]) -> String {
    let mut out = format!("{HEAD}  <asic:SigReference URI=\"{CHECKPOINT}\" MimeType=\"text/plain\"/>\n");
    for (name, content) in files.iter().filter(|(name, _)| name != MIMETYPE) {
        out.push_str(&reference(name, content));
    }
    out.push_str("</asic:ASiCManifest>\n");
    out
}

/// How a file stands in the manifest.
pub(super) fn reference(name: &str, content: &[u8]) -> String {
    let kind = if name == DIRECTORY || name.ends_with(".json") {
        "application/json"
    } else if name == TOKEN {
        "application/vnd.etsi.timestamp-token"
    } else {
        "text/plain"
    };
    format!(
        "  <asic:DataObjectReference URI=\"{}\" MimeType=\"{kind}\">\n    <ds:DigestMethod \
         Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>\n    <ds:DigestValue>{}</ds:DigestValue>\n  \
         </asic:DataObjectReference>\n",
        xml::escape(name),
        BASE64_STANDARD.encode(Sha256::digest(content))
    )
}
