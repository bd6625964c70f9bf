//! Time limits and how they are counted.

use std::collections::BTreeSet;

use base::{
    Text,
    codes::ProcedureCode,
    deadline::{Budget, Cutoff, Rules, Unit},
};
use jiff::civil::Time;

use super::{
    DeadlineCase,
    load::Loader,
    raw::{RawDeadline, RawRules},
};
use crate::form::{Form, load::condition};

impl Loader<'_, '_> {
    pub(super) fn rules(&mut self, raw: &RawRules) -> Rules {
        let mut rules = Rules {
            max_reappointments: raw.max_reappointments,
            ..Rules::default()
        };
        if let Some(cutoff) = &raw.same_day_cutoff {
            let text = cutoff.get_ref().as_str();
            if text == "none" {
                rules.cutoff = None;
            } else if let (Ok(after), 5) = (text.parse::<Time>(), text.len()) {
                rules.cutoff = Some(Cutoff {
                    after,
                    ..rules.cutoff.unwrap_or_default()
                });
            } else {
                self.error(
                    cutoff.span().start,
                    "bad-value",
                    "same_day_cutoff là giờ, ví dụ \"15:00\", hoặc \"none\".",
                    "same_day_cutoff is a time such as \"15:00\", or \"none\".",
                );
            }
        }
        rules
    }

    pub(super) fn deadlines(
        &mut self,
        raw: Vec<RawDeadline>,
        code: &str,
        form: Option<&Form>,
    ) -> Option<Vec<DeadlineCase>> {
        if raw.is_empty() {
            self.sink.whole(
                self.source.name,
                "missing-deadline",
                "Thủ tục phải có ít nhất một thời hạn ([[deadline]]).",
                "A procedure needs at least one time limit ([[deadline]]).",
            );
            return None;
        }
        let last = raw.len() - 1;
        let mut seen = BTreeSet::new();
        let mut cases = Vec::new();
        for (n, raw) in raw.into_iter().enumerate() {
            let at = raw.case.span().start;
            if (n == last) != raw.when.is_none() {
                self.error(
                    at,
                    "bad-deadline",
                    "Chỉ thời hạn cuối cùng không có điều kiện (when), và phải không có.",
                    "The last time limit, and only it, has no condition (when).",
                );
            }
            let case = raw.case.get_ref();
            let good = case.parse::<ProcedureCode>().is_ok()
                && case
                    .strip_prefix(code)
                    .is_some_and(|r| r.starts_with('.') || r.is_empty());
            if !good {
                self.error(
                    at,
                    "bad-code",
                    &format!("Mã trường hợp “{case}” phải có dạng {code}.01."),
                    &format!("The case code “{case}” must look like {code}.01."),
                );
            }
            if !seen.insert(case.clone()) {
                self.error(
                    at,
                    "duplicate-id",
                    &format!("Mã “{case}” đã dùng ở trên."),
                    &format!("The code “{case}” is already used above."),
                );
            }
            if raw.basis.trim().is_empty() {
                self.error(
                    at,
                    "missing-basis",
                    "Thời hạn phải có căn cứ pháp lý (basis).",
                    "A time limit needs its legal basis (basis).",
                );
            }
            let basis = Text::new(raw.basis.clone(), raw.basis);
            let budget = match budget(raw.budget.get_ref(), basis) {
                Some(budget) => budget,
                None => {
                    self.error(
                        raw.budget.span().start,
                        "bad-budget",
                        &format!(
                            "“{}” không phải thời hạn; ví dụ 1wd, 4wh, 12d, 8h, 2w, 1mo.",
                            raw.budget.get_ref()
                        ),
                        &format!(
                            "“{}” is no time limit; write 1wd, 4wh, 12d, 8h, 2w or 1mo.",
                            raw.budget.get_ref()
                        ),
                    );
                    continue;
                }
            };
            let when = match (&raw.when, form) {
                (Some(when), Some(form)) => condition(self.sink, self.source, when, form.types()),
                _ => None,
            };
            cases.push(DeadlineCase {
                name: self.both("deadline.name", raw.name),
                case: raw.case.into_inner(),
                when,
                budget,
            });
        }
        (!cases.is_empty()).then_some(cases)
    }
}

/// Reads `1wd`, `4wh`, `12d`, `8h`, `2w`, `1mo`, `1y`.
fn budget(text: &str, basis: Text) -> Option<Budget> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, unit) = text.split_at(split);
    let qty: u32 = digits.parse().ok()?;
    let (unit, most) = match unit {
        "wd" => (Unit::WorkingDay, 25_000),
        "wh" => (Unit::WorkingHour, 200_000),
        "d" => (Unit::Day, 36_500),
        "h" => (Unit::Hour, 876_000),
        "w" => (Unit::Week, 5_200),
        "mo" => (Unit::Month, 1_200),
        "y" => (Unit::Year, 100),
        _ => return None,
    };
    (qty <= most).then(|| Budget::new(qty, unit, basis))
}
