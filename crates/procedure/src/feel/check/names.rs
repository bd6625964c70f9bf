//! Names and paths: what a name means at its place, and which name was meant.

use dsntk_feel_parser::AstNode;

use super::{Judge, Type, size_of, tree::dotted};

impl Judge<'_> {
    pub(super) fn local(&self, name: &str) -> Option<(Type, u64)> {
        self.locals.iter().rev().find_map(|scope| scope.get(name).cloned())
    }

    pub(super) fn name(&mut self, name: &str) -> (Type, u64) {
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

    pub(super) fn unknown(&mut self, name: &str) {
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

    pub(super) fn suggest(&self, wanted: &str) -> Option<String> {
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

    pub(super) fn path(&mut self, base: &AstNode, member: &AstNode) -> (Type, u64) {
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
        let whole = dotted.as_ref().is_some_and(|prefix| self.uses.contains(prefix));
        let (ty, size) = self.infer(base);
        if self.flaws.len() > flaws {
            return (Type::Any, 1);
        }
        if let Some(prefix) = &dotted {
            if !whole {
                self.uses.remove(prefix);
            }
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
