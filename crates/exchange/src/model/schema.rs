//! What a JSON Schema wants of a value, in words.

use jsonschema::error::{TypeKind, ValidationErrorKind};

/// What the schema wants that the value does not meet: in Vietnamese and in English.
pub fn schema_words(kind: &ValidationErrorKind) -> (String, String) {
    use ValidationErrorKind as K;
    let both = |vi: String, en: String| (vi, en);
    match kind {
        K::Required { property } => both(
            format!("Thiếu trường {property}."),
            format!("The field {property} is missing."),
        ),
        K::AdditionalProperties { unexpected } | K::UnevaluatedProperties { unexpected } => both(
            format!("Lược đồ không có trường: {}.", unexpected.join(", ")),
            format!("The schema does not have: {}.", unexpected.join(", ")),
        ),
        K::Type { kind } => {
            let types = match kind {
                TypeKind::Single(one) => one.to_string(),
                TypeKind::Multiple(many) => many.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(", "),
            };
            both(
                format!("Kiểu dữ liệu phải là {types}."),
                format!("The type has to be {types}."),
            )
        }
        K::Enum { options } => both(
            format!("Giá trị phải là một trong: {options}."),
            format!("The value has to be one of: {options}."),
        ),
        K::Constant { expected_value } => both(
            format!("Giá trị phải là {expected_value}."),
            format!("The value has to be {expected_value}."),
        ),
        K::Format { format } => both(
            format!("Giá trị không đúng định dạng {format}."),
            format!("The value is not in the format {format}."),
        ),
        K::Pattern { pattern } => both(
            format!("Giá trị không khớp mẫu {pattern}."),
            format!("The value does not match the pattern {pattern}."),
        ),
        K::MinLength { limit } => both(
            format!("Giá trị có ít nhất {limit} ký tự."),
            format!("The value has at least {limit} characters."),
        ),
        K::MaxLength { limit } => both(
            format!("Giá trị có tối đa {limit} ký tự."),
            format!("The value has at most {limit} characters."),
        ),
        K::Minimum { limit } => both(
            format!("Giá trị không nhỏ hơn {limit}."),
            format!("The value is at least {limit}."),
        ),
        K::Maximum { limit } => both(
            format!("Giá trị không lớn hơn {limit}."),
            format!("The value is at most {limit}."),
        ),
        K::MinItems { limit } => both(
            format!("Có ít nhất {limit} phần tử."),
            format!("There are at least {limit} items."),
        ),
        K::MaxItems { limit } => both(
            format!("Có tối đa {limit} phần tử."),
            format!("There are at most {limit} items."),
        ),
        other => both(
            format!("Giá trị không thỏa mãn điều kiện “{}” của lược đồ.", other.keyword()),
            format!("The value does not meet “{}” of the schema.", other.keyword()),
        ),
    }
}
