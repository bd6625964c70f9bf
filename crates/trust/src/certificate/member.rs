//! Which member of the federation a certificate speaks for.

use std::{fmt, str::FromStr, sync::Arc};

use der::{Decode, asn1::ObjectIdentifier};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use x509_cert::{
    attr::AttributeTypeAndValue,
    ext::pkix::{SubjectAltName, name::DirectoryString, name::GeneralName},
    name::Name,
};

use super::Refusal;

/// The scheme of the URI that names a member.
const SCHEME: &str = "motcua://";

/// `organizationIdentifier` (ITU-T X.520 section 6.4.10).
const ORGANIZATION_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.97");

/// Longest part of an identifier, in bytes.
const LONGEST: usize = 64;

/// A member: instance, class and code, as X-Road identifies members (`VN/GOV/000.00.00.G22`).
///
/// In certificates it stands as the URI `motcua://VN/GOV/000.00.00.G22` among the alternative names; where a CA
/// cannot write that, as `organizationIdentifier` by ETSI EN 319 412-1 section 5.1.4: `GO:VN-000.00.00.G22` for an
/// agency (class GOV), `VATVN-0106001236` for a company by its tax code (class COM).
///
/// Parts are 1 to 64 of `A-Z a-z 0-9 . _ -`, with no dot at either end, and compared byte by byte: nothing to decode,
/// nothing to normalise, so two spellings cannot be one member.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(Arc<str>);

impl MemberId {
    /// From its three parts.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] when a part is empty, too long or has another character.
    pub fn new(instance: &str, class: &str, code: &str) -> Result<Self, Refusal> {
        if [instance, class, code].into_iter().all(is_part) {
            Ok(Self(format!("{instance}/{class}/{code}").into()))
        } else {
            Err(Refusal::Malformed("member identifier"))
        }
    }

    /// The federation: `VN`.
    pub fn instance(&self) -> &str {
        self.part(0)
    }

    /// The class of members: `GOV` for agencies, `COM` for companies.
    pub fn class(&self) -> &str {
        self.part(1)
    }

    /// The code within the class: an agency's identifier, a tax code.
    pub fn code(&self) -> &str {
        self.part(2)
    }

    fn part(&self, n: usize) -> &str {
        self.0.split('/').nth(n).unwrap_or_default()
    }

    /// The URI for certificates: `motcua://VN/GOV/000.00.00.G22`.
    pub fn uri(&self) -> String {
        format!("{SCHEME}{self}")
    }

    /// Reads [`Self::uri`].
    ///
    /// # Errors
    /// [`Refusal::Malformed`].
    pub fn from_uri(uri: &str) -> Result<Self, Refusal> {
        uri.strip_prefix(SCHEME)
            .ok_or(Refusal::Malformed("member identifier"))?
            .parse()
    }

    /// The `organizationIdentifier` for the subject of a certificate, where the class and a two-letter instance have
    /// one.
    pub fn organization_identifier(&self) -> Option<String> {
        let (instance, code) = (self.instance(), self.code());
        let is_country = instance.len() == 2 && instance.bytes().all(|b| b.is_ascii_uppercase());
        match self.class() {
            "GOV" if is_country => Some(format!("GO:{instance}-{code}")),
            "COM" if is_country => Some(format!("VAT{instance}-{code}")),
            _ => None,
        }
    }

    fn from_organization_identifier(text: &str) -> Option<Self> {
        let (class, rest) = match (text.strip_prefix("GO:"), text.strip_prefix("VAT")) {
            (Some(rest), _) => ("GOV", rest),
            (None, Some(rest)) => ("COM", rest),
            (None, None) => return None,
        };
        let (country, code) = rest.split_once('-')?;
        Self::new(country, class, code).ok()
    }
}

fn is_part(part: &str) -> bool {
    (1..=LONGEST).contains(&part.len())
        && part
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        && !part.starts_with('.')
        && !part.ends_with('.')
}

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for MemberId {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let mut parts = text.split('/');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(instance), Some(class), Some(code), None) => Self::new(instance, class, code),
            _ => Err(Refusal::Malformed("member identifier")),
        }
    }
}

impl Serialize for MemberId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MemberId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// The member that a certificate names, if any.
pub(super) fn of_certificate(certificate: &x509_cert::Certificate) -> Result<Option<MemberId>, Refusal> {
    let malformed = |_| Refusal::Malformed("alternative names");
    let names = certificate
        .tbs_certificate()
        .get_extension::<SubjectAltName>()
        .map_err(malformed)?;
    let names = names.map(|(_, names)| names.0).unwrap_or_default();
    of_names(&names, certificate.tbs_certificate().subject())
}

/// The member that alternative names and subject name together.
pub(crate) fn of_names(alternative: &[GeneralName], subject: &Name) -> Result<Option<MemberId>, Refusal> {
    let uris = alternative.iter().filter_map(|name| match name {
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.as_str()).filter(|uri| uri.starts_with(SCHEME)),
        _ => None,
    });
    let mut named = uris.map(MemberId::from_uri).collect::<Result<Vec<_>, _>>()?;
    named.extend(organization_identifiers(subject));
    named.dedup();
    match named.as_slice() {
        [] => Ok(None),
        [member] => Ok(Some(member.clone())),
        _ => Err(Refusal::TwoMembers),
    }
}

fn organization_identifiers(subject: &Name) -> impl Iterator<Item = MemberId> {
    subject
        .iter()
        .filter(|attribute| attribute.oid == ORGANIZATION_IDENTIFIER)
        .filter_map(|attribute| MemberId::from_organization_identifier(&text_of(attribute)?))
}

fn text_of(attribute: &AttributeTypeAndValue) -> Option<String> {
    let der = der::Encode::to_der(&attribute.value).ok()?;
    match DirectoryString::from_der(&der).ok()? {
        DirectoryString::PrintableString(text) => Some(text.to_string()),
        DirectoryString::Utf8String(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_written_one_way() {
        let member = MemberId::from_uri("motcua://VN/GOV/000.00.00.G22").expect("an agency");
        assert_eq!(member.to_string().parse(), Ok(member.clone()));
        assert_eq!(MemberId::from_uri(&member.uri()), Ok(member.clone()));
        assert_eq!(
            MemberId::from_organization_identifier("GO:VN-000.00.00.G22"),
            Some(member)
        );
        assert_eq!(
            MemberId::from_organization_identifier("VATVN-0106001236").map(|m| m.to_string()),
            Some("VN/COM/0106001236".to_owned())
        );
    }

    #[test]
    fn other_spellings_are_refused() {
        for wrong in [
            "",
            "VN",
            "VN/GOV",
            "VN/GOV/",
            "VN//X",
            "VN/GOV/X/Y",
            "VN/GOV/%41",
            "VN/GOV/..",
            "VN/GOV/X ",
            "VN/GOV/Bộ",
        ] {
            assert!(wrong.parse::<MemberId>().is_err(), "{wrong}");
        }
        assert!(MemberId::from_uri("https://VN/GOV/X").is_err());
        assert!(MemberId::from_uri("MOTCUA://VN/GOV/X").is_err());
    }
}
