//! Why somebody reads.

use base::{Problems, Result, codes::DossierCode};
use exchange::model::Purpose as Code;

use crate::{lookup, model::Registry};

/// The longest text of a legal basis, in characters.
const LONGEST: usize = 300;

/// The purposes of the program for which there is no dossier, or not yet: keeping a registry, telling people what is held about them,
/// filling in a form that is not filed, and what the state does before anybody asks. A code that ends in a dot is the first part of one.
const BEFORE_DOSSIERS: [&str; 4] = ["registry.", "tracker.", lookup::PURPOSE, "proactive."];

/// Why records are read: the code of a purpose as grants name it, the law that allows it, and the dossier that is the cause.
/// Nothing that returns bodies can be called without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purpose {
    code: Code,
    basis: Option<String>,
    dossier: Option<DossierCode>,
    veiled: Option<String>,
}

impl Purpose {
    /// Reads what the caller says; an empty text says nothing.
    ///
    /// # Errors
    /// Every problem: no purpose or a malformed one, a basis that is too long, no code of a dossier.
    pub fn read(code: &str, basis: &str, dossier: &str) -> Result<Self> {
        let mut problems = Problems::new();
        let code = if code.is_empty() {
            problems.add(
                "purpose-missing",
                "X-Motcua-Purpose",
                "Phải nêu mục đích khi đọc bản ghi: ghi mã mục đích vào tiêu đề X-Motcua-Purpose, ví dụ dossier.verify; mã hồ sơ ghi vào X-Road-Issue.",
                "Records are read for a purpose: put its code into the header X-Motcua-Purpose, such as dossier.verify, and the code of the dossier into X-Road-Issue.",
            );
            None
        } else {
            let read = code.parse::<Code>().map_err(base::codes::CodeError::from);
            read.map_err(|flaw| flaw.add_to(&mut problems, "X-Motcua-Purpose")).ok()
        };
        if basis.chars().count() > LONGEST || basis.chars().any(char::is_control) {
            problems.add(
                "basis-malformed",
                "X-Motcua-Legal-Basis",
                format!("Căn cứ pháp lý là một dòng, tối đa {LONGEST} ký tự."),
                format!("The legal basis is one line of at most {LONGEST} characters."),
            );
        }
        let dossier = match dossier {
            "" => None,
            text => match text.parse() {
                Ok(dossier) => Some(dossier),
                Err(error) => {
                    base::codes::CodeError::add_to(error, &mut problems, "X-Road-Issue");
                    None
                }
            },
        };
        match code {
            Some(code) if problems.is_empty() => Ok(Self {
                code,
                basis: Some(basis.trim().to_owned()).filter(|basis| !basis.is_empty()),
                dossier,
                veiled: None,
            }),
            _ => Err(base::Error::Refused(base::Kind::Invalid, problems)),
        }
    }

    /// Whether records of a registry may be read for it: a dossier is named, unless the registry says that this purpose has none.
    ///
    /// # Errors
    /// `Invalid`.
    pub(crate) fn suits(&self, registry: &Registry) -> Result<()> {
        if registry.without_dossier.contains(&self.code) {
            return Ok(());
        }
        caused(&self.code, self.dossier())
    }

    /// The code.
    pub const fn code(&self) -> &Code {
        &self.code
    }

    /// The law that allows it, if the caller named one; else it is the registry's own.
    pub fn basis(&self) -> Option<&str> {
        self.basis.as_deref()
    }

    /// The same, of a client of the exchange that reads by pseudonyms: the gateway does not see about whom, so the read is told here.
    #[must_use]
    pub fn of_veiled(self, client: String) -> Self {
        Self {
            veiled: Some(client),
            ..self
        }
    }

    /// The client, if it reads by pseudonyms.
    pub fn veiled(&self) -> Option<&str> {
        self.veiled.as_deref()
    }

    /// The dossier.
    pub fn dossier(&self) -> Option<&str> {
        self.dossier.as_ref().map(DossierCode::as_str)
    }
}

/// Whether a read has a cause: the dossier that it names, unless it is for a purpose of the program that comes before dossiers.
///
/// # Errors
/// `Invalid`.
pub(crate) fn caused(code: &Code, dossier: Option<&str>) -> Result<()> {
    let text = code.as_str();
    let is_before = |of: &&str| text == *of || (of.ends_with('.') && text.starts_with(of));
    if dossier.is_some() || BEFORE_DOSSIERS.iter().any(is_before) {
        return Ok(());
    }
    Err(base::Error::refused(
        base::Kind::Invalid,
        "dossier-missing",
        format!(
            "Khai thác dữ liệu với mục đích {code} phải nêu mã hồ sơ: ghi vào tiêu đề X-Road-Issue. Nếu mục đích này không gắn với hồ sơ nào, cơ quan quản lý cơ sở dữ liệu ghi mục đích vào without_dossier."
        ),
        format!(
            "Data are read for {code} with the code of the dossier, in the header X-Road-Issue. Where this purpose has no dossier, the agency that keeps the registry names it in without_dossier."
        ),
    ))
}
