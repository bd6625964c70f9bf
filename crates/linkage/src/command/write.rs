//! Pairs and clusters as CSV. Millions of lines are written: nothing is allocated for a cell.

use base::Result;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::cannot_write;
use crate::cluster::{Clusters, Conflict};
use crate::explain::Explainer;
use crate::linker::{Linker, Scored};
use crate::policy::Decision;

/// A file that lines are written to.
pub(super) struct Output {
    path: PathBuf,
    file: File,
}

impl Output {
    fn new(path: &Path, header: &[&str]) -> Result<Self> {
        let file = File::create(path).map_err(|error| cannot_write(path, &error))?;
        let mut output = Self {
            path: path.to_owned(),
            file,
        };
        let mut line = Lines::default();
        for cell in header {
            line.cell(cell);
        }
        line.end();
        output.write(&line)?;
        Ok(output)
    }

    pub(super) fn write(&mut self, lines: &Lines) -> Result<()> {
        let written = self.file.write_all(&lines.0);
        written.map_err(|error| cannot_write(&self.path, &error))
    }
}

/// A file of pairs.
pub(super) fn pairs(path: &Path, explained: bool) -> Result<Output> {
    let mut header = vec![
        "source_l",
        "id_l",
        "source_r",
        "id_r",
        "weight",
        "probability",
        "rule",
        "decision",
    ];
    if explained {
        header.extend(["why_vi", "why_en", "steps"]);
    }
    Output::new(path, &header)
}

/// Each record with its cluster, which is named by its first record, and what the cluster could not take in.
pub(super) fn clusters(path: &Path, linker: &Linker, found: &Clusters) -> Result<()> {
    let mut flags: hashbrown::HashMap<u32, &str> = hashbrown::HashMap::new();
    for (edge, conflict) in &found.refused {
        let flag = match conflict {
            Conflict::Fact(_) => "two-numbers",
            Conflict::SourceTwice => "source-twice",
            Conflict::Decided => "found-different",
        };
        for row in [edge.left, edge.right] {
            flags.entry(row).or_insert(flag);
        }
    }
    let mut output = Output::new(path, &["cluster", "source", "id", "flag"])?;
    let mut lines = Lines::default();
    for (row, first) in (0..).zip(&found.first) {
        lines.cells_joined(linker.source(*first), linker.id(*first));
        lines.cell(linker.source(row));
        lines.cell(linker.id(row));
        lines.cell(flags.get(&row).copied().unwrap_or_default());
        lines.end();
        if lines.0.len() >= TOGETHER {
            output.write(&lines)?;
            lines.0.clear();
        }
    }
    output.write(&lines)
}

/// Bytes that are written together.
const TOGETHER: usize = 1 << 16;

/// Digits of the largest whole number.
const DIGITS: usize = 20;

/// Lines of a CSV.
#[derive(Debug, Default)]
pub(super) struct Lines(Vec<u8>);

impl Lines {
    pub(super) fn pair(
        &mut self,
        linker: &Linker,
        pair: &Scored,
        decision: Decision,
        explainer: Option<&Explainer<'_>>,
    ) -> Result<()> {
        for row in [pair.left, pair.right] {
            self.cell(linker.source(row));
            self.cell(linker.id(row));
        }
        self.decimal(pair.weight);
        self.decimal(pair.probability());
        self.whole(u64::from(pair.rule) + 1);
        self.cell(decision.name());
        if let Some(explainer) = explainer {
            let why = explainer.explain(pair, |_| None);
            self.cell(&why.sentence.vi);
            self.cell(&why.sentence.en);
            self.cell(&serde_json::to_string(&why.steps)?);
        }
        self.end();
        Ok(())
    }

    /// A text, in quotation marks where it needs them.
    fn cell(&mut self, text: &str) {
        self.text(&[text]);
    }

    /// Two texts as one, with a stroke between them.
    fn cells_joined(&mut self, one: &str, other: &str) {
        self.text(&[one, "/", other]);
    }

    fn text(&mut self, parts: &[&str]) {
        let special = |byte: u8| matches!(byte, b',' | b'"' | b'\n' | b'\r');
        let quoted = parts.iter().any(|part| part.bytes().any(special));
        let mark: &[u8] = if quoted { b"\"" } else { b"" };
        self.0.extend_from_slice(mark);
        for part in parts {
            if quoted {
                self.0.extend_from_slice(part.replace('"', "\"\"").as_bytes());
            } else {
                self.0.extend_from_slice(part.as_bytes());
            }
        }
        self.0.extend_from_slice(mark);
        self.0.push(b',');
    }

    fn whole(&mut self, number: u64) {
        self.digits(number, 1);
        self.0.push(b',');
    }

    /// At least so many digits.
    fn digits(&mut self, mut number: u64, least: usize) {
        let mut digits = [b'0'; DIGITS];
        let mut first = digits.len();
        for (place, digit) in digits.iter_mut().enumerate().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
            first = place;
            if number == 0 && DIGITS - place >= least {
                break;
            }
        }
        self.0.extend_from_slice(digits.get(first..).unwrap_or_default());
    }

    /// A number with nine digits after the point, rounded as `{:.9}` does, at a fraction of its cost.
    fn decimal(&mut self, number: f64) {
        const BILLION: u64 = 1_000_000_000;
        let billionths = number.abs() * BILLION as f64;
        let whole = billionths.trunc();
        let rest = billionths - whole;
        // Up to 2^40 the product is right to 2^-13: unless it lies so near the middle, it is clear where it is rounded to.
        if billionths < (1u64 << 40) as f64 && (rest - 0.5).abs() > 1e-3 {
            let rounded = whole as u64 + u64::from(rest > 0.5);
            if number.is_sign_negative() {
                self.0.push(b'-');
            }
            self.digits(rounded / BILLION, 1);
            self.0.push(b'.');
            self.digits(rounded % BILLION, 9);
        } else {
            self.0.extend_from_slice(format!("{number:.9}").as_bytes());
        }
        self.0.push(b',');
    }

    fn end(&mut self) {
        if let Some(separator) = self.0.last_mut() {
            *separator = b'\n';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(write: impl Fn(&mut Lines)) -> String {
        let mut lines = Lines::default();
        write(&mut lines);
        lines.end();
        String::from_utf8(lines.0).expect("text")
    }

    fn decimal(number: f64) -> String {
        text(|lines| lines.decimal(number))
    }

    #[test]
    fn lines_are_read_as_they_were_meant() {
        let line = text(|lines| {
            lines.cell("a,b");
            lines.cells_joined("say \"x\"", "1");
            lines.whole(120);
            lines.cell("Nguyễn");
        });
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(line.as_bytes());
        let row = reader.records().next().expect("a row").expect("well formed");
        assert_eq!(row.iter().collect::<Vec<_>>(), ["a,b", "say \"x\"/1", "120", "Nguyễn"]);
    }

    #[test]
    fn numbers_halfway_and_out_of_the_way_are_those_of_the_library() {
        let halves = [
            0.5e-9,
            1.5e-9,
            2.000_000_000_5,
            1e30,
            f64::NAN,
            f64::INFINITY,
            -0.0,
            0.0,
            1.0,
            1_099.9,
            1_100.1,
        ];
        for number in halves {
            assert_eq!(decimal(number), format!("{number:.9}\n"));
        }
    }

    proptest! {
        #[test]
        fn numbers_are_those_of_the_library(number in -2000.0f64..2000.0, small in -1.0f64..1.0, billionths in 0u64..10_000) {
            for number in [number, small, small * 1e-8, billionths as f64 / 2e9, 1.0 - billionths as f64 / 2e9] {
                prop_assert_eq!(decimal(number), format!("{:.9}\n", number));
            }
        }
    }
}
