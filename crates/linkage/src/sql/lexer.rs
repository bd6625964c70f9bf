//! SQL text as words.

use base::codes::CodeError;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name without quotes: a keyword, a function or a column.
    Word(String),
    /// A name in `"` or in back quotes.
    Quoted(String),
    Number(f64),
    Text(String),
    /// `<=`, `(`, `::` and the like.
    Sign(&'static str),
}

const SIGNS: [&str; 20] = [
    "<=", ">=", "<>", "!=", "==", "||", "::", "->", "<", ">", "=", "+", "-", "*", "/", "(", ")", ",", ".", "[",
];

/// # Errors
/// `sql-character`, `sql-unclosed-quote`, `sql-number`.
pub(super) fn tokens(sql: &str) -> Result<Vec<Token>, CodeError> {
    let mut out = Vec::new();
    let mut rest = sql.trim_start();
    while let Some(c) = rest.chars().next() {
        if c == '\'' || c == '"' || c == '`' {
            let (text, after) = quoted(rest, c)?;
            out.push(if c == '\'' {
                Token::Text(text)
            } else {
                Token::Quoted(text)
            });
            rest = after;
        } else if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|d: char| d.is_ascii_digit())) {
            let end = number_end(rest);
            let (number, after) = rest.split_at(end);
            let number = number.parse().map_err(|_| {
                CodeError::new(
                    "sql-number",
                    format!("“{number}” không phải là số."),
                    format!("“{number}” is not a number."),
                )
            })?;
            out.push(Token::Number(number));
            rest = after;
        } else if c.is_alphabetic() || c == '_' {
            let end = rest
                .find(|d: char| !d.is_alphanumeric() && d != '_')
                .unwrap_or(rest.len());
            out.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        } else if let Some(sign) = SIGNS.iter().find(|s| rest.starts_with(**s)) {
            out.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            return Err(CodeError::new(
                "sql-character",
                format!("Không hiểu ký tự “{c}” trong điều kiện."),
                format!("The character “{c}” is not understood in a condition."),
            ));
        }
        rest = rest.trim_start();
    }
    Ok(out)
}

/// The text within quotes; a quote within is written twice, or after a backslash in a text of Spark.
fn quoted(rest: &str, quote: char) -> Result<(String, &str), CodeError> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, d)| *d);
        if (c == quote || (c == '\\' && quote == '\'')) && next == Some(quote) {
            text.push(quote);
            chars.next();
        } else if c == quote {
            return Ok((text, &rest[at + 1..]));
        } else {
            text.push(c);
        }
    }
    Err(CodeError::new(
        "sql-unclosed-quote",
        format!("Thiếu dấu {quote} đóng trong điều kiện."),
        format!("A closing {quote} is missing in a condition."),
    ))
}

fn number_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut end = 0;
    while let Some(b) = bytes.get(end) {
        let sign_of_exponent = matches!(b, b'+' | b'-') && end > 0 && matches!(bytes[end - 1], b'e' | b'E');
        let exponent = matches!(b, b'e' | b'E')
            && bytes
                .get(end + 1)
                .is_some_and(|n| n.is_ascii_digit() || matches!(n, b'+' | b'-'));
        if b.is_ascii_digit() || *b == b'.' || exponent || sign_of_exponent {
            end += 1;
        } else {
            break;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_numbers_and_signs() {
        assert_eq!(
            tokens("\"a_l\" <= 1.5e-3 AND 'it''s'").expect("words"),
            vec![
                Token::Quoted("a_l".into()),
                Token::Sign("<="),
                Token::Number(1.5e-3),
                Token::Word("AND".into()),
                Token::Text("it's".into()),
            ]
        );
        assert_eq!(tokens(r"'T\'x'").expect("words"), vec![Token::Text("T'x".into())]);
        assert_eq!(tokens("'open").expect_err("open").code(), "sql-unclosed-quote");
        assert_eq!(tokens("a ; b").expect_err("semicolon").code(), "sql-character");
    }
}
