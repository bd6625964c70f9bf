//! What people write into fields.

use base::Problems;

/// The longest text of several lines, in characters: a reason, a question, a legal ground.
pub(crate) const LONG: usize = 4_000;
/// The longest text of one line: a name, a citation.
pub(crate) const SHORT: usize = 500;

/// The text without the space around it. What is too long or has control characters is noted at its place; what is empty
/// too, where something `required` is named.
pub(crate) fn words(
    text: &str,
    most: usize,
    required: Option<(&str, &str)>,
    at: &str,
    problems: &mut Problems,
) -> String {
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    if let (true, Some((vi, en))) = (text.is_empty(), required) {
        problems.add("required", at, vi, en);
    }
    if text.chars().count() > most {
        problems.add(
            "too-long",
            at,
            format!("Viết tối đa {most} ký tự."),
            format!("Write at most {most} characters."),
        );
    }
    if text.chars().any(|c| c.is_control() && (c != '\n' || most <= SHORT)) {
        problems.add(
            "control-characters",
            at,
            "Bỏ các ký tự điều khiển (ký tự không nhìn thấy được).",
            "Leave out control characters, which cannot be seen.",
        );
    }
    text.to_owned()
}
