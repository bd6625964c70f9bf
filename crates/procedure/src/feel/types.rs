//! Types of values and the declared names.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use base::Lang;
use dsntk_feel::{Name, context::FeelContext, values::Value as Feel};

/// The type of a value as far as a package can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Not known.
    Any,
    /// Nothing.
    Null,
    /// True or false.
    Boolean,
    /// A decimal number.
    Number,
    /// Text.
    String,
    /// Text that is one of these: shared, for a list of countries stands in each expression that reads one.
    Enum(Arc<[String]>),
    /// A date.
    Date,
    /// A time of day.
    Time,
    /// A date with its time.
    DateTime,
    /// A duration in days and less.
    Days,
    /// A duration in years and months.
    Months,
    /// A range; only useful right of `in`.
    Range,
    /// Several of one type.
    List(Box<Type>),
    /// Named parts.
    Context(BTreeMap<String, Type>),
}

impl Type {
    /// What to call it.
    pub fn name(&self, lang: Lang) -> &'static str {
        match self {
            Self::Any => lang.t("giá trị bất kỳ", "any value"),
            Self::Null => lang.t("giá trị rỗng", "null"),
            Self::Boolean => lang.t("đúng/sai", "a boolean"),
            Self::Number => lang.t("số", "a number"),
            Self::String | Self::Enum(_) => lang.t("chuỗi chữ", "a string"),
            Self::Date => lang.t("ngày", "a date"),
            Self::Time => lang.t("giờ", "a time"),
            Self::DateTime => lang.t("ngày giờ", "a date and time"),
            Self::Days => lang.t("khoảng thời gian (ngày)", "a duration in days"),
            Self::Months => lang.t("khoảng thời gian (tháng)", "a duration in months"),
            Self::Range => lang.t("khoảng giá trị", "a range"),
            Self::List(_) => lang.t("danh sách", "a list"),
            Self::Context(_) => lang.t("nhóm thông tin", "a context"),
        }
    }

    /// Whether values of both can be equal.
    pub(crate) fn fits(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any | Self::Null, _) | (_, Self::Any | Self::Null) => true,
            (Self::String | Self::Enum(_), Self::String | Self::Enum(_)) => true,
            (Self::List(a), Self::List(b)) => a.fits(b),
            (Self::Context(_), Self::Context(_)) => true,
            (a, b) => a == b,
        }
    }

    /// The type that holds values of both.
    pub(crate) fn join(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Null, b) => b,
            (a, Self::Null) => a,
            (Self::String | Self::Enum(_), Self::String | Self::Enum(_)) => Self::String,
            (Self::List(a), Self::List(b)) => Self::List(Box::new(a.join(*b))),
            (Self::Context(mut a), Self::Context(b)) => {
                for (name, ty) in b {
                    let joined = match a.remove(&name) {
                        Some(old) => old.join(ty),
                        None => ty,
                    };
                    a.insert(name, joined);
                }
                Self::Context(a)
            }
            _ => Self::Any,
        }
    }

    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Self::String | Self::Enum(_))
    }
}

/// The names that an expression may use, each with its type; nested by the dots of their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Types(BTreeMap<String, Type>);

impl Types {
    /// No names.
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares a dotted name. A later declaration of the same name counts.
    pub fn declare(&mut self, id: &str, ty: Type) {
        fn put(map: &mut BTreeMap<String, Type>, id: &str, ty: Type) {
            match id.split_once('.') {
                None => {
                    map.insert(id.to_owned(), ty);
                }
                Some((head, rest)) => {
                    let entry = map
                        .entry(head.to_owned())
                        .or_insert_with(|| Type::Context(BTreeMap::new()));
                    if !matches!(entry, Type::Context(_)) {
                        *entry = Type::Context(BTreeMap::new());
                    }
                    if let Type::Context(inner) = entry {
                        put(inner, rest, ty);
                    }
                }
            }
        }
        put(&mut self.0, id, ty);
    }

    /// The same names and one more.
    #[must_use]
    pub fn with(mut self, id: &str, ty: Type) -> Self {
        self.declare(id, ty);
        self
    }

    /// All of these names as the parts of one context.
    pub fn into_context(self) -> Type {
        Type::Context(self.0)
    }

    /// The type of a dotted name.
    pub fn get(&self, id: &str) -> Option<&Type> {
        let mut parts = id.split('.');
        let mut ty = self.0.get(parts.next()?)?;
        for part in parts {
            match ty {
                Type::Context(inner) => ty = inner.get(part)?,
                _ => return None,
            }
        }
        Some(ty)
    }

    pub(crate) fn root(&self, name: &str) -> Option<&Type> {
        self.0.get(name)
    }

    /// Of these names, those that are used, each whole: for reading no more than an expression needs.
    pub(crate) fn only<'a>(&self, uses: impl IntoIterator<Item = &'a String>) -> Self {
        let mut out = Self::new();
        for id in uses {
            let mut found = None;
            let mut map = &self.0;
            for (dot, _) in id.match_indices('.').chain([(id.len(), "")]) {
                let name = &id[found.map_or(0, |(before, _)| before + 1)..dot];
                // A part of a date is read with its date.
                let Some(ty) = map.get(name) else { break };
                found = Some((dot, ty));
                match ty {
                    Type::Context(inner) => map = inner,
                    _ => break,
                }
            }
            if let Some((end, ty)) = found {
                out.declare(&id[..end], ty.clone());
            }
        }
        out
    }

    /// The outermost names with their types.
    pub fn roots(&self) -> impl Iterator<Item = (&String, &Type)> {
        self.0.iter()
    }

    /// Every dotted name, leaves and groups.
    pub(crate) fn names(&self) -> Vec<String> {
        fn walk(prefix: &str, map: &BTreeMap<String, Type>, out: &mut Vec<String>) {
            for (name, ty) in map {
                let id = if prefix.is_empty() {
                    name.clone()
                } else {
                    format!("{prefix}.{name}")
                };
                if let Type::Context(inner) = ty {
                    walk(&id, inner, out);
                }
                out.push(id);
            }
        }
        let mut out = Vec::new();
        walk("", &self.0, &mut out);
        out
    }

    /// A context of the declared names that occur in `text`, each null or an empty list: what the parser needs to tell names
    /// from operators.
    pub(crate) fn skeleton_for(&self, text: &str) -> FeelContext {
        let words: BTreeSet<&str> = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
        skeleton(&self.0, &|name| words.contains(name))
    }
}

fn skeleton(map: &BTreeMap<String, Type>, keep: &dyn Fn(&str) -> bool) -> FeelContext {
    let mut out = FeelContext::new();
    for (name, ty) in map.iter().filter(|(name, _)| keep(name)) {
        let value = match ty {
            Type::Context(inner) => Feel::Context(skeleton(inner, keep)),
            // `count(null)` is 1: nothing chosen must be an empty list.
            Type::List(_) => Feel::List(Vec::new()),
            _ => Feel::Null(None),
        };
        out.set_entry(&Name::from(name), value);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feel::Expr;

    #[test]
    fn an_expression_reads_the_names_that_it_uses_and_no_others() {
        let types = Types::new()
            .with("today", Type::Date)
            .with("child.name", Type::String)
            .with("child.born", Type::Date)
            .with("child.home.province", Type::String)
            .with("papers", Type::List(Box::new(Type::String)));
        let reads = |text: &str| {
            let expr = Expr::parse(text, &types).expect(text);
            types.only(expr.uses()).names()
        };
        assert_eq!(reads("1 + 1"), Vec::<String>::new());
        assert_eq!(reads("child.born.year > 2000"), ["child.born", "child"]);
        assert_eq!(
            reads("count(papers[item = child.name]) > 0"),
            ["child.name", "child", "papers"]
        );
        assert_eq!(
            reads("child.home.province = null"),
            ["child.home.province", "child.home", "child"]
        );
        let whole = ["child.born", "child.home.province", "child.home", "child.name", "child"];
        assert_eq!(reads("child = null"), whole);
        assert_eq!(reads("child = null or child.name = \"An\""), whole);
        assert_eq!(reads("child.name = \"An\" or child = null"), whole);
    }
}
