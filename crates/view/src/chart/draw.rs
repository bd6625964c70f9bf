//! The plane of a chart and the marks on it.

use std::fmt::{self, Display, Write};

use super::{COLORS, Data, LETTER};

/// The plane between the axes.
pub(super) struct Frame {
    width: f64,
    height: f64,
    pub(super) left: f64,
    top: f64,
    bottom: f64,
    limit: f64,
    step: f64,
}

impl Frame {
    pub(super) fn new(data: &Data, width: f64, most: f64) -> Self {
        let limit = data.limit(most);
        let step = nice(limit / 4.0);
        let limit = match data.top {
            Some(top) if top >= limit => top,
            _ => (limit / step - 1e-9).ceil().max(1.0) * step,
        };
        let widest = data.figure(limit).chars().count().max(2) as f64;
        let height = if width > 500.0 { 300.0 } else { 240.0 };
        Self {
            width,
            height,
            left: widest * LETTER + 10.0,
            top: 24.0,
            bottom: height - 28.0,
            limit,
            step,
        }
    }

    pub(super) fn inner(&self) -> f64 {
        self.width - self.left
    }

    pub(super) fn y(&self, v: f64) -> f64 {
        self.bottom - (v / self.limit).clamp(0.0, 1.0) * (self.bottom - self.top)
    }

    /// The drawing with its scale.
    pub(super) fn open(&self, data: &Data) -> Drawing {
        let mut out = Drawing::new(self.width, self.height);
        let mut v = 0.0;
        while v <= self.limit * (1.0 + 1e-9) {
            let y = self.y(v);
            out.line(
                self.left,
                y,
                self.width,
                y,
                if v == 0.0 { "mc-chart__axis" } else { "mc-chart__grid" },
            );
            out.text(self.left - 8.0, y + 4.5, "end", "", &data.figure(v));
            v += self.step;
        }
        out
    }

    /// The names under the axis: every one, or every second, third … where they would touch.
    pub(super) fn names(&self, out: &mut Drawing, data: &Data, slot: f64, offset: f64) {
        let longest = data
            .categories
            .iter()
            .map(|c| c.chars().count().min(12))
            .max()
            .unwrap_or(1) as f64;
        let every = ((longest * LETTER + 8.0) / slot).ceil().max(1.0) as usize;
        let last = data.categories.len().saturating_sub(1);
        for (i, name) in data
            .categories
            .iter()
            .enumerate()
            .filter(|(i, _)| i.is_multiple_of(every))
        {
            let x = self.left + slot * (i as f64 + offset);
            let anchor = if i == last && i > 0 && offset < 0.5 {
                "end"
            } else {
                "middle"
            };
            let x = if anchor == "end" { self.width } else { x };
            out.text(x, self.bottom + 20.0, anchor, "", &cut(name, 12.0));
        }
    }

    pub(super) fn goal(&self, out: &mut Drawing, data: &Data) {
        if let Some((goal, name)) = &data.goal {
            let y = self.y(*goal);
            out.line(self.left, y, self.width, y, "mc-chart__goal");
            let text = format!("{name} {}", data.figure(*goal));
            out.text(self.left + 4.0, y - 6.0, "start", "mc-chart__goal-name", &text);
        }
    }
}

pub(super) struct Drawing {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) body: String,
}

impl Drawing {
    pub(super) const fn new(width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            body: String::new(),
        }
    }

    pub(super) fn push(&mut self, args: fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.body.write_fmt(args);
    }

    pub(super) fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, series: usize) {
        self.push(format_args!(
            "<rect class=\"mc-chart__s{} mc-chart__bar\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"2\"/>",
            series % COLORS + 1,
            round(x),
            round(y),
            round(width),
            round(height)
        ));
    }

    pub(super) fn line(&mut self, x1: f64, y1: f64, x2: f64, y2: f64, class: &str) {
        self.push(format_args!(
            "<line class=\"{class}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>",
            round(x1),
            round(y1),
            round(x2),
            round(y2)
        ));
    }

    pub(super) fn text(&mut self, x: f64, y: f64, anchor: &str, class: &str, text: &str) {
        let class = if class.is_empty() {
            String::new()
        } else {
            format!(" class=\"{class}\"")
        };
        self.push(format_args!(
            "<text{class} x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
            round(x),
            round(y),
            Escaped(text)
        ));
    }
}

/// The next of 1, 2, 5, 10, 20 … that is not below `raw`.
pub(super) fn nice(raw: f64) -> f64 {
    let power = 10f64.powf(raw.max(1e-9).log10().floor());
    for m in [1.0, 2.0, 5.0, 10.0] {
        if m * power >= raw * (1.0 - 1e-9) {
            return m * power;
        }
    }
    10.0 * power
}

pub(super) fn round(v: f64) -> f64 {
    let v = (v * 10.0).round() / 10.0;
    if v == 0.0 { 0.0 } else { v }
}

pub(super) fn cut(text: &str, most: f64) -> String {
    let most = most.max(2.0) as usize;
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most - 1).collect();
    short.push('…');
    short
}

pub(super) struct Escaped<'a>(pub(super) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}
