//! The type checker and the estimate of work, in one walk over the tree.

use std::collections::{BTreeMap, BTreeSet};

use base::Lang;
use dsntk_feel::Name;
use dsntk_feel_parser::AstNode;

use super::{
    Flaw, MAX_LIST, MAX_RANGE, MAX_WORK, builtin,
    types::{Type, Types},
};

/// What a walk found.
pub(super) struct Judged {
    pub ty: Type,
    /// Estimated size of the value: scalars it is made of; a text counts one per 2,000 characters.
    pub size: u64,
    pub uses: Vec<String>,
    pub flaws: Vec<Flaw>,
}

pub(super) fn judge(node: &AstNode, text: &str, types: &Types) -> Judged {
    let mut judge = Judge {
        text,
        types,
        locals: Vec::new(),
        uses: BTreeSet::new(),
        flaws: Vec::new(),
        work: 0,
        times: 1,
    };
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
        uses: judge.uses.into_iter().collect(),
        flaws: judge.flaws,
    }
}

/// The tests of a decision table's input entry, against the type of the input.
pub(super) fn judge_tests(node: &AstNode, text: &str, types: &Types, input: &Type) -> Vec<Flaw> {
    let mut judge = Judge {
        text,
        types,
        locals: Vec::new(),
        uses: BTreeSet::new(),
        flaws: Vec::new(),
        work: 0,
        times: 1,
    };
    judge.tests(input, node);
    if judge.work > MAX_WORK {
        judge.flaw(
            "too-costly",
            "",
            "Điều kiện có thể phải tính quá nhiều.".into(),
            "The tests may take too much work.".into(),
        );
    }
    judge.flaws
}

/// Whether the tree is deeper than `limit`, found without recursion.
pub(super) fn depth_over(root: &AstNode, limit: usize) -> bool {
    let mut stack = vec![(root, 1_usize)];
    while let Some((node, depth)) = stack.pop() {
        if depth > limit {
            return true;
        }
        for child in children(node) {
            stack.push((child, depth + 1));
        }
    }
    false
}

fn children(node: &AstNode) -> Vec<&AstNode> {
    use AstNode as A;
    match node {
        A::Add(a, b)
        | A::And(a, b)
        | A::ContextEntry(a, b)
        | A::ContextTypeEntry(a, b)
        | A::Div(a, b)
        | A::Eq(a, b)
        | A::Every(a, b)
        | A::Exp(a, b)
        | A::Filter(a, b)
        | A::For(a, b)
        | A::FormalParameter(a, b)
        | A::FunctionDefinition(a, b)
        | A::FunctionInvocation(a, b)
        | A::FunctionType(a, b)
        | A::Ge(a, b)
        | A::Gt(a, b)
        | A::In(a, b)
        | A::InstanceOf(a, b)
        | A::IterationContextSingle(a, b)
        | A::Le(a, b)
        | A::Lt(a, b)
        | A::Mul(a, b)
        | A::NamedParameter(a, b)
        | A::Nq(a, b)
        | A::Or(a, b)
        | A::Out(a, b)
        | A::Path(a, b)
        | A::QuantifiedContext(a, b)
        | A::Range(a, b)
        | A::Some(a, b)
        | A::Sub(a, b) => vec![a, b],
        A::Between(a, b, c) | A::If(a, b, c) | A::IterationContextInterval(a, b, c) => vec![a, b, c],
        A::CommaList(v)
        | A::Context(v)
        | A::ContextType(v)
        | A::ExpressionList(v)
        | A::FormalParameters(v)
        | A::IterationContexts(v)
        | A::List(v)
        | A::NamedParameters(v)
        | A::NegatedList(v)
        | A::ParameterTypes(v)
        | A::PositionalParameters(v)
        | A::QualifiedName(v)
        | A::QuantifiedContexts(v) => v.iter().collect(),
        A::EvaluatedExpression(a)
        | A::FunctionBody(a, _)
        | A::IntervalEnd(a, _)
        | A::IntervalStart(a, _)
        | A::ListType(a)
        | A::Neg(a)
        | A::RangeType(a)
        | A::Satisfies(a)
        | A::UnaryGe(a)
        | A::UnaryGt(a)
        | A::UnaryLe(a)
        | A::UnaryLt(a)
        | A::UnaryEq(a)
        | A::UnaryNe(a) => vec![a],
        A::At(_)
        | A::Boolean(_)
        | A::ContextEntryKey(_)
        | A::ContextTypeEntryKey(_)
        | A::FeelType(_)
        | A::Irrelevant
        | A::Name(_)
        | A::Null
        | A::Numeric(..)
        | A::ParameterName(_)
        | A::QualifiedNameSegment(_)
        | A::String(_) => vec![],
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
            A::String(s) => (Type::Enum(vec![s.clone()]), 1 + s.len() as u64 / 2_000),
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

    fn local(&self, name: &str) -> Option<(Type, u64)> {
        self.locals.iter().rev().find_map(|scope| scope.get(name).cloned())
    }

    fn name(&mut self, name: &str) -> (Type, u64) {
        if let Some(found) = self.local(name) {
            return found;
        }
        if let Some(ty) = self.types.root(name) {
            self.uses.insert(name.to_owned());
            return (ty.clone(), size_of(ty));
        }
        self.unknown(name);
        (Type::Any, 1)
    }

    fn unknown(&mut self, name: &str) {
        // The parser takes operators into an unknown name ("x+1"); its first word is what is unknown.
        let word = name
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .find(|w| !w.is_empty())
            .unwrap_or(name);
        if matches!(
            word,
            "and" | "or" | "if" | "then" | "else" | "in" | "return" | "satisfies" | "for" | "some" | "every"
        ) {
            return self.flaw(
                "syntax",
                word,
                format!("Cần có khoảng trắng sau từ khóa {word}."),
                format!("Leave a space after the word {word}."),
            );
        }
        let (vi, en) = match self.suggest(word) {
            Some(near) => (format!(" Có phải ý là “{near}”?"), format!(" Did you mean “{near}”?")),
            None => (String::new(), String::new()),
        };
        self.flaw(
            "unknown-name",
            word,
            format!("Không có tên “{word}” ở đây.{vi}"),
            format!("There is no name “{word}” here.{en}"),
        );
    }

    fn suggest(&self, wanted: &str) -> Option<String> {
        let limit = (wanted.chars().count() / 3).clamp(1, 3);
        self.types
            .names()
            .into_iter()
            .chain(self.locals.iter().flat_map(|s| s.keys().cloned()))
            .map(|name| (distance(wanted, &name), name))
            .filter(|(far, _)| *far <= limit)
            .min()
            .map(|(_, name)| name)
    }

    fn path(&mut self, base: &AstNode, member: &AstNode) -> (Type, u64) {
        let (AstNode::Name(member) | AstNode::QualifiedNameSegment(member)) = member else {
            self.flaw(
                "syntax",
                "",
                "Sau dấu chấm phải là một tên.".into(),
                "A name must follow the dot.".into(),
            );
            return (Type::Any, 1);
        };
        let member = member.as_str();
        let dotted = dotted(base).filter(|d| self.local(d.split('.').next().unwrap_or(d)).is_none());
        let flaws = self.flaws.len();
        let (ty, size) = self.infer(base);
        if self.flaws.len() > flaws {
            return (Type::Any, 1);
        }
        if let Some(prefix) = &dotted {
            self.uses.remove(prefix);
            self.uses.insert(format!("{prefix}.{member}"));
        }
        let part = |ty: &Type| match ty {
            Type::Any | Type::Null => Some(Type::Any),
            Type::Context(parts) => parts.get(member).cloned(),
            Type::Date | Type::DateTime if matches!(member, "year" | "month" | "day" | "weekday") => Some(Type::Number),
            Type::Time | Type::DateTime if matches!(member, "hour" | "minute" | "second") => Some(Type::Number),
            Type::Days if matches!(member, "days" | "hours" | "minutes" | "seconds") => Some(Type::Number),
            Type::Months if matches!(member, "years" | "months") => Some(Type::Number),
            _ => None,
        };
        let found = match &ty {
            Type::List(item) => part(item).map(|ty| Type::List(Box::new(ty))),
            other => part(other),
        };
        if let Some(ty) = found {
            let size = if matches!(ty, Type::Any | Type::List(_)) {
                size.max(1)
            } else {
                size_of(&ty).min(size.max(1))
            };
            return (ty, size);
        }
        let shown = dotted.map_or_else(|| member.to_owned(), |prefix| format!("{prefix}.{member}"));
        let (vi, en) = match self.suggest(&shown) {
            Some(near) => (format!(" Có phải ý là “{near}”?"), format!(" Did you mean “{near}”?")),
            None => (String::new(), String::new()),
        };
        self.flaw(
            "unknown-name",
            &shown,
            format!("Không có tên “{shown}” ở đây.{vi}"),
            format!("There is no name “{shown}” here.{en}"),
        );
        (Type::Any, 1)
    }

    fn sum(&mut self, a: &AstNode, b: &AstNode, minus: bool) -> (Type, u64) {
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

    fn product(&mut self, a: &AstNode, b: &AstNode) -> (Type, u64) {
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

    fn need(&mut self, node: &AstNode, wanted: &Type) {
        let flaws = self.flaws.len();
        let (ty, _) = self.infer(node);
        if self.flaws.len() == flaws && !ty.fits(wanted) {
            self.mismatch(wanted, &ty);
        }
    }

    fn mismatch(&mut self, wanted: &Type, found: &Type) {
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

    fn mismatch_pair(&mut self, left: &Type, right: &Type) {
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

    fn ordered(&mut self, ty: &Type) {
        if matches!(ty, Type::Boolean | Type::List(_) | Type::Context(_) | Type::Range) {
            self.flaw(
                "type",
                "",
                format!("{} không so sánh lớn nhỏ được.", capital(ty.name(Lang::Vi))),
                format!("{} cannot be ordered.", capital(ty.name(Lang::En))),
            );
        }
    }

    fn comparable(&mut self, left: &Type, right: &Type) {
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

    fn range_parts(&mut self, low: &AstNode, high: &AstNode) -> Type {
        let (a, b) = (self.infer(low).0, self.infer(high).0);
        self.comparable(&a, &b);
        a.join(b)
    }

    /// The right side of `in`.
    fn tests(&mut self, ty: &Type, node: &AstNode) {
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

    fn call(&mut self, function: &AstNode, arguments: &AstNode) -> (Type, u64) {
        let AstNode::Name(name) = function else {
            self.flaw(
                "forbidden",
                "",
                "Chỉ gọi được hàm có sẵn.".into(),
                "Only built-in functions can be called.".into(),
            );
            return (Type::Any, 1);
        };
        let name = name.as_str();
        if let Some((vi, en)) = builtin::refused(name) {
            self.flaw(
                "forbidden",
                name,
                format!("Không dùng hàm {name}: {vi}."),
                format!("The function {name} is refused: {en}."),
            );
            return (Type::Any, 1);
        }
        let nodes: &[AstNode] = match arguments {
            AstNode::PositionalParameters(nodes) => nodes,
            AstNode::NamedParameters(_) => {
                self.flaw(
                    "forbidden",
                    name,
                    "Viết đối số của hàm theo thứ tự, không viết theo tên.".into(),
                    "Give the arguments of a function by position, not by name.".into(),
                );
                return (Type::Any, 1);
            }
            _ => &[],
        };
        let args: Vec<(Type, u64)> = nodes.iter().map(|node| self.infer(node)).collect();
        let Some(known) = builtin::builtin(name) else {
            self.flaw(
                "unknown-name",
                name,
                format!("Không có hàm “{name}”."),
                format!("There is no function “{name}”."),
            );
            return (Type::Any, 1);
        };
        let most = if known.many { usize::MAX } else { known.args.len() };
        if args.len() < known.least || args.len() > most {
            self.flaw(
                "type",
                name,
                format!("Hàm {name} nhận số đối số khác ({} ở đây).", args.len()),
                format!("The function {name} does not take {} arguments.", args.len()),
            );
        }
        for (n, (ty, _)) in args.iter().enumerate() {
            let wanted = known.args[n.min(known.args.len() - 1)];
            if !wanted.takes(ty) {
                self.mismatch(&wanted.wanted(), ty);
            }
        }
        if name == "list contains"
            && let [(Type::List(item), _), (wanted, _)] = args.as_slice()
        {
            self.comparable(item, wanted);
        }
        if name == "matches" {
            self.pattern(nodes.get(1));
        }
        let duration = match nodes.first() {
            Some(AstNode::String(text)) if name == "duration" => Some(at_type(text)),
            _ => None,
        };
        let sizes: Vec<u64> = args.iter().map(|a| a.1).collect();
        let (size, work) = builtin::cost(name, &sizes);
        self.spend(work);
        (known.result(&args, duration), size)
    }

    /// A regular expression must be a short literal: it is compiled at each evaluation.
    fn pattern(&mut self, node: Option<&AstNode>) {
        let good = matches!(node, Some(AstNode::String(text)) if text.len() <= 100 && !text.contains('{'));
        if !good {
            self.flaw(
                "forbidden",
                "matches",
                "Mẫu của hàm matches phải là chuỗi viết sẵn, tối đa 100 ký tự, không có dấu {.".into(),
                "The pattern of matches must be a literal of at most 100 characters without {.".into(),
            );
        }
    }

    fn filter(&mut self, list: &AstNode, condition: &AstNode) -> (Type, u64) {
        let (ty, size) = self.infer(list);
        let item = match &ty {
            Type::List(item) => (**item).clone(),
            other => other.clone(),
        };
        let mut scope = BTreeMap::new();
        if let Type::Context(parts) = &item {
            scope.extend(parts.iter().map(|(name, ty)| (name.clone(), (ty.clone(), size_of(ty)))));
        }
        scope.insert("item".to_owned(), (item.clone(), size));
        self.locals.push(scope);
        let times = self.times;
        self.times = times.saturating_mul(size);
        let (chosen, _) = self.infer(condition);
        self.times = times;
        self.locals.pop();
        match chosen {
            Type::Number => (item, size),
            Type::Boolean => (Type::List(Box::new(item)), size),
            Type::Any | Type::Null => (Type::Any, size),
            other => {
                self.mismatch(&Type::Boolean, &other);
                (Type::Any, size)
            }
        }
    }

    fn repeat(&mut self, contexts: &AstNode, body: &AstNode, list: bool) -> (Type, u64) {
        let (AstNode::IterationContexts(contexts) | AstNode::QuantifiedContexts(contexts)) = contexts else {
            self.flaw("syntax", "", "Vòng lặp sai cú pháp.".into(), "Not a valid loop.".into());
            return (Type::Any, 1);
        };
        let before = self.times;
        self.locals.push(BTreeMap::new());
        for context in contexts {
            let (variable, ty, count) = match context {
                AstNode::IterationContextSingle(variable, source) | AstNode::QuantifiedContext(variable, source) => {
                    let (ty, size) = self.infer(source);
                    match ty {
                        Type::List(item) => (variable, *item, size),
                        Type::Any => (variable, Type::Any, size),
                        other => {
                            self.mismatch(&Type::List(Box::new(Type::Any)), &other);
                            (variable, Type::Any, 1)
                        }
                    }
                }
                AstNode::IterationContextInterval(variable, low, high) => {
                    (variable, Type::Number, self.interval(low, high))
                }
                _ => continue,
            };
            if let AstNode::Name(name) = &**variable {
                let size = size_of(&ty).max(if ty == Type::Any { count } else { 1 });
                if let Some(scope) = self.locals.last_mut() {
                    scope.insert(name.as_str().to_owned(), (ty, size));
                }
            }
            self.times = self.times.saturating_mul(count.max(1));
        }
        let turns = self.times / before.max(1);
        if list && let Some(scope) = self.locals.last_mut() {
            scope.insert("partial".to_owned(), (Type::List(Box::new(Type::Any)), turns));
        }
        let (ty, size) = self.infer(body);
        if !list && !ty.fits(&Type::Boolean) {
            self.mismatch(&Type::Boolean, &ty);
        }
        self.times = before;
        self.locals.pop();
        (Type::List(Box::new(ty)), turns.saturating_mul(size))
    }

    /// How many turns a literal range takes; refuses any other.
    fn interval(&mut self, low: &AstNode, high: &AstNode) -> u64 {
        let turns = whole(low)
            .zip(whole(high))
            .map(|(a, b)| a.abs_diff(b).saturating_add(1));
        match turns {
            Some(turns) if turns <= MAX_RANGE => turns,
            _ => {
                self.flaw(
                    "too-costly",
                    "..",
                    format!(
                        "Vòng lặp theo khoảng phải có hai đầu là số nguyên viết sẵn và không quá {MAX_RANGE} lượt."
                    ),
                    format!("A loop over a range needs two literal whole numbers and at most {MAX_RANGE} turns."),
                );
                1
            }
        }
    }

    fn context(&mut self, entries: &[AstNode]) -> (Type, u64) {
        self.locals.push(BTreeMap::new());
        let (mut parts, mut size) = (BTreeMap::new(), 1_u64);
        for entry in entries {
            let AstNode::ContextEntry(key, value) = entry else {
                continue;
            };
            let (AstNode::ContextEntryKey(key) | AstNode::Name(key)) = &**key else {
                continue;
            };
            let (ty, value_size) = self.infer(value);
            size = size.saturating_add(value_size);
            let key: &Name = key;
            if let Some(scope) = self.locals.last_mut() {
                scope.insert(key.as_str().to_owned(), (ty.clone(), value_size));
            }
            parts.insert(key.as_str().to_owned(), ty);
        }
        self.locals.pop();
        self.spend(size);
        (Type::Context(parts), size)
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

fn dotted(node: &AstNode) -> Option<String> {
    match node {
        AstNode::Name(name) => Some(name.as_str().to_owned()),
        AstNode::Path(base, member) => match &**member {
            AstNode::Name(member) => Some(format!("{}.{member}", dotted(base)?)),
            _ => None,
        },
        _ => None,
    }
}

fn whole(node: &AstNode) -> Option<i64> {
    match node {
        AstNode::Numeric(before, after, _, exponent) if after.is_empty() && exponent.is_empty() => before.parse().ok(),
        AstNode::Neg(inner) => whole(inner).map(i64::wrapping_neg),
        _ => None,
    }
}

/// The type of an `@"…"` literal or of `duration("…")`.
fn at_type(text: &str) -> Type {
    let text = text.trim_start_matches('-');
    if let Some(rest) = text.strip_prefix('P') {
        let day_part = rest.split('T').next().unwrap_or(rest);
        return if day_part.contains(['Y', 'M']) {
            Type::Months
        } else {
            Type::Days
        };
    }
    if text.contains('T') {
        Type::DateTime
    } else if text.contains(':') {
        Type::Time
    } else {
        Type::Date
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Edit distance (Levenshtein), for "did you mean".
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}
