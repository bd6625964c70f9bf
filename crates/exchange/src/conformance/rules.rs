//! The house rules: what every service of the federation keeps. Reasons and examples: `docs/service-rules.md`.

use base::Text;
use serde::{Serialize, Serializer};

/// The version of the rules, as a badge names it. It grows when a rule is added or becomes stricter.
pub const VERSION: &str = "1";

/// How much a rule weighs (RFC 2119).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A service that breaks it does not conform.
    Must,
    /// A service may have a reason to break it.
    Should,
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Looks {
    /// At the description.
    Described,
    /// At what the service answers.
    Live,
}

macro_rules! rules {
    ($($looks:ident { $($name:ident = $code:literal $severity:ident $vi:literal, $en:literal;)+ })+) => {
        /// A house rule. The English sentence is what it asks.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $($(#[doc = $en] $name,)+)+
        }

        impl Rule {
            /// Every rule, in the order of `docs/service-rules.md`.
            pub const ALL: &'static [Self] = &[$($(Self::$name,)+)+];

            /// The stable name for programs.
            pub const fn code(self) -> &'static str {
                match self { $($(Self::$name => $code,)+)+ }
            }

            /// How much it weighs.
            pub const fn severity(self) -> Severity {
                match self { $($(Self::$name => Severity::$severity,)+)+ }
            }

            /// What it looks at.
            pub const fn looks(self) -> Looks {
                match self { $($(Self::$name => Looks::$looks,)+)+ }
            }

            /// What it asks.
            pub fn text(self) -> Text {
                match self { $($(Self::$name => Text::new($vi, $en),)+)+ }
            }
        }
    };
}

rules! {
    Described {
        DescriptionRead = "description-read" Must
            "Bản mô tả OpenAPI dạng JSON tải được từ chính dịch vụ, không quá 4 MiB, lồng không quá 64 tầng.",
            "The OpenAPI description can be had from the service itself, as JSON of at most 4 MiB nested at most 64 deep.";
        OpenApiVersion = "openapi-version" Must
            "Bản mô tả theo OpenAPI 3.1 hoặc 3.0.",
            "The description is OpenAPI 3.1 or 3.0.";
        OpenApiStructure = "openapi-structure" Must
            "Bản mô tả đúng cấu trúc của OpenAPI: đủ trường bắt buộc, tham số khớp với đường dẫn.",
            "The description has the structure of OpenAPI: what is mandatory is there, parameters fit their paths.";
        ReferenceLocal = "reference-local" Must
            "Mọi $ref đều trỏ vào chính bản mô tả, để bản mô tả đã ký là đầy đủ.",
            "Every $ref points into the description itself, so that what is signed is whole.";
        ReferenceResolves = "reference-resolves" Must
            "Mọi $ref đều trỏ đến nơi có thật.",
            "Every $ref points at something that is there.";
        SchemaValid = "schema-valid" Must
            "Mọi lược đồ đều là JSON Schema hợp lệ (2020-12) và không phức tạp quá mức.",
            "Every schema is valid JSON Schema (2020-12) and not excessively complex.";
        OperationId = "operation-id" Must
            "Mỗi thao tác có operationId, không trùng nhau.",
            "Each operation has an operationId, and no two have the same.";
        AnswerHasSchema = "answer-has-schema" Must
            "Mỗi câu trả lời thành công có nội dung JSON đều có lược đồ.",
            "Each successful JSON answer has a schema.";
        ErrorDescribed = "error-described" Must
            "Thao tác có tham số hoặc nội dung thì mô tả câu trả lời 4xx của nó.",
            "An operation that takes parameters or a body describes its 4xx answers.";
        ErrorProblemDetails = "error-problem-details" Must
            "Câu trả lời lỗi được mô tả là application/problem+json (RFC 9457) có lược đồ.",
            "Errors are described as application/problem+json (RFC 9457) with a schema.";
        ErrorBilingual = "error-bilingual" Should
            "Lược đồ của lỗi có danh sách problems, mỗi mục gồm code, at, vi, en.",
            "The schema of errors has a list `problems`, each with code, at, vi, en.";
        SecurityDeclared = "security-declared" Must
            "Mỗi thao tác cho biết ai được gọi (security), kể cả khi ai cũng được gọi (danh sách rỗng).",
            "Each operation says who may call it (security), even when everybody may (an empty list).";
        ServerDeclared = "server-declared" Should
            "Bản mô tả ghi địa chỉ của dịch vụ (servers), bằng https, không kèm tên và mật khẩu.",
            "The description names its servers, by https and without user information.";
        PathVersioned = "path-versioned" Must
            "Đường dẫn có phiên bản chính, ví dụ /v1/.",
            "Paths carry the major version, like /v1/.";
        NameStyle = "name-style" Should
            "Tên trường và tham số viết thường, không dấu, nối bằng dấu gạch dưới.",
            "Fields and parameters are named in lower case, ASCII, with underscores.";
        FieldDescribed = "field-described" Should
            "Mỗi trường và tham số có lời mô tả.",
            "Each field and parameter has a description.";
        IdentifierName = "identifier-name" Must
            "Mã số mang tên chung: agency_code, procedure_code, dossier_code…",
            "Codes bear the common names: agency_code, procedure_code, dossier_code …";
        IdentifierPattern = "identifier-pattern" Must
            "Lược đồ của mã số nhận mọi mã đúng dạng và từ chối mã sai dạng.",
            "The schema of a code takes every well-formed code and refuses malformed ones.";
        OnceOnlyName = "once-only-name" Must
            "Trường mà cơ sở dữ liệu quốc gia đã có mang tên trong từ điển dùng chung.",
            "A field that a registry holds bears the name of the common dictionary.";
        DateFormat = "date-format" Must
            "Ngày là chuỗi full-date, thời điểm là chuỗi date-time có độ lệch múi giờ (RFC 3339).",
            "Dates are full-date, instants are date-time with an offset (RFC 3339).";
        MoneyWhole = "money-whole" Must
            "Số tiền là số nguyên đồng (VND), integer 64 bit.",
            "Money is a whole number of đồng (VND), a 64-bit integer.";
        LanguageTag = "language-tag" Should
            "Trường ngôn ngữ liệt kê thẻ BCP 47, ví dụ vi, en.",
            "A language field enumerates BCP 47 tags, like vi, en.";
        PagingKeyset = "paging-keyset" Must
            "Danh sách có tham số cursor và limit, trả về đối tượng gồm items và next.",
            "A list takes `cursor` and `limit` and answers with an object of `items` and `next`.";
        PagingLimit = "paging-limit" Must
            "limit là số nguyên có minimum, maximum (tối đa 1000) và default.",
            "`limit` is an integer with minimum, maximum (at most 1000) and default.";
        PagingNoOffset = "paging-no-offset" Must
            "Không phân trang bằng số trang hoặc vị trí.",
            "There are no page numbers and no offsets.";
        PagingNoTotal = "paging-no-total" Must
            "Danh sách không trả về tổng số bản ghi.",
            "Lists do not say how many there are in all.";
        FilterPlain = "filter-plain" Should
            "Mỗi bộ lọc là một tham số riêng có kiểu; không có ngôn ngữ truy vấn.",
            "Each filter is a parameter of its own with a type; there is no query language.";
        TextBounded = "text-bounded" Should
            "Chuỗi mà dịch vụ nhận vào có giới hạn: maxLength, enum, format hoặc pattern.",
            "Texts that the service takes are bounded: maxLength, enum, format or pattern.";
        BodyClosed = "body-closed" Should
            "Nội dung gửi lên không nhận trường lạ (additionalProperties: false).",
            "Request bodies take no unknown fields (additionalProperties: false).";
        ReadWithoutBody = "read-without-body" Must
            "GET, HEAD và DELETE không có nội dung.",
            "GET, HEAD and DELETE have no body.";
        IdempotencyKey = "idempotency-key" Must
            "Gửi lại POST không làm hai lần: bắt buộc có Idempotency-Key, hoặc nhận If-Match, hoặc mô tả mã 409 cho việc đã có.",
            "POST sent again does nothing twice: it requires Idempotency-Key, or takes If-Match, or describes the 409 for what is there already.";
        EtagDescribed = "etag-described" Should
            "Đọc một đối tượng thì có ETag và 304; sửa hoặc xóa thì nhận If-Match.",
            "Reading one thing gives an ETag and may give 304; changing or deleting it takes If-Match.";
    }
    Live {
        ServiceAnswers = "service-answers" Must
            "Dịch vụ trả lời bằng HTTP hợp lệ, trong thời hạn và giới hạn kích thước.",
            "The service answers, in valid HTTP, in time and within the size limit.";
        ValidAccepted = "valid-accepted" Must
            "Ít nhất một yêu cầu hợp lệ được trả lời thành công; nếu không thì chưa kiểm tra được gì.",
            "At least one valid request succeeds; otherwise nothing has been tested.";
        OperationSucceeds = "operation-succeeds" Should
            "Mỗi thao tác được gọi có ít nhất một lần thành công.",
            "Each operation that is called succeeds at least once.";
        ExampleAccepted = "example-accepted" Must
            "Yêu cầu lấy nguyên từ ví dụ trong bản mô tả được trả lời thành công.",
            "A request made of the description's own examples succeeds.";
        AnswerDescribed = "answer-described" Must
            "Mọi mã trạng thái và kiểu nội dung trả về đều có trong bản mô tả.",
            "Every status and content type that is answered is in the description.";
        AnswerValid = "answer-valid" Must
            "Nội dung trả về đúng với lược đồ đã mô tả.",
            "What is answered is valid against the schema described.";
        AnswerOfThatThing = "answer-of-that-thing" Must
            "Hỏi đối tượng nào thì trả lời đúng đối tượng đó.",
            "Who asks for one thing is answered with that thing.";
        ListAgrees = "list-agrees" Must
            "Đối tượng trong danh sách và khi đọc riêng có nội dung như nhau.",
            "A thing is the same in a list and when it is read alone.";
        NoServerError = "no-server-error" Must
            "Không yêu cầu nào, dù sai đến đâu, gây ra lỗi 5xx.",
            "No request, however wrong, causes a 5xx.";
        BadRefused = "bad-refused" Must
            "Yêu cầu sai bị từ chối bằng mã 4xx.",
            "A wrong request is refused with a 4xx.";
        ErrorIsProblem = "error-is-problem" Must
            "Mọi lỗi đều trả về application/problem+json có title và status đúng với mã HTTP.",
            "Every error is application/problem+json with a title and the status of the answer.";
        UnknownPath = "unknown-path" Must
            "Đường dẫn không có trong bản mô tả trả về 404.",
            "A path that is not described gives 404.";
        WrongMethod = "wrong-method" Must
            "Phương thức không có trong bản mô tả trả về 405 kèm tiêu đề Allow (hoặc 404).",
            "A method that is not described gives 405 with Allow (or 404).";
        AuthRequired = "auth-required" Must
            "Thao tác có security từ chối người gọi không có chứng thực bằng 401 hoặc 403.",
            "An operation with security refuses callers without credentials, by 401 or 403.";
        HeadAsGet = "head-as-get" Should
            "HEAD trả lời như GET nhưng không có nội dung.",
            "HEAD answers as GET does, without the body.";
        OptionsSane = "options-sane" Should
            "OPTIONS trả về Allow gồm các phương thức đã mô tả, hoặc 4xx.",
            "OPTIONS gives Allow with the methods described, or a 4xx.";
        EtagWorks = "etag-works" Must
            "ETag đã cho thì If-None-Match trả về 304 không có nội dung.",
            "When an ETag was given, If-None-Match gives 304 without a body.";
        PagingWalks = "paging-walks" Must
            "Đi hết các trang không lặp, không sót, mỗi trang không quá limit.",
            "Walking the pages repeats nothing, leaves nothing out, and no page exceeds `limit`.";
        IdempotencyWorks = "idempotency-works" Must
            "Gửi lại cùng Idempotency-Key và nội dung thì nhận câu trả lời cũ, nội dung khác thì bị từ chối; không có khóa thì lần thứ hai bị từ chối.",
            "The same Idempotency-Key and body get the same answer again, another body is refused; without a key the second time is refused.";
        NothingLeaks = "nothing-leaks" Must
            "Câu trả lời không để lộ dấu vết mã nguồn, câu lệnh SQL hoặc đường dẫn trên máy chủ.",
            "No answer leaks a stack trace, SQL or a path on the server.";
        VersionHidden = "version-hidden" Should
            "Tiêu đề không để lộ phiên bản phần mềm máy chủ.",
            "No header tells the version of the server's software.";
        Utf8 = "utf-8" Must
            "JSON là UTF-8, không có BOM, không khai bộ mã khác.",
            "JSON is UTF-8, without a byte order mark, and says no other charset.";
        DateHeader = "date-header" Must
            "Mỗi câu trả lời có tiêu đề Date (RFC 9110, 6.6.1).",
            "Every answer has the header Date (RFC 9110, 6.6.1).";
        AnswerTime = "answer-time" Should
            "Mỗi câu trả lời đến trong 3 giây.",
            "Each answer comes within 3 seconds.";
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
