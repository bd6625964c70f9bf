//! Answers that a form accepts, by the type of each question: what a townsperson would have typed.

use procedure::form::{Answers, Context, Field, FieldSource, Form, Kind, PageState};
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};

/// Family names.
pub const FAMILY: [&str; 10] = [
    "Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Vũ", "Đặng", "Bùi", "Đỗ", "Đinh",
];
const MIDDLE: [&str; 10] = [
    "Văn", "Thị", "Minh", "Ngọc", "Thanh", "Đức", "Quang", "Hải", "Thu", "Gia",
];
/// Given names.
pub const GIVEN: [&str; 16] = [
    "An", "Bình", "Châu", "Dũng", "Giang", "Hà", "Hùng", "Khánh", "Lan", "Linh", "Nam", "Ngân", "Phúc", "Quỳnh", "Sơn",
    "Yến",
];
/// Streets of the ward.
pub const STREETS: [&str; 6] = [
    "Đinh Tiên Hoàng",
    "Lê Đại Hành",
    "Trần Hưng Đạo",
    "Tràng An",
    "Lương Văn Thăng",
    "Hải Thượng Lãn Ông",
];

/// A full name.
pub fn name(rng: &mut StdRng) -> String {
    let mut pick = |list: &[&'static str]| list.choose(rng).copied().unwrap_or("An");
    format!("{} {} {}", pick(&FAMILY), pick(&MIDDLE), pick(&GIVEN))
}

/// A personal number that follows the rules, for somebody born in `year`.
pub fn person_number(rng: &mut StdRng, year: i16, female: bool) -> String {
    let century = if year >= 2000 { 2 } else { 0 } + u8::from(female);
    format!(
        "037{century}{:02}{:06}",
        year.rem_euclid(100),
        rng.random_range(1..999_999)
    )
}

/// Fills a form: question by question, as conditions bring them up. What a form still refuses after that is left to the
/// caller, who files and sees.
pub fn fill(form: &Form, ctx: &Context<'_>, rng: &mut StdRng) -> Answers {
    fill_up(Answers::new(), form, ctx, rng)
}

/// The same where some questions are answered already.
pub fn fill_up(mut answers: Answers, form: &Form, ctx: &Context<'_>, rng: &mut StdRng) -> Answers {
    for _ in 0..60 {
        let journey = form.journey(&answers, ctx);
        let open = journey
            .pages
            .iter()
            .flat_map(|page| unanswered(form, page, &journey.answers))
            .next();
        let Some(field) = open else { break };
        let value = answer(field, ctx, rng);
        answers.set(&field.id, value);
    }
    answers
}

fn unanswered<'a>(form: &'a Form, page: &'a PageState, answers: &'a Answers) -> impl Iterator<Item = &'a Field> {
    let fields = form
        .pages
        .get(page.page)
        .map(|p| p.fields.as_slice())
        .unwrap_or_default();
    page.fields
        .iter()
        .filter(|f| f.required && !f.origin.fixed())
        .filter_map(move |f| fields.get(f.field))
        .filter(|f| !matches!(f.source, FieldSource::Derived(_)) && answers.get(&f.id).is_none())
}

fn answer(field: &Field, ctx: &Context<'_>, rng: &mut StdRng) -> Value {
    let today = ctx.today;
    match field.id.as_str() {
        // Whom one marries is grown up, and of the other sex.
        "partner.birth_date" => {
            return json!(
                today
                    .saturating_sub(jiff::ToSpan::days(rng.random_range(7_700..14_000_i64)))
                    .to_string()
            );
        }
        "partner.sex" => {
            return json!(if ctx.applicant.sex.as_deref() == Some("male") {
                "female"
            } else {
                "male"
            });
        }
        "partner.marital_status" => return json!("single"),
        "marriage.kin" => return json!(false),
        "business.name" => return json!(format!("Doanh nghiệp tư nhân {}", name(rng))),
        "business.main_activity" => return json!(["4711", "4719", "5610", "9631"].choose(rng)),
        _ => {}
    }
    match &field.kind {
        Kind::PersonName => json!(name(rng)),
        Kind::PersonNumber => {
            let year = rng.random_range(1960..2004);
            let female = rng.random();
            json!(person_number(rng, year, female))
        }
        Kind::IdDocument => {
            json!({ "kind": "cccd", "number": person_number(rng, 1988, true), "date": "2021-06-15", "place": "Cục Cảnh sát quản lý hành chính về trật tự xã hội" })
        }
        Kind::Date { min, max } => {
            let last = max.as_ref().map_or(today, |bound| bound.on(today));
            let first = min.as_ref().map(|bound| bound.on(today));
            let day = last.saturating_sub(jiff::ToSpan::days(rng.random_range(0..20_i64)));
            json!(first.map_or(day, |first| day.max(first)).to_string())
        }
        Kind::PartialDate => json!("1992-08-20"),
        Kind::Sex => json!(if rng.random() { "male" } else { "female" }),
        Kind::Ethnicity => json!(procedure::form::ethnicities().first().map(|e| e.code.as_str())),
        Kind::Nationality => json!("VN"),
        Kind::Address => {
            json!({ "province": "37", "commune": "14329", "detail": format!("Số {}, đường {}", rng.random_range(1..200), STREETS.choose(rng).unwrap_or(&STREETS[0])) })
        }
        Kind::Commune => json!({ "province": "37", "commune": "14329" }),
        Kind::Phone => json!(format!("09{:08}", rng.random_range(10_000_000..99_999_999))),
        Kind::Email => json!("nguoidan@example.vn"),
        Kind::Integer(limits) => {
            let low = limits.min.unwrap_or(1.0);
            let high = limits.max.unwrap_or(low + 3.0).min(low + 3.0);
            json!(rng.random_range(low..=high).round() as i64)
        }
        Kind::Decimal(limits) | Kind::Area(limits) => {
            let low = limits.min.unwrap_or(40.0).max(40.0);
            json!((rng.random_range(low..=limits.max.unwrap_or(220.0).max(low)) * 10.0).round() / 10.0)
        }
        Kind::Money(limits) => json!(limits.min.unwrap_or(1_500_000_000.0) as i64),
        Kind::YesNo => json!(rng.random_bool(0.25)),
        Kind::Choice(options) => json!(options.choose(rng).map(|o| o.value.as_str())),
        Kind::Choices { options, min, .. } => {
            json!(
                options
                    .iter()
                    .take((*min).max(1))
                    .map(|o| o.value.as_str())
                    .collect::<Vec<_>>()
            )
        }
        Kind::TaxCode => json!("0100112437"),
        Kind::ResultRef { .. } => json!(format!("{}/2024", rng.random_range(1..400))),
        Kind::LandParcel => {
            json!({ "sheet": format!("{}", rng.random_range(1..60)), "parcel": format!("{}", rng.random_range(1..900)) })
        }
        Kind::Agency => json!("Ủy ban nhân dân phường Hoa Lư"),
        Kind::Declaration => json!(true),
        Kind::LongText { .. } => json!("Theo hồ sơ kèm theo."),
        _ => json!("Phường Hoa Lư, tỉnh Ninh Bình"),
    }
}
