//! The columns of `CREATE TABLE`, as PostgreSQL, MySQL, SQL Server and Oracle dump them.

use super::Column;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A bare word or number.
    Word(String),
    /// A quoted name.
    Name(String),
    /// A string.
    Text(String),
    /// Any other sign.
    Sign(char),
}

impl Token {
    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(w) if w.eq_ignore_ascii_case(word))
    }

    /// As the name of a table or column.
    fn name(&self) -> Option<&str> {
        match self {
            Self::Word(name) | Self::Name(name) => Some(name),
            _ => None,
        }
    }
}

/// Words that begin what is no column.
const NO_COLUMN: [&str; 13] = [
    "constraint",
    "primary",
    "foreign",
    "unique",
    "check",
    "key",
    "index",
    "exclude",
    "like",
    "fulltext",
    "spatial",
    "period",
    "partition",
];

/// Words that end the type of a column.
const AFTER_TYPE: [&str; 22] = [
    "not",
    "null",
    "default",
    "primary",
    "unique",
    "references",
    "check",
    "constraint",
    "comment",
    "collate",
    "generated",
    "identity",
    "auto_increment",
    "on",
    "character",
    "as",
    "encode",
    "enable",
    "disable",
    "sparse",
    "key",
    "visible",
];

/// The columns of all tables that a dump creates, with the comments that it has. Other statements are passed over; so is
/// what cannot be understood: a dump is read for what it says, not judged.
pub fn columns_of_ddl(sql: &str) -> Vec<Column> {
    let tokens = tokens(sql);
    let mut columns = Vec::new();
    for statement in tokens.split(|t| *t == Token::Sign(';') || t.is("go")) {
        let word = |n: usize, w: &str| statement.get(n).is_some_and(|t| t.is(w));
        if let Some(at) = statement.iter().take(6).position(|t| t.is("table"))
            && word(0, "create")
        {
            create_table(statement.get(at + 1..).unwrap_or_default(), &mut columns);
        } else if word(0, "comment") && word(1, "on") && word(2, "column") {
            comment_on(statement.get(3..).unwrap_or_default(), &mut columns);
        }
    }
    columns
}

/// A name of one to three parts: the last two, with a point; and how many tokens it takes.
fn dotted(tokens: &[Token]) -> Option<(Vec<&str>, usize)> {
    let mut parts = vec![tokens.first()?.name()?];
    let mut at = 1;
    while let (Some(Token::Sign('.')), Some(next)) = (tokens.get(at), tokens.get(at + 1)) {
        parts.push(next.name()?);
        at += 2;
    }
    Some((parts, at))
}

fn create_table(tokens: &[Token], columns: &mut Vec<Column>) {
    let mut rest = tokens;
    while let Some((first, after)) = rest.split_first()
        && (first.is("if") || first.is("not") || first.is("exists"))
    {
        rest = after;
    }
    let Some((parts, used)) = dotted(rest) else {
        return;
    };
    let table = parts.get(parts.len().saturating_sub(2)..).unwrap_or_default().join(".");
    let body = rest.get(used..).unwrap_or_default();
    let Some((Token::Sign('('), mut body)) = body.split_first().map(|(t, b)| (t.clone(), b)) else {
        return;
    };
    while !body.is_empty() {
        let mut depth = 0_usize;
        let end = body.iter().position(|t| {
            match t {
                Token::Sign('(') => depth += 1,
                Token::Sign(')') if depth > 0 => depth -= 1,
                Token::Sign(')' | ',') if depth == 0 => return true,
                _ => {}
            }
            false
        });
        let end = end.unwrap_or(body.len());
        columns.extend(column(&table, body.get(..end).unwrap_or_default()));
        if body.get(end) != Some(&Token::Sign(',')) {
            return;
        }
        body = body.get(end + 1..).unwrap_or_default();
    }
}

fn column(table: &str, tokens: &[Token]) -> Option<Column> {
    let (first, rest) = tokens.split_first()?;
    let name = first.name()?;
    if matches!(first, Token::Word(w) if NO_COLUMN.iter().any(|n| w.eq_ignore_ascii_case(n))) {
        return None;
    }
    let ends = |(n, t): (usize, &Token)| n > 0 && AFTER_TYPE.iter().any(|w| t.is(w));
    let end = rest.iter().enumerate().position(ends).unwrap_or(rest.len());
    let mut data_type = String::new();
    for token in rest.get(..end).unwrap_or_default() {
        match token {
            Token::Word(w) | Token::Name(w) => {
                if data_type.ends_with(|c: char| c.is_alphanumeric() || c == ')') {
                    data_type.push(' ');
                }
                data_type.push_str(w);
            }
            Token::Text(_) => {}
            Token::Sign(c) => data_type.push(*c),
        }
    }
    let comment = rest.windows(2).find_map(|pair| match pair {
        [word, Token::Text(text)] if word.is("comment") => Some(text.clone()),
        _ => None,
    });
    Some(Column {
        table: table.to_owned(),
        name: name.to_owned(),
        data_type,
        comment: comment.unwrap_or_default(),
        samples: Vec::new(),
    })
}

/// `COMMENT ON COLUMN table.column IS '…'`.
fn comment_on(tokens: &[Token], columns: &mut [Column]) {
    let Some((parts, used)) = dotted(tokens) else {
        return;
    };
    let (Some(is), Some(Token::Text(text)), [.., table, name]) =
        (tokens.get(used), tokens.get(used + 1), parts.as_slice())
    else {
        return;
    };
    let bare = |full: &str| full.rsplit('.').next().unwrap_or_default().to_owned();
    if is.is("is") {
        for column in columns {
            if column.name.eq_ignore_ascii_case(name) && bare(&column.table).eq_ignore_ascii_case(table) {
                text.clone_into(&mut column.comment);
            }
        }
    }
}

fn tokens(sql: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = sql;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        // What stands up to a closing sign, which is doubled within, and what comes behind it.
        let closed = |close: char| {
            let mut text = String::new();
            let mut chars = after.char_indices().peekable();
            while let Some((at, c)) = chars.next() {
                if c != close {
                    text.push(c);
                } else if chars.peek().is_some_and(|(_, next)| *next == close) {
                    chars.next();
                    text.push(c);
                } else {
                    return (text, after.get(at + c.len_utf8()..).unwrap_or_default());
                }
            }
            (text, "")
        };
        match c {
            c if c.is_whitespace() || c == '\u{feff}' => rest = after,
            '-' if after.starts_with('-') => rest = after.split_once('\n').map_or("", |(_, next)| next),
            '#' => rest = after.split_once('\n').map_or("", |(_, next)| next),
            '/' if after.starts_with('*') => rest = after.split_once("*/").map_or("", |(_, next)| next),
            '\'' => {
                let (text, next) = closed('\'');
                found.push(Token::Text(text));
                rest = next;
            }
            '"' | '`' | '[' => {
                let (name, next) = closed(if c == '[' { ']' } else { c });
                found.push(Token::Name(name));
                rest = next;
            }
            c if c.is_alphanumeric() || c == '_' => {
                let end = rest
                    .find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '$' | '#'))
                    .unwrap_or(rest.len());
                let (word, next) = rest.split_at(end);
                // N'…' is a string of SQL Server and Oracle.
                if !(word.eq_ignore_ascii_case("n") && next.starts_with('\'')) {
                    found.push(Token::Word(word.to_owned()));
                }
                rest = next;
            }
            c => {
                found.push(Token::Sign(c));
                rest = after;
            }
        }
    }
    found
}
