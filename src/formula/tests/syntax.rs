use proptest::prelude::*;

use crate::formula::{ExprKind, MAX_LENGTH, MAX_NESTING, UpdateOp, parse_formula, parse_statement};

#[test]
fn forms() {
    for text in [
        "1",
        "inf",
        "true",
        "not a",
        "a.b",
        "a.b[c]",
        "rung[a, b]",
        "f(x)",
        "f(x, y, z)",
        "x in s",
        "x not in s",
        "not x in s",
        "x in rivals(a)",
        "a if b else c if d else e",
        "sum(a.x for a in s)",
        "sum(a.x * 2 for a in rivals(b) if a != b and true)",
        "sum(1 if a.x > 2 else 0 for a in s)",
        "((((1))))",
        " 1\n+\t2 ",
        "host(place).unrest",
        "-x ^ -y ^ z",
    ] {
        assert!(
            parse_formula(text).is_ok(),
            "{text}: {:?}",
            parse_formula(text)
        );
    }
}

#[test]
fn errors_say_where_and_what_to_write() {
    for (text, span, help) in [
        ("", 0..0, ""),
        ("1 +", 3..3, ""),
        ("1 2", 2..3, ""),
        ("a = b", 2..3, "`==`"),
        ("a && b", 2..4, "`and`"),
        ("a || b", 2..4, "`or`"),
        ("!a", 0..1, "`not`"),
        ("a ** 2", 2..4, "`^`"),
        ("a < b < c", 6..7, "a < b and b < c"),
        ("5%", 1..2, "0.05"),
        ("2x", 0..2, "2 * x"),
        ("1e999", 0..5, "`inf`"),
        ("a if b", 6..6, "else"),
        ("(a", 2..2, ""),
        ("a.", 2..2, ""),
        ("a[]", 2..3, ""),
        ("f()", 2..3, ""),
        ("sum(x for in s)", 10..12, ""),
        ("\"iran\"", 0..1, "quotation"),
        ("a + é", 4..6, ""),
        ("and", 0..3, ""),
        ("a += 1", 2..4, "effects"),
    ] {
        let error = parse_formula(text).expect_err(text);
        assert_eq!(error.span, span, "{text}: {error:?}");
        assert!(
            error.help.clone().unwrap_or_default().contains(help),
            "{text}: {error:?}"
        );
    }
}

#[test]
fn statements() {
    for (text, op, conditional) in [
        ("a.x = 1", UpdateOp::Set, false),
        ("a.x += 1 if b", UpdateOp::Add, true),
        ("a.x -= 1 if b else 2", UpdateOp::Subtract, false),
        ("a.x[b] *= 1 if b else 2 if c", UpdateOp::Multiply, true),
        ("a.x += (1 if b else 2) if c", UpdateOp::Add, true),
    ] {
        let statement = parse_statement(text).expect(text);
        assert_eq!(
            (statement.op, statement.condition.is_some()),
            (op, conditional),
            "{text}"
        );
    }
    let both = parse_statement("a.x += 1 if b else 2 if c").unwrap();
    assert!(matches!(both.value.kind, ExprKind::Conditional { .. }));
    for text in [
        "a.x",
        "a.x == 1",
        "a.x /= 2",
        "a.x + 1",
        "= 1",
        "a.x =",
        "a.x = (1 if b)",
        "a.x = 1 if b if c",
    ] {
        assert!(parse_statement(text).is_err(), "{text}");
    }
    assert_eq!(UpdateOp::Subtract.apply(3.0, 1.0), 2.0);
}

#[test]
fn nesting_and_length_are_limited() {
    let nest =
        |open: &str, close: &str, n: usize| format!("{}1{}", open.repeat(n), close.repeat(n));
    assert!(parse_formula(&nest("(", ")", MAX_NESTING)).is_ok());
    for text in [
        nest("(", ")", MAX_NESTING + 1),
        nest("(", ")", 4_900),
        nest("-", "", 9_000),
        nest("not ", "", 2_000),
        nest("2 ^ ", "", 2_000),
        nest("f(", ")", 3_000),
        nest("1 if a else ", "", 800),
        nest("a[", "]", 3_000),
        format!("a{}", ".b".repeat(4_000)),
        format!("a{}", "[b]".repeat(3_000)),
        nest("sum(", " for a in s)", 600),
    ] {
        let error = parse_formula(&text).expect_err(&text);
        assert!(error.message.contains("levels"), "{error:?}");
    }
    assert!(parse_formula(&"1+".repeat(4_000)).is_err());
    let long = format!("1{}", "+1".repeat(4_900));
    assert!(parse_formula(&long).is_ok());
    assert!(parse_formula(&"1".repeat(MAX_LENGTH + 1)).is_err());
}

proptest! {
    #![proptest_config(super::fixture::cases(2000))]

    #[test]
    fn no_text_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        survives(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn no_mixture_of_tokens_panics(tokens in prop::collection::vec(prop::sample::select(vec![
        "(", ")", "[", "]", ".", ",", "+", "-", "^", "<", "==", "=", "+=", "if", "else", "in", "not", "and", "for", "sum",
        "iran", "unrest", "self", "rung", "event", "rungs", "world", "1", "2.5e", "actors", "rivals", "kerman", "é", "a", "a.unrest",
    ]), 0..30), joined in any::<bool>()) {
        survives(&tokens.join(if joined { "" } else { " " }))?;
    }
}

/// Parses, and compiles what parses; errors must point into the text.
fn survives(text: &str) -> Result<(), TestCaseError> {
    use super::fixture::World;
    use crate::formula::{Scope, Type, compile, compile_target};
    let points_inside = |span: std::ops::Range<usize>| text.get(span).is_some();
    match parse_formula(text) {
        Ok(expr) => {
            for scope in [
                Scope::effects(),
                Scope::rule(1),
                Scope::parameters("a test"),
            ] {
                for error in compile(&expr, &World, &scope, Type::Number)
                    .err()
                    .unwrap_or_default()
                {
                    prop_assert!(points_inside(error.span));
                }
            }
        }
        Err(error) => prop_assert!(points_inside(error.span.clone()), "{error:?}"),
    }
    match parse_statement(text) {
        Ok(statement) => {
            let _ = compile_target(&statement.place, &World, &Scope::effects());
        }
        Err(error) => prop_assert!(points_inside(error.span)),
    }
    Ok(())
}
