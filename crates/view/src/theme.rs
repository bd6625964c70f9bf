//! The colours and measures that an agency may set as data. They become CSS custom properties in `/assets/theme.css`.

use std::{collections::BTreeMap, fmt::Write};

use base::Problems;

/// A token with its default; the style sheet declares the same (a test compares them).
pub const TOKENS: &[(&str, &str)] = &[
    ("ink", "#1d2624"),
    ("muted", "#51605b"),
    ("paper", "#fbf8f2"),
    ("surface", "#ffffff"),
    ("sunken", "#f3eee4"),
    ("line", "#ded6c8"),
    ("field-line", "#6f7b76"),
    ("primary", "#0b5f5c"),
    ("primary-strong", "#084644"),
    ("primary-soft", "#e2efec"),
    ("on-primary", "#ffffff"),
    ("accent", "#a8321f"),
    ("focus", "#f5a623"),
    ("good", "#1f6b3a"),
    ("good-soft", "#e3f1e5"),
    ("info", "#1d4f91"),
    ("info-soft", "#e4edf8"),
    ("warn", "#7a4b00"),
    ("warn-soft", "#fdf0d0"),
    ("late", "#a61b1b"),
    ("late-soft", "#fbe5e1"),
    ("foot", "#12302f"),
    ("on-foot", "#f4efe6"),
];

/// The pairs of foreground and background that text is set in; each must have a contrast of at least 4.5 to 1
/// (WCAG 2.2, success criterion 1.4.3).
pub const PAIRS: &[(&str, &str)] = &[
    ("ink", "paper"),
    ("ink", "surface"),
    ("ink", "sunken"),
    ("ink", "primary-soft"),
    ("ink", "late-soft"),
    ("ink", "warn-soft"),
    ("ink", "info-soft"),
    ("ink", "good-soft"),
    ("ink", "focus"),
    ("muted", "paper"),
    ("muted", "surface"),
    ("muted", "sunken"),
    ("primary", "paper"),
    ("primary", "surface"),
    ("primary", "sunken"),
    ("primary-strong", "primary-soft"),
    ("on-primary", "primary"),
    ("on-primary", "primary-strong"),
    ("on-primary", "late"),
    ("good", "good-soft"),
    ("good", "surface"),
    ("info", "info-soft"),
    ("warn", "warn-soft"),
    ("warn", "surface"),
    ("late", "late-soft"),
    ("late", "surface"),
    ("late", "paper"),
    ("accent", "paper"),
    ("on-foot", "foot"),
];

/// Judges an agency's tokens: names that exist, colours as `#rrggbb`, contrast of every pair that they touch. Problems
/// stand at `theme.NAME`. For the check of the configuration at start.
pub fn check(theme: &BTreeMap<String, String>) -> Problems {
    let mut problems = Problems::new();
    for (name, value) in theme {
        let at = format!("theme.{name}");
        if !TOKENS.iter().any(|(token, _)| token == name) {
            let known: Vec<&str> = TOKENS.iter().map(|(token, _)| *token).collect();
            let known = known.join(", ");
            problems.add(
                "unknown-token",
                at,
                format!("Không có biến giao diện này. Các biến được phép: {known}."),
                format!("There is no such token. Known tokens: {known}."),
            );
        } else if luminance(value).is_none() {
            problems.add(
                "not-a-colour",
                at,
                "Màu phải được viết theo dạng #rrggbb, ví dụ #0b5f5c.",
                "Write the colour as #rrggbb, for example #0b5f5c.",
            );
        }
    }
    for (front, back) in PAIRS {
        let touched = theme.contains_key(*front) || theme.contains_key(*back);
        let ratio = contrast(value_of(theme, front), value_of(theme, back));
        if let (true, Some(ratio)) = (touched, ratio.filter(|r| *r < 4.5)) {
            let name = if theme.contains_key(*front) { front } else { back };
            problems.add(
                "low-contrast",
                format!("theme.{name}"),
                format!("Độ tương phản giữa {front} và {back} là {ratio:.2}:1, cần ít nhất 4,5:1."),
                format!("The contrast of {front} on {back} is {ratio:.2}:1; at least 4.5:1 is needed."),
            );
        }
    }
    problems
}

/// The style sheet that sets an agency's tokens. What [`check`] would refuse by name or form is left out.
pub fn stylesheet(theme: &BTreeMap<String, String>) -> String {
    let mut css = String::from(":root{");
    for (name, value) in theme {
        if TOKENS.iter().any(|(token, _)| token == name) && luminance(value).is_some() {
            // Writing to a string cannot fail.
            let _ = write!(css, "--mc-{name}:{value};");
        }
    }
    css.push('}');
    css
}

fn value_of<'a>(theme: &'a BTreeMap<String, String>, name: &str) -> &'a str {
    let default = || {
        TOKENS
            .iter()
            .find(|(token, _)| *token == name)
            .map_or("", |(_, value)| value)
    };
    theme.get(name).map_or_else(default, String::as_str)
}

/// The contrast of two colours by WCAG 2.2, 1 to 21; `None` where one is not `#rrggbb`.
pub fn contrast(a: &str, b: &str) -> Option<f64> {
    let (a, b) = (luminance(a)?, luminance(b)?);
    Some((a.max(b) + 0.05) / (a.min(b) + 0.05))
}

/// Relative luminance of sRGB by WCAG 2.2, 0 to 1.
fn luminance(color: &str) -> Option<f64> {
    let digits = color.strip_prefix('#').filter(|d| d.len() == 6 && d.is_ascii())?;
    let mut sum = 0.0;
    for (i, weight) in [0.2126, 0.7152, 0.0722].into_iter().enumerate() {
        let channel = f64::from(u8::from_str_radix(digits.get(i * 2..i * 2 + 2)?, 16).ok()?) / 255.0;
        sum += weight
            * if channel <= 0.040_45 {
                channel / 12.92
            } else {
                ((channel + 0.055) / 1.055).powf(2.4)
            };
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_the_default_theme_can_be_read() {
        assert_eq!(contrast("#000000", "#ffffff").map(f64::round), Some(21.0));
        for (front, back) in PAIRS {
            let none = BTreeMap::new();
            let ratio = contrast(value_of(&none, front), value_of(&none, back)).expect("both are tokens");
            assert!(ratio >= 4.5, "{front} on {back}: {ratio:.2}");
        }
    }

    #[test]
    fn controls_stand_out_from_what_is_around_them() {
        // WCAG 2.2, 1.4.11: 3 to 1 for the outline of a control.
        let none = BTreeMap::new();
        for back in ["surface", "paper", "sunken"] {
            let ratio = contrast(value_of(&none, "field-line"), value_of(&none, back)).expect("both are tokens");
            assert!(ratio >= 3.0, "field-line on {back}: {ratio:.2}");
        }
    }

    #[test]
    fn the_style_sheet_declares_the_same_defaults() {
        let css = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../frontend/src/tokens.css"))
            .expect("the tokens of the style sheet");
        for (name, value) in TOKENS {
            assert!(css.contains(&format!("--mc-{name}: {value};")), "{name}: {value}");
        }
    }

    #[test]
    fn a_theme_is_judged_and_cannot_carry_other_css() {
        let theme = BTreeMap::from(
            [
                ("primary", "#ffeeaa"),
                ("ink", "red;}body{display:none"),
                ("logo", "#123456"),
            ]
            .map(|(k, v)| (k.to_owned(), v.to_owned())),
        );
        let problems = check(&theme);
        let codes: Vec<&str> = problems.iter().map(|p| p.code.as_str()).collect();
        assert!(codes.contains(&"low-contrast") && codes.contains(&"not-a-colour") && codes.contains(&"unknown-token"));
        assert_eq!(stylesheet(&theme), ":root{--mc-primary:#ffeeaa;}");
    }
}
