//! A lint over every SQL statement: the subset that SQLite, PostgreSQL and engines that speak PostgreSQL's protocol share,
//! no clock or chance of the database, no counting in lists, and SQL only in a crate's `store`.

use std::{fs, path::Path};

use proc_macro2::{TokenStream, TokenTree};

use crate::{run::Outcome, workspace::Workspace};

/// A word that starts a statement.
const VERBS: &[&str] = &[
    "select", "insert", "update", "delete", "create", "alter", "drop", "with", "truncate", "listen", "notify",
    "pragma", "lock",
];

/// Forbidden pieces: words in lower case, matched one after another, and why.
const FORBIDDEN: &[(&[&str], &str)] = &[
    (&["listen"], "LISTEN does not exist on every engine; use the jobs table"),
    (&["notify"], "NOTIFY does not exist on every engine; use the jobs table"),
    (&["serial"], "serial ids are not portable; use UUIDv7 keys"),
    (&["bigserial"], "serial ids are not portable; use UUIDv7 keys"),
    (&["autoincrement"], "serial ids are not portable; use UUIDv7 keys"),
    (
        &["generated", "always", "as", "identity"],
        "serial ids are not portable; use UUIDv7 keys",
    ),
    (
        &["generated", "by", "default", "as", "identity"],
        "serial ids are not portable; use UUIDv7 keys",
    ),
    (&["nextval", "("], "sequences are not portable; use store.next_number"),
    (
        &["pg_advisory_lock", "("],
        "advisory locks do not exist on every engine",
    ),
    (
        &["pg_try_advisory_lock", "("],
        "advisory locks do not exist on every engine",
    ),
    (
        &["pg_advisory_xact_lock", "("],
        "advisory locks do not exist on every engine",
    ),
    (&["create", "trigger"], "no triggers: rules live in the code"),
    (&["create", "function"], "no stored functions: rules live in the code"),
    (&["create", "extension"], "no extensions"),
    (&["create", "type"], "no types of one engine"),
    (&["now", "("], "the clock is passed in as a parameter"),
    (&["current_timestamp"], "the clock is passed in as a parameter"),
    (&["current_date"], "the clock is passed in as a parameter"),
    (&["current_time"], "the clock is passed in as a parameter"),
    (&["strftime", "("], "the clock is passed in, and instants are micros"),
    (&["random", "("], "chance is passed in as a parameter"),
    (&["gen_random_uuid", "("], "ids come from base::Id::new"),
    (&["ilike"], "only on PostgreSQL; search a folded column with LIKE"),
    (&["insert", "or"], "only on SQLite; use ON CONFLICT"),
    (&["replace", "into"], "only on SQLite; use ON CONFLICT"),
    (&["distinct", "on"], "only on PostgreSQL"),
    (&["rowid"], "only on SQLite"),
    (
        &["offset"],
        "pages are keyset pages: WHERE (key) > ($1) ORDER BY key LIMIT n",
    ),
    (&[":", ":"], "only on PostgreSQL; use CAST(x AS type)"),
    (&["?"], "placeholders are $1, $2"),
    (&["timestamptz"], "instants are BIGINT microseconds"),
    (&["timestamp"], "instants are BIGINT microseconds"),
    (&["datetime"], "instants are BIGINT microseconds"),
    (&["jsonb"], "write {json}: each engine has its own name"),
    (&["bytea"], "write {bytes}: each engine has its own name"),
    (&["blob"], "write {bytes}: each engine has its own name"),
];

/// What a statement may do when it says why: `/* counts: reason */`.
const COUNTING: &str =
    "lists never count rows: keep a counter, count (… LIMIT n), or say why it is bounded with /* counts: reason */";

/// Where SQL of one engine may stand: the crate that hides the engines.
const ENGINE_ROOM: &str = "crates/store/";

/// The binary has no tables; it asks whether the database answers, and how many dossiers a benchmark has.
const BINARY: &str = "crates/motcua/";

/// Statements that the platform writes for engines of others and never runs on a database of its own.
const FOR_OTHERS: &str = "crates/linkage/src/plan/";

/// Files and folders that hold the SQL of a crate. A shelf is the store of procedure packages.
const ROOMS: &[&str] = &["store", "store.rs", "shelf", "shelf.rs"];

/// Runs the lint over migrations and sources.
///
/// # Errors
/// When a file cannot be read.
pub fn check(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let (mut checks, mut findings) = (0, Vec::new());
    for file in workspace.files("crates", &["sql", "rs"])? {
        let shown = workspace.relative(&file).to_string();
        let is_test = file
            .components()
            .any(|c| c.as_os_str() == "tests" || c.as_os_str() == "testkit");
        let elsewhere = shown.starts_with(BINARY) || shown.starts_with(FOR_OTHERS);
        if is_test || elsewhere || shown.ends_with("/testkit.rs") || shown.ends_with("/tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&file)?;
        let statements = if shown.ends_with(".sql") {
            vec![Statement { line: 1, text }]
        } else {
            match text.parse::<TokenStream>() {
                Ok(tokens) => statements(tokens),
                Err(error) => {
                    findings.push(format!("{shown}: not read as Rust: {error}"));
                    continue;
                }
            }
        };
        for statement in &statements {
            checks += 1;
            if !shown.ends_with(".sql") && !in_store(&shown) {
                findings.push(format!(
                    "{shown}:{}: SQL outside the crate's store: {}",
                    statement.line,
                    statement.head()
                ));
            }
            if !shown.starts_with(ENGINE_ROOM) || shown.ends_with(".sql") {
                findings.extend(
                    statement
                        .problems()
                        .iter()
                        .map(|(line, why)| format!("{shown}:{line}: {why}")),
                );
            }
        }
    }
    anyhow::ensure!(
        checks > 0 || !workspace.root.join("crates/store/migrations").is_dir(),
        "no SQL was found: the lint looks in the wrong place"
    );
    Ok(Outcome::of_findings(checks, &findings))
}

fn in_store(shown: &str) -> bool {
    shown.starts_with(ENGINE_ROOM)
        || Path::new(shown)
            .components()
            .any(|c| c.as_os_str().to_str().is_some_and(|name| ROOMS.contains(&name)))
}

/// A piece of SQL and where it starts.
#[derive(Debug)]
struct Statement {
    line: usize,
    text: String,
}

impl Statement {
    fn head(&self) -> String {
        self.text
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .chars()
            .take(60)
            .collect()
    }

    /// Line and reason of each forbidden piece.
    fn problems(&self) -> Vec<(usize, &'static str)> {
        let (words, excused) = words(&self.text);
        let mut found = Vec::new();
        for (at, (line, _)) in words.iter().enumerate() {
            let starts = |pattern: &[&str]| {
                words
                    .get(at..at + pattern.len())
                    .is_some_and(|w| w.iter().zip(pattern).all(|((_, word), p)| word == p))
            };
            found.extend(
                FORBIDDEN
                    .iter()
                    .filter(|(p, _)| starts(p))
                    .map(|(_, why)| (self.line + line, *why)),
            );
            let bounded = starts(&["count", "(", "*", ")", "from", "("]) && words.iter().any(|(_, w)| w == "limit");
            if starts(&["count", "("]) && !excused && !bounded {
                found.push((self.line + line, COUNTING));
            }
        }
        found
    }
}

/// Words and signs in lower case with their line (from 0), strings and comments left out; and whether a comment excuses counting.
fn words(sql: &str) -> (Vec<(usize, String)>, bool) {
    let (mut out, mut excused, mut line) = (Vec::new(), false, 0);
    let mut rest = sql;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '\'' | '"' => 1 + rest.get(1..).and_then(|r| r.find(c)).map_or(rest.len() - 1, |n| n + 1),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |n| n + 2),
            c if c.is_alphanumeric() || c == '_' => rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (piece, after) = rest.split_at(taken);
        if piece.starts_with("/*") || piece.starts_with("--") {
            let reason = piece
                .split_once("counts:")
                .map(|(_, why)| why.trim_end_matches("*/").trim());
            excused |= reason.is_some_and(|why| why.len() > 5);
        } else if !piece.starts_with(['\'', '"']) && !c.is_whitespace() {
            out.push((line, piece.to_lowercase()));
        }
        line += piece.matches('\n').count();
        rest = after;
    }
    (out, excused)
}

/// The string literals of Rust code that are SQL; code under `#[cfg(test)]` is left out.
fn statements(tokens: TokenStream) -> Vec<Statement> {
    let mut found = Vec::new();
    let (mut test_only, mut after_hash) = (false, false);
    for tree in tokens {
        match tree {
            TokenTree::Group(group) => {
                let text: String = group.stream().to_string().split_whitespace().collect();
                if after_hash && group.delimiter() == proc_macro2::Delimiter::Bracket {
                    test_only |= text == "cfg(test)" || text == "cfg(any(test,feature=\"testkit\"))";
                } else if group.delimiter() == proc_macro2::Delimiter::Brace && test_only {
                    test_only = false;
                } else {
                    found.extend(statements(group.stream()));
                }
                after_hash = false;
            }
            TokenTree::Literal(literal) => {
                let line = literal.span().start().line;
                if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()).map(|l| l.value())
                    && is_sql(&text)
                {
                    found.push(Statement { line, text });
                }
                after_hash = false;
            }
            TokenTree::Punct(punct) => {
                after_hash = punct.as_char() == '#';
                // `#[cfg(test)] use x;` or `mod tests;` ends here.
                test_only &= punct.as_char() != ';';
            }
            TokenTree::Ident(_) => after_hash = false,
        }
    }
    found
}

/// SQL is written with its keywords in capitals: that is what tells it from prose.
fn is_sql(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default();
    let verb = VERBS.iter().any(|v| first.eq_ignore_ascii_case(v));
    let shouted = first.chars().all(|c| c.is_ascii_uppercase());
    let second = words.next();
    verb && second.is_some()
        && (shouted
            || [" from ", " into ", " set ", " table "]
                .iter()
                .any(|w| text.to_lowercase().contains(w))
                && text.contains('$'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(sql: &str) -> Vec<(usize, &'static str)> {
        Statement {
            line: 1,
            text: sql.to_owned(),
        }
        .problems()
    }

    #[test]
    fn good_sql_passes() {
        for sql in [
            "SELECT id, name FROM account WHERE name_key LIKE $1 AND (due_at, id) > ($2, $3) ORDER BY due_at, id LIMIT $4",
            "INSERT INTO a (id, note) VALUES ($1, 'now() is a word here') ON CONFLICT DO NOTHING",
            "CREATE TABLE a (id {uuid} PRIMARY KEY, created_at BIGINT NOT NULL, data {json})",
            "SELECT count(*) FROM goal /* counts: at most 80 rows, one per procedure */",
            "SELECT count(*) FROM (SELECT id FROM task WHERE role = $1 LIMIT 100) AS some",
            "SELECT notification_id FROM listener -- NOTIFY is only mentioned",
        ] {
            assert_eq!(problems(sql), Vec::new(), "{sql}");
        }
    }

    #[test]
    fn each_forbidden_piece_is_found() {
        for sql in [
            "SELECT now()",
            "SELECT * FROM a WHERE at < CURRENT_TIMESTAMP",
            "CREATE TABLE a (id BIGSERIAL)",
            "SELECT pg_advisory_lock($1)",
            "CREATE TRIGGER t",
            "SELECT x::text FROM a",
            "SELECT a FROM b WHERE c = ?",
            "SELECT a FROM b LIMIT 10 OFFSET 20",
            "SELECT a FROM b ORDER BY random()",
            "SELECT COUNT (*) FROM dossier",
            "SELECT count(*) FROM dossier /* counts: */",
            "INSERT OR IGNORE INTO a VALUES ($1)",
        ] {
            assert_eq!(problems(sql).len(), 1, "{sql}");
        }
        assert_eq!(
            problems("SELECT a\nFROM b\nWHERE c ILIKE $1").first().map(|p| p.0),
            Some(3),
            "the line is that of the word"
        );
    }

    #[test]
    fn statements_are_found_in_code_and_not_in_tests() -> Result<(), proc_macro2::LexError> {
        let code = r##"
            fn f() { tx.one::<Row>("SELECT a FROM b WHERE c = $1", params![c]); }
            const G: &str = r#"
                UPDATE a SET b = $1"#;
            fn prose() { t("Select one of these", "With regard to this"); }
            #[cfg(test)]
            mod tests { const X: &str = "DELETE FROM a"; }
            fn after() { macro_call!("DROP TABLE a"); }
        "##;
        let found: Vec<_> = statements(code.parse()?).iter().map(Statement::head).collect();
        assert_eq!(
            found,
            ["SELECT a FROM b WHERE c = $1", "UPDATE a SET b = $1", "DROP TABLE a"]
        );
        Ok(())
    }

    #[test]
    fn sql_stands_in_the_store() {
        assert!(in_store("crates/dossier/src/store.rs") && in_store("crates/dossier/src/store/queue.rs"));
        assert!(in_store("crates/procedure/src/catalogue/store.rs"));
        assert!(!in_store("crates/dossier/src/service.rs"));
    }
}
