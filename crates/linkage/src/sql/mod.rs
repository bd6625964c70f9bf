//! The part of SQL in which a model says what it compares: conditions over the columns of two records, in the dialects of
//! DuckDB and Spark. What cannot be read is refused by name.

mod lexer;
mod parser;

pub(crate) use parser::parse;

/// Which of the two records a column belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    Left,
    Right,
}

/// What joins two expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Add,
    Sub,
    Mul,
    Div,
    Concat,
}

/// An expression as it was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Column(Side, String),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    IsNull(Box<Expr>),
    /// The name in lower case.
    Call(String, Vec<Expr>),
    /// The type in lower case, without what stands in brackets.
    Cast(Box<Expr>, String),
    Case(Vec<(Expr, Expr)>, Option<Box<Expr>>),
}

impl Expr {
    /// Calls `visit` on this expression and on all within it.
    pub(crate) fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        visit(self);
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Column(..) => {}
            Self::Not(e) | Self::Negative(e) | Self::IsNull(e) | Self::Cast(e, _) => e.walk(visit),
            Self::Binary(_, a, b) => {
                a.walk(visit);
                b.walk(visit);
            }
            Self::Call(_, list) => list.iter().for_each(|e| e.walk(visit)),
            Self::Case(whens, otherwise) => {
                for (when, then) in whens {
                    when.walk(visit);
                    then.walk(visit);
                }
                if let Some(e) = otherwise {
                    e.walk(visit);
                }
            }
        }
    }

    /// The names of the columns in it, each once, in the order in which they appear.
    pub(crate) fn columns(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        self.walk(&mut |e| {
            if let Expr::Column(_, name) = e
                && !names.contains(&name.as_str())
            {
                names.push(name);
            }
        });
        names
    }

    /// The side that all columns in it belong to; `None` where there are none or both.
    pub(crate) fn side(&self) -> Option<Side> {
        let (mut left, mut right) = (false, false);
        self.walk(&mut |e| match e {
            Expr::Column(Side::Left, _) => left = true,
            Expr::Column(Side::Right, _) => right = true,
            _ => {}
        });
        match (left, right) {
            (true, false) => Some(Side::Left),
            (false, true) => Some(Side::Right),
            _ => None,
        }
    }

    /// The same with every column on the left: two one-sided expressions are the same function of a record if these are
    /// equal.
    pub(crate) fn of_one_record(mut self) -> Expr {
        self.put_left();
        self
    }

    fn put_left(&mut self) {
        match self {
            Self::Column(side, _) => *side = Side::Left,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => {}
            Self::Not(e) | Self::Negative(e) | Self::IsNull(e) | Self::Cast(e, _) => e.put_left(),
            Self::Binary(_, a, b) => {
                a.put_left();
                b.put_left();
            }
            Self::Call(_, list) => list.iter_mut().for_each(Expr::put_left),
            Self::Case(whens, otherwise) => {
                for (when, then) in whens {
                    when.put_left();
                    then.put_left();
                }
                if let Some(e) = otherwise {
                    e.put_left();
                }
            }
        }
    }

    /// The conditions that must all hold.
    pub(crate) fn conjuncts(&self) -> Vec<&Expr> {
        match self {
            Self::Binary(Operator::And, a, b) => {
                let mut all = a.conjuncts();
                all.extend(b.conjuncts());
                all
            }
            other => vec![other],
        }
    }
}
