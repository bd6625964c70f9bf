//! QR codes as SVG.

use std::fmt::Write;

use qrcode::{Color, EcLevel, QrCode};

/// The code of `text` as an SVG drawing: one path, four modules of quiet zone, no size of its own. What is too long
/// for a QR code (2,331 bytes) gives an empty drawing.
pub fn qr(text: &str) -> String {
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::M) else {
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\"/>".to_owned();
    };
    let (width, colors) = (code.width(), code.to_colors());
    let mut path = String::new();
    for (y, row) in colors.chunks(width).enumerate() {
        let mut x = 0;
        while x < width {
            let run = row[x..].iter().take_while(|c| **c == Color::Dark).count();
            if run > 0 {
                // Writing to a string cannot fail.
                let _ = write!(path, "M{} {}h{run}v1h-{run}z", x + 4, y + 4);
            }
            x += run.max(1);
        }
    }
    let side = width + 8;
    format!(
        "<svg class=\"mc-qr__code\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\"QR\" \
         shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_drawn_and_a_text_too_long_is_not() {
        let svg = qr("https://example.vn/t/H29.22.15-261121-0001");
        // 42 bytes at level M need version 3: 29 modules and the quiet zone.
        assert!(svg.contains("viewBox=\"0 0 37 37\""), "{svg}");
        // The upper left finder pattern starts with seven dark modules.
        assert!(svg.contains("d=\"M4 4h7v1h-7z"), "{svg}");
        assert!(!qr(&"x".repeat(5_000)).contains("path"));
    }
}
