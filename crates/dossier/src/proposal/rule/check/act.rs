//! Whether the state may act by itself, and what it does then.

use std::sync::Arc;

use procedure::{
    feel::{Type, Types},
    form::{FieldSource, Kind, Rule as Needed},
    package::Package,
    reference::{Procedure, Qualifier},
    writes::{self, Undo, Write},
};

use super::{Judge, REFUSE, RESTORE, Raw, RawAct};
use crate::proposal::rule::{Act, WRITES};

impl Judge<'_> {
    /// The state never acts where something is to be paid, signed, declared or chosen.
    pub(super) fn may_act(&mut self, package: Option<&Arc<Package>>, published: Option<&Procedure>) {
        let fees = published
            .into_iter()
            .flat_map(|known| &known.channel)
            .flat_map(|channel| &channel.fees);
        let mut paid = fees
            .into_iter()
            .any(|fee| fee.amount > 0 || fee.qualifier != Qualifier::Free);
        if let Some(package) = package {
            paid |= package.meta.payment.is_some()
                || package.decisions.as_ref().is_some_and(|decisions| decisions.has("fee"));
            let form = &package.form;
            let declares = form.fields().any(|field| matches!(field.kind, Kind::Declaration));
            let hands_in = form.papers.iter().any(|paper| !matches!(paper.required, Needed::Never));
            if declares || hands_in {
                self.error(
                    "level",
                    "act-signature",
                    "Thủ tục cần lời cam đoan hoặc giấy tờ của chính người dân; không được tự động thực hiện.",
                    "The procedure needs a declaration or papers of the person: the state must not act by itself.",
                );
            }
            let chooses = |field: &procedure::form::Field| {
                matches!(field.source, FieldSource::Asked)
                    && !matches!(field.kind, Kind::Declaration)
                    && !matches!(field.required, Needed::Never)
            };
            if form.fields().any(chooses) {
                self.error(
                    "level",
                    "act-choice",
                    "Tờ khai có mục chỉ người dân mới chọn hoặc khai được; không được tự động thực hiện.",
                    "The form asks what only the person can choose or know: the state must not act by itself.",
                );
            }
        }
        if paid {
            self.error(
                "level",
                "act-fee",
                "Thủ tục có phí, lệ phí hoặc chưa rõ mức thu; không được tự động thực hiện.",
                "The procedure has a fee, or it is not known: the state must not act by itself.",
            );
        }
    }

    pub(super) fn act(&mut self, raw: &Raw, told: Option<&str>, types: Types) -> Act {
        let none = RawAct::default();
        let days = raw.act.as_ref().unwrap_or(&none);
        let within = |days: u16, (least, most): (u16, u16)| (least..=most).contains(&days);
        if !within(days.refuse_days, REFUSE) || !within(days.restore_days, RESTORE) {
            self.error(
                "act",
                "act-without-way-back",
                format!(
                    "Phải có [act] với refuse_days ({}–{} ngày để từ chối trước khi thực hiện) và restore_days ({}–{} ngày để khôi phục).",
                    REFUSE.0, REFUSE.1, RESTORE.0, RESTORE.1
                ),
                format!(
                    "It needs [act] with refuse_days ({}–{} days to say no before) and restore_days ({}–{} days to have the former state back).",
                    REFUSE.0, REFUSE.1, RESTORE.0, RESTORE.1
                ),
            );
        }
        Act {
            refuse_days: days.refuse_days,
            restore_days: days.restore_days,
            writes: told.map(|told| self.writes(told, types)).unwrap_or_default(),
        }
    }

    fn writes(&mut self, told: &str, types: Types) -> Vec<Write> {
        let types = types.with("code", Type::String).with("decided_on", Type::Date);
        let (writes, report) = writes::compile(WRITES, told, types);
        for finding in report.findings {
            let path = if finding.line == 0 {
                String::new()
            } else {
                finding.line.to_string()
            };
            let (vi, en) = (finding.text.vi, finding.text.en);
            match finding.severity {
                procedure::check::Severity::Error => self.sink.error(WRITES, path, &finding.code, vi, en),
                procedure::check::Severity::Warning => self.sink.warning(WRITES, path, &finding.code, vi, en),
            }
        }
        for write in writes.iter().filter(|write| write.undo == Undo::Keep) {
            self.sink.error(
                WRITES,
                write.id.clone(),
                "act-without-way-back",
                "Việc ghi này không thu hồi được (undo = \"keep\"); không khôi phục được trạng thái trước.",
                "This write is not taken back (undo = \"keep\"): the former state could not be had back.",
            );
        }
        writes
    }
}
