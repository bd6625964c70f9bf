//! What is evaluated many times, or may be: function calls, filters, loops and contexts.

use std::collections::BTreeMap;

use dsntk_feel::Name;
use dsntk_feel_parser::AstNode;

use super::{
    super::{MAX_RANGE, builtin},
    Judge, Type, size_of,
    tree::{at_type, whole},
};

/// So many copies of a scalar cost about as much as one elementary step.
const COPIES_PER_STEP: u64 = 8;

impl Judge<'_> {
    pub(super) fn call(&mut self, function: &AstNode, arguments: &AstNode) -> (Type, u64) {
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
        // A day and an hour are made of one text, or of all their parts.
        let is_in_parts = matches!((name, args.len()), ("date" | "time", 2));
        if args.len() < known.least || args.len() > most || is_in_parts {
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
    pub(super) fn pattern(&mut self, node: Option<&AstNode>) {
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

    pub(super) fn filter(&mut self, list: &AstNode, condition: &AstNode) -> (Type, u64) {
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

    pub(super) fn repeat(&mut self, contexts: &AstNode, body: &AstNode, list: bool) -> (Type, u64) {
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
        if list {
            // `dsntk` copies what was gathered so far at each turn, for `partial`: the work grows with the square of the turns.
            self.spend(turns.saturating_mul(turns).saturating_mul(size) / COPIES_PER_STEP);
        }
        (Type::List(Box::new(ty)), turns.saturating_mul(size))
    }

    /// How many turns a literal range takes; refuses any other.
    pub(super) fn interval(&mut self, low: &AstNode, high: &AstNode) -> u64 {
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

    pub(super) fn context(&mut self, entries: &[AstNode]) -> (Type, u64) {
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
