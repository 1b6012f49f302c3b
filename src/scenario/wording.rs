//! Words for messages: near misses, lists, ids.

/// Longest name for which a near miss is looked for.
const MAX_NAME: usize = 80;

/// The candidate that was probably meant by `written`, if any is close enough: at most a third of the characters
/// wrong (Damerau-Levenshtein distance). The first of equals wins.
pub fn closest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let len = written.chars().count();
    if len > MAX_NAME {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let longest = len.max(candidate.chars().count());
        if longest > MAX_NAME || candidate == written {
            continue;
        }
        let distance =
            strsim::damerau_levenshtein(&written.to_lowercase(), &candidate.to_lowercase());
        if distance <= longest.div_ceil(3).min(longest - 1)
            && best.is_none_or(|(least, _)| distance < least)
        {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, name)| name)
}

/// The names in backticks: "`a`, `b` and `c`".
pub fn list<'a>(names: impl IntoIterator<Item = &'a str>, conjunction: &str) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} {conjunction} {last}", rest.join(", ")),
    }
}

/// The id nearest to `text` in spelling: lower case, `_` for everything else. None if it would not begin with a letter.
pub(super) fn as_id(text: &str) -> Option<String> {
    let mut id = String::new();
    let mut after_small = false;
    for c in text.trim().chars() {
        if c.is_ascii_alphanumeric() {
            if c.is_ascii_uppercase() && after_small {
                id.push('_');
            }
            id.push(c.to_ascii_lowercase());
        } else if !id.ends_with('_') {
            id.push('_');
        }
        after_small = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    super::schema::is_id(&id).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses() {
        let names = ["hazard", "who", "when", "option", "on"];
        let cases = [
            ("hazrd", Some("hazard")),
            ("Hazard", Some("hazard")),
            ("ahzard", Some("hazard")),
            ("options", Some("option")),
            ("whne", Some("when")),
            ("rate", None),
            ("x", None),
            ("", None),
        ];
        for (written, expected) in cases {
            assert_eq!(closest(written, names), expected, "{written}");
        }
        assert_eq!(closest(&"hazard".repeat(1000), names), None);
    }

    #[test]
    fn lists() {
        assert_eq!(list([], "and"), "");
        assert_eq!(list(["a"], "and"), "`a`");
        assert_eq!(list(["a", "b", "c"], "or"), "`a`, `b` or `c`");
    }

    #[test]
    fn ids() {
        let cases = [
            ("iskp-plots", Some("iskp_plots")),
            ("IranUnrest", Some("iran_unrest")),
            ("Eastern Afghanistan", Some("eastern_afghanistan")),
            ("a..b", Some("a_b")),
            ("2nd", None),
            ("", None),
            ("é", None),
        ];
        for (written, expected) in cases {
            assert_eq!(as_id(written).as_deref(), expected, "{written}");
        }
    }
}
