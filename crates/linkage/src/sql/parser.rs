//! Words as expressions.

use base::codes::CodeError;

use super::lexer::{Token, tokens};
use super::{Expr, Operator, Side};

/// How deep expressions may be nested: a model is a file from elsewhere.
const MAX_DEPTH: usize = 100;

type Parsed<T = Expr> = Result<T, CodeError>;

/// Reads one condition. Columns are `l.name` and `r.name`, or `name_l` and `name_r`.
///
/// # Errors
/// `sql-…`, with what was not understood.
pub(crate) fn parse(sql: &str) -> Parsed {
    let mut parser = Parser {
        tokens: tokens(sql)?,
        at: 0,
        depth: 0,
    };
    let expr = parser.expression(0)?;
    match parser.next() {
        None => Ok(expr),
        Some(token) => Err(unexpected(Some(&token))),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

/// How tightly operators bind; what is above `NOT` binds tighter than it.
const NOT_POWER: u8 = 3;
const COMPARE_POWER: u8 = 4;

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn word(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(w)) if w.eq_ignore_ascii_case(keyword));
        self.at += usize::from(found);
        found
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(s)) if *s == sign);
        self.at += usize::from(found);
        found
    }

    fn expect_sign(&mut self, sign: &str) -> Parsed<()> {
        if self.sign(sign) {
            Ok(())
        } else {
            Err(unexpected(self.peek()))
        }
    }

    fn expect_word(&mut self, keyword: &str) -> Parsed<()> {
        if self.word(keyword) {
            Ok(())
        } else {
            Err(unexpected(self.peek()))
        }
    }

    fn expression(&mut self, power: u8) -> Parsed {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(CodeError::new(
                "sql-too-deep",
                "Điều kiện lồng nhau quá sâu.",
                "The condition is nested too deeply.",
            ));
        }
        let mut left = self.prefix()?;
        loop {
            if let Some((operator, binding)) = self.operator() {
                if binding <= power {
                    break;
                }
                self.at += 1;
                let right = self.expression(binding)?;
                left = Expr::Binary(operator, Box::new(left), Box::new(right));
            } else if power < COMPARE_POWER {
                match self.test(left)? {
                    (test, true) => left = test,
                    (operand, false) => {
                        left = operand;
                        break;
                    }
                }
            } else {
                break;
            }
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operator(&self) -> Option<(Operator, u8)> {
        Some(match self.peek()? {
            Token::Word(w) if w.eq_ignore_ascii_case("or") => (Operator::Or, 1),
            Token::Word(w) if w.eq_ignore_ascii_case("and") => (Operator::And, 2),
            Token::Sign("=" | "==") => (Operator::Eq, COMPARE_POWER),
            Token::Sign("<>" | "!=") => (Operator::Ne, COMPARE_POWER),
            Token::Sign("<") => (Operator::Lt, COMPARE_POWER),
            Token::Sign("<=") => (Operator::Le, COMPARE_POWER),
            Token::Sign(">") => (Operator::Gt, COMPARE_POWER),
            Token::Sign(">=") => (Operator::Ge, COMPARE_POWER),
            Token::Sign("||") => (Operator::Concat, 5),
            Token::Sign("+") => (Operator::Add, 6),
            Token::Sign("-") => (Operator::Sub, 6),
            Token::Sign("*") => (Operator::Mul, 7),
            Token::Sign("/") => (Operator::Div, 7),
            _ => return None,
        })
    }

    /// A test written after its operand, if one follows: `IS [NOT] NULL`, `[NOT] IN (…)`, `[NOT] BETWEEN … AND …`.
    fn test(&mut self, operand: Expr) -> Parsed<(Expr, bool)> {
        let negated = |test: Expr, not: bool| if not { Expr::Not(Box::new(test)) } else { test };
        if self.word("is") {
            let not = self.word("not");
            self.expect_word("null")?;
            return Ok((negated(Expr::IsNull(Box::new(operand)), not), true));
        }
        let start = self.at;
        let not = self.word("not");
        if self.word("in") {
            self.expect_sign("(")?;
            let any = self
                .arguments()?
                .into_iter()
                .map(|value| both(Operator::Eq, &operand, value));
            let any = any.reduce(|a, b| Expr::Binary(Operator::Or, Box::new(a), Box::new(b)));
            return Ok((negated(any.ok_or_else(|| unexpected(None))?, not), true));
        }
        if self.word("between") {
            let low = self.expression(COMPARE_POWER)?;
            self.expect_word("and")?;
            let high = self.expression(COMPARE_POWER)?;
            let (from, to) = (both(Operator::Ge, &operand, low), both(Operator::Le, &operand, high));
            return Ok((
                negated(Expr::Binary(Operator::And, Box::new(from), Box::new(to)), not),
                true,
            ));
        }
        self.at = start;
        Ok((operand, false))
    }

    fn prefix(&mut self) -> Parsed {
        if self.word("not") {
            return Ok(Expr::Not(Box::new(self.expression(NOT_POWER)?)));
        }
        if self.sign("-") {
            return Ok(Expr::Negative(Box::new(self.expression(7)?)));
        }
        let mut operand = self.primary()?;
        while self.sign("::") {
            let Some(Token::Word(kind)) = self.next() else {
                return Err(unexpected(self.peek()));
            };
            operand = Expr::Cast(Box::new(operand), self.type_name(kind)?);
        }
        Ok(operand)
    }

    fn primary(&mut self) -> Parsed {
        match self.next() {
            Some(Token::Number(n)) => Ok(Expr::Number(n)),
            Some(Token::Text(text)) => Ok(Expr::Text(text)),
            Some(Token::Sign("(")) => {
                let inner = self.expression(0)?;
                self.expect_sign(")")?;
                Ok(inner)
            }
            Some(Token::Quoted(name)) => self.column(name),
            Some(Token::Word(word)) => self.after_word(word),
            other => Err(unexpected(other.as_ref())),
        }
    }

    fn after_word(&mut self, word: String) -> Parsed {
        match word.to_ascii_lowercase().as_str() {
            "null" => Ok(Expr::Null),
            "true" => Ok(Expr::Bool(true)),
            "false" => Ok(Expr::Bool(false)),
            "case" => self.case(),
            "cast" | "try_cast" if self.sign("(") => {
                let inner = self.expression(0)?;
                self.expect_word("as")?;
                let Some(Token::Word(kind)) = self.next() else {
                    return Err(unexpected(self.peek()));
                };
                let kind = self.type_name(kind)?;
                self.expect_sign(")")?;
                Ok(Expr::Cast(Box::new(inner), kind))
            }
            "extract" if self.sign("(") => {
                let Some(Token::Word(part)) = self.next() else {
                    return Err(unexpected(self.peek()));
                };
                self.expect_word("from")?;
                let inner = self.expression(0)?;
                self.expect_sign(")")?;
                Ok(Expr::Call(part.to_ascii_lowercase(), vec![inner]))
            }
            "and" | "or" | "in" | "is" | "between" | "then" | "when" | "else" | "end" | "like" | "select" => {
                Err(unexpected(Some(&Token::Word(word))))
            }
            name if self.sign("(") => {
                let arguments = if self.sign(")") { Vec::new() } else { self.arguments()? };
                Ok(Expr::Call(name.to_owned(), arguments))
            }
            _ => self.column(word),
        }
    }

    /// A type's name without its length: `decimal(10, 2)`.
    fn type_name(&mut self, name: String) -> Parsed<String> {
        if self.sign("(") {
            self.arguments()?;
        }
        Ok(name.to_ascii_lowercase())
    }

    fn case(&mut self) -> Parsed {
        let mut whens = Vec::new();
        while self.word("when") {
            let when = self.expression(0)?;
            self.expect_word("then")?;
            whens.push((when, self.expression(0)?));
        }
        let otherwise = if self.word("else") {
            Some(Box::new(self.expression(0)?))
        } else {
            None
        };
        self.expect_word("end")?;
        if whens.is_empty() {
            return Err(unexpected(self.peek()));
        }
        Ok(Expr::Case(whens, otherwise))
    }

    /// A list up to and with its closing bracket.
    fn arguments(&mut self) -> Parsed<Vec<Expr>> {
        let mut list = vec![self.expression(0)?];
        while self.sign(",") {
            list.push(self.expression(0)?);
        }
        self.expect_sign(")")?;
        Ok(list)
    }

    fn column(&mut self, name: String) -> Parsed {
        let side = |s: &str| match s {
            "l" | "L" => Some(Side::Left),
            "r" | "R" => Some(Side::Right),
            _ => None,
        };
        if let Some(side) = side(&name)
            && self.sign(".")
        {
            return match self.next() {
                Some(Token::Word(column) | Token::Quoted(column)) => Ok(Expr::Column(side, column)),
                other => Err(unexpected(other.as_ref())),
            };
        }
        match name.rsplit_once('_') {
            Some((column, suffix)) if !column.is_empty() => match side(suffix) {
                Some(side) => Ok(Expr::Column(side, column.to_owned())),
                None => Err(sideless(&name)),
            },
            _ => Err(sideless(&name)),
        }
    }
}

fn both(operator: Operator, a: &Expr, b: Expr) -> Expr {
    Expr::Binary(operator, Box::new(a.clone()), Box::new(b))
}

fn sideless(name: &str) -> CodeError {
    CodeError::new(
        "sql-sideless-column",
        format!("Cột “{name}” không nói thuộc bản ghi nào: viết l.{name} hoặc {name}_l."),
        format!("The column “{name}” does not say of which record: write l.{name} or {name}_l."),
    )
}

fn unexpected(token: Option<&Token>) -> CodeError {
    let shown = match token {
        None => {
            return CodeError::new("sql-ends-early", "Điều kiện bị cụt.", "The condition ends too early.");
        }
        Some(Token::Word(w) | Token::Quoted(w)) => w.clone(),
        Some(Token::Text(t)) => format!("'{t}'"),
        Some(Token::Number(n)) => n.to_string(),
        Some(Token::Sign(s)) => (*s).to_owned(),
    };
    CodeError::new(
        "sql-unexpected",
        format!("Không hiểu “{shown}” ở chỗ này trong điều kiện."),
        format!("“{shown}” is not understood at this place in the condition."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(side: Side, name: &str) -> Expr {
        Expr::Column(side, name.into())
    }

    fn binary(operator: Operator, a: Expr, b: Expr) -> Expr {
        Expr::Binary(operator, Box::new(a), Box::new(b))
    }

    #[test]
    fn both_dialects_name_columns_in_three_ways() {
        let same = binary(Operator::Eq, column(Side::Left, "a b"), column(Side::Right, "a b"));
        for sql in [
            "\"a b_l\" = \"a b_r\"",
            "`a b_l` = `a b_r`",
            "l.\"a b\"=r.\"a b\"",
            "(L.`a b` == R.`a b`)",
        ] {
            assert_eq!(parse(sql).expect(sql), same, "{sql}");
        }
    }

    #[test]
    fn operators_bind_as_in_sql() {
        let read = |sql: &str| parse(sql).expect(sql);
        assert_eq!(
            read("a_l IS NULL OR a_r IS NULL AND NOT b_l = 1"),
            read("(a_l IS NULL) OR ((a_r IS NULL) AND (NOT (b_l = 1)))")
        );
        assert_eq!(
            read("abs(x_l - x_r) <= 2 and 1 + 2 * 3 > 4"),
            read("(abs((x_l) - (x_r)) <= 2) and ((1 + (2 * 3)) > 4)")
        );
        assert_eq!(
            read("a_l in (1, 2) and b_l is not null"),
            read("(a_l = 1 or a_l = 2) and not (b_l is null)")
        );
        assert_eq!(
            read("x_l between 1 and 2 or true"),
            read("(x_l >= 1 and x_l <= 2) or true")
        );
        assert_eq!(read("x_l - 1 - 2 = -3"), read("((x_l - 1) - 2) = (-3)"));
        assert_eq!(read("a_l = 1 is null"), read("(a_l = 1) is null"));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (sql, code) in [
            ("a_l = ", "sql-ends-early"),
            ("a = b", "sql-sideless-column"),
            ("a_l like 'x%'", "sql-unexpected"),
            ("x_l -> 3", "sql-unexpected"),
            ("(a_l = a_r", "sql-ends-early"),
            ("", "sql-ends-early"),
        ] {
            assert_eq!(parse(sql).expect_err(sql).code(), code, "{sql}");
        }
        let deep = format!("{}1=1{}", "(".repeat(1000), ")".repeat(1000));
        assert_eq!(parse(&deep).expect_err("deep").code(), "sql-too-deep");
    }
}
