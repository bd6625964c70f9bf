//! The functions of FEEL that a package may call: how many arguments, of what type, giving what.

use super::{
    MAX_WORK,
    types::Type::{self, Any, Boolean, Date, DateTime, Months, Number, String as Str, Time},
};

/// What an argument must be.
#[derive(Clone, Copy)]
pub(super) enum Arg {
    Any,
    Num,
    Text,
    Bool,
    Date,
    List,
}

impl Arg {
    pub(super) fn takes(self, ty: &Type) -> bool {
        match (self, ty) {
            (_, Any | Type::Null) | (Self::Any, _) => true,
            (Self::Num, ty) => *ty == Number,
            (Self::Text, ty) => ty.is_text(),
            (Self::Bool, ty) => *ty == Boolean,
            (Self::Date, ty) => matches!(ty, Date | DateTime),
            (Self::List, ty) => matches!(ty, Type::List(_)),
        }
    }

    pub(super) fn wanted(self) -> Type {
        match self {
            Self::Any => Any,
            Self::Num => Number,
            Self::Text => Str,
            Self::Bool => Boolean,
            Self::Date => Date,
            Self::List => Type::List(Box::new(Any)),
        }
    }
}

/// What a function gives.
#[derive(Clone, Copy)]
pub(super) enum Gives {
    Is(Plain),
    /// The type of an item of the first argument.
    Item,
    /// The first argument's type.
    Same,
    ListOfText,
}

#[derive(Clone, Copy)]
pub(super) enum Plain {
    Any,
    Bool,
    Num,
    Text,
    Date,
    Time,
    DateTime,
    Months,
    Duration,
}

/// A function: arguments (the last repeats when `many`), least number of them, what it gives.
pub(super) struct Builtin {
    pub args: &'static [Arg],
    pub least: usize,
    pub many: bool,
    pub gives: Gives,
}

const fn f(args: &'static [Arg], least: usize, gives: Gives) -> Builtin {
    Builtin {
        args,
        least,
        many: false,
        gives,
    }
}

const fn many(args: &'static [Arg], least: usize, gives: Gives) -> Builtin {
    Builtin {
        args,
        least,
        many: true,
        gives,
    }
}

pub(super) fn builtin(name: &str) -> Option<Builtin> {
    use Arg::{Any as A, Bool as B, Date as D, List as L, Num as N, Text as T};
    use Gives::{Is, Item, ListOfText, Same};
    use Plain as P;
    Some(match name {
        "not" => f(&[B], 1, Is(P::Bool)),
        "abs" | "sqrt" | "exp" | "log" => f(&[N], 1, Is(P::Num)),
        "ceiling" | "floor" => f(&[N, N], 1, Is(P::Num)),
        "decimal" | "round up" | "round down" | "round half up" | "round half down" | "modulo" => {
            f(&[N, N], 2, Is(P::Num))
        }
        "odd" | "even" => f(&[N], 1, Is(P::Bool)),
        "number" => f(&[T, T, T], 3, Is(P::Num)),
        "string" => f(&[A], 1, Is(P::Text)),
        "string length" => f(&[T], 1, Is(P::Num)),
        "upper case" | "lower case" => f(&[T], 1, Is(P::Text)),
        "substring" => f(&[T, N, N], 2, Is(P::Text)),
        "substring before" | "substring after" => f(&[T, T], 2, Is(P::Text)),
        "contains" | "starts with" | "ends with" | "matches" => f(&[T, T], 2, Is(P::Bool)),
        "split" => f(&[T, T], 2, ListOfText),
        "string join" => f(&[L, T], 1, Is(P::Text)),
        "count" => f(&[L], 1, Is(P::Num)),
        "list contains" => f(&[L, A], 2, Is(P::Bool)),
        "min" | "max" => many(&[A], 1, Item),
        "sum" | "mean" | "median" | "product" | "stddev" => many(&[A], 1, Is(P::Num)),
        "mode" | "index of" => many(&[L, A], 1, Is(P::Any)),
        "all" | "any" => many(&[A], 1, Is(P::Bool)),
        "sublist" => f(&[L, N, N], 2, Same),
        "append" => many(&[L, A], 2, Same),
        "concatenate" | "union" => many(&[L], 1, Same),
        "insert before" => f(&[L, N, A], 3, Same),
        "remove" => f(&[L, N], 2, Same),
        "reverse" | "distinct values" => f(&[L], 1, Same),
        "flatten" => f(&[L], 1, Is(P::Any)),
        "date" => f(&[A, N, N], 1, Is(P::Date)),
        "time" => f(&[A, N, N, A], 1, Is(P::Time)),
        "date and time" => f(&[A, A], 1, Is(P::DateTime)),
        "duration" => f(&[T], 1, Is(P::Duration)),
        "years and months duration" => f(&[D, D], 2, Is(P::Months)),
        "day of week" | "month of year" => f(&[D], 1, Is(P::Text)),
        "day of year" | "week of year" => f(&[D], 1, Is(P::Num)),
        "get value" => f(&[A, T], 2, Is(P::Any)),
        _ => return None,
    })
}

impl Builtin {
    /// The type of the result.
    pub(super) fn result(&self, args: &[(Type, u64)], duration: Option<Type>) -> Type {
        let first = args.first().map_or(&Any, |a| &a.0);
        match self.gives {
            Gives::Is(plain) => match plain {
                Plain::Any => Any,
                Plain::Bool => Boolean,
                Plain::Num => Number,
                Plain::Text => Str,
                Plain::Date => Date,
                Plain::Time => Time,
                Plain::DateTime => DateTime,
                Plain::Months => Months,
                Plain::Duration => duration.unwrap_or(Any),
            },
            Gives::Item => match first {
                Type::List(item) => (**item).clone(),
                other => other.clone(),
            },
            Gives::Same => first.clone(),
            Gives::ListOfText => Type::List(Box::new(Str)),
        }
    }
}

/// Size of the result and work of one call, from the sizes of the arguments.
pub(super) fn cost(name: &str, sizes: &[u64]) -> (u64, u64) {
    let total = sizes.iter().fold(1_u64, |a, b| a.saturating_add(*b));
    match name {
        // A text of one unit may hold 2,000 characters, so it may split into as many pieces.
        "split" => (total.saturating_mul(200), total.saturating_mul(200)),
        "string join" => {
            let separator = sizes.get(1).copied().unwrap_or(1);
            let joined = sizes.first().copied().unwrap_or(1).saturating_mul(separator.max(1));
            (joined, joined)
        }
        "distinct values" | "union" | "mode" => (total, total.saturating_mul(total)),
        "append" | "concatenate" | "insert before" | "remove" | "reverse" | "sublist" | "flatten" | "string"
        | "substring" | "substring before" | "substring after" | "upper case" | "lower case" | "min" | "max" => {
            (total, total)
        }
        "matches" => (1, total.saturating_mul(50).min(MAX_WORK + 1)),
        _ => (1, total),
    }
}

/// Functions of the standard that are refused, and why.
pub(super) fn refused(name: &str) -> Option<(&'static str, &'static str)> {
    Some(match name {
        "today" | "now" => (
            "dùng biến today thay cho hàm: kết quả phải giống nhau khi kiểm tra lại sau này",
            "use the variable today instead: a result must come out the same when it is checked years later",
        ),
        "replace" | "list replace" | "context" | "context put" | "context merge" | "get entries" | "is" | "sort"
        | "range" | "before" | "after" | "meets" | "met by" | "overlaps" | "overlaps before" | "overlaps after"
        | "finishes" | "finished by" | "includes" | "during" | "starts" | "started by" | "coincides" => (
            "không nằm trong phần FEEL mà gói thủ tục được dùng",
            "it is outside the part of FEEL that a package may use",
        ),
        _ => return None,
    })
}
