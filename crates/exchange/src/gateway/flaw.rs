//! What a gateway refuses beyond what the model does, with stable codes.

use std::time::Duration;

use base::codes::CodeError;

use crate::model::{
    error::{ErrorCode, Refusal},
    reason::reasons,
};

reasons! {
    /// Why a gateway refuses a message or a connection.
    pub enum GatewayFlaw {
        Method = "method-unknown",
            "Chỉ nhận các phương thức DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, TRACE.",
            "The methods are DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT and TRACE.";
        ReadOnly = "read-only",
            "Siêu dịch vụ này chỉ nhận phương thức GET.",
            "This metaservice is read by GET alone.";
        OtherInstance = "instance-unknown",
            "Nút này không thuộc liên thông được hỏi trong xRoadInstance.",
            "This node is not of the federation that xRoadInstance asks for.";
        NotRegistered = "client-not-registered",
            "Hệ thống gọi chưa được đăng ký tại nút này. Đề nghị quản trị nút đăng ký.",
            "The client is not registered at this node. Ask its administrator to register it.";
        OtherMember = "client-other-member",
            "Cổng này chỉ ký thay thành viên của mình; hệ thống gọi thuộc thành viên khác.",
            "This gateway signs for its own member alone, and the client is of another.";
        TwoClients = "client-ambiguous",
            "Nhiều hệ thống đăng ký cùng cách đăng nhập này; hãy ghi rõ X-Road-Client.",
            "Several clients sign in this way; say which in X-Road-Client.";
        Network = "sign-in-network",
            "Địa chỉ máy gọi không thuộc các mạng đã đăng ký cho hệ thống này.",
            "The caller's address is in none of the networks that are registered for this client.";
        Token = "sign-in-token",
            "Thiếu hoặc sai mã đăng nhập: gửi tiêu đề Authorization: Bearer với mã đã đăng ký cho hệ thống này.",
            "The token is missing or wrong: send the header Authorization: Bearer with the token that is registered for this client.";
        NoMember = "provider-unknown",
            "Danh bạ không có hệ thống cung cấp này.",
            "The directory has no such provider.";
        NoGateway = "provider-no-gateway",
            "Danh bạ không ghi cổng nào của bên cung cấp này.",
            "The directory lists no gateway of this provider.";
        Suspended = "member-suspended",
            "Thành viên này đang bị tạm dừng tham gia liên thông.",
            "This member is suspended from the federation.";
        OtherServer = "security-server-unknown",
            "Không có cổng nào của bên cung cấp mang mã này và phục vụ dịch vụ này.",
            "No gateway of the provider has this code and serves this service.";
        Stale = "directory-stale",
            "Danh bạ đã quá hạn; trong lúc chờ cập nhật, nút chỉ tiếp tục với các thành viên đã từng liên lạc.",
            "The directory has run out; until it is renewed the node goes on with members that it has met before.";
        Expired = "directory-expired",
            "Danh bạ đã quá hạn lâu hơn mức cho phép.",
            "The directory ran out longer ago than may be.";
        Unreachable = "node-unreachable",
            "Không mở được kết nối tới cổng của bên cung cấp.",
            "No connection to the provider's gateway could be opened.";
        NotListed = "certificate-not-listed",
            "Chứng thư của nút bên kia hợp lệ nhưng danh bạ không ghi khóa này cho thành viên đó.",
            "The other node's certificate is sound, but the directory does not list its key for that member.";
        NoHttp2 = "node-no-http2",
            "Nút bên kia không nói HTTP/2.",
            "The other node does not speak HTTP/2.";
        BrokeOff = "node-broke-off",
            "Nút bên kia ngắt kết nối hoặc từ chối luồng trước khi trả lời.",
            "The other node closed the connection or refused the stream before it answered.";
        AnswerLate = "answer-late",
            "Nút của bên cung cấp không trả lời trong thời hạn.",
            "The provider's node did not answer in time.";
        BodyTooLarge = "body-too-large",
            "Nội dung lớn hơn mức mà nút này nhận.",
            "The body is larger than this node takes.";
        BodyTooSlow = "body-too-slow",
            "Nội dung đến quá chậm nên bị dừng.",
            "The body came too slowly and was given up.";
        BodyBroken = "body-broken",
            "Nội dung đứt giữa chừng, hoặc không đúng độ dài đã báo.",
            "The body broke off, or has not the length that was said.";
        BodyNotKept = "body-not-kept",
            "Nút không còn chỗ để giữ nội dung lớn trong lúc kiểm tra. Gửi lại sau.",
            "The node has no room to keep a large body while it is verified. Send it again later.";
        NoEvidence = "answer-unproven",
            "Câu trả lời không kèm bằng chứng của sổ cái bên cung cấp.",
            "The answer came without a proof from the provider's ledger.";
        OtherRequest = "answer-other-request",
            "Câu trả lời được ký cho một yêu cầu khác.",
            "The answer was signed for another request.";
        OtherDigest = "body-other-digest",
            "Nội dung không khớp với giá trị băm đã ký.",
            "The body has not the digest that was signed.";
        OtherLog = "log-other-member",
            "Sổ cái, chứng thư và X-Road-Client (hoặc bên cung cấp) không thuộc cùng một thành viên.",
            "The log, the certificate and X-Road-Client (or the provider) are not of one member.";
        OtherOrigin = "log-other-origin",
            "Điểm kiểm là của sổ cái khác với sổ cái trong keyid.",
            "The checkpoint is of another log than keyid says.";
        Parts = "record-in-parts",
            "Các tiêu đề của nút phải nằm cả ở đầu hoặc cả ở cuối thông điệp.",
            "The headers of nodes stand all at the head of a message or all in its trailers.";
        Replayed = "message-replayed",
            "Yêu cầu mang X-Road-Request-Id này đã được nhận trong 10 phút vừa qua.",
            "A request with this X-Road-Request-Id came within the last ten minutes.";
        NotFresh = "message-not-fresh",
            "Giờ ghi trên thông điệp lệch quá 5 phút so với nút nhận.",
            "The time of the message is more than five minutes off that of the receiving node.";
        MaskTooLarge = "mask-too-large",
            "Câu trả lời quá lớn để lọc theo các trường mà quyền cho phép.",
            "The answer is too large for the fields to be filtered that the grant allows.";
        Head = "record-head",
            "X-Road-Client, X-Road-Id, X-Road-Request-Id hoặc X-Motcua-Purpose có giá trị sai.",
            "X-Road-Client, X-Road-Id, X-Road-Request-Id or X-Motcua-Purpose has a malformed value.";
        MemoryFull = "replay-memory-full",
            "Nút đã nhận quá nhiều yêu cầu từ bên gửi này trong 10 phút nên chưa thể nhận thêm. Gửi lại sau.",
            "The node took so many requests from this sender within ten minutes that it can take no more yet. Send it again later.";
        Rate = "grant-rate",
            "Đã hết số lần gọi của quyền này trong kỳ.",
            "The calls of the grant in this period are used up.";
        NoRouter = "service-not-here",
            "Dịch vụ nội bộ này chưa được gắn vào nút.",
            "This internal service is not mounted in the node.";
        BadUrl = "service-url",
            "Địa chỉ đã khai báo của dịch vụ không phải là URL http hoặc https.",
            "The registered address of the service is no http or https URL.";
        ServiceUnreachable = "service-unreachable",
            "Không kết nối được máy chủ của dịch vụ.",
            "The server of the service cannot be reached.";
        ServiceUnknownHost = "service-unknown-host",
            "Tên máy chủ của dịch vụ không phân giải được.",
            "The host name of the service has no address.";
        ServiceLate = "service-late",
            "Dịch vụ không trả lời trong thời hạn đã khai báo.",
            "The service did not answer within its time limit.";
        ServiceBroken = "service-broke-off",
            "Dịch vụ ngắt kết nối giữa chừng, hoặc câu trả lời không đúng độ dài đã báo.",
            "The service broke off, or its answer has not the length that it said.";
        ServiceSlow = "service-too-slow",
            "Câu trả lời của dịch vụ đến quá chậm nên bị dừng.",
            "The answer of the service came too slowly and was given up.";
        ServiceNoHttp = "service-no-http",
            "Câu trả lời của dịch vụ không phải là HTTP hợp lệ.",
            "The answer of the service is no valid HTTP.";
        AnswerTooLarge = "answer-too-large",
            "Câu trả lời lớn hơn mức cho phép.",
            "The answer is larger than may be.";
    }
}

/// A refusal for one reason of the gateway's.
pub(super) fn refusal(code: ErrorCode, place: &str, flaw: GatewayFlaw) -> Refusal {
    Refusal::at(code, place, flaw)
}

/// A body that did not come whole.
#[derive(Debug, Clone, Copy)]
pub(super) enum BodyFlaw {
    TooLarge,
    TooSlow,
    Broken,
    NotKept,
}

/// Who sends a body to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leg {
    /// An information system to its node.
    Consumer,
    /// The consumer's node to the provider's.
    Request,
    /// A service to its node.
    Service,
    /// The provider's node to the consumer's.
    Answer,
}

impl BodyFlaw {
    pub(super) fn on(self, leg: Leg) -> Refusal {
        use GatewayFlaw as F;
        let (code, flaw) = match (leg, self) {
            (Leg::Consumer | Leg::Request, Self::TooLarge) => (ErrorCode::MessageTooLarge, F::BodyTooLarge),
            (Leg::Consumer, Self::TooSlow) => (ErrorCode::BadRequest, F::BodyTooSlow),
            (Leg::Consumer, Self::Broken) => (ErrorCode::BadRequest, F::BodyBroken),
            (Leg::Request, Self::TooSlow) => (ErrorCode::InvalidBody, F::BodyTooSlow),
            (Leg::Request, Self::Broken) => (ErrorCode::InvalidBody, F::BodyBroken),
            (Leg::Service, Self::TooLarge) => (ErrorCode::ServiceHttpError, F::AnswerTooLarge),
            (Leg::Service, Self::TooSlow) => (ErrorCode::ServiceIoError, F::ServiceSlow),
            (Leg::Service, Self::Broken) => (ErrorCode::ServiceIoError, F::ServiceBroken),
            (Leg::Answer, Self::TooLarge) => (ErrorCode::ClientIoError, F::AnswerTooLarge),
            (Leg::Answer, Self::TooSlow) => (ErrorCode::ClientIoError, F::BodyTooSlow),
            (Leg::Answer, Self::Broken) => (ErrorCode::ClientIoError, F::BodyBroken),
            (Leg::Consumer | Leg::Answer, Self::NotKept) => (ErrorCode::ClientInternalError, F::BodyNotKept),
            (Leg::Request | Leg::Service, Self::NotKept) => (ErrorCode::ServerInternalError, F::BodyNotKept),
        };
        refusal(code, "body", flaw)
    }
}

/// A reason in the words of another crate.
pub(super) fn explained(code: ErrorCode, place: &str, reason: &impl trust::Explained) -> Refusal {
    let text = reason.text();
    Refusal::at(code, place, CodeError::new(reason.code(), text.vi, text.en))
}

/// How long to wait before another call, in whole seconds.
pub(super) fn retry_after(micros: u64) -> u64 {
    Duration::from_micros(micros).as_secs() + 1
}
