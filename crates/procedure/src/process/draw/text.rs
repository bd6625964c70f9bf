//! Text in a drawing: measured roughly, broken into lines.

/// About how wide a text is at a font size, for a humanist sans serif.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let ems: f64 = text
        .chars()
        .map(|c| match c {
            'i' | 'l' | 'j' | 'I' | '.' | ',' | '\'' | '!' | ':' | ';' | '|' | 'í' | 'ì' | 'ĩ' | 'ỉ' | 'ị' => {
                0.28
            }
            ' ' | 't' | 'f' | 'r' | '(' | ')' | '-' | '/' => 0.36,
            'm' | 'w' | 'M' | 'W' => 0.86,
            c if ('\u{300}'..='\u{36F}').contains(&c) => 0.0,
            c if c.is_uppercase() => 0.68,
            c if (c as u32) > 0x2E80 => 1.0,
            _ => 0.56,
        })
        .sum();
    ems * size
}

/// Breaks a text into at most `most` lines of `room` width; what does not fit ends in an ellipsis.
pub(super) fn wrap(text: &str, size: f64, room: f64, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let longer = if line.is_empty() {
            word.to_owned()
        } else {
            format!("{line} {word}")
        };
        if width(&longer, size) <= room {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        // A word that is wider than the room is cut.
        for c in word.chars() {
            if !line.is_empty() && width(&line, size) + width(c.encode_utf8(&mut [0; 4]), size) > room {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
        if lines.len() > most {
            break;
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            while !last.is_empty() && width(last, size) + size * 0.8 > room {
                last.pop();
            }
            *last = format!("{}…", last.trim_end());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_lose_nothing_silently() {
        let text = "Thẩm định hồ sơ và lấy ý kiến các cơ quan có liên quan";
        let lines = wrap(text, 12.0, 90.0, 9);
        assert!(lines.iter().all(|l| width(l, 12.0) <= 90.0), "{lines:?}");
        assert_eq!(lines.join(" "), text);
        let cut = wrap(text, 12.0, 90.0, 2);
        assert_eq!(cut.len(), 2);
        assert!(cut[1].ends_with('…'), "{cut:?}");
        assert!(wrap(&"x".repeat(500), 12.0, 90.0, 3).len() == 3);
    }
}
