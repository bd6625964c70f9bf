//! ZIP files in one form (APPNOTE 4.3): files one after another, stored, without dates, attributes, comments or extra fields.
//! What is read is in that form only if writing it again gives the same bytes; so no byte of an evidence container is without
//! meaning. Writing is short enough to stay the same for ever, which no library promises.

/// 1 January 1980, 0:00: no date.
const NO_DATE: u32 = 0x0021_0000;
/// Names are in UTF-8.
const UTF8: u16 = 1 << 11;
const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// Length of what stands before the name in the central directory.
const CENTRAL_HEAD: usize = 46;
/// The same before a file.
const LOCAL_HEAD: usize = 30;
/// Length of the end of the central directory.
const END_LENGTH: usize = 22;

/// A file: its name and its content.
pub(crate) type Entry = (String, Vec<u8>);

/// Writes files in their order. Together they are smaller than 4 GiB, which is the caller's to see to.
pub(crate) fn write(files: &[Entry]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let at = length(out.len());
        let crc = crc32fast::hash(content);
        // A name beyond ASCII is said to be UTF-8 (4.4.4, bit 11), which version 2.0 knows.
        let (version, flags) = if name.is_ascii() { (10_u16, 0) } else { (20, UTF8) };
        // Stored; date; checksum; both sizes; length of the name; no extra field.
        let common = |out: &mut Vec<u8>| {
            out.extend(version.to_le_bytes());
            out.extend(flags.to_le_bytes());
            out.extend([0; 2]);
            for word in [NO_DATE, crc, length(content.len()), length(content.len())] {
                out.extend(word.to_le_bytes());
            }
            out.extend(short(name.len()));
            out.extend([0; 2]);
        };
        out.extend(LOCAL.to_le_bytes());
        common(&mut out);
        out.extend(name.as_bytes());
        out.extend(content);
        directory.extend(CENTRAL.to_le_bytes());
        directory.extend(version.to_le_bytes());
        common(&mut directory);
        // No comment, first disk, no attributes.
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let at = length(out.len());
    let size = length(directory.len());
    out.extend(directory);
    out.extend(END.to_le_bytes());
    out.extend([0; 4]);
    out.extend(short(files.len()));
    out.extend(short(files.len()));
    out.extend(size.to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend([0; 2]);
    out
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

fn short(n: usize) -> [u8; 2] {
    u16::try_from(n).unwrap_or(u16::MAX).to_le_bytes()
}

/// Reads the files that the central directory lists; none when it leads nowhere. Whether the bytes are in the one form is
/// said by [`write`].
pub(crate) fn read(bytes: &[u8]) -> Option<Vec<Entry>> {
    let end = bytes.len().checked_sub(END_LENGTH)?;
    if word(bytes, end)? != END {
        return None;
    }
    let mut at = word(bytes, end + 16)? as usize;
    let mut files = Vec::new();
    while at < end {
        if word(bytes, at)? != CENTRAL {
            return None;
        }
        let name_length = usize::from(half(bytes, at + 28)?);
        let size = word(bytes, at + 24)? as usize;
        let local = word(bytes, at + 42)? as usize;
        let name = bytes.get(at + CENTRAL_HEAD..(at + CENTRAL_HEAD).checked_add(name_length)?)?;
        let name = std::str::from_utf8(name).ok()?.to_owned();
        if word(bytes, local)? != LOCAL {
            return None;
        }
        let start = local.checked_add(LOCAL_HEAD)?.checked_add(name_length)?;
        files.push((name, bytes.get(start..start.checked_add(size)?)?.to_vec()));
        // Every file costs its length, so a directory that lists one of them a thousand times is no bomb of memory.
        if files.iter().map(|(_, content)| content.len()).sum::<usize>() > bytes.len() {
            return None;
        }
        at += CENTRAL_HEAD + name_length;
    }
    Some(files)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(two.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::{io::Write, process::Command};

    use proptest::prelude::*;

    use super::*;

    fn files() -> Vec<Entry> {
        vec![
            ("mimetype".to_owned(), b"application/vnd.etsi.asic-e+zip".to_vec()),
            ("a/b.txt".to_owned(), "hồ sơ\n".as_bytes().to_vec()),
            ("empty".to_owned(), Vec::new()),
            ("tệp".to_owned(), b"x".to_vec()),
        ]
    }

    #[test]
    fn what_is_written_is_read_and_others_read_it_too() {
        let bytes = write(&files());
        assert_eq!(read(&bytes), Some(files()));
        assert_eq!(&bytes[30..38], b"mimetype", "first, and stored");
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(&bytes).expect("written");
        let script = "import sys,zipfile\nz=zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n\
                      print([(i.filename,i.compress_type,z.read(i).decode()) for i in z.infolist()])";
        let said = Command::new("python3")
            .arg("-c")
            .arg(script)
            .arg(file.path())
            .output()
            .expect("python3");
        assert_eq!(
            String::from_utf8_lossy(&said.stdout).trim(),
            r"[('mimetype', 0, 'application/vnd.etsi.asic-e+zip'), ('a/b.txt', 0, 'hồ sơ\n'), ('empty', 0, ''), ('tệp', 0, 'x')]",
            "{}",
            String::from_utf8_lossy(&said.stderr)
        );
    }

    proptest! {
        #[test]
        fn anything_can_be_read_without_harm(mut bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0_usize..400, with: u8) {
            let _ = read(&bytes);
            bytes = write(&files());
            let at = at % bytes.len();
            bytes[at] = with;
            if let Some(files) = read(&bytes) {
                let _ = write(&files);
            }
        }
    }
}
