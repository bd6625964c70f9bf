//! The type checker and the estimate of work, in one walk over the tree.

mod compare;
mod names;
mod repeat;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use dsntk_feel_parser::AstNode;

pub(crate) use self::names::distance;
use self::tree::at_type;
pub(super) use self::tree::depth_over;
use super::{
    Flaw, MAX_LIST, MAX_WORK,
    types::{Type, Types},
};

/// What a walk found.
pub(super) struct Judged {
    pub ty: Type,
    /// Estimated size of the value: scalars it is made of; a text counts one per 2,000 characters.
    pub size: u64,
    /// Estimated elementary steps of one evaluation.
    pub work: u64,
    pub uses: Vec<String>,
    pub flaws: Vec<Flaw>,
}

pub(super) fn judge(node: &AstNode, text: &str, types: &Types) -> Judged {
    let mut judge = Judge::new(text, types);
    let (ty, size) = judge.infer(node);
    if judge.work > MAX_WORK || size > MAX_WORK {
        judge.flaws.push(Flaw::new(
            "too-costly",
            0,
            format!(
                "Biểu thức có thể phải tính quá nhiều (ước tính {} bước; tối đa {MAX_WORK}).",
                judge.work.max(size)
            ),
            format!(
                "The expression may take too much work (estimated {} steps; at most {MAX_WORK}).",
                judge.work.max(size)
            ),
        ));
    }
    Judged {
        ty,
        size,
        work: judge.work,
        uses: judge.uses.into_iter().collect(),
        flaws: judge.flaws,
    }
}

/// The tests of a decision table's input entry, against the type of the input.
pub(super) fn judge_tests(node: &AstNode, text: &str, types: &Types, input: &Type) -> Judged {
    let mut judge = Judge::new(text, types);
    judge.tests(input, node);
    if judge.work > MAX_WORK {
        judge.flaw(
            "too-costly",
            "",
            "Điều kiện có thể phải tính quá nhiều.".into(),
            "The tests may take too much work.".into(),
        );
    }
    Judged {
        ty: Type::Boolean,
        size: 1,
        work: judge.work,
        uses: judge.uses.into_iter().collect(),
        flaws: judge.flaws,
    }
}

struct Judge<'a> {
    text: &'a str,
    types: &'a Types,
    /// Names bound by loops, filters and contexts, innermost last, with type and size.
    locals: Vec<BTreeMap<String, (Type, u64)>>,
    uses: BTreeSet<String>,
    flaws: Vec<Flaw>,
    work: u64,
    /// How often the present place may be evaluated.
    times: u64,
}

impl<'a> Judge<'a> {
    fn new(text: &'a str, types: &'a Types) -> Self {
        Self {
            text,
            types,
            locals: Vec::new(),
            uses: BTreeSet::new(),
            flaws: Vec::new(),
            work: 0,
            times: 1,
        }
    }
}

impl Judge<'_> {
    fn flaw(&mut self, code: &'static str, about: &str, vi: String, en: String) {
        let offset = if about.is_empty() {
            0
        } else {
            self.text.find(about).unwrap_or(0)
        };
        let flaw = Flaw::new(code, offset, vi, en);
        if !self.flaws.contains(&flaw) {
            self.flaws.push(flaw);
        }
    }

    fn spend(&mut self, work: u64) {
        self.work = self.work.saturating_add(self.times.saturating_mul(work));
    }

    fn infer(&mut self, node: &AstNode) -> (Type, u64) {
        use AstNode as A;
        self.spend(1);
        match node {
            A::Boolean(_) => (Type::Boolean, 1),
            A::Numeric(..) => (Type::Number, 1),
            A::String(s) => (Type::Enum([s.clone()].into()), 1 + s.len() as u64 / 2_000),
            A::Null => (Type::Null, 1),
            A::Irrelevant => (Type::Any, 1),
            A::At(text) => (at_type(text), 1),
            A::Name(name) => self.name(name.as_str()),
            A::Path(base, member) => self.path(base, member),
            A::Add(a, b) | A::Sub(a, b) => self.sum(a, b, matches!(node, A::Sub(..))),
            A::Mul(a, b) | A::Div(a, b) => self.product(a, b),
            A::Exp(a, b) => {
                self.need(a, &Type::Number);
                self.need(b, &Type::Number);
                self.spend(100);
                (Type::Number, 1)
            }
            A::Neg(a) => {
                let (ty, _) = self.infer(a);
                if !matches!(ty, Type::Number | Type::Days | Type::Months | Type::Any | Type::Null) {
                    self.mismatch(&Type::Number, &ty);
                }
                (ty, 1)
            }
            A::And(a, b) | A::Or(a, b) => {
                self.need(a, &Type::Boolean);
                self.need(b, &Type::Boolean);
                (Type::Boolean, 1)
            }
            A::Eq(a, b) | A::Nq(a, b) => {
                let (left, right) = (self.infer(a), self.infer(b));
                self.comparable(&left.0, &right.0);
                self.spend(left.1.min(right.1));
                (Type::Boolean, 1)
            }
            A::Lt(a, b) | A::Le(a, b) | A::Gt(a, b) | A::Ge(a, b) => {
                let (left, right) = (self.infer(a).0, self.infer(b).0);
                self.ordered(&left);
                self.comparable(&left, &right);
                (Type::Boolean, 1)
            }
            A::Between(a, b, c) => {
                let (value, low, high) = (self.infer(a).0, self.infer(b).0, self.infer(c).0);
                self.ordered(&value);
                self.comparable(&value, &low);
                self.comparable(&value, &high);
                (Type::Boolean, 1)
            }
            A::In(value, tests) => {
                let (ty, _) = self.infer(value);
                self.tests(&ty, tests);
                (Type::Boolean, 1)
            }
            A::If(condition, yes, no) => {
                self.need(condition, &Type::Boolean);
                let (a, b) = (self.infer(yes), self.infer(no));
                (a.0.join(b.0), a.1.max(b.1))
            }
            A::FunctionInvocation(function, arguments) => self.call(function, arguments),
            A::Filter(list, condition) => self.filter(list, condition),
            A::For(contexts, body) => self.repeat(contexts, body, true),
            A::Some(contexts, body) | A::Every(contexts, body) => {
                self.repeat(contexts, body, false);
                (Type::Boolean, 1)
            }
            A::EvaluatedExpression(body) | A::Satisfies(body) => self.infer(body),
            A::List(items) | A::ExpressionList(items) | A::CommaList(items) | A::NegatedList(items) => {
                let mut size = 1_u64;
                let mut ty: Option<Type> = None;
                for item in items {
                    let (item, items_size) = self.infer(item);
                    size = size.saturating_add(items_size);
                    ty = Some(match ty {
                        None => item,
                        Some(before) => before.join(item),
                    });
                }
                (Type::List(Box::new(ty.unwrap_or(Type::Any))), size)
            }
            A::Context(entries) => self.context(entries),
            A::InstanceOf(value, _) => {
                self.infer(value);
                (Type::Boolean, 1)
            }
            A::Range(low, high) => {
                self.range_parts(low, high);
                self.flaw(
                    "forbidden",
                    "..",
                    "Khoảng giá trị chỉ được đứng bên phải từ khóa in.".into(),
                    "A range may only stand right of the word in.".into(),
                );
                (Type::Range, 1)
            }
            A::IntervalStart(value, _) | A::IntervalEnd(value, _) => self.infer(value),
            A::UnaryGe(a) | A::UnaryGt(a) | A::UnaryLe(a) | A::UnaryLt(a) | A::UnaryEq(a) | A::UnaryNe(a) => {
                self.infer(a);
                (Type::Boolean, 1)
            }
            A::FunctionDefinition(..) | A::FunctionBody(..) => {
                self.flaw(
                    "forbidden",
                    "function",
                    "Gói thủ tục không được tự định nghĩa hàm hoặc gọi hàm bên ngoài.".into(),
                    "A package may not define functions or call external ones.".into(),
                );
                (Type::Any, 1)
            }
            _ => {
                self.flaw(
                    "forbidden",
                    "",
                    "Biểu thức dùng cách viết FEEL không được hỗ trợ ở đây.".into(),
                    "The expression uses a form of FEEL that is not supported here.".into(),
                );
                (Type::Any, 1)
            }
        }
    }
}

/// Estimated size of a value from the data.
fn size_of(ty: &Type) -> u64 {
    match ty {
        Type::Any | Type::List(_) => MAX_LIST as u64,
        Type::Context(parts) => parts.values().fold(1_u64, |a, ty| a.saturating_add(size_of(ty))),
        _ => 1,
    }
}
