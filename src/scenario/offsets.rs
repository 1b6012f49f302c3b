//! From positions in a TOML string to positions in the file that it was written in.

use std::ops::Range;

use super::source::{SourceMap, Span};

/// Where the bytes `range` of the string `decoded`, written at `span` with its quotes, stand in the file.
///
/// The whole span, if what is written there is not that string.
pub(super) fn in_string(
    sources: &SourceMap,
    span: Span,
    decoded: &str,
    range: Range<usize>,
) -> Span {
    let Some(written) = sources.slice(span) else {
        return span;
    };
    let Some(offsets) = offsets(written, decoded) else {
        return span;
    };
    let at = |index: usize| span.start + offsets[index.min(decoded.len())];
    Span::new(span.file, at(range.start)..at(range.end))
}

/// For every byte of `decoded`, and its end, the byte of `written` that it comes from.
fn offsets(written: &str, decoded: &str) -> Option<Vec<usize>> {
    let quote = written.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let triple = [quote; 3].iter().collect::<String>();
    let multiline = written.len() >= 6 && written.starts_with(&triple);
    let mut at = if multiline { 3 } else { 1 };
    let end = written.len().checked_sub(at)?;
    if multiline {
        // A line break right after the opening quotes does not belong to the string.
        let rest = &written[at..];
        at += if rest.starts_with("\r\n") {
            2
        } else {
            usize::from(rest.starts_with('\n'))
        };
    }
    let mut offsets = Vec::with_capacity(decoded.len() + 1);
    while at < end {
        let rest = written.get(at..end)?;
        let c = rest.chars().next()?;
        let (len, decoded_len) = if c == '\\' && quote == '"' {
            escape(rest)?
        } else {
            (c.len_utf8(), c.len_utf8())
        };
        // An escape has no inner positions; a plain character has one a byte.
        let plain = usize::from(len == decoded_len);
        offsets.extend((0..decoded_len).map(|byte| at + byte * plain));
        at += len;
    }
    offsets.push(end);
    (offsets.len() == decoded.len() + 1).then_some(offsets)
}

/// Bytes of the escape sequence at the start of `text`, and bytes of the character that it stands for.
fn escape(text: &str) -> Option<(usize, usize)> {
    let kind = text[1..].chars().next()?;
    let digits = match kind {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        // A line break: everything up to the next character that is not blank is skipped.
        c if c.is_whitespace() => {
            let rest = text[1..].trim_start_matches([' ', '\t', '\n', '\r']);
            return Some((text.len() - rest.len(), 0));
        }
        _ => return Some((1 + kind.len_utf8(), 1)),
    };
    let code = u32::from_str_radix(text.get(2..2 + digits)?, 16).ok()?;
    Some((2 + digits, char::from_u32(code)?.len_utf8()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The written text of the part of the decoded string that reads `part`.
    fn locate<'a>(written: &'a str, part: &str) -> &'a str {
        let document = format!("x = {written}");
        let table = toml::de::DeTable::parse(&document).unwrap().into_inner();
        let decoded = table["x"].get_ref().as_str().unwrap().to_owned();
        let mut sources = SourceMap::new();
        let file = sources.add("a.toml", written);
        let start = decoded.find(part).unwrap();
        let span = in_string(
            &sources,
            Span::new(file, 0..written.len()),
            &decoded,
            start..start + part.len(),
        );
        &written[span.range()]
    }

    #[test]
    fn exact_in_every_kind_of_string() {
        let cases = [
            (r#""a + unrest * 2""#, "unrest", "unrest"),
            ("'a + unrest'", "unrest", "unrest"),
            ("'''\na +\n  unrest'''", "unrest", "unrest"),
            ("\"\"\"\r\na + \"b\" unrest\"\"\"", "unrest", "unrest"),
            (r#""é\té + unrest""#, "unrest", "unrest"),
            (r#""\u00e9\U0001F600\x41 + unrest\"""#, "unrest", "unrest"),
            (r#""a + \u0062c""#, "bc", r"\u0062c"),
            ("\"\"\"a + \\\n     unrest\"\"\"", "unrest", "unrest"),
            (r#""unrest""#, "unrest", "unrest"),
        ];
        for (written, part, expected) in cases {
            assert_eq!(locate(written, part), expected, "{written}");
        }
    }

    #[test]
    fn positions_beyond_the_end_are_the_end() {
        let mut sources = SourceMap::new();
        let file = sources.add("a.toml", "\"abc\"");
        let whole = Span::new(file, 0..5);
        assert_eq!(
            in_string(&sources, whole, "abc", 3..99),
            Span::new(file, 4..4)
        );
        // Not the string that is written there.
        assert_eq!(in_string(&sources, whole, "something else", 0..2), whole);
    }
}
