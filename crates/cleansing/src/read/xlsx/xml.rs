//! Markup of a workbook, piece by piece.

use std::{
    cell::Cell,
    io::{BufReader, Read},
    rc::Rc,
};

use base::{Error, Result};
use quick_xml::{
    XmlVersion,
    events::{BytesRef, BytesStart, Event},
};

use super::zip::{BadZip, EntryReader, refused};

/// Markup in one file of the archive. A document type is refused: no spreadsheet has one, and bombs do.
pub(super) struct Xml<R: Read> {
    reader: quick_xml::Reader<BufReader<EntryReader<R>>>,
    buffer: Vec<u8>,
    kept: Rc<Cell<usize>>,
}

impl<R: Read> Xml<R> {
    pub fn new(entry: EntryReader<R>) -> Self {
        let kept = Rc::clone(&entry.kept);
        Self {
            reader: quick_xml::Reader::from_reader(BufReader::with_capacity(64 * 1024, entry)),
            buffer: Vec::new(),
            kept,
        }
    }

    /// The next piece; `Eof` for ever at the end.
    pub fn next(&mut self) -> Result<Event<'_>> {
        self.buffer.clear();
        self.kept.set(0);
        match self.reader.read_event_into(&mut self.buffer) {
            Ok(Event::DocType(_)) => Err(BadZip::Bomb.refuse()),
            Ok(event) => Ok(event),
            Err(quick_xml::Error::Io(source)) => match std::sync::Arc::try_unwrap(source) {
                Ok(source) => Err(refused(source)),
                Err(shared) => Err(Error::internal(shared)),
            },
            Err(_) => Err(BadZip::Damaged.refuse()),
        }
    }
}

/// The value of an attribute, by its name without a prefix.
pub(super) fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = start
        .attributes()
        .flatten()
        .find(|a| a.key.local_name().into_inner() == name)?;
    found
        .normalized_value(XmlVersion::Implicit1_0)
        .ok()
        .map(|v| v.into_owned())
}

/// The text of a reference such as `&amp;` or `&#10;`; nothing for one that a document would have to define.
pub(super) fn resolved(reference: &BytesRef<'_>) -> Option<char> {
    match reference.resolve_char_ref() {
        Ok(Some(c)) => Some(c),
        _ => quick_xml::escape::resolve_predefined_entity(reference).and_then(|s| s.chars().next()),
    }
}
