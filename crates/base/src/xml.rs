//! The little XML that is written: answers, manifests, drawings.

/// Escapes text that stands between tags, or in an attribute within double quotes. What XML 1.0 cannot carry (section 2.2) becomes
/// U+FFFD.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => out.push(c),
            _ => out.push('\u{fffd}'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn markup_and_control_characters_are_taken_out() {
        assert_eq!(
            super::escape("a<b> & \"c\"\0\u{ffff}"),
            "a&lt;b&gt; &amp; &quot;c&quot;\u{fffd}\u{fffd}"
        );
        assert_eq!(super::escape("d='e'\u{1}\tđ\n"), "d='e'\u{fffd}\tđ\n");
    }
}
