//! What is odd in the published data. Nothing is corrected in silence: each oddity has a name for programs, a place,
//! what stood there, and a sentence in both languages.

use base::Text;
use serde::{Deserialize, Serialize};
use utoipa::openapi::{Object, RefOr, Schema, Type};

/// How serious an oddity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The row or file was not taken.
    Refused,
    /// Taken, but a reader may be misled: shown on the page with a caution.
    Misleading,
    /// Taken; something is missing.
    Missing,
    /// Taken; only the form is untidy.
    Untidy,
}

macro_rules! kinds {
    ($($name:ident $id:literal $severity:ident $vi:literal $en:literal;)*) => {
        /// The kinds of oddities.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Kind {
            $(#[doc = $en] #[serde(rename = $id)] $name,)*
        }

        impl Kind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name for programs.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id),* }
            }

            /// Reads [`Kind::id`].
            pub fn from_id(id: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|k| k.id() == id)
            }

            /// How serious it is.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity),* }
            }

            /// What it means.
            pub fn text(self) -> Text {
                match self { $(Self::$name => Text::new($vi, $en)),* }
            }
        }
    };
}

// Derived, it would have the names of Rust: the derive does not see the names that a macro gives to serde.
impl utoipa::PartialSchema for Kind {
    fn schema() -> RefOr<Schema> {
        let ids = Self::ALL.iter().map(|kind| kind.id());
        Object::builder()
            .schema_type(Type::String)
            .description(Some("The kinds of oddities."))
            .enum_values(Some(ids))
            .into()
    }
}

impl utoipa::ToSchema for Kind {}

kinds! {
    FileUnreadable "file-unreadable" Refused "Không đọc được tệp." "The file cannot be read.";
    FileFormat "file-format" Refused "Tệp không đúng định dạng được hỗ trợ." "The file is not in a supported format.";
    FileColumns "file-columns" Refused "Dòng tiêu đề thiếu cột bắt buộc." "The header lacks required columns.";
    ColumnUnknown "column-unknown" Untidy "Có cột hoặc trường chưa biết, đã bỏ qua." "An unknown column or key was left out.";
    Bom "byte-order-mark" Untidy "Đầu tệp có ký tự đánh dấu thứ tự byte (BOM)." "The file starts with a byte order mark.";
    NotUtf8 "not-utf8" Refused "Dòng không phải là văn bản UTF-8." "The line is not UTF-8 text.";
    LineTooLong "line-too-long" Refused "Dòng dài quá giới hạn cho phép." "The line is longer than allowed.";
    RowMalformed "row-malformed" Refused "Dòng không đúng cấu trúc." "The row is not well formed.";
    RowColumns "row-columns" Refused "Số cột của dòng khác với dòng tiêu đề." "The row has not as many columns as the header.";
    TooManyRows "too-many-rows" Refused "Tệp có quá nhiều dòng; phần còn lại chưa được đọc." "The file has too many rows; the rest was not read.";
    WrongType "wrong-type" Untidy "Kiểu dữ liệu của trường không đúng; nội dung này được để trống." "The value is not of the expected type; it is left blank.";
    CodeBlank "code-blank" Refused "Không có mã thủ tục." "There is no procedure code.";
    CodeUnusable "code-unusable" Refused "Mã thủ tục không dùng được." "The procedure code cannot be used.";
    CodeSpaces "code-spaces" Untidy "Mã thủ tục có khoảng trắng thừa." "The procedure code has stray spaces.";
    CodeNonstandard "code-nonstandard" Untidy "Mã thủ tục không theo mẫu d.dddddd." "The procedure code is not of the form d.dddddd.";
    CodeMarkedDeleted "code-marked-deleted" Misleading "Mã có dấu hiệu đã xóa nhưng thủ tục vẫn được công bố." "The code is marked as deleted, yet the procedure is still published.";
    CodeDuplicate "code-duplicate" Refused "Mã này đã được dùng cho một thủ tục khác trong cùng tệp." "Another procedure in the same file has this code.";
    RowRepeated "row-repeated" Untidy "Dòng lặp lại y hệt một dòng trước." "The row repeats an earlier one word for word.";
    RowReplaced "row-replaced-by-later-file" Untidy "Tệp sau trong cùng lần nhập có nội dung khác cho mã này; đã lấy theo tệp sau." "A later file of the same import says otherwise about this code; the later file was taken.";
    CodeProvince "code-province-variant" Untidy "Mã biến thể của địa phương." "The code of a province's variant.";
    NameBlank "name-blank" Refused "Không có tên thủ tục." "The procedure has no name.";
    NameCapitals "name-capitals" Untidy "Tên viết hoa toàn bộ." "The name is in capitals throughout.";
    NameUnfinished "name-stray-punctuation" Untidy "Tên kết thúc bằng dấu câu thừa." "The name ends in stray punctuation.";
    NameLong "name-very-long" Untidy "Tên dài quá 400 ký tự." "The name is longer than 400 characters.";
    NotNfc "text-not-nfc" Untidy "Văn bản dùng dấu tổ hợp rời (NFD), đã chuyển về dạng dựng sẵn (NFC)." "The text uses combining marks (NFD); it was composed (NFC).";
    Mojibake "text-mojibake" Misleading "Văn bản có dấu hiệu sai bảng mã." "The text seems to be wrongly encoded.";
    HiddenCharacter "text-hidden-character" Untidy "Văn bản có ký tự ẩn, đã bỏ." "The text has hidden characters; they were removed.";
    DoubleSpace "text-double-space" Untidy "Văn bản có khoảng trắng kép." "The text has double spaces.";
    ListBlankItem "list-blank-item" Untidy "Danh sách có mục để trống." "The list has blank items.";
    ListRepeatedItem "list-repeated-item" Untidy "Danh sách có mục lặp lại." "The list repeats an item.";
    FieldBlank "field-blank" Missing "Không nêu lĩnh vực." "The field is not stated.";
    PromulgatingBlank "promulgating-agency-blank" Missing "Không nêu cơ quan ban hành." "The promulgating agency is not stated.";
    ExecutingBlank "executing-agency-blank" Missing "Không nêu cơ quan thực hiện." "The executing agency is not stated.";
    AgencyFormer "agency-former" Misleading "Tên cơ quan ghi theo tổ chức cũ." "The agency is named after its former organisation.";
    AgencySpelling "agency-spelling" Untidy "Tên cơ quan viết không thống nhất." "The agency's name is not spelt uniformly.";
    AudienceUnknown "audience-unknown" Untidy "Đối tượng thực hiện không có trong danh mục." "The audience is not in the list.";
    AudienceBlank "audience-blank" Missing "Không nêu đối tượng thực hiện." "The audience is not stated.";
    SortUnknown "type-unknown" Untidy "Loại thủ tục không có trong danh mục." "The type of procedure is not in the list.";
    SortContradicts "type-contradicts-agency" Misleading "Loại thủ tục không khớp với cơ quan ban hành." "The type of procedure does not fit the agency that promulgated it.";
    StateUnknown "state-unknown" Untidy "Trạng thái không có trong danh mục." "The state is not in the list.";
    MethodUnknown "channel-unknown" Untidy "Cách thức thực hiện không có trong danh mục." "The channel is not in the list.";
    UnitOther "time-unit-other" Missing "Đơn vị thời hạn ghi \"khác\"." "The unit of the time limit is given as \"other\".";
    UnitUnknown "time-unit-unknown" Untidy "Đơn vị thời hạn không có trong danh mục." "The unit of the time limit is not in the list.";
    QtyZero "time-zero" Missing "Thời hạn ghi là 0." "The time limit is given as 0.";
    QtyText "time-words-for-number" Misleading "Ô số của thời hạn chứa câu chữ." "Words stand where the number of the time limit belongs.";
    QtyFraction "time-fraction" Untidy "Thời hạn là số lẻ." "The time limit is a fraction.";
    QtyBlank "time-blank" Missing "Không nêu thời hạn." "No time limit is stated.";
    TimeContradicts "time-text-contradicts" Misleading "Thời hạn bằng chữ khác với thời hạn bằng số." "The time limit in words differs from the number.";
    CaseContradicts "channel-and-case-times-differ" Misleading "Thời hạn theo trường hợp khác với thời hạn theo cách thức nộp." "The time limit of the case differs from that of the channel.";
    FeeBlank "fee-not-published" Missing "Mức phí, lệ phí để trống." "The fee is left blank.";
    FeeByProvince "fee-set-by-province" Missing "Mức phí, lệ phí do địa phương quy định; số ghi trong danh mục không phải là mức thu." "The province sets the fee; the published number is not the amount.";
    FeeScale "fee-suspicious-scale" Misleading "Mức thu dưới 1.000 đồng: có thể ghi thiếu nghìn đồng hoặc không phải tiền đồng." "Less than 1,000 đồng: probably short by a factor of 1,000, or not in đồng.";
    FeeContradicts "fee-text-contradicts-amount" Misleading "Mức thu bằng chữ khác với mức thu bằng số." "The fee in words differs from the number.";
    FeeElsewhere "fee-in-another-text" Missing "Mức thu dẫn chiếu văn bản khác, không nêu số." "The fee refers to another document and gives no number.";
    FeeNegative "fee-negative" Misleading "Mức thu là số âm." "The fee is negative.";
    ResultsBlank "results-blank" Missing "Không nêu kết quả." "The result is not stated.";
    BasisBlank "legal-basis-blank" Missing "Không nêu căn cứ pháp lý." "The legal basis is not stated.";
    BasisMalformed "legal-number-malformed" Untidy "Số, ký hiệu văn bản không đúng thể thức." "The number of a legal document is not well formed.";
    StepsGarbled "text-garbled" Misleading "Văn bản có câu bị ngắt hoặc xáo trộn." "Sentences are broken off or shuffled.";
    PaperRemark "paper-is-remark" Untidy "Danh sách giấy tờ chứa lưu ý, không phải giấy tờ." "The list of papers contains remarks that are no papers.";
    SourcesDisagree "executing-agencies-differ" Misleading "Các nguồn nêu cơ quan thực hiện khác nhau." "The sources name different executing agencies.";
    FeeZeroByProvince "fee-zero-set-by-province" Missing "Mức phí, lệ phí ghi 0 nhưng do Hội đồng nhân dân cấp tỉnh quyết định." "The fee is given as 0, yet the provincial People's Council sets it.";
    FeeZeroSilent "fee-zero-without-text" Missing "Mức phí, lệ phí ghi 0, không nêu căn cứ." "The fee is given as 0 without a reason.";
    FeeOffSubject "fee-text-off-subject" Misleading "Ghi chú về phí, lệ phí có nội dung không liên quan." "The note on the fee speaks of something else.";
    FeesDiffer "channel-fees-differ" Misleading "Phí, lệ phí khác nhau giữa các cách thức nộp." "The fees differ between the channels.";
    TimesDiffer "channel-times-differ" Misleading "Thời hạn khác nhau giữa các cách thức nộp." "The time limit differs between the channels.";
    ChannelContradicts "channel-text-contradicts-method" Misleading "Phần mô tả không khớp với cách thức nộp." "The description contradicts the channel.";
    TimeUnitContradicts "time-text-contradicts-unit" Misleading "Phần mô tả thời hạn không khớp với đơn vị thời gian." "The description of the time limit contradicts its unit.";
    CaseUnitOther "case-time-unit-other" Missing "Thời hạn của trường hợp ghi đơn vị \"khác\"." "The time limit of a case has the unit \"other\".";
    CaseRepeated "case-code-repeated" Untidy "Một mã trường hợp được công bố nhiều lần." "One case code is published more than once.";
    CasesBlank "cases-not-published" Missing "Chưa công bố các trường hợp thực hiện." "No cases are published.";
    AudienceContradicts "audience-contradicts-name" Misleading "Đối tượng thực hiện không khớp với tên thủ tục." "The audience contradicts the name of the procedure.";
    AgencyAbolished "executing-agency-abolished" Misleading "Cơ quan thực hiện thuộc cấp huyện, nay không còn." "The executing agency belongs to the abolished district level.";
    FieldCodeBlank "field-code-blank" Missing "Chưa công bố mã lĩnh vực." "The field code is blank.";
    BasisRepeated "legal-basis-repeated" Untidy "Một căn cứ pháp lý được nêu nhiều lần với cách viết khác nhau." "One legal text is named more than once in different spellings.";
    NameRepeated "name-not-unique" Untidy "Có thủ tục khác trùng tên." "Another procedure has the same name.";
    StillActive "published-active-though-replaced" Misleading "Vẫn được công bố là đang thực hiện dù đã có thủ tục thay thế." "Still published as active though another procedure replaces it.";
    ResultDoubled "result-doubled-word" Untidy "Tên kết quả lặp từ." "The name of a result repeats a word.";
    ResultMarks "result-stray-marks" Untidy "Tên kết quả có ký tự thừa." "The name of a result has stray marks.";
    NamedOnly "named-as-successor-only" Missing "Mới chỉ biết thủ tục này thay thế thủ tục khác; nội dung chưa có trong nguồn dữ liệu." "Known only as the successor of another procedure; its details are not in the sources.";
}

/// One oddity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Oddity {
    /// What is odd.
    pub kind: Kind,
    /// Which part of the entry: `channels[0].fees[1]`, `name`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub at: String,
    /// What stands there, cut to 160 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub value: String,
}

impl Oddity {
    /// An oddity; `value` is cut.
    pub fn new(kind: Kind, at: impl Into<String>, value: &str) -> Self {
        Self {
            kind,
            at: at.into(),
            value: clip(value, 160),
        }
    }
}

/// The first `max` characters, with an ellipsis where something was cut; control characters become spaces.
pub fn clip(text: &str, max: usize) -> String {
    let mut out: String = text
        .chars()
        .take(max)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(max).is_some() {
        out.push('…');
    }
    out
}
