//! Who and what: identifiers of members, subsystems, services and servers (X-Road PR-REST 4.1, reference 2.1).
//!
//! Each is a row of parts, the X-Road instance first. On the wire they stand between `/`, each percent-encoded by
//! itself (PR-REST 4.2); the Vietnamese adapter writes `VN:GOV:000.00.00.G22:dvcqg`.

mod part;

use std::{fmt, str::FromStr};

use base::codes::CodeError;
use serde::{Deserialize, Serialize};

pub use part::{LONGEST_PART, Part, PartFlaw};

/// A member (thành viên): an organisation. Rights never go to a bare member.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MemberId {
    /// The X-Road instance: `VN`.
    pub instance: Part,
    /// The class of members: `GOV`, `COM`.
    pub class: Part,
    /// The code within its class: an agency code, a tax code.
    pub code: Part,
}

/// A subsystem (hệ thống): one information system of a member. It is who asks and who provides.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SubsystemId {
    /// Whose it is.
    pub member: MemberId,
    /// Its code, chosen by the member.
    pub code: Part,
}

/// A service (dịch vụ) of a subsystem.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceId {
    /// Who provides it.
    pub provider: SubsystemId,
    /// Its code.
    pub code: Part,
}

/// Who asks, as `X-Road-Client` says it: a subsystem, or a member without one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientId {
    /// The member.
    pub member: MemberId,
    /// The code of the subsystem, which PR-REST 4.3 lets a client leave out.
    pub subsystem: Option<Part>,
}

/// A security server: in our federation a node's gateway.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerId {
    /// Who runs it.
    pub owner: MemberId,
    /// Its code.
    pub code: Part,
}

impl MemberId {
    fn parts(&self) -> Vec<&Part> {
        vec![&self.instance, &self.class, &self.code]
    }

    fn read(raw: &[u8]) -> Result<Self, CodeError> {
        let [instance, class, code] = split(raw, "INSTANCE/CLASS/MEMBER")?;
        Ok(Self { instance, class, code })
    }
}

impl SubsystemId {
    fn parts(&self) -> Vec<&Part> {
        let mut parts = self.member.parts();
        parts.push(&self.code);
        parts
    }

    fn read(raw: &[u8]) -> Result<Self, CodeError> {
        let [instance, class, member, code] = split(raw, "INSTANCE/CLASS/MEMBER/SUBSYSTEM")?;
        Ok(Self::of([instance, class, member], code))
    }

    pub(crate) fn of([instance, class, code]: [Part; 3], subsystem: Part) -> Self {
        Self {
            member: MemberId { instance, class, code },
            code: subsystem,
        }
    }

    /// Reads the adapter's `dstcode`: `VN:GOV:000.00.00.G22:dvcqg`, percent-decoded before.
    ///
    /// # Errors
    /// [`CodeError`] when it has not four parts, or one of them is no [`Part`].
    pub fn from_dstcode(text: &str) -> Result<Self, CodeError> {
        let parts = text.split(':').take(5).map(Part::new).collect::<Result<Vec<_>, _>>()?;
        let [instance, class, member, code] = <[Part; 4]>::try_from(parts).map_err(|_| {
            CodeError::new(
                "dstcode-form",
                "dstcode có bốn phần cách nhau bằng dấu hai chấm: VN:GOV:<mã định danh>:<hệ thống>.",
                "A dstcode has four parts between colons: VN:GOV:<member code>:<subsystem>.",
            )
        })?;
        Ok(Self::of([instance, class, member], code))
    }

    /// The form of `dstcode`. No part has a colon.
    pub fn dstcode(&self) -> String {
        let parts: Vec<&str> = self.parts().into_iter().map(Part::as_str).collect();
        parts.join(":")
    }
}

impl ServiceId {
    fn parts(&self) -> Vec<&Part> {
        let mut parts = self.provider.parts();
        parts.push(&self.code);
        parts
    }

    fn read(raw: &[u8]) -> Result<Self, CodeError> {
        let [instance, class, member, subsystem, code] = split(raw, "INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE")?;
        Ok(Self {
            provider: SubsystemId::of([instance, class, member], subsystem),
            code,
        })
    }
}

impl ClientId {
    fn parts(&self) -> Vec<&Part> {
        let mut parts = self.member.parts();
        parts.extend(&self.subsystem);
        parts
    }

    fn read(raw: &[u8]) -> Result<Self, CodeError> {
        if raw.iter().filter(|b| **b == b'/').count() == 2 {
            return Ok(Self {
                member: MemberId::read(raw)?,
                subsystem: None,
            });
        }
        let [instance, class, code, subsystem] = split(raw, "INSTANCE/CLASS/MEMBER[/SUBSYSTEM]")?;
        Ok(SubsystemId::of([instance, class, code], subsystem).into())
    }

    /// The subsystem that asks; rights go to none but subsystems.
    pub fn as_subsystem(&self) -> Option<SubsystemId> {
        Some(SubsystemId {
            member: self.member.clone(),
            code: self.subsystem.clone()?,
        })
    }

    /// Whether it is this subsystem.
    pub fn is(&self, subsystem: &SubsystemId) -> bool {
        self.member == subsystem.member && self.subsystem.as_ref() == Some(&subsystem.code)
    }
}

impl From<SubsystemId> for ClientId {
    fn from(subsystem: SubsystemId) -> Self {
        Self {
            member: subsystem.member,
            subsystem: Some(subsystem.code),
        }
    }
}

impl ServerId {
    fn parts(&self) -> Vec<&Part> {
        let mut parts = self.owner.parts();
        parts.push(&self.code);
        parts
    }

    fn read(raw: &[u8]) -> Result<Self, CodeError> {
        let [instance, class, member, code] = split(raw, "INSTANCE/CLASS/MEMBER/SERVER")?;
        Ok(Self {
            owner: MemberId {
                instance,
                class,
                code: member,
            },
            code,
        })
    }
}

/// Exactly `N` parts between `/`.
fn split<const N: usize>(raw: &[u8], form: &str) -> Result<[Part; N], CodeError> {
    let segments: Vec<_> = raw.split(|b| *b == b'/').take(N + 1).collect();
    if segments.len() != N {
        return Err(CodeError::new(
            "identifier-form",
            format!("Mã định danh phải có dạng {form}, mỗi phần được mã hóa phần trăm riêng."),
            format!("The identifier has the form {form}, each part percent-encoded by itself."),
        ));
    }
    let parts = segments
        .into_iter()
        .map(Part::from_segment)
        .collect::<Result<Vec<_>, _>>()?;
    parts.try_into().map_err(|_| CodeError::from(PartFlaw::Empty))
}

/// Gives an identifier what each has: read from and printed in the form of headers, and a string in JSON.
macro_rules! in_header_form {
    ($($name:ident)+) => { $(
        impl $name {
            /// Reads the form of headers: parts between `/`, each percent-encoded by itself (PR-REST 4.2).
            ///
            /// # Errors
            /// [`CodeError`] when the number of parts is another, or one of them is no [`Part`].
            pub fn parse(raw: &[u8]) -> Result<Self, CodeError> {
                Self::read(raw)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                for (n, part) in self.parts().into_iter().enumerate() {
                    if n > 0 {
                        f.write_str("/")?;
                    }
                    part.encode(f)?;
                }
                Ok(())
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }
        impl FromStr for $name {
            type Err = CodeError;
            fn from_str(text: &str) -> Result<Self, CodeError> {
                Self::read(text.as_bytes())
            }
        }
        impl TryFrom<String> for $name {
            type Error = CodeError;
            fn try_from(text: String) -> Result<Self, CodeError> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    )+ };
}

in_header_form!(MemberId SubsystemId ServiceId ClientId ServerId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_read_from_headers_and_print_themselves() {
        let client: ClientId = "VN/GOV/000.00.00.H26/motcua".parse().expect("four parts");
        assert_eq!(client.subsystem.as_ref().map(Part::as_str), Some("motcua"));
        assert_eq!(client.to_string(), "VN/GOV/000.00.00.H26/motcua");
        let bare: ClientId = "VN/GOV/G22.01".parse().expect("PR-REST 4.3: the subsystem is optional");
        assert_eq!(bare.as_subsystem(), None);
        let server: ServerId = "XROADVN/GOV/000.00.00.G22/vpcp04ss"
            .parse()
            .expect("exactly four parts");
        assert_eq!(server.code.as_str(), "vpcp04ss");
        let service: ServiceId = "VN/GOV/G22/h%E1%BB%93%20s%c6%a1/tra-cuu"
            .parse()
            .expect("percent-encoded UTF-8");
        assert_eq!(service.provider.code.as_str(), "hồ sơ");
        assert_eq!(service.to_string(), "VN/GOV/G22/h%E1%BB%93%20s%C6%A1/tra-cuu");
    }

    #[test]
    fn another_number_of_parts_is_refused() {
        for text in ["", "VN", "VN/GOV", "VN/GOV/A/B/C", "VN/GOV/A/B/"] {
            assert!(text.parse::<ClientId>().is_err(), "{text}");
        }
        for text in ["VN/GOV/A", "VN/GOV/A/B/C"] {
            assert_eq!(text.parse::<ServerId>().expect_err(text).code(), "identifier-form");
        }
        // PR-REST 4.2: separators must not be encoded.
        assert!("INSTANCE%2FCLASS%2FMEMBER%2FSUBSYSTEM".parse::<ClientId>().is_err());
    }

    #[test]
    fn the_adapter_writes_colons() {
        let id = SubsystemId::from_dstcode("VN:GOV:000.00.00.G22:vpcpdvcprovider").expect("four parts");
        assert_eq!(id.to_string(), "VN/GOV/000.00.00.G22/vpcpdvcprovider");
        assert_eq!(id.dstcode(), "VN:GOV:000.00.00.G22:vpcpdvcprovider");
        for text in [
            "",
            "VN:GOV:G22",
            "VN:GOV:G22:a:b",
            "VN:GOV::a",
            "VN/GOV/G22/a",
            "VN:GOV:..:a",
        ] {
            assert!(SubsystemId::from_dstcode(text).is_err(), "{text}");
        }
    }

    #[test]
    fn identifiers_sort_by_their_parts_and_are_strings_in_json() {
        let mut ids: Vec<ClientId> = ["VN/GOV/B", "VN/GOV/A/z", "VN/GOV/A", "VN/COM/Z/a"]
            .map(|text| text.parse().expect(text))
            .to_vec();
        ids.sort();
        let text = serde_json::to_string(&ids).expect("strings");
        assert_eq!(text, r#"["VN/COM/Z/a","VN/GOV/A","VN/GOV/A/z","VN/GOV/B"]"#);
        assert_eq!(serde_json::from_str::<Vec<ClientId>>(&text).expect("as written"), ids);
    }
}
