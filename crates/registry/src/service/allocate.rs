//! Giving numbers: of a new record that was ordered without one, in the transaction that adds it, while nobody else writes to the
//! registry.

use base::{Error, Kind, Problems, Result, codes::TaxCode};
use identity::Entropy;
use serde_json::Value;
use store::Tx;

use crate::{
    model::{AllocationRule, FieldPath, Registry, text_of, values_at},
    store::{index, orders as tables},
};

/// How often a number is drawn before a range counts as used up: of a range that is nine tenths full one order in a thousand fails.
const DRAWS: usize = 64;
/// Digits that are drawn: at the end of a personal number, those of an insurance number, and those of a tax code before its check.
const FREE_OF_PERSON: usize = 6;
const FREE_OF_INSURED: usize = 10;
const FREE_OF_TAX_CODE: usize = 9;

/// Gives every number that is the registry's to give and that the body lacks.
///
/// # Errors
/// `Invalid` with each field that a number is made of and that has no value; `Unavailable` when a range of numbers is used up.
pub(super) async fn give(tx: &Tx, entropy: &Entropy, registry: &Registry, body: &mut Value) -> Result<()> {
    for allocation in &registry.allocations {
        if !is_wanted(body, &allocation.field) {
            continue;
        }
        lacks(body, &allocation.rule.needs()).into_result()?;
        let part = |path: &FieldPath| text_at(body, path);
        let number = match &allocation.rule {
            AllocationRule::PersonNumber {
                province,
                birth_date,
                sex,
            } => {
                let begin = person_begin(&part(province), &part(birth_date), &part(sex));
                let begin = begin.ok_or_else(|| no_number(&allocation.field))?;
                let slot = slot(registry, &allocation.field);
                draw(tx, entropy, slot, FREE_OF_PERSON, |free| Some(format!("{begin}{free}")))
                    .await?
                    .into()
            }
            AllocationRule::InsuranceNumber => {
                let slot = slot(registry, &allocation.field);
                draw(tx, entropy, slot, FREE_OF_INSURED, |free| Some(free.to_owned()))
                    .await?
                    .into()
            }
            AllocationRule::TaxCode => {
                let code = |free: &str| TaxCode::of_nine(free).map(|code| code.to_string());
                draw(tx, entropy, slot(registry, &allocation.field), FREE_OF_TAX_CODE, code)
                    .await?
                    .into()
            }
            AllocationRule::HealthCard {
                group,
                benefit,
                province,
                insurance_number,
            } => {
                let group = part(group);
                let level = benefit.get(&group).ok_or_else(|| no_number(&allocation.field))?;
                let province: String = part(province).chars().take(2).collect();
                format!("{group}{level}{province}{}", part(insurance_number)).into()
            }
            AllocationRule::Serial => next_in_book(tx, registry, body).await?.into(),
        };
        set(body, &allocation.field, number);
    }
    Ok(())
}

/// The slots of the index that hold numbers which are drawn.
pub(super) fn drawn_slots(registry: &Registry) -> Vec<i64> {
    let drawn = registry
        .allocations
        .iter()
        .filter(|allocation| allocation.rule.is_drawn());
    drawn.map(|allocation| slot(registry, &allocation.field)).collect()
}

fn slot(registry: &Registry, field: &FieldPath) -> i64 {
    let is_key = registry.key == std::slice::from_ref(field);
    index::slot(&registry.code, Some(field).filter(|_| !is_key))
}

/// Whether a field has no value, and the group that it stands in is there.
fn is_wanted(body: &Value, field: &FieldPath) -> bool {
    let parts: Vec<&str> = field.parts().collect();
    let group = parts.split_last().map(|(_, groups)| groups).unwrap_or_default();
    let group = group.iter().try_fold(body, |value, part| value.get(part));
    group.is_some_and(Value::is_object) && values_at(body, field).is_empty()
}

fn text_at(body: &Value, path: &FieldPath) -> String {
    values_at(body, path).into_iter().find_map(text_of).unwrap_or_default()
}

fn lacks(body: &Value, needs: &[&FieldPath]) -> Problems {
    let mut problems = Problems::new();
    for need in needs.iter().filter(|need| text_at(body, need).is_empty()) {
        problems.add(
            "required",
            need.as_str(),
            "Thiếu thông tin này nên không cấp được số.",
            "Without this no number can be given.",
        );
    }
    problems
}

fn set(body: &mut Value, field: &FieldPath, value: Value) {
    let mut place = body;
    for part in field.parts() {
        place = &mut place[part];
    }
    *place = value;
}

/// The part of a personal number that says where, when and of which sex somebody was born: `0` and the code of the province,
/// century and sex, year.
fn person_begin(province: &str, birth_date: &str, sex: &str) -> Option<String> {
    let is_province = province.len() == 2 && province.bytes().all(|digit| digit.is_ascii_digit());
    let year: u16 = birth_date.get(..4)?.parse().ok()?;
    let century = (year / 100).checked_sub(19).filter(|century| *century < 5)?;
    let sex = match sex {
        "male" => 0,
        "female" => 1,
        _ => return None,
    };
    is_province.then(|| format!("0{province}{}{:02}", century * 2 + sex, year % 100))
}

/// Draws a number that no record has or ever had; `of` makes it of its free digits, where there is one of them.
async fn draw(
    tx: &Tx,
    entropy: &Entropy,
    slot: i64,
    free: usize,
    of: impl Fn(&str) -> Option<String>,
) -> Result<String> {
    for _ in 0..DRAWS {
        let Some(number) = of(&digits(entropy, free)?) else {
            continue;
        };
        let is_number = number.bytes().any(|digit| digit != b'0');
        if is_number && !tables::is_given(tx, slot, number.as_bytes()).await? {
            return Ok(number);
        }
    }
    Err(Error::refused(
        Kind::Unavailable,
        "numbers-used-up",
        "Dải số này đã gần cấp hết; cơ quan quản lý cơ sở dữ liệu phải mở dải số mới.",
        "This range of numbers is all but used up; the agency that keeps the registry has to open another.",
    ))
}

/// So many random digits. 64 bits are enough that no digit is likelier than another by more than one in a thousand million.
fn digits(entropy: &Entropy, count: usize) -> Result<String> {
    let drawn = u64::from_be_bytes(entropy.bytes()?);
    let text = format!("{drawn:020}");
    Ok(text.get(text.len() - count..).unwrap_or_default().to_owned())
}

/// The next number of the book that the rest of the key names.
async fn next_in_book(tx: &Tx, registry: &Registry, body: &Value) -> Result<i64> {
    let book = registry
        .book_of(body)
        .map_err(|problems| Error::Refused(Kind::Invalid, problems))?;
    let slot = index::slot(&registry.code, None);
    let last = tables::last_serial(tx, slot, &book).await?;
    let mut next = last.unwrap_or(0) + 1;
    // What was entered with a number of its own may have gone ahead.
    if last.is_none() || tables::is_given(tx, slot, format!("{book}{next}").as_bytes()).await? {
        next = next.max(tables::highest(tx, slot, &book).await? + 1);
    }
    tables::keep_serial(tx, slot, &book, next).await?;
    Ok(next)
}

fn no_number(field: &FieldPath) -> Error {
    let mut problems = Problems::new();
    problems.add(
        "cannot-allocate",
        field.as_str(),
        "Các thông tin dùng để cấp số không đúng nên không cấp được số này.",
        "What this number is made of is not right, so it cannot be given.",
    );
    Error::Refused(Kind::Invalid, problems)
}

#[cfg(test)]
mod tests {
    use base::codes::{PersonNumber, Sex};

    use super::*;

    #[test]
    fn a_personal_number_begins_with_place_century_sex_and_year() {
        for (province, born, sex, begin) in [
            ("37", "1990-05-02", "female", Some("037190")),
            ("01", "2026", "male", Some("001226")),
            ("79", "2399-12-31", "female", Some("079999")),
            ("79", "1899-12-31", "male", None),
            ("79", "2400-01-01", "male", None),
            ("079", "1990", "male", None),
            ("79", "199", "male", None),
            ("79", "1990", "other", None),
        ] {
            assert_eq!(
                person_begin(province, born, sex).as_deref(),
                begin,
                "{province} {born} {sex}"
            );
        }
        let number: PersonNumber = format!(
            "{}000123",
            person_begin("37", "2026-11-20", "female").expect("a number")
        )
        .parse()
        .expect("well formed");
        assert_eq!((number.birth_year(), number.sex()), (2026, Sex::Female));
    }

    #[test]
    fn a_field_is_wanted_where_its_group_is_there() {
        let (card, number): (FieldPath, FieldPath) = (
            "card.number".parse().expect("a field"),
            "number".parse().expect("a field"),
        );
        for (body, field, wanted) in [
            (serde_json::json!({"card": {"valid_from": "2026-01-01"}}), &card, true),
            (serde_json::json!({"card": {"number": "1"}}), &card, false),
            (serde_json::json!({}), &card, false),
            (serde_json::json!({}), &number, true),
            (serde_json::json!([]), &number, false),
        ] {
            assert_eq!(is_wanted(&body, field), wanted, "{body} {field}");
        }
    }
}
