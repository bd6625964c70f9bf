//! procedure.toml to [`Meta`]: every finding at its place.

use std::collections::BTreeSet;

use base::{
    Text,
    codes::{FieldCode, ProcedureCode},
};
use identity::Assurance;
use jiff::civil::Date;
use toml::Spanned;

use super::{
    super::Files,
    AgencyRef, LegalBasis, Level, Meta, Reason, ResultSpec, SourceNote,
    raw::{Raw, RawReason},
};
use crate::{
    check::{Sink, Source},
    form::{
        Form,
        load::{Both, is_slug},
    },
};

pub(super) struct Loader<'a, 'b> {
    pub(super) sink: &'a mut Sink,
    pub(super) source: &'a Source<'b>,
}

impl Meta {
    pub(in crate::package) fn load(
        sink: &mut Sink,
        source: &Source<'_>,
        form: Option<&Form>,
        files: &Files,
    ) -> Option<Self> {
        let raw: Raw = sink.toml(source)?;
        let mut l = Loader { sink, source };
        l.code::<ProcedureCode>(&raw.code);
        // The national list leaves some fields without a code.
        if !raw.field.get_ref().is_empty() {
            l.code::<FieldCode>(&raw.field);
        }
        for code in [&raw.predecessor, &raw.successor].into_iter().flatten() {
            l.code::<ProcedureCode>(code);
        }
        if raw.version.get_ref().parse::<Date>().is_err() || raw.version.get_ref().len() != 10 {
            l.error(
                raw.version.span().start,
                "bad-version",
                "version là một ngày, ví dụ \"2026-07-01\".",
                "version is a date such as \"2026-07-01\".",
            );
        }
        let valid_from = l.date(&raw.valid_from)?;
        let valid_to = raw.valid_to.as_ref().and_then(|date| l.date(date));
        if valid_to.is_some_and(|last| last < valid_from) {
            l.error(
                raw.valid_from.span().start,
                "bad-value",
                "valid_to đứng trước valid_from.",
                "valid_to is before valid_from.",
            );
        }
        if raw.level.get_ref() == &Level::Partial && raw.level_reason.is_none() {
            l.error(
                raw.level.span().start,
                "missing-key",
                "Mức một phần phải nêu lý do (level_reason).",
                "A partial level needs its reason (level_reason).",
            );
        }
        for (empty, at, key) in [
            (
                raw.audiences.get_ref().is_empty(),
                raw.audiences.span().start,
                "audiences",
            ),
            (raw.channels.get_ref().is_empty(), raw.channels.span().start, "channels"),
        ] {
            if empty {
                l.error(
                    at,
                    "missing-key",
                    &format!("{key} không được để trống."),
                    &format!("{key} must not be empty."),
                );
            }
        }
        if raw.legal_basis.is_empty() {
            l.sink.whole(
                source.name,
                "missing-basis",
                "Thủ tục phải có ít nhất một căn cứ pháp lý ([[legal_basis]]).",
                "A procedure needs at least one legal basis ([[legal_basis]]).",
            );
        }
        let assurance = l.assurance(raw.assurance.as_ref());
        let deadlines = l.deadlines(raw.deadline, raw.code.get_ref(), form);
        let rules = raw.deadline_rules;
        let deadline_rules = l.rules(&rules);
        let mut ids = BTreeSet::new();
        let agencies = raw
            .agency
            .into_iter()
            .map(|agency| {
                l.slug(&agency.id, &mut ids);
                AgencyRef {
                    name: l.both("agency.name", agency.name),
                    id: agency.id.into_inner(),
                    resolver: agency.resolver,
                }
            })
            .collect();
        let refusal_reasons = l.reasons(raw.refusal_reason, form);
        let supplement_reasons = l.reasons(raw.supplement_reason, form);
        let result = raw.result.map(|result| {
            let file = result.template.get_ref();
            if files.get(file).is_none() || !file.ends_with(".typ") {
                l.error(
                    result.template.span().start,
                    "missing-file",
                    &format!("Gói không có tệp mẫu “{file}” (chỉ ghi tên tệp .typ trong gói, không ghi đường dẫn)."),
                    &format!("The package has no template “{file}” (the name of a .typ file of the folder, no path)."),
                );
            }
            ResultSpec {
                name: l.both("result.name", result.name),
                template: result.template.into_inner(),
                code: result.code,
            }
        });
        let source_note = raw.source.and_then(|note| {
            let retrieved = l.date(&note.retrieved)?;
            Some(SourceNote {
                text: note.text,
                retrieved,
            })
        });
        Some(Self {
            name: l.both("name", raw.name),
            field_name: raw.field_name.map(|name| l.both("field_name", name)),
            level_reason: raw.level_reason.map(|reason| l.both("level_reason", reason)),
            summary: l.both("summary", raw.summary),
            steps: raw.step.into_iter().map(|step| l.both("step", step)).collect(),
            legal_basis: raw
                .legal_basis
                .into_iter()
                .map(|law| LegalBasis {
                    title: l.both("legal_basis.title", law.title),
                    number: law.number.into_inner(),
                    articles: law.articles,
                })
                .collect(),
            code: raw.code.into_inner(),
            version: raw.version.into_inner(),
            valid_from,
            valid_to,
            predecessor: raw.predecessor.map(Spanned::into_inner),
            successor: raw.successor.map(Spanned::into_inner),
            field: raw.field.into_inner(),
            authority: raw.authority,
            executing_level: raw.executing_level,
            audiences: raw.audiences.into_inner(),
            level: raw.level.into_inner(),
            life_events: raw.life_events,
            keywords: raw.keywords,
            channels: raw.channels.into_inner(),
            assurance,
            deadlines: deadlines?,
            deadline_rules,
            supplement_restarts: rules.supplement_restarts,
            agencies,
            refusal_reasons,
            supplement_reasons,
            result,
            payment: raw.payment.map(|payment| payment.when),
            source: source_note,
        })
    }
}

impl Loader<'_, '_> {
    pub(super) fn error(&mut self, at: usize, code: &str, vi: &str, en: &str) {
        self.sink.error(self.source, at, code, vi, en);
    }

    pub(super) fn both(&mut self, what: &str, text: Spanned<Both>) -> Text {
        let at = text.span().start;
        let text = text.into_inner().text();
        self.sink.translated(self.source, at, what, &text);
        text
    }

    fn code<T: std::str::FromStr<Err = base::codes::CodeError>>(&mut self, code: &Spanned<String>) {
        if let Err(error) = code.get_ref().parse::<T>() {
            let text = error.text().clone();
            self.error(code.span().start, "bad-code", &text.vi, &text.en);
        }
    }

    fn date(&mut self, date: &Spanned<toml::value::Datetime>) -> Option<Date> {
        let parsed = date
            .get_ref()
            .to_string()
            .parse()
            .ok()
            .filter(|_| date.get_ref().time.is_none());
        if parsed.is_none() {
            self.error(
                date.span().start,
                "bad-value",
                "Ở đây cần một ngày, ví dụ 2026-07-01.",
                "A date is needed here, such as 2026-07-01.",
            );
        }
        parsed
    }

    /// Accounts have two levels (NĐ 69/2024/NĐ-CP); a package that says nothing takes either.
    fn assurance(&mut self, level: Option<&Spanned<i64>>) -> Assurance {
        let Some(level) = level else {
            return Assurance::default();
        };
        if !(1..=2).contains(level.get_ref()) {
            self.error(
                level.span().start,
                "bad-value",
                "assurance là mức độ định danh điện tử phải có để nộp trực tuyến: 1 hoặc 2.",
                "assurance is the level of the e-ID that filing online needs: 1 or 2.",
            );
        }
        Assurance::from_level(*level.get_ref())
    }

    fn slug(&mut self, id: &Spanned<String>, seen: &mut BTreeSet<String>) {
        let (at, id) = (id.span().start, id.get_ref());
        if !is_slug(id) {
            self.error(
                at,
                "bad-id",
                &format!("Mã “{id}” chỉ được gồm a-z, 0-9 và dấu gạch nối."),
                &format!("The id “{id}” may only hold a-z, 0-9 and hyphens."),
            );
        }
        if !seen.insert(id.clone()) {
            self.error(
                at,
                "duplicate-id",
                &format!("Mã “{id}” đã dùng ở trên."),
                &format!("The id “{id}” is already used above."),
            );
        }
    }

    fn reasons(&mut self, raw: Vec<RawReason>, form: Option<&Form>) -> Vec<Reason> {
        let mut ids = BTreeSet::new();
        raw.into_iter()
            .map(|reason| {
                self.slug(&reason.id, &mut ids);
                let at = reason.id.span().start;
                let text = Text::new(reason.vi, reason.en);
                self.sink.translated(self.source, at, "reason", &text);
                if reason.basis.trim().is_empty() {
                    self.error(
                        at,
                        "missing-basis",
                        "Lý do phải có căn cứ pháp lý (basis).",
                        "A reason needs its legal basis (basis).",
                    );
                }
                if let (Some(about), Some(form)) = (&reason.about, form)
                    && form.field(about.get_ref()).is_none()
                    && form.paper(about.get_ref()).is_none()
                {
                    self.error(
                        about.span().start,
                        "unknown-name",
                        &format!("Không có câu hỏi hay giấy tờ “{}”.", about.get_ref()),
                        &format!("There is no field or paper “{}”.", about.get_ref()),
                    );
                }
                Reason {
                    id: reason.id.into_inner(),
                    text,
                    basis: reason.basis,
                    about: reason.about.map(Spanned::into_inner),
                }
            })
            .collect()
    }
}
