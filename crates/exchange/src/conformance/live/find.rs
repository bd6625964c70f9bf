//! Where the description is, and where the service.

use base::Text;

use super::client::{Address, Client, Request, Silence};
use crate::conformance::{
    description::{Description, LONGEST},
    report::Finding,
    rules::Rule,
    sheet::Sheet,
};

/// Where a description is looked for when the address is the service's.
const USUAL: [&str; 3] = ["openapi.json", "/openapi.json", "/api/openapi.json"];

/// Most redirects within the same origin.
const REDIRECTS: usize = 3;

/// Fetches the description.
///
/// # Errors
/// Why there is none.
pub(in crate::conformance) async fn fetch_description(
    client: &Client,
    url: &Address,
    base: Option<&Address>,
    sheet: &mut Sheet,
) -> Result<(Address, Vec<u8>), Finding> {
    // The caller's headers are for the service: they go nowhere else.
    let credentials = base.is_none_or(|base| base.same_origin(url));
    let as_folder = Address::parse(&format!("{}/", url.as_str().trim_end_matches('/'))).unwrap_or_else(|| url.clone());
    let candidates = USUAL.iter().filter_map(|usual| as_folder.join(usual));
    let mut last = None;
    for candidate in std::iter::once(url.clone()).chain(candidates) {
        match fetch(client, candidate, credentials).await {
            Ok((address, body)) if looks_described(&body) => return Ok((address, body)),
            Ok(_) => {}
            Err(finding) => last = Some(finding),
        }
        if last.is_some() && sheet.is_broken(Rule::ServiceAnswers) {
            break;
        }
        if let Some(finding) = last.as_ref().filter(|finding| finding.answer.is_none()) {
            sheet.broken(Rule::ServiceAnswers, finding.clone());
            break;
        }
    }
    Err(last.unwrap_or_else(|| {
        Finding::at(
            "",
            Text::new(
                format!(
                    "Không tìm thấy bản mô tả OpenAPI dạng JSON tại {}; cho biết địa chỉ của tệp.",
                    url.as_str()
                ),
                format!(
                    "No OpenAPI description in JSON was found at {}; give the address of the file.",
                    url.as_str()
                ),
            ),
        )
    }))
}

/// Whether it may be a description: a page of the service is tried no further.
fn looks_described(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"{") && body.windows(9).any(|window| window == b"\"openapi\"")
}

async fn fetch(client: &Client, mut address: Address, credentials: bool) -> Result<(Address, Vec<u8>), Finding> {
    for _ in 0..=REDIRECTS {
        let request = Request {
            headers: vec![("Accept".into(), "application/json".into())],
            credentials,
            ..Request::get(address.clone())
        };
        let answer = match client.send(&request).await {
            Ok(answer) => answer,
            Err(silence) => {
                let mut finding = Finding::at("", silence.text());
                finding.request = Some(request.excerpt());
                return Err(finding);
            }
        };
        let refuse = |text: Text| {
            let mut finding = Finding::at("", text);
            finding.request = Some(request.excerpt());
            finding.answer = Some(answer.excerpt());
            Err(finding)
        };
        match answer.status {
            200 if answer.body.len() > LONGEST => {
                return refuse(Text::new(
                    "Bản mô tả lớn hơn 4 MiB.",
                    "The description is larger than 4 MiB.",
                ));
            }
            200 => return Ok((address, answer.body)),
            300..=399 => {
                let next = answer.header("location").and_then(|location| address.join(location));
                match next.filter(|next| next.same_origin(&address)) {
                    Some(next) => address = next,
                    None => {
                        return refuse(Text::new(
                            "Bản mô tả chuyển hướng sang máy chủ khác; bộ kiểm tra không đi theo.",
                            "The description redirects to another host; the check does not follow.",
                        ));
                    }
                }
            }
            status => {
                return refuse(Text::new(
                    format!("Tải bản mô tả nhận được mã {status}."),
                    format!("Fetching the description gave status {status}."),
                ));
            }
        }
    }
    Err(Finding::at(
        "",
        Text::new(
            "Bản mô tả chuyển hướng quá nhiều lần.",
            "The description redirects too often.",
        ),
    ))
}

/// Where operations are called: the path of the first server, on the host that the caller named and no other.
pub(in crate::conformance) fn base_of(description: &Description, found_at: &Address) -> Address {
    let server = description
        .root()
        .pointer("/servers/0/url")
        .and_then(serde_json::Value::as_str)
        .unwrap_or("/");
    let path = found_at
        .join(server)
        .map(|address| address.path().to_owned())
        .unwrap_or_default();
    found_at
        .with_target(&format!("{path}/"))
        .unwrap_or_else(|| found_at.clone())
}

impl Silence {
    /// What happened, and what to do.
    pub fn text(self) -> Text {
        match self {
            Self::Unreachable => Text::new(
                "Không kết nối được với dịch vụ: không có máy chủ lắng nghe, hoặc chứng thư TLS không được tin cậy.",
                "The service cannot be reached: nobody listens, or its TLS certificate is not trusted.",
            ),
            Self::Late => Text::new(
                "Dịch vụ không trả lời xong trong thời hạn.",
                "The service did not finish its answer in time.",
            ),
            Self::Endless => Text::new(
                "Câu trả lời lớn hơn 8 MiB; chia thành nhiều trang.",
                "The answer is larger than 8 MiB; give it in pages.",
            ),
            Self::Broken => Text::new(
                "Dịch vụ ngắt kết nối giữa chừng hoặc trả lời không phải HTTP.",
                "The service broke off, or what it answered is no HTTP.",
            ),
        }
    }
}
