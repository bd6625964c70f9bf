//! What the sheets of a workbook share: their names, texts and formats of numbers.

use base::{Error, Result, refusal::Kind};
use quick_xml::events::Event;

use super::{
    Source,
    xml::{Xml, attribute, resolved},
    zip::{Archive, BadZip, Limits},
};
use crate::value::Serial;

/// No sheet has more formats of cells.
const MOST_STYLES: usize = 100_000;

pub(super) struct Book {
    pub shared: SharedTexts,
    pub serial: Serial,
    /// Whether cells of a style are dates.
    dates: Vec<bool>,
}

/// Texts by their number, one after the other in memory.
#[derive(Default)]
pub(super) struct SharedTexts {
    text: String,
    ends: Vec<usize>,
}

impl SharedTexts {
    pub fn get(&self, at: usize) -> Option<&str> {
        let start = at
            .checked_sub(1)
            .map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.text.get(start..*self.ends.get(at)?)
    }
}

/// A part that another one names.
struct Relation {
    id: String,
    sort: String,
    target: String,
}

impl Book {
    /// Reads what the sheets share, and finds the part of one sheet.
    pub fn read(
        archive: &mut Archive<Box<dyn Source>>,
        wanted: Option<&str>,
        limits: Limits,
    ) -> Result<(Self, String)> {
        let root = relations(archive, "_rels/.rels", "")?;
        let named = root
            .into_iter()
            .find(|r| r.sort.ends_with("/officeDocument"))
            .map(|r| r.target);
        let workbook = named.unwrap_or_else(|| "xl/workbook.xml".to_owned());
        let (folder, file) = workbook.rsplit_once('/').unwrap_or(("", &workbook));
        let parts = relations(archive, &format!("{folder}/_rels/{file}.rels"), folder)?;
        let entry = archive.find(&workbook).ok_or_else(|| BadZip::NotAWorkbook.refuse())?;
        let mut sheets: Vec<(String, String)> = Vec::new();
        let mut serial = Serial::Since1900;
        let mut xml = Xml::new(archive.read(&entry)?);
        loop {
            match xml.next()? {
                Event::Start(e) | Event::Empty(e) => match e.local_name().into_inner() {
                    "sheet" => sheets.extend(attribute(&e, "name").zip(attribute(&e, "id"))),
                    "workbookPr" if attribute(&e, "date1904").is_some_and(|v| v == "1" || v == "true") => {
                        serial = Serial::Since1904;
                    }
                    _ => {}
                },
                Event::Eof => break,
                _ => {}
            }
        }
        drop(xml);
        let chosen = match wanted {
            Some(name) => sheets.iter().find(|(n, _)| n == name),
            None => sheets.first(),
        };
        let Some((_, id)) = chosen else {
            let names: Vec<&str> = sheets.iter().map(|(n, _)| n.as_str()).take(20).collect();
            let names = names.join(", ");
            return Err(Error::refused(
                Kind::Invalid,
                "no-such-sheet",
                format!("Bảng tính không có trang này. Các trang: {names}."),
                format!("The workbook has no such sheet. Its sheets: {names}."),
            ));
        };
        let target = |fits: &dyn Fn(&Relation) -> bool| parts.iter().find(|r| fits(r)).map(|r| r.target.clone());
        let sheet = target(&|r| r.id == *id).ok_or_else(|| BadZip::Damaged.refuse())?;
        let shared = match target(&|r| r.sort.ends_with("/sharedStrings")) {
            Some(part) => shared_texts(archive, &part, limits)?,
            None => SharedTexts::default(),
        };
        let dates = match target(&|r| r.sort.ends_with("/styles")) {
            Some(part) => date_styles(archive, &part)?,
            None => Vec::new(),
        };
        let book = Self { shared, serial, dates };
        Ok((book, sheet))
    }

    pub fn is_date(&self, style: usize) -> bool {
        self.dates.get(style).copied().unwrap_or(false)
    }
}

/// The parts that a part names; none where it names none.
fn relations(archive: &mut Archive<Box<dyn Source>>, part: &str, folder: &str) -> Result<Vec<Relation>> {
    let mut found = Vec::new();
    let Some(entry) = archive.find(part.trim_start_matches('/')) else {
        return Ok(found);
    };
    let mut xml = Xml::new(archive.read(&entry)?);
    loop {
        match xml.next()? {
            Event::Start(e) | Event::Empty(e) if e.local_name().into_inner() == "Relationship" => {
                let [id, sort, target] = ["Id", "Type", "Target"].map(|name| attribute(&e, name).unwrap_or_default());
                // A target is absolute in the archive, or relative to the part that names it.
                let target = match target.strip_prefix('/') {
                    Some(absolute) => absolute.to_owned(),
                    None if folder.is_empty() => target,
                    None => format!("{folder}/{target}"),
                };
                found.push(Relation { id, sort, target });
            }
            Event::Eof => return Ok(found),
            _ => {}
        }
    }
}

fn shared_texts(archive: &mut Archive<Box<dyn Source>>, part: &str, limits: Limits) -> Result<SharedTexts> {
    let mut shared = SharedTexts::default();
    let Some(entry) = archive.find(part) else {
        return Ok(shared);
    };
    let mut xml = Xml::new(archive.read(&entry)?);
    let (mut within, mut phonetic) = (false, false);
    loop {
        match xml.next()? {
            Event::Start(e) => match e.local_name().into_inner() {
                "t" => within = true,
                "rPh" => phonetic = true,
                _ => {}
            },
            Event::Empty(e) if e.local_name().into_inner() == "si" => shared.ends.push(shared.text.len()),
            Event::End(e) => match e.local_name().into_inner() {
                "t" => within = false,
                "rPh" => phonetic = false,
                "si" => shared.ends.push(shared.text.len()),
                _ => {}
            },
            Event::Text(t) if within && !phonetic => shared.text.push_str(&t.xml10_content()),
            Event::CData(t) if within && !phonetic => shared.text.push_str(&t.xml10_content()),
            Event::GeneralRef(r) if within && !phonetic => shared.text.extend(resolved(&r)),
            Event::Eof => return Ok(shared),
            _ => {}
        }
        if shared.text.len() + shared.ends.len() * size_of::<usize>() > limits.shared_bytes {
            return Err(BadZip::TooLarge.refuse());
        }
    }
}

/// Which styles of cells show a number as a date.
fn date_styles(archive: &mut Archive<Box<dyn Source>>, part: &str) -> Result<Vec<bool>> {
    let mut dates = Vec::new();
    let Some(entry) = archive.find(part) else {
        return Ok(dates);
    };
    let mut own: Vec<(u32, bool)> = Vec::new();
    let mut within = false;
    let mut xml = Xml::new(archive.read(&entry)?);
    loop {
        match xml.next()? {
            Event::Start(e) | Event::Empty(e) => {
                let id = || {
                    attribute(&e, "numFmtId")
                        .and_then(|id| id.parse::<u32>().ok())
                        .unwrap_or(0)
                };
                match e.local_name().into_inner() {
                    "numFmt" => own.push((
                        id(),
                        attribute(&e, "formatCode").is_some_and(|code| is_date_format(&code)),
                    )),
                    "cellXfs" => within = true,
                    "xf" if within => {
                        let format = id();
                        // The formats 14 to 22 and 27 to 58 are built in; 45 to 47 are times.
                        let built_in = matches!(format, 14..=17 | 22 | 27..=36 | 50..=58);
                        let date = own
                            .iter()
                            .find(|(f, _)| *f == format)
                            .map_or(built_in, |(_, date)| *date);
                        dates.push(date);
                    }
                    _ => {}
                }
            }
            Event::End(e) if e.local_name().into_inner() == "cellXfs" => return Ok(dates),
            Event::Eof => return Ok(dates),
            _ => {}
        }
        if own.len() + dates.len() > MOST_STYLES {
            return Err(BadZip::TooLarge.refuse());
        }
    }
}

/// Whether a format code has a day or a year outside of quotes, brackets and escapes.
fn is_date_format(code: &str) -> bool {
    let mut chars = code.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => drop(chars.by_ref().find(|c| *c == '"')),
            '[' => drop(chars.by_ref().find(|c| *c == ']')),
            '\\' | '_' | '*' => drop(chars.next()),
            'd' | 'D' | 'y' | 'Y' => return true,
            _ => {}
        }
    }
    false
}
