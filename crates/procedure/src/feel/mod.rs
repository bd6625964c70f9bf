//! FEEL, the expression language of conditions, fees and eligibility (DMN 1.5, chapter 10), over `dsntk`.
//!
//! A package is hostile input. Before `dsntk` sees a text its length and nesting are bounded; before it evaluates
//! anything the tree is type-checked against the declared names and its work is estimated. Left out on purpose:
//! functions of one's own (so no recursion), external functions, the machine's clock, ranges as loop sources
//! except short literal ones. A panic inside the library becomes a null.

mod builtin;
mod check;
mod process;
mod types;
mod value;

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use base::Text;
use dsntk_feel::{Evaluator, FeelScope, values::Value as Feel};
use dsntk_feel_parser::AstNode;
use serde_json::Value;

pub(crate) use check::distance;
pub use process::ProcessFeel;
pub(crate) use process::variable;
pub use types::{Type, Types};
pub(crate) use value::to_json;
pub use value::{Data, Values};

/// The longest expression, in bytes.
pub const MAX_TEXT: usize = 4_000;
/// The deepest nesting of brackets.
pub const MAX_BRACKETS: usize = 32;
/// The deepest tree of operators.
pub const MAX_DEPTH: usize = 64;
/// The longest literal range that a loop may walk.
pub const MAX_RANGE: u64 = 1_000;
/// The most work that an expression may do, in estimated elementary steps.
pub const MAX_WORK: u64 = 200_000;
/// The most work that all expressions of one file may do together, in estimated elementary steps: one form, one process,
/// or all decisions with those that they need. Twenty thousand cheap ones are as bad as one that is dear.
pub const MAX_FILE_WORK: u64 = 2 * MAX_WORK;
/// The longest list in the data. Longer ones are cut before an expression sees them.
pub const MAX_LIST: usize = 100;

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// A stable name for programs: `syntax`, `unknown-name`, `type`, `forbidden`, `too-long`, `too-deep`, `too-costly`.
    pub code: &'static str,
    /// Where in the text, in bytes.
    pub offset: usize,
    /// What is wrong and what to do.
    pub text: Text,
}

impl Flaw {
    pub(crate) fn new(code: &'static str, offset: usize, vi: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            code,
            offset,
            text: Text::new(vi, en),
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text.en)
    }
}

/// A parsed, type-checked and bounded expression. Cheap to clone; evaluated as often as needed.
#[derive(Clone)]
pub struct Expr {
    text: Arc<str>,
    ty: Type,
    work: u64,
    uses: Arc<[String]>,
    /// The names that it uses, with their types.
    reads: Arc<Types>,
    evaluator: Arc<Evaluator>,
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expr").field(&self.text).finish()
    }
}

impl Expr {
    /// Parses an expression over the names of `types`.
    ///
    /// # Errors
    /// Every flaw found: syntax, unknown names, types that do not fit, forbidden functions, size and cost.
    pub fn parse(text: &str, types: &Types) -> Result<Self, Vec<Flaw>> {
        let node = syntax(text, types, false)?;
        let judged = check::judge(&node, text, types);
        if !judged.flaws.is_empty() {
            return Err(judged.flaws);
        }
        let evaluator = catch_unwind(AssertUnwindSafe(|| dsntk_feel_evaluator::prepare(&node))).map_err(|_| {
            vec![Flaw::new(
                "syntax",
                0,
                "Biểu thức không dùng được.",
                "The expression cannot be used.",
            )]
        })?;
        Ok(Self {
            text: text.into(),
            ty: judged.ty,
            work: judged.work,
            reads: Arc::new(types.only(&judged.uses)),
            uses: judged.uses.into(),
            evaluator: Arc::new(evaluator),
        })
    }

    /// Parses a condition: an expression whose value is true or false.
    ///
    /// # Errors
    /// As [`Expr::parse`], and when the value cannot be a boolean.
    pub fn condition(text: &str, types: &Types) -> Result<Self, Vec<Flaw>> {
        let expr = Self::parse(text, types)?;
        if matches!(expr.ty, Type::Boolean | Type::Any) {
            Ok(expr)
        } else {
            Err(vec![Flaw::new(
                "type",
                0,
                format!(
                    "Điều kiện phải có giá trị đúng hoặc sai; biểu thức này cho {}.",
                    expr.ty.name(base::Lang::Vi)
                ),
                format!(
                    "A condition must be true or false; this gives {}.",
                    expr.ty.name(base::Lang::En)
                ),
            )])
        }
    }

    /// The text as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The type of its value.
    pub fn ty(&self) -> &Type {
        &self.ty
    }

    /// What one evaluation may cost, in estimated elementary steps.
    pub(crate) fn work(&self) -> u64 {
        self.work
    }

    /// The declared names that it reads, dotted.
    pub fn uses(&self) -> &[String] {
        &self.uses
    }

    /// Its value as JSON: dates as ISO text, numbers exact where JSON can hold them.
    pub fn eval(&self, data: &Data) -> Value {
        to_json(&self.eval_feel(data))
    }

    /// Whether it holds. What cannot be decided does not hold.
    pub fn holds(&self, data: &Data) -> bool {
        matches!(self.eval_feel(data), Feel::Boolean(true))
    }

    /// Whether it holds; `None` when it cannot be decided.
    pub fn decide(&self, data: &Data) -> Option<bool> {
        match self.eval_feel(data) {
            Feel::Boolean(value) => Some(value),
            _ => None,
        }
    }

    /// Its value over values by name, of which only those are looked at that it uses.
    pub fn eval_over(&self, values: &impl Values) -> Value {
        self.eval(&Data::new(&self.reads, values))
    }

    /// Whether it holds over values by name, of which only those are looked at that it uses.
    pub fn holds_over(&self, values: &impl Values) -> bool {
        self.holds(&Data::new(&self.reads, values))
    }

    fn eval_feel(&self, data: &Data) -> Feel {
        catch_unwind(AssertUnwindSafe(|| (self.evaluator)(data.scope()))).unwrap_or(Feel::Null(None))
    }
}

/// What an expression gives and costs, estimated.
pub(crate) struct Inspected {
    /// The type of its value.
    pub ty: Type,
    /// The size of its value.
    pub size: u64,
    /// The work of one evaluation.
    pub work: u64,
    /// The declared names that it reads, dotted.
    pub uses: Vec<String>,
}

impl From<check::Judged> for Inspected {
    fn from(judged: check::Judged) -> Self {
        Self {
            ty: judged.ty,
            size: judged.size,
            work: judged.work,
            uses: judged.uses,
        }
    }
}

/// Checks an expression that another evaluator (DMN) will run.
pub(crate) fn inspect(text: &str, types: &Types) -> Result<Inspected, Vec<Flaw>> {
    let node = syntax(text, types, false)?;
    let judged = check::judge(&node, text, types);
    if judged.flaws.is_empty() {
        Ok(judged.into())
    } else {
        Err(judged.flaws)
    }
}

/// Checks the unary tests of a decision table's input entry against the type of its input.
pub(crate) fn inspect_tests(text: &str, types: &Types, input: &Type) -> Result<Inspected, Vec<Flaw>> {
    let node = syntax(text, types, true)?;
    let judged = check::judge_tests(&node, text, types, input);
    if judged.flaws.is_empty() {
        Ok(judged.into())
    } else {
        Err(judged.flaws)
    }
}

/// Compiles "input in tests", to tell later which rule of a table held.
pub(crate) fn rule(input: &str, tests: &str, types: &Types) -> Option<Expr> {
    let node = AstNode::In(
        Box::new(syntax(input, types, false).ok()?),
        Box::new(syntax(tests, types, true).ok()?),
    );
    let evaluator = catch_unwind(AssertUnwindSafe(|| dsntk_feel_evaluator::prepare(&node))).ok()?;
    Some(Expr {
        text: tests.into(),
        ty: Type::Boolean,
        work: 0,
        uses: Arc::new([]),
        reads: Arc::default(),
        evaluator: Arc::new(evaluator),
    })
}

/// Bounds the text, parses it, bounds the tree.
pub(crate) fn syntax(text: &str, types: &Types, unary: bool) -> Result<AstNode, Vec<Flaw>> {
    bounds(text)?;
    let scope: FeelScope = types.skeleton_for(text).into();
    let parsed = catch_unwind(AssertUnwindSafe(|| {
        if unary {
            dsntk_feel_parser::parse_unary_tests(&scope, text, false)
        } else {
            dsntk_feel_parser::parse_expression(&scope, text, false)
        }
    }));
    let node = match parsed {
        Ok(Ok(node)) => node,
        Ok(Err(_)) | Err(_) => {
            return Err(vec![Flaw::new(
                "syntax",
                0,
                format!("Biểu thức FEEL sai cú pháp: {}", excerpt(text)),
                format!("Not a valid FEEL expression: {}", excerpt(text)),
            )]);
        }
    };
    if check::depth_over(&node, MAX_DEPTH) {
        return Err(vec![Flaw::new(
            "too-deep",
            0,
            format!("Biểu thức lồng quá {MAX_DEPTH} cấp."),
            format!("The expression is nested more than {MAX_DEPTH} levels deep."),
        )]);
    }
    Ok(node)
}

fn bounds(text: &str) -> Result<(), Vec<Flaw>> {
    if text.trim().is_empty() {
        return Err(vec![Flaw::new(
            "syntax",
            0,
            "Biểu thức để trống.",
            "The expression is empty.",
        )]);
    }
    if text.len() > MAX_TEXT {
        return Err(vec![Flaw::new(
            "too-long",
            0,
            format!("Biểu thức dài {} byte; tối đa {MAX_TEXT}.", text.len()),
            format!("The expression has {} bytes; at most {MAX_TEXT}.", text.len()),
        )]);
    }
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (offset, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_BRACKETS {
            return Err(vec![Flaw::new(
                "too-deep",
                offset,
                format!("Ngoặc lồng quá {MAX_BRACKETS} cấp."),
                format!("Brackets are nested more than {MAX_BRACKETS} levels deep."),
            )]);
        }
    }
    Ok(())
}

fn excerpt(text: &str) -> String {
    let mut short: String = text.chars().take(80).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
