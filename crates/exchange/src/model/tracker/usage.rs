//! Estonia's data tracker protocol, version 2 (`dumonitor-openapi.yaml` 2.1.0, reference 7.4): the service `findUsage`
//! with the paths `/v2/findUsage`, `/v2/usagePeriod` and `/v2/heartbeat`. Ours beside it is `/v1/proofs/{read}`: the proof of one
//! usage, by the `readId` that we give with each.

use base::{
    Timestamp,
    codes::{CodeError, PersonNumber},
};
use jiff::civil::DateTime;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::model::{
    address::parameters,
    error::{ErrorCode, Refusal},
    headers::USER_ID,
    reason::reasons,
};

/// Most rows of one answer, and how many there are when the caller does not say.
const MOST_ROWS: u32 = 1000;

reasons! {
    /// Why a query for usages is refused.
    pub enum FindUsageFlaw {
        NoUser = "user-missing",
            "Thiếu tiêu đề X-Road-UserId: người đang xem, ví dụ VN037190001234.",
            "The header X-Road-UserId is missing: who is looking, such as VN037190001234.";
        NoSubject = "usercode-missing",
            "Thiếu tham số userCode: số định danh của người được hỏi, ví dụ VN037190001234.",
            "The parameter userCode is missing: the number of the person that is asked about, such as VN037190001234.";
        Time = "not-a-time",
            "Thời điểm phải theo RFC 3339, ví dụ 2026-11-21T15:04:05+07:00.",
            "A time is in RFC 3339, such as 2026-11-21T15:04:05+07:00.";
        Number = "not-a-number",
            "offset là số nguyên từ 0; limit là số nguyên từ 1 đến 1000.",
            "offset is a whole number from 0; limit is a whole number from 1 to 1000.";
    }
}

/// `GET /v2/findUsage?userCode=…&periodStart=…&periodEnd=…&offset=0&limit=1000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindUsage {
    /// Who looks: the header `X-Road-UserId`, which may be another person by mandate.
    pub user: PersonNumber,
    /// About whom.
    pub subject: PersonNumber,
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Before or at this instant.
    pub to: Option<Timestamp>,
    /// Rows to leave out, newest first.
    pub offset: u32,
    /// Rows to give, at most 1000.
    pub limit: u32,
}

impl FindUsage {
    /// Reads the query and the user of the head.
    ///
    /// # Errors
    /// [`Refusal`] with [`ErrorCode::BadRequest`] and every problem at its parameter.
    pub fn read(query: Option<&str>, user: Option<&str>) -> Result<Self, Refusal> {
        let value = |name: &str| {
            parameters(query.unwrap_or_default())
                .find(|p| p.name == name)
                .map(|p| p.value)
        };
        let mut refusal = Refusal::new(ErrorCode::BadRequest);
        let mut keep = |place: &str, reason: CodeError| refusal.add(place, reason);
        let user = person(user, FindUsageFlaw::NoUser).map_err(|e| keep(USER_ID, e)).ok();
        let subject = subject(query).map_err(|e| keep("userCode", e)).ok();
        let from = time(value("periodStart")).map_err(|e| keep("periodStart", e)).ok();
        let to = time(value("periodEnd")).map_err(|e| keep("periodEnd", e)).ok();
        let offset = number(value("offset"), 0, 0, u32::MAX)
            .map_err(|e| keep("offset", e))
            .ok();
        let limit = number(value("limit"), MOST_ROWS, 1, u32::MAX)
            .map_err(|e| keep("limit", e))
            .ok();
        match (user, subject, from, to, offset, limit) {
            (Some(user), Some(subject), Some(from), Some(to), Some(offset), Some(limit)) => Ok(Self {
                user,
                subject,
                from,
                to,
                offset,
                limit: limit.min(MOST_ROWS),
            }),
            _ => Err(refusal),
        }
    }
}

/// `GET /v1/proofs/{read}?userCode=…`: the proof of one usage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindProof {
    /// Who looks: the header `X-Road-UserId`.
    pub user: PersonNumber,
    /// About whom the read was.
    pub subject: PersonNumber,
}

impl FindProof {
    /// Reads the query and the user of the head.
    ///
    /// # Errors
    /// As [`FindUsage::read`].
    pub fn read(query: Option<&str>, user: Option<&str>) -> Result<Self, Refusal> {
        let mut refusal = Refusal::new(ErrorCode::BadRequest);
        let user = person(user, FindUsageFlaw::NoUser)
            .map_err(|e| refusal.add(USER_ID, e))
            .ok();
        let subject = subject(query).map_err(|e| refusal.add("userCode", e)).ok();
        match (user, subject) {
            (Some(user), Some(subject)) => Ok(Self { user, subject }),
            _ => Err(refusal),
        }
    }
}

fn subject(query: Option<&str>) -> Result<PersonNumber, CodeError> {
    let code = parameters(query.unwrap_or_default()).find(|p| p.name == "userCode");
    person(code.map(|p| p.value).as_deref(), FindUsageFlaw::NoSubject)
}

fn person(text: Option<&str>, missing: FindUsageFlaw) -> Result<PersonNumber, CodeError> {
    let text = text.ok_or(missing)?;
    text.strip_prefix("VN").unwrap_or(text).parse()
}

/// RFC 3339; without an offset, as the examples of the protocol are, it is legal time.
fn time(text: Option<String>) -> Result<Option<Timestamp>, CodeError> {
    let Some(text) = text else { return Ok(None) };
    let local = || text.parse::<DateTime>().ok().map(Timestamp::from_legal);
    let time = Timestamp::parse_rfc3339(&text).or_else(local);
    Ok(Some(time.ok_or(FindUsageFlaw::Time)?))
}

fn number(text: Option<String>, default: u32, least: u32, most: u32) -> Result<u32, CodeError> {
    let Some(text) = text else { return Ok(default) };
    let number = text.parse().ok().filter(|n| (least..=most).contains(n));
    Ok(number.ok_or(FindUsageFlaw::Number)?)
}

/// One reading of a person's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// When.
    #[serde(serialize_with = "rfc3339")]
    pub logtime: Timestamp,
    /// Why, in words that a person understands.
    pub action: String,
    /// The code of the agency that read.
    pub receiver_code: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receiver_name: Option<String>,
    /// Its information system.
    pub receiver_system: String,
    /// By which the proof is asked for. Ours: nodes of other makes neither give nor read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_id: Option<Uuid>,
}

/// The answer of `findUsage`, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UsagePage {
    /// How many there are, whatever offset and limit are.
    pub total_usages: u64,
    /// Those of this page.
    pub usages: Vec<Usage>,
}

/// The answer of `usagePeriod`: from when, and until when if not until now, usages are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UsagePeriod {
    /// From.
    #[serde(serialize_with = "rfc3339")]
    pub period_start: Timestamp,
    /// Until.
    #[serde(serialize_with = "rfc3339_if", skip_serializing_if = "Option::is_none")]
    pub period_end: Option<Timestamp>,
}

/// Whether usages can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Health {
    /// They can.
    Ok,
    /// They cannot.
    Fail,
}

/// The answer of `heartbeat`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Heartbeat {
    /// The state.
    pub status: Health,
    /// What is wrong, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

fn rfc3339<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.rfc3339())
}

fn rfc3339_if<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(Timestamp::rfc3339).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_with_its_defaults() {
        let query = "userCode=VN037190001234&periodStart=2021-01-31T10:20:30&periodEnd=2021-01-31T10%3A20%3A30%2B07:00";
        let asked = FindUsage::read(Some(query), Some("VN001205000001")).expect("a sound query");
        assert_eq!(
            (asked.subject.as_str(), asked.user.as_str()),
            ("037190001234", "001205000001")
        );
        assert_eq!(asked.from, asked.to, "without an offset it is legal time");
        assert_eq!((asked.offset, asked.limit), (0, 1000));
        let asked = FindUsage::read(Some("userCode=037190001234&offset=5&limit=5000"), Some("037190001234"));
        assert_eq!(asked.map(|a| (a.offset, a.limit)), Ok((5, 1000)));
    }

    #[test]
    fn every_problem_is_at_its_parameter() {
        let query = "userCode=12&periodStart=yesterday&periodEnd=x&offset=-1&limit=0";
        let refusal = FindUsage::read(Some(query), None).expect_err("refused");
        let places: Vec<_> = refusal.problems().iter().map(|p| p.at.as_str()).collect();
        assert_eq!(
            places,
            [USER_ID, "userCode", "periodStart", "periodEnd", "offset", "limit"]
        );
        let refusal = FindUsage::read(None, Some("VN037190001234")).expect_err("refused");
        assert_eq!(
            refusal.problems().iter().next().map(|p| p.code.as_str()),
            Some("usercode-missing")
        );
    }

    #[test]
    fn a_proof_is_asked_for_by_somebody_about_somebody() {
        let asked = FindProof::read(Some("userCode=VN037190001234"), Some("VN001205000001")).expect("a sound query");
        assert_eq!(
            (asked.subject.as_str(), asked.user.as_str()),
            ("037190001234", "001205000001")
        );
        let refusal = FindProof::read(Some("userCode=12"), None).expect_err("refused");
        let places: Vec<_> = refusal.problems().iter().map(|p| p.at.as_str()).collect();
        assert_eq!(places, [USER_ID, "userCode"]);
    }

    #[test]
    fn answers_have_the_shapes_of_the_protocol() {
        let at = Timestamp::parse_rfc3339("2026-11-21T08:04:05Z").expect("a time");
        let page = UsagePage {
            total_usages: 2,
            usages: vec![Usage {
                logtime: at,
                action: "Xác minh hồ sơ khai sinh".to_owned(),
                receiver_code: "000.00.12.H41".to_owned(),
                receiver_name: None,
                receiver_system: "motcua".to_owned(),
                read_id: None,
            }],
        };
        assert_eq!(
            serde_json::to_string(&page).expect("JSON"),
            r#"{"totalUsages":2,"usages":[{"logtime":"2026-11-21T15:04:05+07:00","action":"Xác minh hồ sơ khai sinh","receiverCode":"000.00.12.H41","receiverSystem":"motcua"}]}"#
        );
        let period = UsagePeriod {
            period_start: at,
            period_end: None,
        };
        assert_eq!(
            serde_json::to_string(&period).expect("JSON"),
            r#"{"periodStart":"2026-11-21T15:04:05+07:00"}"#
        );
        let heartbeat = Heartbeat {
            status: Health::Ok,
            message: None,
        };
        assert_eq!(serde_json::to_string(&heartbeat).expect("JSON"), r#"{"status":"OK"}"#);
    }
}
