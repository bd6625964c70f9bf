//! Arithmetic, comparison and tests: which types may meet.

use base::Lang;
use dsntk_feel_parser::AstNode;

use super::{Judge, Type};

impl Judge<'_> {
    pub(super) fn sum(&mut self, a: &AstNode, b: &AstNode, minus: bool) -> (Type, u64) {
        let ((left, ls), (right, rs)) = (self.infer(a), self.infer(b));
        let size = ls.saturating_add(rs);
        let ty = match (&left, &right) {
            (Type::Any | Type::Null, _) | (_, Type::Any | Type::Null) => Type::Any,
            (Type::Number, Type::Number) => Type::Number,
            (l, r) if l.is_text() && r.is_text() && !minus => {
                self.spend(size);
                return (Type::String, size);
            }
            (Type::Date, Type::Days | Type::Months) => Type::Date,
            (Type::DateTime, Type::Days | Type::Months) => Type::DateTime,
            (Type::Time, Type::Days) => Type::Time,
            (Type::Days | Type::Months, Type::Date) if !minus => Type::Date,
            (Type::Date | Type::DateTime, Type::Date | Type::DateTime) if minus => Type::Days,
            (Type::Time, Type::Time) if minus => Type::Days,
            (Type::Days, Type::Days) => Type::Days,
            (Type::Months, Type::Months) => Type::Months,
            _ => {
                self.mismatch_pair(&left, &right);
                Type::Any
            }
        };
        (ty, 1)
    }

    pub(super) fn product(&mut self, a: &AstNode, b: &AstNode) -> (Type, u64) {
        let (left, right) = (self.infer(a).0, self.infer(b).0);
        let ty = match (&left, &right) {
            (Type::Any | Type::Null, _) | (_, Type::Any | Type::Null) => Type::Any,
            (Type::Number, Type::Number) => Type::Number,
            (Type::Days | Type::Months, Type::Number) => left,
            (Type::Number, Type::Days | Type::Months) => right,
            (Type::Days, Type::Days) | (Type::Months, Type::Months) => Type::Number,
            _ => {
                self.mismatch_pair(&left, &right);
                Type::Any
            }
        };
        (ty, 1)
    }

    pub(super) fn need(&mut self, node: &AstNode, wanted: &Type) {
        let flaws = self.flaws.len();
        let (ty, _) = self.infer(node);
        if self.flaws.len() == flaws && !ty.fits(wanted) {
            self.mismatch(wanted, &ty);
        }
    }

    pub(super) fn mismatch(&mut self, wanted: &Type, found: &Type) {
        self.flaw(
            "type",
            "",
            format!(
                "Ở đây cần {}, nhưng lại là {}.",
                wanted.name(Lang::Vi),
                found.name(Lang::Vi)
            ),
            format!(
                "Here {} is needed, but this is {}.",
                wanted.name(Lang::En),
                found.name(Lang::En)
            ),
        );
    }

    pub(super) fn mismatch_pair(&mut self, left: &Type, right: &Type) {
        self.flaw(
            "type",
            "",
            format!(
                "Không thể tính hoặc so sánh {} với {}.",
                left.name(Lang::Vi),
                right.name(Lang::Vi)
            ),
            format!(
                "Cannot combine or compare {} with {}.",
                left.name(Lang::En),
                right.name(Lang::En)
            ),
        );
    }

    pub(super) fn ordered(&mut self, ty: &Type) {
        if matches!(ty, Type::Boolean | Type::List(_) | Type::Context(_) | Type::Range) {
            self.flaw(
                "type",
                "",
                format!("{} không so sánh lớn nhỏ được.", capital(ty.name(Lang::Vi))),
                format!("{} cannot be ordered.", capital(ty.name(Lang::En))),
            );
        }
    }

    pub(super) fn comparable(&mut self, left: &Type, right: &Type) {
        if !left.fits(right) {
            return self.mismatch_pair(left, right);
        }
        // An option compared with a text that is none of the options is always a mistake.
        if let (Type::Enum(a), Type::Enum(b)) = (left, right)
            && !a.iter().any(|x| b.contains(x))
        {
            let (options, wrong) = if a.len() >= b.len() { (a, b) } else { (b, a) };
            let wrong = wrong.join(", ");
            self.flaw(
                "unknown-option",
                &format!("\"{wrong}\""),
                format!(
                    "“{wrong}” không phải là một lựa chọn; các lựa chọn là: {}.",
                    options.join(", ")
                ),
                format!("“{wrong}” is not an option; the options are: {}.", options.join(", ")),
            );
        }
    }

    pub(super) fn range_parts(&mut self, low: &AstNode, high: &AstNode) -> Type {
        let (a, b) = (self.infer(low).0, self.infer(high).0);
        self.comparable(&a, &b);
        a.join(b)
    }

    /// The right side of `in`.
    pub(super) fn tests(&mut self, ty: &Type, node: &AstNode) {
        use AstNode as A;
        self.spend(1);
        match node {
            A::ExpressionList(items) | A::CommaList(items) | A::NegatedList(items) | A::List(items) => {
                for item in items {
                    self.tests(ty, item);
                }
            }
            A::Range(low, high) => {
                self.ordered(ty);
                let found = self.range_parts(low, high);
                self.comparable(ty, &found);
            }
            A::UnaryGe(a) | A::UnaryGt(a) | A::UnaryLe(a) | A::UnaryLt(a) => {
                self.ordered(ty);
                let found = self.infer(a).0;
                self.comparable(ty, &found);
            }
            A::UnaryEq(a) | A::UnaryNe(a) => {
                let found = self.infer(a).0;
                self.comparable(ty, &found);
            }
            A::Irrelevant => {}
            other => {
                let (found, size) = self.infer(other);
                self.spend(size);
                match &found {
                    Type::List(item) => self.comparable(ty, item),
                    other => self.comparable(ty, other),
                }
            }
        }
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
