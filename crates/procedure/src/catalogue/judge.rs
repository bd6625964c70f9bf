//! Reads meaning out of what was published, and says where it is odd: time limits in words, amounts in words,
//! agencies of former organisations. Works on one source at a time; nothing is corrected here.

use super::{
    model::{Audience, Code, Fee, Legal, Qualifier, Said, Sort, TimeLimit, Unit},
    oddity::{Kind, Oddity},
};

/// Tidies one text: composes combining marks, removes hidden characters, trims; a `single` line has its runs of white
/// space joined. Notes what was done.
pub fn tidy(text: &str, at: &str, single: bool, oddities: &mut Vec<Oddity>) -> String {
    let mut note = |kind| {
        if !oddities.iter().any(|o: &Oddity| o.kind == kind && o.at == at) {
            oddities.push(Oddity::new(kind, at, text));
        }
    };
    let composed = base::text::nfc(text);
    if composed != text {
        note(Kind::NotNfc);
    }
    if is_mojibake(&composed) {
        note(Kind::Mojibake);
    }
    let mut out = String::with_capacity(composed.len());
    let mut hidden = false;
    for c in composed.chars() {
        match c {
            '\n' | '\t' => out.push(c),
            '\r' => {}
            '\u{a0}' | '\u{2007}' | '\u{202f}' => out.push(' '),
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {
                hidden = true;
            }
            c if c.is_control() => hidden = true,
            c => out.push(c),
        }
    }
    if hidden {
        note(Kind::HiddenCharacter);
    }
    let trimmed = out.trim();
    if !single {
        return trimmed.to_owned();
    }
    if trimmed.contains("  ") {
        note(Kind::DoubleSpace);
    }
    trimmed.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// UTF-8 that was read as Latin-1 or Windows-1252, or characters that were lost.
fn is_mojibake(text: &str) -> bool {
    let mut before = ' ';
    for c in text.chars() {
        let continuation = matches!(c, '\u{80}'..='\u{bf}');
        let bad = c == '\u{fffd}'
            || (matches!(before, 'Ã' | 'Â' | 'Ä' | 'Æ') && continuation)
            || (before == 'á' && matches!(c, '»' | 'º'))
            || (before == 'Ä' && matches!(c, '‘' | '\u{90}'));
        if bad {
            return true;
        }
        before = c;
    }
    false
}

/// A time limit found in words: how much of which unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// The number.
    pub qty: f64,
    /// The unit.
    pub unit: Unit,
}

/// The time limits that a text speaks of: "10 (mười) ngày làm việc", "03 giờ". Extensions ("tăng thêm … ngày")
/// are left out.
pub fn spans(text: &str) -> Vec<Span> {
    let text = text.to_lowercase();
    let mut found = Vec::new();
    let mut rest = text.as_str();
    let mut before = String::new();
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        before.push_str(&rest[..start]);
        let digits_end = rest[start..]
            .find(|c: char| !(c.is_ascii_digit() || c == ','))
            .map_or(rest.len(), |n| start + n);
        let digits = rest[start..digits_end].trim_end_matches(',');
        let mut after = rest[digits_end..].trim_start();
        if after.starts_with('(')
            && let Some(close) = after.find(')')
            && close < 40
        {
            after = after[close + 1..].trim_start();
        }
        let unit = [
            ("ngày làm việc", Unit::WorkingDay),
            ("giờ làm việc", Unit::WorkingHour),
            ("ngày", Unit::Day),
            ("giờ", Unit::Hour),
            ("tháng", Unit::Month),
            ("tuần", Unit::Week),
        ]
        .into_iter()
        .find(|(word, _)| after.starts_with(word));
        let tail: String = before
            .chars()
            .rev()
            .take(60)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        // "ngày 14/11/2016", "sau 15 giờ", "Điều 5", "tăng thêm 10 ngày" are not limits of the procedure.
        let not_a_limit = tail.contains("thêm") || tail.trim_end().ends_with("sau") || tail.trim_end().ends_with('/');
        if let Some((word, unit)) = unit
            && !not_a_limit
            && !after[word.len()..]
                .trim_start()
                .starts_with(|c: char| c.is_ascii_digit())
            && let Ok(qty) = digits.replace(',', ".").parse::<f64>()
            && qty > 0.0
            && qty < 1000.0
        {
            found.push(Span { qty, unit });
        }
        before.push_str(digits);
        rest = &rest[digits_end..];
    }
    found
}

/// The amounts in đồng that a text speaks of: "8.000 đồng", "150.000đ", "1,5 triệu đồng".
pub fn amounts(text: &str) -> Vec<i64> {
    let text = text.to_lowercase();
    let mut found = Vec::new();
    let mut rest = text.as_str();
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let end = rest[start..]
            .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ','))
            .map_or(rest.len(), |n| start + n);
        let raw = rest[start..end].trim_end_matches(['.', ',']);
        let after = rest[end..].trim_start();
        let (scale, word) = if let Some(a) = after.strip_prefix("triệu") {
            (1_000_000.0, a.trim_start())
        } else if let Some(a) = after.strip_prefix("nghìn").or_else(|| after.strip_prefix("ngàn")) {
            (1_000.0, a.trim_start())
        } else {
            (1.0, after)
        };
        let dong = word.starts_with("đồng")
            || word.starts_with("vnđ")
            || word.starts_with("vnd")
            || word
                .strip_prefix('đ')
                .is_some_and(|w| !w.starts_with(char::is_alphabetic));
        if dong {
            let digits: String = raw.chars().filter(char::is_ascii_digit).collect();
            let value = if scale > 1.0 {
                raw.replace(',', ".").parse::<f64>().ok().map(|n| n * scale)
            } else {
                digits.parse::<f64>().ok()
            };
            if let Some(value) = value.filter(|v| (0.0..1e13).contains(v)) {
                #[expect(clippy::cast_possible_truncation, reason = "held under 1e13 above")]
                found.push(value as i64);
            }
        }
        rest = &rest[end..];
    }
    found
}

/// How far a published amount can be relied on, from its number and words.
pub fn qualify(amount: Option<i64>, text: &str) -> Qualifier {
    let folded = base::text::fold(text);
    let words = folded.trim_matches(|c: char| !c.is_alphanumeric());
    let by_province = words.contains("hoi dong nhan dan")
        || words.contains("hdnd")
        || words.contains("uy ban nhan dan tinh")
        || words.contains("dia phuong quy dinh");
    match amount {
        Some(1..=999) => Qualifier::SuspiciousScale,
        Some(n) if n > 0 => Qualifier::Fixed,
        Some(n) if n < 0 => Qualifier::Unknown,
        // A zero beside words that give amounts, or that leave it to the province, is not "free".
        _ if by_province => Qualifier::SetByProvince,
        Some(_) if words.is_empty() => Qualifier::Free,
        _ if matches!(
            words,
            "khong"
                | "khong co"
                | "khong thu"
                | "khong quy dinh"
                | "khong thu phi"
                | "khong thu le phi"
                | "mien phi"
                | "mien le phi"
                | "khong mat phi"
                | "khong phi"
                | "khong le phi"
                | "khong thu phi, le phi"
        ) =>
        {
            Qualifier::Free
        }
        _ => Qualifier::Unknown,
    }
}

/// Notes all that is odd in what one source says.
pub fn judge(code: &Code, said: &mut Said) {
    let mut odd = Vec::new();
    judge_code(code, &mut odd);
    if let Some(name) = &said.name {
        let letters: Vec<char> = name.vi.chars().filter(|c| c.is_alphabetic()).collect();
        if letters.len() > 8 && letters.iter().all(|c| c.is_uppercase()) {
            odd.push(Oddity::new(Kind::NameCapitals, "name", &name.vi));
        }
        if name.vi.ends_with(['.', ';', ',', ':', '/']) {
            odd.push(Oddity::new(Kind::NameUnfinished, "name", &name.vi));
        }
        if name.vi.chars().count() > 400 {
            odd.push(Oddity::new(Kind::NameLong, "name", &name.vi));
        }
    }
    if said.fields.as_ref().is_some_and(Vec::is_empty) {
        odd.push(Oddity::new(Kind::FieldBlank, "fields", ""));
    }
    judge_agencies(said, &mut odd);
    if let Some(audiences) = &said.audiences {
        if audiences.is_empty() {
            odd.push(Oddity::new(Kind::AudienceBlank, "audiences", ""));
        }
        for (n, audience) in audiences.iter().enumerate().filter(|(_, a)| Audience::of(a).is_none()) {
            odd.push(Oddity::new(Kind::AudienceUnknown, format!("audiences[{n}]"), audience));
        }
    }
    if let Some(state) = &said.state
        && !matches!(state.as_str(), "ACTIVE" | "UPDATED")
    {
        odd.push(Oddity::new(Kind::StateUnknown, "state", state));
    }
    if said.cases.as_ref().is_some_and(Vec::is_empty) {
        odd.push(Oddity::new(Kind::CasesBlank, "cases", ""));
    }
    for (n, case) in said.cases.iter().flatten().enumerate() {
        if said.cases.iter().flatten().take(n).any(|c| c.code == case.code) {
            odd.push(Oddity::new(Kind::CaseRepeated, format!("cases[{n}]"), &case.code));
        }
    }
    judge_times(said, &mut odd);
    judge_fees(said, &mut odd);
    if said.results.as_ref().is_some_and(Vec::is_empty) {
        odd.push(Oddity::new(Kind::ResultsBlank, "results", ""));
    }
    if let Some(basis) = &said.legal_basis {
        if basis.is_empty() {
            odd.push(Oddity::new(Kind::BasisBlank, "legal_basis", ""));
        }
        for (n, legal) in basis.iter().enumerate().filter(|(_, l)| !well_formed(l)) {
            odd.push(Oddity::new(
                Kind::BasisMalformed,
                format!("legal_basis[{n}]"),
                &legal.number,
            ));
        }
    }
    for (n, step) in said.steps.iter().flatten().enumerate() {
        if let Some(line) = broken_line(&step.text) {
            odd.push(Oddity::new(Kind::StepsGarbled, format!("steps[{n}]"), line));
        }
    }
    let remarks = said
        .papers
        .iter()
        .flatten()
        .flat_map(|g| &g.papers)
        .filter(|p| p.handling == super::model::Handling::Remark);
    let remarks: Vec<&str> = remarks.map(|p| p.name.as_str()).collect();
    if let Some(first) = remarks.first() {
        odd.push(Oddity::new(Kind::PaperRemark, "papers", first));
    }
    for new in odd {
        if !said.oddities.iter().any(|o| o.kind == new.kind && o.at == new.at) {
            said.oddities.push(new);
        }
    }
}

fn judge_code(code: &Code, odd: &mut Vec<Oddity>) {
    let text = code.as_str();
    if text.to_ascii_lowercase().ends_with("-xoa") {
        odd.push(Oddity::new(Kind::CodeMarkedDeleted, "code", text));
    } else if code.is_province_variant() {
        odd.push(Oddity::new(Kind::CodeProvince, "code", text));
    } else if !code.is_standard() {
        odd.push(Oddity::new(Kind::CodeNonstandard, "code", text));
    }
}

fn judge_agencies(said: &Said, odd: &mut Vec<Oddity>) {
    let mut former = |at: String, name: &str| {
        let folded = base::text::fold(name);
        // Ministries merged away in 2025, and districts, which ended on 1 July 2025 (Law 72/2025/QH15).
        let old = folded.contains("cu)")
            || folded.contains("giao thong van tai")
            || folded.contains("ke hoach va dau tu")
            || folded.contains("lao dong - thuong binh")
            || folded.contains("lao dong, thuong binh")
            || folded.contains("tai nguyen va moi truong")
            || folded.contains("thong tin va truyen thong")
            || folded.contains("nong nghiep va phat trien nong thon")
            || folded.contains("cap huyen")
            || folded.contains("quan/huyen");
        if old {
            odd.push(Oddity::new(Kind::AgencyFormer, at.clone(), name));
        }
        let lower_ministry = ["Bộ xây", "Bộ tài", "Bộ công", "bộ ", "ủy ban"]
            .iter()
            .any(|w| name.starts_with(w));
        if lower_ministry || name.contains("- Bộ tài") {
            odd.push(Oddity::new(Kind::AgencySpelling, at, name));
        }
    };
    if let Some(agency) = &said.promulgating {
        former("promulgating".to_owned(), &agency.vi);
    }
    for (n, agency) in said.executing.iter().flatten().enumerate() {
        former(format!("executing[{n}]"), &agency.vi);
    }
    if said.promulgating.as_ref().is_some_and(|p| p.vi.is_empty()) {
        odd.push(Oddity::new(Kind::PromulgatingBlank, "promulgating", ""));
    }
    if said.executing.as_ref().is_some_and(Vec::is_empty) {
        odd.push(Oddity::new(Kind::ExecutingBlank, "executing", ""));
    }
    if let Some(word) = &said.sort {
        let local = said.promulgating.as_ref().is_some_and(|p| {
            let p = base::text::fold(&p.vi);
            p.starts_with("ubnd") || p.starts_with("uy ban nhan dan") || p.starts_with("so ") || p.contains("thanh pho")
        });
        match Sort::of(word) {
            None => odd.push(Oddity::new(Kind::SortUnknown, "type", word)),
            Some(Sort::National) if local => odd.push(Oddity::new(Kind::SortContradicts, "type", word)),
            Some(Sort::Provincial) if !local && said.promulgating.as_ref().is_some_and(|p| !p.vi.is_empty()) => {
                odd.push(Oddity::new(Kind::SortContradicts, "type", word));
            }
            _ => {}
        }
    }
}

fn judge_times(said: &Said, odd: &mut Vec<Oddity>) {
    for (n, channel) in said.channels.iter().flatten().enumerate() {
        let at = format!("channels[{n}].time");
        judge_time(&channel.time, &channel.note.vi, &at, odd);
    }
    for (n, case) in said.cases.iter().flatten().enumerate() {
        judge_time(&case.time, &case.name.vi, &format!("cases[{n}].time"), odd);
    }
    let of_cases: Vec<_> = said.cases.iter().flatten().filter_map(|c| c.time.known()).collect();
    let of_channels: Vec<_> = said.channels.iter().flatten().filter_map(|c| c.time.known()).collect();
    if let (Some((q, u)), false) = (of_cases.first(), of_channels.is_empty())
        && !of_cases.iter().any(|t| of_channels.contains(t))
    {
        odd.push(Oddity::new(
            Kind::CaseContradicts,
            "cases",
            &format!("{q} {}", u.label(false).vi),
        ));
    }
}

fn judge_time(time: &TimeLimit, note: &str, at: &str, odd: &mut Vec<Oddity>) {
    match (time.qty, time.unit) {
        (_, Unit::Other) => odd.push(Oddity::new(Kind::UnitOther, at, &time.text.vi)),
        (None, _) if time.text.vi.is_empty() => odd.push(Oddity::new(Kind::QtyBlank, at, "")),
        _ => {}
    }
    if let Some(qty) = time.qty {
        if qty <= 0.0 {
            odd.push(Oddity::new(Kind::QtyZero, at, &qty.to_string()));
        } else if qty.fract() != 0.0 {
            odd.push(Oddity::new(Kind::QtyFraction, at, &qty.to_string()));
        }
    }
    if let Some((qty, unit)) = time.known() {
        let in_words: Vec<Span> = spans(&time.text.vi).into_iter().chain(spans(note)).collect();
        if !in_words.is_empty() && !in_words.contains(&Span { qty, unit }) {
            let words = if time.text.vi.is_empty() { note } else { &time.text.vi };
            odd.push(Oddity::new(Kind::TimeContradicts, at, words));
        }
    }
}

fn judge_fees(said: &Said, odd: &mut Vec<Oddity>) {
    for (n, channel) in said.channels.iter().flatten().enumerate() {
        for (m, fee) in channel.fees.iter().enumerate() {
            let at = format!("channels[{n}].fees[{m}]");
            if let Some(kind) = judge_fee(fee) {
                let value = match fee.amount {
                    Some(amount) => format!("{amount} · {}", fee.text.vi),
                    None => fee.text.vi.clone(),
                };
                odd.push(Oddity::new(kind, at, &value));
            }
        }
    }
}

fn judge_fee(fee: &Fee) -> Option<Kind> {
    let in_words = amounts(&fee.text.vi);
    match (fee.amount, fee.qualifier) {
        (Some(n), _) if n < 0 => Some(Kind::FeeNegative),
        (_, Qualifier::SuspiciousScale) => Some(Kind::FeeScale),
        (Some(n), _) if n > 0 && !in_words.is_empty() && !in_words.contains(&n) => Some(Kind::FeeContradicts),
        (Some(0), Qualifier::SetByProvince | Qualifier::Unknown) if in_words.iter().any(|a| *a > 0) => {
            Some(Kind::FeeContradicts)
        }
        (Some(_), Qualifier::SetByProvince) => Some(Kind::FeeZeroByProvince),
        (None, Qualifier::SetByProvince) => Some(Kind::FeeByProvince),
        (None, _) if fee.text.vi.is_empty() => Some(Kind::FeeBlank),
        (_, Qualifier::Unknown) if in_words.is_empty() => Some(Kind::FeeElsewhere),
        _ => None,
    }
}

/// Whether the number of a legal document has its usual shape: a number, the year, the notation
/// (`123/2015/NĐ-CP`, `60/2014/QH13`, `2252/QĐ-UBND`), with or without the kind of document before it.
fn well_formed(legal: &Legal) -> bool {
    let number = legal.number.trim();
    let number = number.rsplit(' ').find(|w| w.contains('/')).unwrap_or(number);
    if legal.number.contains(" /") || legal.number.contains("./") || legal.number.ends_with('.') {
        return false;
    }
    let parts: Vec<&str> = number.split('/').collect();
    let starts = parts
        .first()
        .is_some_and(|p| p.starts_with(|c: char| c.is_ascii_digit()));
    let notation = parts.last().copied().unwrap_or_default();
    let known_end = ["-CP", "-TTg", "-BTC", "-UBND", "-HĐND", "-QH", "-BTP"]
        .iter()
        .any(|e| notation.contains(e))
        || notation.starts_with("QH")
        || notation.starts_with("TT-")
        || notation.starts_with("TTLT-")
        || notation.starts_with("QĐ-")
        || notation.starts_with("NQ-")
        || notation.starts_with("UBTVQH")
        || notation.starts_with("CT-")
        || notation.starts_with("VBHN-")
        || notation.starts_with("L-CTN");
    let house = !notation.starts_with("QH") || notation[2..].len() <= 2 && notation.len() > 3;
    let cut = notation.ends_with("-C");
    let years = parts.len() == 2
        || parts
            .get(1)
            .is_some_and(|y| y.len() == 4 && y.bytes().all(|b| b.is_ascii_digit()));
    starts && parts.len() >= 2 && known_end && house && years && !cut
}

/// The first line that breaks off in the middle of a sentence: it ends in a letter and the next starts in lower case.
fn broken_line(text: &str) -> Option<&str> {
    let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty()).peekable();
    while let Some(line) = lines.next() {
        let breaks = line.ends_with(|c: char| c.is_lowercase());
        if breaks
            && lines
                .peek()
                .is_some_and(|next| next.starts_with(|c: char| c.is_lowercase()))
        {
            return Some(line);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_out_of_words() {
        assert_eq!(
            spans("Không quá 10 (mười) ngày làm việc; tăng thêm không quá 05 ngày; nộp sau 15 giờ; ngày 14/11/2016"),
            vec![Span {
                qty: 10.0,
                unit: Unit::WorkingDay
            }]
        );
        assert_eq!(
            spans("03 giờ"),
            vec![Span {
                qty: 3.0,
                unit: Unit::Hour
            }]
        );
        assert_eq!(spans("Điều 12, khoản 5"), vec![]);
        assert_eq!(
            spans("7,5 ngày làm việc"),
            vec![Span {
                qty: 7.5,
                unit: Unit::WorkingDay
            }]
        );
    }

    #[test]
    fn amounts_are_read_out_of_words() {
        assert_eq!(
            amounts("Đất ở: 150.000 đồng/hồ sơ; 1,5 triệu đồng; 8.000đ; Thông tư 281/2016"),
            vec![150_000, 1_500_000, 8_000]
        );
        assert_eq!(amounts("5 điều"), Vec::<i64>::new());
    }

    #[test]
    fn a_zero_is_free_only_when_nothing_else_is_said() {
        assert_eq!(qualify(Some(0), ""), Qualifier::Free);
        assert_eq!(
            qualify(Some(0), "Do Hội đồng nhân dân tỉnh quy định"),
            Qualifier::SetByProvince
        );
        assert_eq!(
            qualify(None, "(Mức lệ phí do HĐND tỉnh quyết định.)"),
            Qualifier::SetByProvince
        );
        assert_eq!(qualify(Some(0), "Phí thẩm định: 150.000 đồng"), Qualifier::Unknown);
        assert_eq!(qualify(Some(45), ""), Qualifier::SuspiciousScale);
        assert_eq!(qualify(Some(8000), "x"), Qualifier::Fixed);
        assert_eq!(qualify(None, ""), Qualifier::Unknown);
        assert_eq!(qualify(None, "Không."), Qualifier::Free);
    }

    #[test]
    fn numbers_of_documents() {
        let ok = |n: &str| {
            well_formed(&Legal {
                number: n.into(),
                title: base::Text::default(),
            })
        };
        for good in [
            "123/2015/NĐ-CP",
            "60/2014/QH13",
            "66.7/2025/NQ-CP",
            "Thông tư số 03/2023/TT-BTP",
            "2252/QĐ-UBND",
        ] {
            assert!(ok(good), "{good}");
        }
        for bad in [
            "123/2015/NĐ-C",
            "12/2020/QH2014",
            "45 /2020/NQ-HĐND",
            "45./2020/NQ-HĐND",
            "Luật Đất đai",
        ] {
            assert!(!ok(bad), "{bad}");
        }
    }

    #[test]
    fn tidying_composes_and_tells() {
        let mut odd = Vec::new();
        assert_eq!(
            tidy("  Đa\u{323}i  ho\u{323}c\u{200e} ", "name", true, &mut odd),
            "Đại học"
        );
        let kinds: Vec<Kind> = odd.iter().map(|o| o.kind).collect();
        assert_eq!(kinds, vec![Kind::NotNfc, Kind::HiddenCharacter, Kind::DoubleSpace]);
        let mut odd = Vec::new();
        tidy("Thá»§ tá»¥c", "name", true, &mut odd);
        assert_eq!(odd.first().map(|o| o.kind), Some(Kind::Mojibake));
        let mut odd = Vec::new();
        tidy("ĐẾN ĐỊA BÀN XÃ KHÁC", "name", true, &mut odd);
        assert!(odd.is_empty());
    }
}
