//! How fields are called.

use base::Text;

use crate::conformance::{
    description::{Description, Field},
    dictionary::{Known, look_up, parts_of},
    rules::Rule,
    sheet::Sheet,
};

pub(super) fn check(description: &Description, sheet: &mut Sheet) {
    for field in &description.fields {
        let (at, name) = (field.pointer.as_str(), field.name.as_str());
        sheet.judge(Rule::FieldDescribed, field.described, at, || {
            Text::new(
                format!("Trường “{name}” chưa có description."),
                format!("The field “{name}” has no description."),
            )
        });
        let plain = name
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_')
            && name.starts_with(|c: char| c.is_ascii_lowercase());
        sheet.judge(Rule::NameStyle, plain, at, || {
            let better = parts_of(name).join("_");
            Text::new(
                format!("“{name}” nên viết là “{better}”."),
                format!("“{name}” is better written “{better}”."),
            )
        });
        dictionary(field, sheet);
    }
}

fn dictionary(field: &Field, sheet: &mut Sheet) {
    let Some(known) = look_up(&field.name) else { return };
    let (Known::Common(word) | Known::Otherwise(word)) = known;
    let rule = if word.held.is_some() {
        Rule::OnceOnlyName
    } else {
        Rule::IdentifierName
    };
    let kept = matches!(known, Known::Common(_));
    sheet.judge(rule, kept, &field.pointer, || {
        let (name, common) = (&field.name, &word.name);
        match &word.held {
            Some(registry) => Text::new(
                format!("“{name}” là dữ liệu đã có ở cơ sở dữ liệu “{registry}”; đặt tên là “{common}” (có thể thêm tiền tố, ví dụ owner_{common})."),
                format!("“{name}” is held by the registry “{registry}”; call it “{common}” (with a prefix if need be, like owner_{common})."),
            ),
            None => Text::new(
                format!("“{name}” đặt tên là “{common}” (có thể thêm tiền tố)."),
                format!("Call “{name}” “{common}” (with a prefix if need be)."),
            ),
        }
    });
}
