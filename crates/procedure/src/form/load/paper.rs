//! A paper to hand in.

use std::collections::BTreeSet;

use base::codes::PaperCode;
use papers::Format;
use toml::Spanned;

use super::{super::Paper, Loader, is_slug, raw::RawPaper};

impl Loader<'_, '_> {
    pub(super) fn paper(&mut self, raw: RawPaper, ids: &mut BTreeSet<String>) -> Paper {
        let at = raw.id.span().start;
        let id = raw.id.into_inner();
        if !is_slug(&id) {
            self.error(
                at,
                "bad-id",
                format!("Mã giấy tờ “{id}” chỉ được gồm a-z, 0-9 và dấu gạch nối."),
                format!("The paper id “{id}” may only hold a-z, 0-9 and hyphens."),
            );
        }
        if !ids.insert(id.clone()) {
            self.error(
                at,
                "duplicate-id",
                format!("Mã giấy tờ “{id}” đã dùng ở trên."),
                format!("The paper id “{id}” is already used above."),
            );
        }
        if let Some(code) = &raw.code
            && let Err(error) = code.get_ref().parse::<PaperCode>()
        {
            let text = error.text().clone();
            self.error(code.span().start, "bad-code", text.vi, text.en);
        }
        let basis = raw.basis.unwrap_or_default();
        if basis.trim().is_empty() {
            self.error(
                at,
                "missing-basis",
                format!("Giấy tờ “{id}” chưa có căn cứ pháp lý (basis)."),
                format!("The paper “{id}” has no legal basis (basis)."),
            );
        }
        let max_mb = raw.max_mb.unwrap_or(20);
        let max_pages = raw.max_pages.unwrap_or(50);
        if !(1..=100).contains(&max_mb) || !(1..=2_000).contains(&max_pages) {
            self.error(
                at,
                "bad-value",
                "max_mb từ 1 đến 100; max_pages từ 1 đến 2000.".to_owned(),
                "max_mb is 1 to 100; max_pages is 1 to 2000.".to_owned(),
            );
        }
        let name = self.both(at, "name", raw.name);
        let hint = raw.hint.map(|hint| self.both(at, "hint", hint));
        let when = raw.when.as_ref().and_then(|when| self.condition(when));
        Paper {
            code: raw.code.map(Spanned::into_inner),
            name,
            hint,
            kind: raw.kind,
            required: self.rule(raw.required),
            when,
            originals: raw.originals,
            copies: raw.copies,
            accept: raw
                .accept
                .filter(|a| !a.is_empty())
                .unwrap_or_else(|| Format::ALL.to_vec()),
            max_mb,
            max_pages,
            basis,
            id,
        }
    }
}
