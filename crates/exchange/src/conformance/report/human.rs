//! The report for people.

use std::fmt::{self, Write as _};

use base::Lang;

use super::{Finding, Outcome, Report, RuleResult};
use crate::conformance::rules::Severity;

impl Report {
    /// The report as text in one language: what is broken first, then how far the check went. What the service said stands in it
    /// without characters that could steer a terminal.
    pub fn to_text(&self, lang: Lang) -> String {
        let mut out = String::new();
        let written = self.write(&mut out, lang);
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
        out.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
    }

    fn write(&self, out: &mut String, lang: Lang) -> fmt::Result {
        writeln!(out, "{} {}  {}", self.title, self.version, self.base)?;
        for severity in [Severity::Must, Severity::Should] {
            for result in self.results.iter().filter(|result| result.severity == severity) {
                if result.outcome == Outcome::Broken {
                    write_result(out, result, lang)?;
                }
            }
        }
        let coverage = &self.coverage;
        for skipped in &coverage.skipped {
            write!(out, "\n{} {}: ", lang.t("Không gọi", "Not called:"), skipped.operation)?;
            out.write_str(skipped.why.get(lang))?;
        }
        writeln!(out)?;
        let (called, of, requests) = (coverage.called, coverage.operations, coverage.requests);
        let (succeeded, median, slowest) = (coverage.succeeded, coverage.median_millis, coverage.slowest_millis);
        match lang {
            Lang::Vi => writeln!(
                out,
                "Đã gọi {called}/{of} thao tác, {succeeded} thành công; {requests} yêu cầu, trung vị {median} ms, chậm nhất {slowest} ms {}",
                coverage.slowest
            )?,
            Lang::En => writeln!(
                out,
                "Called {called} of {of} operations, {succeeded} succeeded; {requests} requests, median {median} ms, slowest {slowest} ms {}",
                coverage.slowest
            )?,
        }
        let badge = self.badge();
        let (kept, broken) = (badge.passed, badge.failed);
        let advice = self.count(Severity::Should, Outcome::Broken);
        let seed = self.seed;
        match (lang, self.conforms) {
            (Lang::Vi, true) => writeln!(
                out,
                "ĐẠT quy tắc {}: {kept} quy tắc bắt buộc được tuân thủ; {advice} khuyến nghị chưa theo. Số gốc (seed): {seed}",
                self.rules
            ),
            (Lang::Vi, false) => writeln!(
                out,
                "CHƯA ĐẠT quy tắc {}: {broken} quy tắc bắt buộc bị vi phạm, {kept} được tuân thủ; {advice} khuyến nghị chưa theo. Số gốc (seed): {seed}",
                self.rules
            ),
            (Lang::En, true) => writeln!(
                out,
                "CONFORMS to rules {}: {kept} mandatory rules kept; {advice} recommendations not followed. Seed: {seed}",
                self.rules
            ),
            (Lang::En, false) => writeln!(
                out,
                "DOES NOT CONFORM to rules {}: {broken} mandatory rules broken, {kept} kept; {advice} recommendations not followed. Seed: {seed}",
                self.rules
            ),
        }
    }
}

/// Control characters, and those that change the direction of text (Unicode TR 9).
fn steers(c: char) -> bool {
    (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn write_result(out: &mut String, result: &RuleResult, lang: Lang) -> fmt::Result {
    let weight = match result.severity {
        Severity::Must => lang.t("BẮT BUỘC", "MUST"),
        Severity::Should => lang.t("NÊN", "SHOULD"),
    };
    let (broken, checked) = (result.broken, result.checked);
    writeln!(out, "\n{weight}  {}  ({broken}/{checked})", result.rule.code())?;
    writeln!(out, "  {}", result.text.get(lang))?;
    for finding in &result.findings {
        write_finding(out, finding, lang)?;
    }
    let more = (broken as usize).saturating_sub(result.findings.len());
    if more > 0 {
        writeln!(out, "  - {}{more}", lang.t("và còn: ", "and more: "))?;
    }
    Ok(())
}

fn write_finding(out: &mut String, finding: &Finding, lang: Lang) -> fmt::Result {
    writeln!(out, "  - {}", finding.text.get(lang))?;
    if !finding.at.is_empty() {
        writeln!(out, "    #{}", finding.at)?;
    }
    for (sign, text) in [(">", &finding.request), ("<", &finding.answer)] {
        for line in text.iter().flat_map(|text| text.lines()) {
            writeln!(out, "    {sign} {line}")?;
        }
    }
    Ok(())
}
