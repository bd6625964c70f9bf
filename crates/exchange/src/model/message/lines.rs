//! The lines of a record: a signature base by RFC 9421, section 2.5, with more rules than that has.

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::model::{
    field::Field,
    headers::{self, LARGEST_HEAD, MOST_FIELDS},
    reason::reasons,
};

/// The largest record, in bytes: the largest head in base64 with its lines, and the longest target.
pub const LARGEST_RECORD: usize = 128 * 1024;

/// Most fields of a record: those of an information system, and what the nodes set.
const MOST_COVERED: usize = MOST_FIELDS + 10;

/// Largest sum of their names and values, in bytes.
const LARGEST_COVERED: usize = LARGEST_HEAD + 8 * 1024;

reasons! {
    /// Why bytes are no record, or a message gives none.
    pub enum RecordFlaw {
        TooLarge = "record-too-large",
            "Bản ghi thông điệp lớn hơn 128 KiB.",
            "The record of the message is larger than 128 KiB.";
        Malformed = "record-malformed",
            "Bản ghi thông điệp không đúng dạng của docs/protocol.md.",
            "The record of the message has not the form of docs/protocol.md.";
        NotCanonical = "record-not-canonical",
            "Bản ghi thông điệp không ở dạng duy nhất mà docs/protocol.md quy định.",
            "The record of the message is not in the one form that docs/protocol.md gives.";
        Method = "record-method",
            "Phương thức HTTP không được phép.",
            "The method is none that crosses the exchange.";
        Target = "record-target",
            "Địa chỉ trong thông điệp bị từ chối.",
            "The request target of the message is refused.";
        Status = "record-status",
            "Mã trạng thái phải từ 200 đến 599.",
            "The status code has to be from 200 to 599.";
        Digest = "record-digest",
            "Thông điệp phải có đúng một Content-Digest dạng sha-256=:…:.",
            "The message has to have one Content-Digest, of the form sha-256=:…:.";
        Leaf = "record-leaf",
            "Câu trả lời phải có đúng một Motcua-Request là mã băm lá của yêu cầu.",
            "The answer has to have one Motcua-Request, the leaf hash of the request.";
        Input = "record-input",
            "Motcua-Input không khớp với các tiêu đề của thông điệp.",
            "Motcua-Input is not that of the headers of the message.";
        Fields = "record-fields",
            "Thông điệp có quá nhiều tiêu đề, hoặc tiêu đề quá lớn.",
            "The message has too many headers, or they are too large.";
        Missing = "record-field-missing",
            "Thông điệp thiếu một tiêu đề bắt buộc, hoặc có tiêu đề đó hai lần.",
            "The message lacks a header that it must have, or has it twice.";
        Sender = "record-sender",
            "Tên sổ cái của bên gửi gồm 1 đến 255 ký tự A-Z a-z 0-9 . _ / : -.",
            "The name of the sender's log is 1 to 255 of the characters A-Z a-z 0-9 . _ / : -.";
    }
}

/// A record as it is written: its bytes, and where in them the value of the last line begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    text: String,
    input: usize,
}

impl Written {
    /// Writes the derived components (with the digest), a line for each name among the fields, and the last line
    /// without its end. A single field of printable ASCII stands as it is. Others stand as byte sequences, each field by
    /// itself (RFC 9421, 2.1.3): `a, b` is not `a` and `b`.
    pub(super) fn new(derived: &[(&str, &str)], fields: &[Field], created: u64, sender: &str, tag: &str) -> Self {
        let bytes: usize = fields.iter().map(|f| 2 * f.name().len() + f.value().len() + 8).sum();
        let mut text = String::with_capacity(bytes + 1024);
        let mut identifiers = String::with_capacity(512);
        for (name, value) in derived {
            begin_line(&mut text, &mut identifiers, name, "");
            text.extend([*value, "\n"]);
        }
        for same in fields.chunk_by(|a, b| a.name() == b.name()) {
            if let [field] = same
                && let Some(value) = printable(field)
            {
                begin_line(&mut text, &mut identifiers, field.name(), "");
                text.push_str(value);
            } else {
                begin_line(&mut text, &mut identifiers, same[0].name(), ";bs");
                for (n, field) in same.iter().enumerate() {
                    text.push_str(if n == 0 { ":" } else { ", :" });
                    BASE64_STANDARD.encode_string(field.value(), &mut text);
                    text.push(':');
                }
            }
            text.push('\n');
        }
        text.push_str("\"@signature-params\": ");
        let input = text.len();
        text.push_str(&format!(
            "({identifiers});created={created};keyid=\"{sender}\";tag=\"{tag}\""
        ));
        Self { text, input }
    }

    /// All of it.
    pub(super) fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// The inner list and the parameters of the last line.
    pub(super) fn input(&self) -> &str {
        &self.text[self.input..]
    }
}

/// The fields of a record in its order: lower case, by name, those of one name in the order that they came in.
pub(super) fn in_order(fields: impl IntoIterator<Item = Field>) -> Result<Vec<Field>, RecordFlaw> {
    let mut fields: Vec<Field> = fields
        .into_iter()
        .filter(|field| !headers::is_of_the_hop(field))
        .collect();
    let bytes: usize = fields
        .iter()
        .map(|field| field.name().len() + field.value().len())
        .sum();
    if fields.len() > MOST_COVERED || bytes > LARGEST_COVERED {
        return Err(RecordFlaw::Fields);
    }
    fields.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(fields)
}

/// Writes `"name": ` or `"name";bs: `, and the same without the colon into the list of what is covered.
fn begin_line(text: &mut String, identifiers: &mut String, name: &str, suffix: &str) {
    if !identifiers.is_empty() {
        identifiers.push(' ');
    }
    let identifier = ["\"", name, "\"", suffix];
    identifiers.extend(identifier);
    text.extend(identifier);
    text.push_str(": ");
}

/// The value, if it has printable ASCII alone.
fn printable(field: &Field) -> Option<&str> {
    field
        .text()
        .filter(|text| text.bytes().all(|b| matches!(b, b' '..=b'~')))
}

/// What is in a record, before anybody has compared its form.
pub(super) struct Lines<'a> {
    /// The values of the derived components and of the digest, in the order that was asked for.
    pub derived: Vec<&'a str>,
    pub fields: Vec<Field>,
    pub created: u64,
    pub sender: &'a str,
}

/// Takes a record apart. The first lines must be the components `derived`.
pub(super) fn read<'a>(bytes: &'a [u8], derived: &[&str]) -> Result<Lines<'a>, RecordFlaw> {
    if bytes.len() > LARGEST_RECORD {
        return Err(RecordFlaw::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| RecordFlaw::Malformed)?;
    let mut lines = text.split('\n').map(line);
    let values = derived
        .iter()
        .map(|name| match lines.next().flatten() {
            Some((found, false, value)) if found == *name => Some(value),
            _ => None,
        })
        .collect::<Option<Vec<_>>>()
        .ok_or(RecordFlaw::Malformed)?;
    let (mut fields, mut parameters) = (Vec::new(), None);
    for line in lines {
        if parameters.is_some() {
            return Err(RecordFlaw::Malformed);
        }
        match line.ok_or(RecordFlaw::Malformed)? {
            ("@signature-params", false, value) => parameters = Some(value),
            (name, false, value) => fields.push(field(name, value.as_bytes())?),
            (name, true, values) => {
                for value in values.split(", ") {
                    let value = value.strip_prefix(':').and_then(|v| v.strip_suffix(':'));
                    let value = value.and_then(|v| BASE64_STANDARD.decode(v).ok());
                    fields.push(field(name, &value.ok_or(RecordFlaw::Malformed)?)?);
                }
            }
        }
    }
    let (created, sender) = parameters.and_then(created_and_sender).ok_or(RecordFlaw::Malformed)?;
    Ok(Lines {
        derived: values,
        fields,
        created,
        sender,
    })
}

/// `"name": value` or `"name";bs: value`.
fn line(line: &str) -> Option<(&str, bool, &str)> {
    let (name, rest) = line.strip_prefix('"')?.split_once('"')?;
    match rest.strip_prefix(";bs: ") {
        Some(value) => Some((name, true, value)),
        None => Some((name, false, rest.strip_prefix(": ")?)),
    }
}

fn field(name: &str, value: &[u8]) -> Result<Field, RecordFlaw> {
    Field::new(name.as_bytes(), value).map_err(|_| RecordFlaw::Malformed)
}

/// Reads `(…);created=1;keyid="name";tag="…"`. Whether the rest is as it must be, writing it again shows.
pub(super) fn created_and_sender(input: &str) -> Option<(u64, &str)> {
    let (_, parameters) = input.split_once(");created=")?;
    let (created, rest) = parameters.split_once(";keyid=\"")?;
    let (sender, _) = rest.split_once('"')?;
    let created = created.parse().ok().filter(|n: &u64| n.to_string() == created)?;
    Some((created, sender))
}
