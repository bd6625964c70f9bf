//! The set of icons: 24 by 24, drawn with a line of 1.75 in the colour of the text around them.

use std::fmt;

/// Every icon by name with its drawing.
const DRAWINGS: &[(&str, &str)] = &[
    (
        "mark",
        "<path class=\"mc-mark__frame\" d=\"M3 22V11a9 9 0 0 1 18 0v11z\"/><path class=\"mc-mark__door\" d=\"M8 22V11.5a4 4 0 0 1 8 0V22z\"/><circle class=\"mc-mark__knob\" cx=\"13.6\" cy=\"15.6\" r=\"1\"/>",
    ),
    (
        "search",
        "<circle cx=\"10.5\" cy=\"10.5\" r=\"6.5\"/><path d=\"m15.5 15.5 5 5\"/>",
    ),
    (
        "clock",
        "<circle cx=\"12\" cy=\"12\" r=\"9\"/><path d=\"M12 7v5.2l3.4 2\"/>",
    ),
    (
        "calendar",
        "<rect x=\"3.5\" y=\"5\" width=\"17\" height=\"15.5\" rx=\"2\"/><path d=\"M3.5 10h17M8 3v4M16 3v4\"/>",
    ),
    ("check", "<path d=\"m4.5 12.5 5 5 10-11\"/>"),
    (
        "warning",
        "<path d=\"M12 3.6 21.4 20H2.6z\"/><path d=\"M12 10v4.4M12 17.2v.1\"/>",
    ),
    (
        "info",
        "<circle cx=\"12\" cy=\"12\" r=\"9\"/><path d=\"M12 11v5.4M12 7.6v.1\"/>",
    ),
    (
        "document",
        "<path d=\"M6 3h8l4.5 4.5V21H6z\"/><path d=\"M14 3v5h4.5M9 12.5h6.5M9 16.5h6.5\"/>",
    ),
    ("upload", "<path d=\"M12 16V4.5M7 9l5-5 5 5M4 16v4.5h16V16\"/>"),
    ("download", "<path d=\"M12 4v11.5M7 11l5 5 5-5M4 16v4.5h16V16\"/>"),
    (
        "building",
        "<path d=\"M4 20.5V9l8-5 8 5v11.5zM2.5 20.5h19\"/><path d=\"M8 12v5M12 12v5M16 12v5\"/>",
    ),
    (
        "baby",
        "<circle cx=\"12\" cy=\"12\" r=\"8.5\"/><path d=\"M8.8 14.4c1.6 2 4.8 2 6.4 0M9 10.4v.1M15 10.4v.1M12 3.5c1.6.2 2.2 2 .8 2.9\"/>",
    ),
    (
        "rings",
        "<circle cx=\"8.8\" cy=\"14\" r=\"5.8\"/><circle cx=\"15.2\" cy=\"14\" r=\"5.8\"/><path d=\"m7 4 1.8-1.5L10.6 4 8.8 6.2z\"/>",
    ),
    (
        "home",
        "<path d=\"m3 11.5 9-8 9 8\"/><path d=\"M5.5 9.5V20.5h13V9.5M10 20.5v-6h4v6\"/>",
    ),
    (
        "briefcase",
        "<rect x=\"3\" y=\"7.5\" width=\"18\" height=\"12.5\" rx=\"2\"/><path d=\"M9 7.5V5a1.5 1.5 0 0 1 1.5-1.5h3A1.5 1.5 0 0 1 15 5v2.5M3 13h18\"/>",
    ),
    (
        "person",
        "<circle cx=\"12\" cy=\"8\" r=\"4\"/><path d=\"M4.5 20.5c.6-4.3 3.6-6.5 7.5-6.5s6.9 2.2 7.5 6.5\"/>",
    ),
    (
        "people",
        "<circle cx=\"9\" cy=\"8.5\" r=\"3.5\"/><path d=\"M2.5 20c.5-3.9 3-6 6.5-6s6 2.1 6.5 6M15.5 5.4a3.5 3.5 0 0 1 0 6.2M17.5 14.6c2.3.7 3.7 2.6 4 5.4\"/>",
    ),
    ("arrow", "<path d=\"M4 12h15M13 6l6 6-6 6\"/>"),
    ("back", "<path d=\"M20 12H5M11 6l-6 6 6 6\"/>"),
    ("chevron", "<path d=\"m6 9.5 6 6 6-6\"/>"),
    (
        "phone",
        "<path d=\"M5.5 3.5h4l1.7 4.5-2.4 1.8a13 13 0 0 0 5.4 5.4l1.8-2.4 4.5 1.7v4c0 1-.9 1.7-1.9 1.6C10.5 19.5 4.5 13.5 3.9 5.4c-.1-1 .6-1.9 1.6-1.9z\"/>",
    ),
    (
        "mail",
        "<rect x=\"3\" y=\"5\" width=\"18\" height=\"14\" rx=\"2\"/><path d=\"m3.5 7 8.5 6.5L20.5 7\"/>",
    ),
    (
        "print",
        "<path d=\"M7 8V3.5h10V8M7 16.5H3.5V8h17v8.5H17\"/><path d=\"M7 13.5h10v7H7z\"/>",
    ),
    (
        "copy",
        "<rect x=\"8.5\" y=\"8.5\" width=\"12\" height=\"12\" rx=\"1.5\"/><path d=\"M15.5 8.5v-5h-12v12h5\"/>",
    ),
    (
        "lock",
        "<rect x=\"4.5\" y=\"10.5\" width=\"15\" height=\"10\" rx=\"2\"/><path d=\"M8 10.5V7.5a4 4 0 0 1 8 0v3M12 14.5v2.5\"/>",
    ),
    (
        "key",
        "<circle cx=\"8\" cy=\"15.5\" r=\"4.5\"/><path d=\"m11.3 12.3 8.2-8.2M16 7.5l3 3M13.5 10l2 2\"/>",
    ),
    (
        "money",
        "<rect x=\"2.5\" y=\"6\" width=\"19\" height=\"12.5\" rx=\"2\"/><circle cx=\"12\" cy=\"12.25\" r=\"2.75\"/><path d=\"M6 12.2v.1M18 12.2v.1\"/>",
    ),
    ("chart", "<path d=\"M3.5 20.5h17M6.5 17v-5M12 17V6M17.5 17V9.5\"/>"),
    (
        "map",
        "<path d=\"M12 21.5c4.7-5 7-8.7 7-11.7a7 7 0 0 0-14 0c0 3 2.3 6.7 7 11.7z\"/><circle cx=\"12\" cy=\"9.8\" r=\"2.5\"/>",
    ),
    (
        "stamp",
        "<path d=\"M9 13c.8-2-1.2-4-1.2-6a4.2 4.2 0 0 1 8.4 0c0 2-2 4-1.2 6M4.5 17.5v-2.2c0-1.3 1-2.3 2.3-2.3h10.4c1.3 0 2.3 1 2.3 2.3v2.2zM4 20.8h16\"/>",
    ),
    (
        "inbox",
        "<path d=\"M3 13.5 6 4.5h12l3 9v6H3z\"/><path d=\"M3 13.5h5.5c0 2 1.5 3 3.5 3s3.5-1 3.5-3H21\"/>",
    ),
    (
        "question",
        "<circle cx=\"12\" cy=\"12\" r=\"9\"/><path d=\"M9.3 9.5a2.7 2.7 0 1 1 4 2.4c-.9.5-1.3 1-1.3 2M12 16.9v.1\"/>",
    ),
    ("close", "<path d=\"m5.5 5.5 13 13M18.5 5.5l-13 13\"/>"),
    ("filter", "<path d=\"M3.5 5h17l-6.5 8v6.5l-4-2V13z\"/>"),
    (
        "edit",
        "<path d=\"m4 20 1-4.5L16 4.5l3.5 3.5L8.5 19z\"/><path d=\"M13.5 7 17 10.5\"/>",
    ),
];

/// The names that [`icon`] knows.
pub const ICONS: [&str; DRAWINGS.len()] = {
    let mut names = [""; DRAWINGS.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = DRAWINGS[i].0;
        i += 1;
    }
    names
};

/// A drawing beside a text that says the same; hidden from screen readers.
#[derive(Debug, Clone, Copy)]
pub struct Icon(&'static str, &'static str);

/// The icon of that name; one that does not exist prints nothing.
pub fn icon(name: impl AsRef<str>) -> Icon {
    let name = name.as_ref();
    DRAWINGS
        .iter()
        .find(|(n, _)| *n == name)
        .map_or(Icon("", ""), |(n, d)| Icon(n, d))
}

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(
            f,
            "<svg class=\"mc-icon mc-icon--{}\" viewBox=\"0 0 24 24\" width=\"24\" height=\"24\" aria-hidden=\"true\" focusable=\"false\">{}</svg>",
            self.0, self.1
        )
    }
}

super::html_safe!(Icon);

impl askama::FastWritable for Icon {
    fn write_into(&self, dest: &mut dyn fmt::Write, _: &dyn askama::Values) -> askama::Result<()> {
        Ok(write!(dest, "{self}")?)
    }
}
