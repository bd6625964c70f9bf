//! Charts as SVG: no script, no inline style, printable. A chart is a picture for those who see; the caller always puts
//! the table of its figures beside it. Each chart is drawn for three widths, so that its
//! text stays readable, and the style sheet shows the one that fits its place.

use std::{
    borrow::Borrow,
    fmt::{self, Display, Write},
};

use base::Lang;

use self::draw::{Drawing, Escaped, Frame, cut, round};
use crate::format::decimal;

mod draw;

/// Widths in CSS pixels of the three drawings, with the end of their class.
const SIZES: [(f64, &str); 3] = [(720.0, "wide"), (540.0, "middle"), (350.0, "narrow")];
/// How many colours the style sheet has.
const COLORS: usize = 6;
/// Mean width of a letter at 13 pixels.
const LETTER: f64 = 7.2;

/// One row of figures; `None` is a gap.
#[derive(Debug, Clone, PartialEq)]
struct Series {
    name: String,
    values: Vec<Option<f64>>,
}

#[derive(Debug, Clone)]
struct Data {
    lang: Lang,
    title: String,
    description: String,
    unit: String,
    places: usize,
    categories: Vec<String>,
    series: Vec<Series>,
    goal: Option<(f64, String)>,
    top: Option<f64>,
}

macro_rules! data_methods {
    () => {
        /// A chart with its title, which stands above it.
        pub fn new(lang: Lang, title: impl Display) -> Self {
            let mut chart = Self::empty();
            chart.data.lang = lang;
            chart.data.title = title.to_string();
            chart
        }

        /// What the chart shows, in one sentence, for those who do not see it.
        #[must_use]
        pub fn description(mut self, text: impl Display) -> Self {
            self.data.description = text.to_string();
            self
        }

        /// The unit after each figure: `%`, ` ngày`.
        #[must_use]
        pub fn unit(mut self, unit: impl Display) -> Self {
            self.data.unit = unit.to_string();
            self
        }

        /// How many decimals figures show at most; one by default.
        #[must_use]
        pub fn places(mut self, places: usize) -> Self {
            self.data.places = places;
            self
        }

        /// The names along the axis.
        #[must_use]
        pub fn categories<T: Display>(mut self, names: impl IntoIterator<Item = T>) -> Self {
            self.data.categories = names.into_iter().map(|n| n.to_string()).collect();
            self
        }

        /// A row of figures, one for each category; `None` where there is none. What is not finite counts as none.
        #[must_use]
        pub fn series<V: Into<Option<f64>>>(mut self, name: impl Display, values: impl IntoIterator<Item = V>) -> Self {
            let values = values
                .into_iter()
                .map(|v| v.into().filter(|v: &f64| v.is_finite()))
                .collect();
            self.data.series.push(Series {
                name: name.to_string(),
                values,
            });
            self
        }

        /// A line across: the goal that the figures are held against.
        #[must_use]
        pub fn goal(mut self, value: f64, name: impl Display) -> Self {
            self.data.goal = Some((value, name.to_string()));
            self
        }

        /// The end of the axis where it is known: 100 for shares.
        #[must_use]
        pub fn top(mut self, top: f64) -> Self {
            self.data.top = Some(top);
            self
        }
    };
}

/// A bar chart: beside each other, stacked, or lying for long names. Figures below zero are drawn as zero.
#[derive(Debug, Clone)]
pub struct Bars {
    data: Data,
    stacked: bool,
    lying: bool,
}

/// A line chart over time.
#[derive(Debug, Clone)]
pub struct Lines {
    data: Data,
}

impl Bars {
    data_methods!();

    fn empty() -> Self {
        Self {
            data: Data::empty(),
            stacked: false,
            lying: false,
        }
    }

    /// Series on top of each other, for parts of a whole.
    #[must_use]
    pub fn stacked(mut self) -> Self {
        self.stacked = true;
        self
    }

    /// Bars that lie, with room for long names.
    #[must_use]
    pub fn lying(mut self) -> Self {
        self.lying = true;
        self
    }

    fn most(&self) -> f64 {
        let data = &self.data;
        (0..data.categories.len())
            .map(|i| {
                let column = data.series.iter().filter_map(|s| value(s, i));
                if self.stacked {
                    column.sum()
                } else {
                    column.fold(0.0, f64::max)
                }
            })
            .fold(0.0, f64::max)
    }

    fn standing(&self, width: f64) -> Drawing {
        let data = &self.data;
        let frame = Frame::new(data, width, self.most());
        let mut out = frame.open(data);
        let slots = data.categories.len().max(1) as f64;
        let slot = frame.inner() / slots;
        let many = if self.stacked { 1 } else { data.series.len().max(1) };
        let bar = (slot * 0.72 / many as f64).min(56.0);
        // Figures stand over the bars where they do not touch each other.
        let figures = data
            .series
            .iter()
            .flat_map(|s| s.values.iter().flatten())
            .map(|v| data.figure(*v).chars().count());
        let said = data.series.len() == 1 && slot >= figures.max().unwrap_or(0) as f64 * (LETTER + 1.0) + 4.0;
        for i in 0..data.categories.len() {
            let left = frame.left + slot * i as f64 + (slot - bar * many as f64) / 2.0;
            let mut base = 0.0;
            for (k, series) in data.series.iter().enumerate() {
                let Some(v) = value(series, i) else { continue };
                let x = if self.stacked { left } else { left + bar * k as f64 };
                let (low, high) = if self.stacked { (base, base + v) } else { (0.0, v) };
                base = high;
                let (y, height) = (frame.y(high), frame.y(low) - frame.y(high));
                if height > 0.0 {
                    out.rect(x, y, bar, height, k);
                }
                if said {
                    out.text(x + bar / 2.0, y - 6.0, "middle", "mc-chart__value", &data.figure(v));
                }
            }
        }
        frame.names(&mut out, data, slot, 0.5);
        frame.goal(&mut out, data);
        out
    }

    fn laid(&self, width: f64) -> Drawing {
        let data = &self.data;
        let most = data.limit(self.most());
        let many = if self.stacked { 1 } else { data.series.len().max(1) };
        let bar = if many > 1 { 14.0 } else { 20.0 };
        // The name stands above its bars, so that it may be as long as it is.
        let slot = 24.0 + bar * many as f64 + 12.0;
        let goal_room = if data.goal.is_some() { 20.0 } else { 0.0 };
        let height = slot * data.categories.len() as f64 + goal_room;
        let end = width - 64.0;
        let mut out = Drawing::new(width, height);
        for (i, name) in data.categories.iter().enumerate() {
            let top = goal_room + slot * i as f64;
            out.text(0.0, top + 15.0, "start", "mc-chart__name", &cut(name, width / LETTER));
            let mut base = 0.0;
            let mut said = Vec::new();
            for (k, series) in data.series.iter().enumerate() {
                let Some(v) = value(series, i) else { continue };
                let y = if self.stacked {
                    top + 22.0
                } else {
                    top + 22.0 + bar * k as f64
                };
                let from = if self.stacked { base } else { 0.0 };
                base = from + v;
                let (x, wide) = (from / most * end, v / most * end);
                if wide > 0.0 {
                    out.rect(x, y, wide, bar, k);
                }
                if self.stacked {
                    said.clear();
                }
                said.push((x + wide + 6.0, y + bar / 2.0 + 4.5, if self.stacked { base } else { v }));
            }
            if let Some((goal, _)) = &data.goal {
                let x = (goal / most * end).clamp(0.0, end);
                let rows = if self.stacked { 1 } else { many };
                out.line(x, top + 20.0, x, top + 24.0 + bar * rows as f64, "mc-chart__goal");
                // A figure that would stand across the line stands beyond it.
                for (at, ..) in &mut said {
                    if *at < x + 3.0 && *at + 6.0 * LETTER > x {
                        *at = x + 6.0;
                    }
                }
            }
            for (x, y, figure) in said {
                out.text(x, y, "start", "mc-chart__value", &data.figure(figure));
            }
        }
        if let Some((goal, name)) = &data.goal {
            let x = (goal / most * end).clamp(0.0, end);
            let (anchor, x) = if x > width / 2.0 {
                ("end", x + 4.0)
            } else {
                ("start", (x - 4.0).max(0.0))
            };
            out.text(
                x,
                11.0,
                anchor,
                "mc-chart__goal-name",
                &format!("{name} {}", data.figure(*goal)),
            );
        }
        out
    }
}

impl Lines {
    data_methods!();

    fn empty() -> Self {
        Self { data: Data::empty() }
    }

    fn draw(&self, width: f64) -> Drawing {
        let data = &self.data;
        let most = data
            .series
            .iter()
            .flat_map(|s| s.values.iter().flatten())
            .fold(0.0, |a: f64, b| a.max(*b));
        let frame = Frame::new(data, width, most);
        let mut out = frame.open(data);
        let steps = data.categories.len().saturating_sub(1).max(1) as f64;
        let edge = 10.0;
        let slot = (frame.inner() - 2.0 * edge) / steps;
        for (k, series) in data.series.iter().enumerate() {
            let at = |i: usize, v: f64| (frame.left + edge + slot * i as f64, frame.y(v));
            let mut path = String::new();
            let mut drawing = false;
            for i in 0..data.categories.len() {
                match value(series, i) {
                    Some(v) => {
                        let (x, y) = at(i, v);
                        // Writing to a string cannot fail.
                        let _ = write!(path, "{}{} {}", if drawing { 'L' } else { 'M' }, round(x), round(y));
                        drawing = true;
                    }
                    None => drawing = false,
                }
            }
            out.push(format_args!(
                "<path class=\"mc-chart__line mc-chart__l{}\" d=\"{path}\"/>",
                k % COLORS + 1
            ));
            for i in 0..data.categories.len() {
                let Some(v) = value(series, i) else { continue };
                let (x, y) = at(i, v);
                out.push(format_args!(
                    "<circle class=\"mc-chart__s{} mc-chart__point\" cx=\"{}\" cy=\"{}\" r=\"4\"/>",
                    k % COLORS + 1,
                    round(x),
                    round(y)
                ));
            }
            let last = (0..data.categories.len())
                .rev()
                .find_map(|i| value(series, i).map(|v| (i, v)));
            if let (1, Some((i, v))) = (data.series.len(), last) {
                let (x, y) = at(i, v);
                out.text(x, y - 11.0, "end", "mc-chart__value", &data.figure(v));
            }
        }
        frame.names(&mut out, data, slot, edge / slot);
        frame.goal(&mut out, data);
        out
    }
}

impl Data {
    const fn empty() -> Self {
        Self {
            lang: Lang::Vi,
            title: String::new(),
            description: String::new(),
            unit: String::new(),
            places: 1,
            categories: Vec::new(),
            series: Vec::new(),
            goal: None,
            top: None,
        }
    }

    fn figure(&self, v: f64) -> String {
        format!("{}{}", decimal(self.lang, v, self.places), self.unit)
    }

    /// The end of the axis: what was set, or what holds every figure and the goal.
    fn limit(&self, most: f64) -> f64 {
        let most = self.goal.as_ref().map_or(most, |(goal, _)| most.max(*goal));
        self.top.map_or(most, |top| top.max(most)).max(f64::MIN_POSITIVE)
    }

    fn figure_html(&self, f: &mut fmt::Formatter<'_>, draw: impl Fn(f64) -> Drawing) -> fmt::Result {
        write!(
            f,
            "<figure class=\"mc-chart\"><figcaption>{}</figcaption>",
            Escaped(&self.title)
        )?;
        if self.series.len() > 1 {
            f.write_str("<ul class=\"mc-chart__legend\">")?;
            for (k, series) in self.series.iter().enumerate() {
                write!(
                    f,
                    "<li><svg viewBox=\"0 0 14 14\" aria-hidden=\"true\" focusable=\"false\"><rect class=\"mc-chart__s{}\" width=\"14\" height=\"14\" rx=\"3\"/></svg>{}</li>",
                    k % COLORS + 1,
                    Escaped(&series.name)
                )?;
            }
            f.write_str("</ul>")?;
        }
        let label = if self.description.is_empty() {
            &self.title
        } else {
            &self.description
        };
        for (width, class) in SIZES {
            let drawing = draw(width);
            write!(
                f,
                "<svg class=\"mc-chart__svg mc-chart__svg--{class}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">{}</svg>",
                round(drawing.width),
                round(drawing.height),
                Escaped(label),
                drawing.body
            )?;
        }
        f.write_str("</figure>")
    }
}

impl Display for Bars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.data.figure_html(f, |width| {
            if self.lying {
                self.laid(width)
            } else {
                self.standing(width)
            }
        })
    }
}

impl Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.data.figure_html(f, |width| self.draw(width))
    }
}

/// A line the size of a word, for a cell of a table.
#[derive(Debug, Clone)]
pub struct Sparkline(Vec<f64>, String);

/// A line the size of a word; `label` says in words what it shows.
pub fn sparkline<V: Borrow<f64>>(values: impl IntoIterator<Item = V>, label: impl Display) -> Sparkline {
    Sparkline(
        values
            .into_iter()
            .map(|v| *v.borrow())
            .filter(|v| v.is_finite())
            .collect(),
        label.to_string(),
    )
}

impl Display for Sparkline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = self
            .0
            .iter()
            .fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(*v), b.max(*v)));
        let span = if high > low { high - low } else { 1.0 };
        let step = 100.0 / self.0.len().saturating_sub(1).max(1) as f64;
        write!(
            f,
            "<svg class=\"mc-spark\" viewBox=\"0 0 100 28\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\"><path class=\"mc-spark__line\" d=\"",
            Escaped(&self.1)
        )?;
        for (i, v) in self.0.iter().enumerate() {
            let y = 25.0 - (v - low) / span * 22.0;
            write!(
                f,
                "{}{} {}",
                if i == 0 { 'M' } else { 'L' },
                round(step * i as f64),
                round(y)
            )?;
        }
        f.write_str("\"/></svg>")
    }
}

impl askama::filters::HtmlSafe for Bars {}
impl askama::filters::HtmlSafe for Lines {}
impl askama::filters::HtmlSafe for Sparkline {}

macro_rules! fast_writable {
    ($($ty:ty)*) => { $(impl askama::FastWritable for $ty {
        fn write_into(&self, dest: &mut dyn fmt::Write, _: &dyn askama::Values) -> askama::Result<()> {
            Ok(write!(dest, "{self}")?)
        }
    })* };
}
fast_writable!(Bars Lines Sparkline);

fn value(series: &Series, i: usize) -> Option<f64> {
    series.values.get(i).copied().flatten().map(|v| v.max(0.0))
}

#[cfg(test)]
mod tests {
    use super::{draw::nice, *};

    #[test]
    fn scales_end_at_round_figures() {
        assert_eq!(nice(0.26), 0.5);
        assert_eq!(nice(25.0), 50.0);
        assert_eq!(nice(100.0), 100.0);
        let bars = Bars::new(Lang::Vi, "Hồ sơ")
            .categories(["T1", "T2"])
            .series("Tiếp nhận", [1234.0, 880.5])
            .to_string();
        assert!(bars.contains(">1.500<"), "{bars}");
        assert!(bars.contains(">1.234<") && bars.contains(">880,5<"));
    }

    #[test]
    fn bars_are_as_long_as_their_figures() {
        let drawing = Bars::new(Lang::En, "x")
            .categories(["a", "b"])
            .series("s", [50.0, 100.0])
            .top(100.0)
            .standing(720.0);
        let heights: Vec<f64> = drawing
            .body
            .match_indices("height=\"")
            .filter_map(|(at, key)| drawing.body[at + key.len()..].split('"').next()?.parse().ok())
            .collect();
        assert_eq!(heights, [124.0, 248.0]);
    }

    #[test]
    fn parts_of_a_whole_stand_on_each_other() {
        let bars = Bars::new(Lang::Vi, "x")
            .categories(["a"])
            .series("s", [30.0])
            .series("t", [70.0])
            .stacked();
        assert_eq!(bars.most(), 100.0);
    }

    #[test]
    fn gaps_break_the_line_and_nothing_breaks_the_chart() {
        let lines = Lines::new(Lang::Vi, "x")
            .categories(["a", "b", "c", "d"])
            .series("s", [Some(1.0), None, Some(3.0), Some(2.0)]);
        assert_eq!(lines.draw(720.0).body.matches("<circle").count(), 3);
        let path = lines
            .draw(720.0)
            .body
            .split(" d=\"")
            .nth(1)
            .map(|p| p.matches('M').count());
        assert_eq!(path, Some(2));
        for empty in [
            Bars::new(Lang::Vi, "x").to_string(),
            Lines::new(Lang::Vi, "x")
                .categories(["a"])
                .series("s", [f64::NAN])
                .to_string(),
        ] {
            assert!(!empty.contains("NaN") && !empty.contains("inf"), "{empty}");
        }
    }

    #[test]
    fn text_is_escaped() {
        let bars = Bars::new(Lang::Vi, "<script>")
            .categories(["\"><script>"])
            .series("<b>", [1.0])
            .series("c", [2.0])
            .lying();
        assert!(!bars.to_string().contains("<script>") && !bars.to_string().contains("<b>"));
    }
}
