//! A reader of OpenMetrics 1.0 that takes nothing else, for tests.

use std::collections::{BTreeMap, BTreeSet};

/// Names and values.
type Labels = Vec<(String, String)>;

/// The samples of each family, by family and series.
pub type Families = BTreeMap<String, BTreeMap<String, f64>>;

/// Reads an exposition; panics, with the line, where it is not as the specification has it.
pub fn read(text: &str) -> Families {
    let body = text.strip_suffix("# EOF\n").expect("it ends with # EOF");
    let mut families = Families::new();
    let mut now: Option<Family> = None;
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect(line);
            assert!(is_name(name) && !help.trim().is_empty(), "{line}");
            end(now.take(), &mut families);
            assert!(!families.contains_key(name), "twice: {line}");
            now = Some(Family::new(name));
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect(line);
            let family = now.as_mut().unwrap_or_else(|| panic!("HELP comes first: {line}"));
            assert!(
                family.name == name && family.kind.is_empty() && family.series.is_empty(),
                "{line}"
            );
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(kind != "counter" || !name.ends_with("_total"), "{line}");
            kind.clone_into(&mut family.kind);
        } else {
            let family = now.as_mut().unwrap_or_else(|| panic!("of no family: {line}"));
            family.take(line);
        }
    }
    end(now, &mut families);
    families
}

fn end(family: Option<Family>, families: &mut Families) {
    let Some(family) = family else { return };
    assert!(!family.kind.is_empty(), "{} has no TYPE", family.name);
    if family.kind == "histogram" {
        family.check_histogram();
    }
    families.insert(
        family.name,
        family
            .series
            .into_iter()
            .map(|(series, sample)| (series, sample.value))
            .collect(),
    );
}

struct Family {
    name: String,
    kind: String,
    series: BTreeMap<String, Sample>,
}

struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Family {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: String::new(),
            series: BTreeMap::new(),
        }
    }

    fn take(&mut self, line: &str) {
        let sample = sample(line);
        let suffix = sample
            .name
            .strip_prefix(&self.name)
            .unwrap_or_else(|| panic!("of another family: {line}"));
        let fits = match self.kind.as_str() {
            "counter" => suffix == "_total" && sample.value >= 0.0,
            "gauge" => suffix.is_empty(),
            "histogram" => ["_bucket", "_sum", "_count"].contains(&suffix),
            _ => false,
        };
        assert!(fits, "{}: {line}", self.kind);
        assert!(sample.value.is_finite(), "{line}");
        let key = format!("{}{:?}", sample.name, sample.labels);
        let labels: Vec<String> = sample
            .labels
            .iter()
            .map(|(name, value)| format!("{name}={value:?}"))
            .collect();
        let series = if labels.is_empty() {
            sample.name.clone()
        } else {
            format!("{}{{{}}}", sample.name, labels.join(","))
        };
        assert!(self.series.insert(series, sample).is_none(), "twice: {key}");
    }

    /// Each series has buckets that rise to `+Inf`, whose value is the count, and a sum.
    fn check_histogram(&self) {
        let mut all: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
        for sample in self.series.values().filter(|sample| sample.name.ends_with("_bucket")) {
            let (mut labels, le) = (sample.labels.clone(), &sample.labels["le"]);
            let le = if le == "+Inf" {
                f64::INFINITY
            } else {
                le.parse().expect("a bound")
            };
            labels.remove("le");
            all.entry(labels.into_iter().collect())
                .or_default()
                .push((le, sample.value));
        }
        for (labels, mut buckets) in all {
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(
                buckets
                    .windows(2)
                    .all(|two| two[0].0 < two[1].0 && two[0].1 <= two[1].1),
                "{labels:?}"
            );
            let last = buckets.last().expect("some");
            let with = |suffix: &str| {
                let name = format!("{}{suffix}", self.name);
                let mut found = self
                    .series
                    .values()
                    .filter(|s| s.name == name && s.labels.clone().into_iter().collect::<Vec<_>>() == labels);
                found.next().unwrap_or_else(|| panic!("{name} of {labels:?}")).value
            };
            assert_eq!((last.0, last.1), (f64::INFINITY, with("_count")), "{labels:?}");
            assert!(with("_sum") >= 0.0);
        }
    }
}

fn sample(line: &str) -> Sample {
    let at = line.find(['{', ' ']).expect(line);
    let (name, mut rest) = line.split_at(at);
    assert!(is_name(name), "{line}");
    let mut labels = BTreeMap::new();
    if let Some(mut inside) = rest.strip_prefix('{') {
        while !inside.starts_with('}') {
            let (label, after) = inside.split_once("=\"").expect(line);
            let mut value = String::new();
            let mut chars = after.char_indices();
            let end = loop {
                match chars.next().expect(line) {
                    (_, '\\') => match chars.next().expect(line).1 {
                        'n' => value.push('\n'),
                        c @ ('\\' | '"') => value.push(c),
                        c => panic!("\\{c} is no escape: {line}"),
                    },
                    (at, '"') => break at,
                    (_, c) => value.push(c),
                }
            };
            assert!(is_name(label) && !label.contains(':'), "{line}");
            assert!(
                labels.insert(label.to_owned(), value).is_none(),
                "a label twice: {line}"
            );
            inside = &after[end + 1..];
            match inside.strip_prefix(',') {
                Some(more) => {
                    assert!(!more.starts_with('}'), "{line}");
                    inside = more;
                }
                None => assert!(inside.starts_with('}'), "{line}"),
            }
        }
        rest = &inside[1..];
    }
    let value = rest.strip_prefix(' ').expect(line);
    assert!(!value.contains(' '), "{line}");
    Sample {
        name: name.to_owned(),
        labels,
        value: value.parse().unwrap_or_else(|_| panic!("no number: {line}")),
    }
}

fn is_name(name: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    name.starts_with(first) && name.chars().all(|c| first(c) || c.is_ascii_digit())
}

#[test]
fn it_takes_nothing_else() {
    let good = "# HELP a A.\n# TYPE a counter\na_total{x=\"1\\n\\\"\"} 1\na_total{x=\"2\"} 2\n# HELP b B.\n# TYPE b gauge\nb 1.5\n# EOF\n";
    let read_all: BTreeSet<String> = read(good).into_keys().collect();
    assert_eq!(read_all, ["a".to_owned(), "b".to_owned()].into());
    for bad in [
        "# HELP a A.\n# TYPE a gauge\na 1\n",
        "# HELP a A.\n# TYPE a gauge\na 1\n# HELP a A.\n# TYPE a gauge\na 1\n# EOF\n",
        "# HELP a A.\n# TYPE a gauge\n# TYPE a gauge\na 1\n# EOF\n",
        "# TYPE a gauge\n# HELP a A.\na 1\n# EOF\n",
        "# HELP a A.\n# TYPE a gauge\na 1\na 1\n# EOF\n",
        "# HELP a A.\n# TYPE a counter\na 1\n# EOF\n",
        "# HELP a_total A.\n# TYPE a_total counter\na_total_total 1\n# EOF\n",
        "# HELP a A.\n# TYPE a gauge\nb 1\n# EOF\n",
        "# HELP a A.\n# TYPE a gauge\na{x=\"1\",} 1\n# EOF\n",
        "# HELP a A.\n# TYPE a gauge\n\na 1\n# EOF\n",
        "# HELP a A.\n# TYPE a histogram\na_bucket{le=\"1.0\"} 2\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n# EOF\n",
        "# HELP a A.\n# TYPE a histogram\na_bucket{le=\"+Inf\"} 2\na_sum 1\na_count 1\n# EOF\n",
        "# HELP a A.\na 1\n# EOF\n",
    ] {
        assert!(std::panic::catch_unwind(|| read(bad)).is_err(), "{bad}");
    }
}
