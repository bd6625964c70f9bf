//! Expressions: typed, exact, and judged before they run.

use std::time::{Duration, Instant};

use procedure::feel::{Data, Expr, Type, Types};
use serde_json::{Value, json};

fn types() -> Types {
    Types::new()
        .with("child.name", Type::String)
        .with("child.age", Type::Number)
        .with("child.born", Type::Date)
        .with("child.abroad", Type::Boolean)
        .with(
            "child.kinds",
            Type::List(Box::new(Type::Enum(["a".into(), "b".into()].into()))),
        )
        .with("today", Type::Date)
}

#[test]
fn expressions_are_typed_and_exact() {
    let given =
        json!({"child": {"name": "An", "age": 7.1, "born": "2020-02-29", "kinds": ["a"]}, "today": "2026-11-21"});
    let data = Data::new(&types(), given.as_object().expect("an object"));
    let eval = |text: &str| {
        Expr::parse(text, &types())
            .map(|e| e.eval(&data))
            .map_err(|f| f[0].code)
    };
    assert_eq!(eval("child.age * 3"), Ok(json!(21.3)), "decimal, not binary");
    assert_eq!(eval("child.born + duration(\"P1Y\")"), Ok(json!("2021-02-28")));
    assert_eq!(eval("(today - child.born).days > 2000"), Ok(json!(true)));
    assert_eq!(eval("child.kinds[item = \"a\"][1]"), Ok(json!("a")));
    assert_eq!(eval("child.abroad"), Ok(Value::Null));
    assert_eq!(eval("if child.abroad then 1 else 2"), Ok(json!(2)));
    assert_eq!(eval("[{ a: 1, b: a + 1 }][1].b"), Ok(json!(2)));
    assert_eq!(eval("child.name in (\"An\", \"Bình\")"), Ok(json!(true)));
    assert_eq!(eval("child.age between 7 and 8"), Ok(json!(true)));
    assert_eq!(eval("number(\"7\", null, null) + floor(1.5)"), Ok(json!(8)));
    assert_eq!(eval("odd(7) and not(odd(8))"), Ok(json!(true)));
    assert_eq!(eval("string(19 + floor(0.5))"), Ok(json!("19")));
    assert_eq!(eval("some k in child.kinds satisfies k = \"b\""), Ok(json!(false)));
    assert!(
        !Expr::condition("child.abroad and child.age > 1", &types())
            .expect("good")
            .holds(&data),
        "unknown is not true"
    );
    for (text, code) in [
        ("child.nam = \"x\"", "unknown-name"),
        ("chid.name = \"x\"", "unknown-name"),
        ("child.age = \"x\"", "type"),
        ("child.name + 1", "type"),
        ("child.age and true", "type"),
        ("not(child.age)", "type"),
        ("child.abroad > true", "type"),
        ("some k in child.age satisfies k = 1", "type"),
        ("some k in child.kinds satisfies k = \"c\"", "unknown-option"),
        ("list contains(child.kinds, \"c\")", "unknown-option"),
        ("string length(child.age)", "type"),
        ("count(1, 2)", "type"),
        ("number(\"7\")", "type"),
        ("date(2026, 11)", "type"),
        ("conut(child.kinds)", "unknown-name"),
        ("child.age +", "syntax"),
        ("", "syntax"),
        ("today() > child.born", "forbidden"),
        ("now() = null", "forbidden"),
        ("sort([3, 1], function(x, y) x < y)", "forbidden"),
        ("matches(child.name, child.name)", "forbidden"),
        ("matches(child.name, \"(a{1000}){1000}\")", "forbidden"),
    ] {
        assert_eq!(eval(text).expect_err(text), code, "{text}");
    }
    assert_eq!(
        Expr::condition("child.age", &types()).expect_err("a number")[0].code,
        "type"
    );
}

#[test]
fn hostile_expressions_are_refused_before_they_run() {
    let start = Instant::now();
    let nested = |n: usize| format!("{}1{}", "(".repeat(n), ")".repeat(n));
    let doubling = {
        let mut text = "{ x0: [1,2,3,4,5,6,7,8,9,10]".to_owned();
        for n in 1..40 {
            text.push_str(&format!(", x{n}: concatenate(x{p}, x{p})", p = n - 1));
        }
        text + " }"
    };
    for (text, code) in [
        ("for i in 1..1000000000 return i".to_owned(), "too-costly"),
        (
            "count(for i in 1..1000, j in 1..1000 return i * j)".to_owned(),
            "too-costly",
        ),
        (
            "for i in 1..100 return for j in 1..100 return for k in 1..100 return k".to_owned(),
            "too-costly",
        ),
        ("for i in child.age..9 return i".to_owned(), "too-costly"),
        ("for i in [1..1000000000] return i".to_owned(), "forbidden"),
        (
            "{ r: [1..1000000000], s: sum(for i in r return i) }.s".to_owned(),
            "forbidden",
        ),
        ("(function(f) f(f))(function(f) f(f))".to_owned(), "forbidden"),
        (doubling, "too-costly"),
        (nested(33), "too-deep"),
        (nested(100_000), "too-long"),
        (format!("1{}", "+1".repeat(1_900)), "too-deep"),
        (format!("1{}", " + 1".repeat(100)), "too-deep"),
        (format!("{}1", "- ".repeat(1_900)), "too-deep"),
        (format!("child.kinds{}", "[1]".repeat(1_000)), "too-deep"),
        (
            format!("{}1{}", "if true then ".repeat(150), " else 1".repeat(150)),
            "too-deep",
        ),
        ("[1..".to_owned(), "syntax"),
        ("\"".to_owned(), "syntax"),
        ("\\u{110000}".to_owned(), "syntax"),
        ("if".to_owned(), "syntax"),
        ("/*".to_owned(), "syntax"),
    ] {
        let flaws = Expr::parse(&text, &types()).expect_err(&text[..text.len().min(60)]);
        let short = &text[..text.len().min(60)];
        assert!(
            flaws.iter().any(|f| f.code == code),
            "{short}: {:?}",
            flaws.iter().map(|f| (f.code, &f.text.en)).collect::<Vec<_>>()
        );
    }
    // Allowed, and it stays quick.
    let given = json!({"child": {"kinds": vec!["a"; 100_000], "age": 1e300}});
    let data = Data::new(&types(), given.as_object().expect("an object"));
    for text in [
        "for i in 1..1000 return i * i",
        "count(child.kinds) <= 100",
        "child.age ** 100000",
        "9999999999 ** 9999999999",
        "date(\"9999-12-31\") + duration(\"P999999999Y\") = null",
    ] {
        Expr::parse(text, &types())
            .unwrap_or_else(|f| panic!("{text}: {f:?}"))
            .eval(&data);
    }
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}
