//! Made-up answers, to try decisions on.

use serde_json::{Map, Value, json};

use crate::{
    feel::Type,
    form::{Answers, Form, Rule},
};

/// Made-up answers that a form could hold: each field at its plain values, optional ones now and then left out.
pub(in crate::decision) fn samples(form: &Form) -> Vec<Answers> {
    fn make(ty: &Type, turn: usize) -> Value {
        match ty {
            Type::Boolean => json!(turn.is_multiple_of(2)),
            Type::Number => json!([1, 2, 30, 250, 1_000_000][turn % 5]),
            Type::Enum(options) if !options.is_empty() => json!(options[turn % options.len()]),
            Type::Date => json!(["2026-07-01", "1980-02-29", "2030-12-31"][turn % 3]),
            Type::List(item) => Value::Array((0..=turn % 3).map(|k| make(item, turn + k)).collect()),
            Type::Context(parts) => Value::Object(
                parts
                    .iter()
                    .enumerate()
                    .map(|(n, (k, ty))| (k.clone(), make(ty, turn + n)))
                    .collect::<Map<_, _>>(),
            ),
            _ => json!("x"),
        }
    }
    (0..24)
        .map(|turn| {
            let mut answers = Answers::new();
            for (n, field) in form.fields().enumerate() {
                let left_out = !matches!(field.required, Rule::Always) && (turn + n) % 3 == 0;
                if !left_out {
                    // A different stride for each field, so that fields vary against each other.
                    answers.set(&field.id, make(&field.feel, turn + n * (turn % 5)));
                }
            }
            answers
        })
        .collect()
}
