//! Text to tokens.

use super::ast::{Span, SyntaxError};

/// A token; names and keywords are both [`Token::Word`], the parser tells them apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token<'t> {
    Number(f64),
    Word(&'t str),
    Symbol(&'static str),
    End,
}

/// Longest first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 22] = [
    "<=", ">=", "==", "!=", "+=", "-=", "*=", "<", ">", "=", "+", "-", "*", "/", "^", "(", ")",
    "[", "]", ",", ".", "%",
];

/// What people write who know another language, and what it is called here.
const FOREIGN: [(&str, &str); 9] = [
    ("&&", "write `and`"),
    ("||", "write `or`"),
    ("**", "write `^` for a power"),
    ("/=", "write `*= 1 / x`"),
    ("!", "write `not`"),
    ("&", "write `and`"),
    ("|", "write `or`"),
    (
        "{",
        "formulas group with round brackets, and index with square ones",
    ),
    ("\"", "names stand without quotation marks in a formula"),
];

/// Splits a text into tokens with their spans; the last is [`Token::End`].
pub(super) fn tokenize(text: &str) -> Result<Vec<(Token<'_>, Span)>, SyntaxError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let (token, length) = if c.is_ascii_whitespace() {
            at += 1;
            continue;
        } else if c.is_ascii_digit() || (c == '.' && starts_with_digit(&rest[1..])) {
            number(rest, at)?
        } else if c.is_ascii_alphabetic() || c == '_' {
            let length = rest
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            (Token::Word(&rest[..length]), length)
        } else {
            symbol(rest, at, c)?
        };
        tokens.push((token, at..at + length));
        at += length;
    }
    tokens.push((Token::End, text.len()..text.len()));
    Ok(tokens)
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

fn symbol(rest: &str, at: usize, c: char) -> Result<(Token<'static>, usize), SyntaxError> {
    // `!=` is a symbol and `!` is foreign, `**` is foreign and `*` is a symbol: the longer wins.
    let foreign = FOREIGN.iter().find(|(text, _)| rest.starts_with(text));
    let known = SYMBOLS.iter().find(|text| rest.starts_with(**text));
    match (known, foreign) {
        (Some(known), foreign) if foreign.is_none_or(|(text, _)| text.len() <= known.len()) => {
            Ok((Token::Symbol(known), known.len()))
        }
        (_, Some((text, help))) => Err(SyntaxError {
            span: at..at + text.len(),
            message: format!("`{text}` means nothing in a formula"),
            help: Some((*help).to_owned()),
        }),
        _ => Err(SyntaxError {
            span: at..at + c.len_utf8(),
            message: format!("unexpected character {c:?}"),
            help: None,
        }),
    }
}

/// Digits, then optionally a fraction and an exponent.
fn number(rest: &str, at: usize) -> Result<(Token<'_>, usize), SyntaxError> {
    let bytes = rest.as_bytes();
    let digits = |mut from: usize| {
        while bytes.get(from).is_some_and(u8::is_ascii_digit) {
            from += 1;
        }
        from
    };
    let mut length = digits(0);
    if bytes.get(length) == Some(&b'.') {
        length = digits(length + 1);
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let end = digits(length + 1 + sign);
        if end > length + 1 + sign {
            length = end;
        }
    }
    let error = |span: Span, message: &str, help: &str| SyntaxError {
        span,
        message: message.to_owned(),
        help: Some(help.to_owned()),
    };
    let word_end = rest[length..]
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .map_or(rest.len(), |extra| length + extra);
    if word_end > length {
        return Err(error(
            at..at + word_end,
            "a number runs into a name",
            "write the operator between them, such as `2 * x`; names start with a letter",
        ));
    }
    match rest[..length].parse::<f64>() {
        Ok(value) if value.is_finite() => Ok((Token::Number(value), length)),
        _ => Err(error(
            at..at + length,
            "this number is too large",
            "for infinity, write `inf`",
        )),
    }
}
