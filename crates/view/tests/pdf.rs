//! Documents as they leave the house: PDF/A-2u, every Vietnamese letter, nothing of the machine around.

use base::Timestamp;
use lopdf::{Document, Object};
use serde_json::json;
use view::pdf::{Job, Pdf, PdfError, render_now};

/// The 134 letters of Vietnamese that ASCII does not have, both cases.
const LETTERS: &str = "àáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵđ\
                       ÀÁẢÃẠĂẰẮẲẴẶÂẦẤẨẪẬÈÉẺẼẸÊỀẾỂỄỆÌÍỈĨỊÒÓỎÕỌÔỒỐỔỖỘƠỜỚỞỠỢÙÚỦŨỤƯỪỨỬỮỰỲÝỶỸỴĐ";

const RECEIPT: &str = r##"#import "/document.typ": *
#let d = json("/data.json")
#show: paper.with(title: d.title, code: d.code, size: d.at("size", default: "a4"))
#state-head(parent: d.parent, agency: d.agency, number: d.number, place: d.place, date: d.date)
#title-block(d.title, subtitle: d.subtitle)
#for (name, value) in d.entries { entry(name, value) }
#facts((auto, 1fr, auto), ("TT", "Tên giấy tờ", "Số lượng"), ..d.papers.enumerate().map(((i, p)) => (str(i + 1), p, "1")))
#signatures(
  (role: "Người nộp hồ sơ", note: "(Ký và ghi rõ họ tên)", name: d.applicant),
  (role: "Người tiếp nhận hồ sơ", note: "(Ký số)", stamp: "Ký bởi: Trần Văn Bình, 21/11/2026 08:05", name: "Trần Văn Bình"),
)
#tracking("Quét mã để theo dõi hồ sơ, hoặc nhập mã " + d.code + " tại trang tra cứu.")
"##;

fn at() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-21T08:05:00+07:00").expect("a valid instant")
}

fn receipt(size: &str) -> Job {
    let data = json!({
        "title": "Giấy tiếp nhận hồ sơ và hẹn trả kết quả",
        "subtitle": "(Liên lưu: giao cho người nộp hồ sơ)",
        "size": size,
        "code": "H57.18-261121-0001",
        "parent": "Ủy ban nhân dân phường Thuận Hóa",
        "agency": "Bộ phận một cửa",
        "number": "0001/TNHS",
        "place": "Thuận Hóa",
        "date": "2026-11-21",
        "applicant": "Nguyễn Thị Ngọc Ánh",
        "entries": [["Tiếp nhận hồ sơ của", "Nguyễn Thị Ngọc Ánh"], ["Nội dung yêu cầu giải quyết", "Đăng ký khai sinh"],
                    ["Địa chỉ", ""], ["Các chữ cái", LETTERS.chars().map(|c| format!("{c} ")).collect::<String>()], ["Lệ phí", "8.000 ₫ – “miễn” …"]],
        "papers": ["Giấy chứng sinh", "Tờ khai đăng ký khai sinh"],
    });
    Job::new(RECEIPT, data, at())
        .qr("https://motcua.example/t/H57.18-261121-0001")
        .ident("H57.18-261121-0001/01/1")
}

fn metadata(pdf: &Document) -> String {
    let catalog = pdf.catalog().expect("a catalogue");
    let id = catalog
        .get(b"Metadata")
        .and_then(Object::as_reference)
        .expect("metadata");
    let stream = pdf.get_object(id).and_then(Object::as_stream).expect("a stream");
    let bytes = stream.decompressed_content().unwrap_or_else(|_| stream.content.clone());
    String::from_utf8(bytes).expect("XMP is UTF-8")
}

#[test]
fn a_receipt_is_pdf_a_2u_with_every_letter() {
    let bytes = render_now(&receipt("a4")).expect("the receipt renders");
    if let Some(dir) = std::env::var_os("PDF_SAMPLES") {
        std::fs::write(std::path::Path::new(&dir).join("receipt.pdf"), &bytes).expect("the sample is written");
        let small = render_now(&receipt("a5")).expect("the small receipt renders");
        std::fs::write(std::path::Path::new(&dir).join("receipt-a5.pdf"), small).expect("the sample is written");
    }
    let pdf = Document::load_mem(&bytes).expect("a PDF");
    let xmp = metadata(&pdf);
    assert!(xmp.contains("<pdfaid:part>2</pdfaid:part>"), "{xmp}");
    assert!(xmp.contains("<pdfaid:conformance>U</pdfaid:conformance>"), "{xmp}");
    assert!(xmp.contains("Giấy tiếp nhận hồ sơ và hẹn trả kết quả"), "{xmp}");
    assert!(
        xmp.contains("2026-11-21T08:05:00+07:00"),
        "the document bears the given instant: {xmp}"
    );
    assert!(pdf.catalog().expect("a catalogue").has(b"OutputIntents"));

    let mut fonts = 0;
    for object in pdf.objects.values() {
        let Ok(dict) = object.as_dict() else { continue };
        if dict
            .get(b"Type")
            .and_then(Object::as_name)
            .is_ok_and(|t| t == b"FontDescriptor")
        {
            assert!(
                dict.has(b"FontFile2") || dict.has(b"FontFile3"),
                "a font is not embedded"
            );
            fonts += 1;
        }
        assert!(!dict.has(b"JS") && !dict.has(b"JavaScript"), "no active content");
    }
    assert!(fonts >= 2, "regular and bold");

    let pages: Vec<u32> = pdf.get_pages().keys().copied().collect();
    assert_eq!(pages, [1]);
    let text: String = pdf
        .extract_text(&pages)
        .expect("text")
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    for letter in LETTERS.chars().filter(|c| !c.is_whitespace()) {
        assert!(text.contains(letter), "{letter} cannot be found in {text}");
    }
    assert_eq!(LETTERS.chars().filter(|c| !c.is_whitespace()).count(), 134);
}

#[test]
fn the_same_job_gives_the_same_bytes() {
    assert_eq!(render_now(&receipt("a4")), render_now(&receipt("a4")));
}

#[test]
fn data_are_never_read_as_source() {
    let job = Job::new(
        "#import \"/document.typ\": *\n#show: paper.with(title: \"x\")\n#json(\"/data.json\").name",
        json!({ "name": "#read(\"/main.typ\") #panic(\"ran\") $x$ *b*" }),
        at(),
    );
    let bytes = render_now(&job).expect("it renders");
    let text = Document::load_mem(&bytes)
        .and_then(|pdf| pdf.extract_text(&[1]))
        .expect("text");
    assert!(text.contains("#panic"), "{text}");
}

#[test]
fn a_template_sees_nothing_of_the_machine() {
    for source in [
        "#read(\"/etc/passwd\")",
        "#read(\"../../../../etc/passwd\")",
        "#import \"@preview/cetz:0.3.0\": canvas",
        "#image(\"/Cargo.toml\")",
        "#include \"/secret.typ\"",
    ] {
        let refused = render_now(&Job::new(source, json!({}), at()));
        assert!(matches!(refused, Err(PdfError::Template(_))), "{source}: {refused:?}");
    }
}

#[test]
fn mistakes_are_told_with_their_place() {
    let Err(PdfError::Template(found)) = render_now(&Job::new("Xin chào\n\n  #không-có", json!({}), at())) else {
        panic!("an unknown name must be refused");
    };
    assert_eq!(
        (found[0].file.as_str(), found[0].line, found[0].column),
        ("main.typ", 3, 4),
        "{found:?}"
    );
    assert!(found[0].message.contains("unknown variable"), "{found:?}");
}

#[test]
fn loops_without_end_and_too_much_input_are_refused() {
    let endless = render_now(&Job::new("#while true { }", json!({}), at()));
    assert!(matches!(endless, Err(PdfError::Template(_))), "{endless:?}");
    let big = Job::new("x", json!({}), at()).file("big.svg", vec![b' '; view::pdf::MAX_INPUT]);
    assert!(matches!(render_now(&big), Err(PdfError::TooLarge(_))));
    let long = render_now(&Job::new("#for i in range(250) [#i #pagebreak()]", json!({}), at()));
    assert!(
        matches!(long, Err(PdfError::TooLarge(_))),
        "{:?}",
        long.map(|b| b.len())
    );
}

#[tokio::test]
async fn documents_are_made_beside_the_requests() {
    let pdf = Pdf::new(2);
    let jobs: Vec<_> = (0..4)
        .map(|_| {
            tokio::spawn({
                let pdf = pdf.clone();
                async move { pdf.render(receipt("a4")).await }
            })
        })
        .collect();
    for job in jobs {
        let bytes = job.await.expect("no panic").expect("it renders");
        assert!(bytes.starts_with(b"%PDF-1."));
    }
}
