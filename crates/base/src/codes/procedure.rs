//! Codes of the national catalogue of administrative procedures.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{AgencyCode, CodeError, is_shaped, text_code};

/// The code of an administrative procedure (mã thủ tục hành chính): `1.001193`; the variant of one province,
/// `1.000656.000.00.00.H29`; or one case of a procedure, `1.001193.01`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProcedureCode(String);

text_code!(ProcedureCode);

impl ProcedureCode {
    /// The code without province and case: `1.001193`.
    pub fn national(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }

    /// The agency whose variant it is: `000.00.00.H29`.
    pub fn agency(&self) -> Option<&str> {
        self.0.get(9..).filter(|rest| rest.len() == 13)
    }

    /// The number of the case: `1` in `1.001193.01`.
    pub fn case(&self) -> Option<u8> {
        self.0
            .get(9..)
            .filter(|rest| rest.len() == 2)
            .and_then(|rest| rest.parse().ok())
    }
}

impl FromStr for ProcedureCode {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let code = text.trim().to_ascii_uppercase();
        let known = ["9.999999", "9.999999.99", "9.999999.***.**.**.A99"]
            .iter()
            .any(|mask| is_shaped(&code, mask));
        if known {
            return Ok(Self(code));
        }
        Err(CodeError::new(
            "not-a-procedure-code",
            "Mã thủ tục hành chính có dạng 1.001193, 1.001193.01 hoặc 1.000656.000.00.00.H29.",
            "A procedure code looks like 1.001193, 1.001193.01 or 1.000656.000.00.00.H29.",
        ))
    }
}

/// The code of a field of procedures (mã lĩnh vực), `MX1X2-LVnn`: `G15-TP07` is civil status. Circular 01/2018/TT-VPCP art. 20.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FieldCode(String);

text_code!(FieldCode);

impl FieldCode {
    /// The ministry that manages the field: `G15`.
    pub fn agency(&self) -> &str {
        self.0.get(..3).unwrap_or(&self.0)
    }
}

impl FromStr for FieldCode {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let code = text.trim().to_ascii_uppercase();
        if is_shaped(&code, "A99-AA99") {
            return Ok(Self(code));
        }
        Err(CodeError::new(
            "not-a-field-code",
            "Mã lĩnh vực có dạng G15-TP07.",
            "A field code looks like G15-TP07.",
        ))
    }
}

/// The code of a paper, that is a component or a result of a procedure (mã giấy tờ): the agency, two letters and six digits,
/// `000.00.00.G15-KQ004389` or `G17-KQ005477`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PaperCode(String);

text_code!(PaperCode);

impl PaperCode {
    /// The agency that manages the paper, in the notation it was written in.
    pub fn agency(&self) -> &str {
        self.0.split_once('-').map_or(&self.0, |(agency, _)| agency)
    }

    /// The two letters of the kind: `KQ` is a result.
    pub fn kind(&self) -> &str {
        self.0
            .split_once('-')
            .and_then(|(_, rest)| rest.get(..2))
            .unwrap_or_default()
    }
}

impl FromStr for PaperCode {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let code = text.trim().to_ascii_uppercase();
        match code.split_once('-') {
            Some((agency, serial)) if is_shaped(serial, "AA999999") && agency.parse::<AgencyCode>().is_ok() => {
                Ok(Self(code))
            }
            _ => Err(CodeError::new(
                "not-a-paper-code",
                "Mã giấy tờ có dạng 000.00.00.G15-KQ004389 hoặc G17-KQ005477.",
                "A paper code looks like 000.00.00.G15-KQ004389 or G17-KQ005477.",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_procedure_code_has_three_shapes() {
        let national: ProcedureCode = "1.001193".parse().expect("national");
        assert_eq!(
            (national.national(), national.agency(), national.case()),
            ("1.001193", None, None)
        );
        let variant: ProcedureCode = "1.000656.000.00.00.h29".parse().expect("variant");
        assert_eq!(
            (variant.national(), variant.agency(), variant.case()),
            ("1.000656", Some("000.00.00.H29"), None)
        );
        let case: ProcedureCode = " 1.001193.01 ".parse().expect("case");
        assert_eq!(
            (case.national(), case.agency(), case.case()),
            ("1.001193", None, Some(1))
        );
        for bad in [
            "1.00119",
            "11.001193",
            "1.001193.1",
            "1.001193.00.00.H29",
            "1,001193",
            "1.001193-Xoa",
        ] {
            assert!(bad.parse::<ProcedureCode>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_field_and_a_paper_name_their_agency() {
        assert_eq!(
            "G15-TP07".parse::<FieldCode>().map(|f| f.agency().to_owned()),
            Ok("G15".to_owned())
        );
        assert!("G15-TP7".parse::<FieldCode>().is_err());
        assert!("G15TP07".parse::<FieldCode>().is_err());
        let paper: PaperCode = "000.00.00.G15-KQ004389".parse().expect("old notation");
        assert_eq!((paper.agency(), paper.kind()), ("000.00.00.G15", "KQ"));
        let paper: PaperCode = "G17-KQ005477".parse().expect("new notation");
        assert_eq!((paper.agency(), paper.kind()), ("G17", "KQ"));
        for bad in ["KQ004389", "G15-KQ04389", "00.00.G15-KQ004389", "G15-G17-KQ005477"] {
            assert!(bad.parse::<PaperCode>().is_err(), "{bad}");
        }
    }
}
