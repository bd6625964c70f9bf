//! Every type of error, in both spellings (reference 1.6). X-Road changed case between 7.7.1 and 7.8.0 without saying
//! so.

use base::Text;

/// How types are spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Spelling {
    /// `Server.ServerProxy.AccessDenied`: X-Road to 7.7.1, and PR-REST to this day.
    #[default]
    Camel,
    /// `server.serverproxy.access_denied`: X-Road from 7.8.0.
    Snake,
}

/// Whose matter it is, which is the beginning of the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The information system that asks.
    Client,
    /// The node of the consumer.
    ClientProxy,
    /// The node of the provider.
    ServerProxy,
    /// What passes between the node of the provider and its peers: the message from the consumer's node, or the service
    /// behind.
    ServiceFailed,
    /// The operational monitoring at the provider.
    OpMonitor,
}

impl Origin {
    /// The beginning of the type.
    pub const fn prefix(self, spelling: Spelling) -> &'static str {
        match (self, spelling) {
            (Self::Client, Spelling::Camel) => "Client",
            (Self::Client, Spelling::Snake) => "client",
            (Self::ClientProxy, Spelling::Camel) => "Server.ClientProxy",
            (Self::ClientProxy, Spelling::Snake) => "server.clientproxy",
            (Self::ServerProxy, Spelling::Camel) => "Server.ServerProxy",
            (Self::ServerProxy, Spelling::Snake) => "server.serverproxy",
            (Self::ServiceFailed, Spelling::Camel) => "Server.ServerProxy.ServiceFailed",
            (Self::ServiceFailed, Spelling::Snake) => "server.serverproxy.service_failed",
            (Self::OpMonitor, Spelling::Camel) => "Server.ServerProxy.OpMonitor",
            (Self::OpMonitor, Spelling::Snake) => "server.serverproxy.opmonitor",
        }
    }
}

macro_rules! error_codes {
    ($($variant:ident = $origin:ident $camel:literal $snake:literal, $vi:literal, $en:literal;)+) => {
        /// A type of error. The names are X-Road's, except for the last six, which are ours.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $(#[doc = $en] $variant,)+
        }

        impl ErrorCode {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Whose matter it is.
            pub const fn origin(self) -> Origin {
                match self {
                    $(Self::$variant => Origin::$origin,)+
                }
            }

            /// The end of the type.
            const fn last(self, spelling: Spelling) -> &'static str {
                match (self, spelling) {
                    $((Self::$variant, Spelling::Camel) => $camel, (Self::$variant, Spelling::Snake) => $snake,)+
                }
            }

            /// What it means and what to do.
            pub fn text(self) -> Text {
                match self {
                    $(Self::$variant => Text::new($vi, $en),)+
                }
            }
        }
    };
}

error_codes! {
    BadRequest = Client "BadRequest" "bad_request",
        "Yêu cầu không đúng giao thức; hãy sửa theo các lỗi được liệt kê rồi gửi lại.",
        "The request does not follow the protocol; mend what is listed and send it again.";
    UnknownMember = ClientProxy "UnknownMember" "unknown_member",
        "Hệ thống gọi chưa được đăng ký tại nút này, hoặc danh bạ không có địa chỉ của bên cung cấp. Kiểm tra mã định danh; nếu đúng, đề nghị quản trị nút đăng ký.",
        "The client is not registered at this node, or the directory has no address of the provider. Check the identifiers; if they are right, ask the node's administrator to register them.";
    InvalidClientIdentifier = ClientProxy "InvalidClientIdentifier" "invalid_client_identifier",
        "Thiếu hoặc sai tiêu đề X-Road-Client; ghi mã hệ thống gọi, ví dụ VN/GOV/000.00.00.H26/motcua.",
        "The header X-Road-Client is missing or wrong; it names the calling subsystem, such as VN/GOV/000.00.00.H26/motcua.";
    ClientSslAuthenticationFailed = ClientProxy "SslAuthenticationFailed" "ssl_authentication_failed",
        "Kết nối không có chứng thư TLS mà nút biết cho hệ thống gọi này. Kết nối bằng HTTPS với chứng thư đã đăng ký.",
        "The connection has no TLS certificate that the node knows for this client. Connect by HTTPS with the registered certificate.";
    OutdatedGlobalConf = ClientProxy "OutdatedGlobalConf" "global_conf_outdated",
        "Danh bạ tại nút này đã cũ quá hạn cho phép. Quản trị nút cần kiểm tra kết nối tới nơi phát hành danh bạ.",
        "The directory at this node is older than may be. The node's administrator has to look at the way to its publisher.";
    InvalidSecurityServer = ClientProxy "InvalidSecurityServer" "invalid_security_server",
        "X-Road-Security-Server không phải là nút phục vụ bên cung cấp này; bỏ tiêu đề này hoặc ghi INSTANCE/CLASS/MEMBER/SERVER đúng.",
        "X-Road-Security-Server is no node that serves this provider; leave it out, or write the right INSTANCE/CLASS/MEMBER/SERVER.";
    MaintenanceMode = ClientProxy "MaintenanceMode" "maintenance_mode",
        "Mọi nút của bên cung cấp đang bảo trì. Gửi lại sau.",
        "Every node of the provider is under maintenance. Send the request again later.";
    ClientNetworkError = ClientProxy "NetworkError" "network_error",
        "Không kết nối được nút của bên cung cấp; yêu cầu chưa tới nơi. Gửi lại sau.",
        "The provider's node cannot be reached; it did not get the request. Send it again later.";
    ClientIoError = ClientProxy "IOError" "io_error",
        "Kết nối với nút của bên cung cấp đứt giữa chừng; chưa rõ yêu cầu đã được xử lý hay chưa. Gửi lại với cùng X-Road-Id nếu dịch vụ cho phép gọi lặp.",
        "The connection to the provider's node broke off; whether the request was handled is not known. Send it again under the same X-Road-Id where the service may be called twice.";
    InconsistentResponse = ClientProxy "InconsistentResponse" "inconsistent_response",
        "Câu trả lời không thuộc về yêu cầu này nên bị loại bỏ. Báo quản trị nút kèm mã chi tiết.",
        "The answer does not belong to this request and was thrown away. Tell the node's administrator, with the detail.";
    ClientLoggingFailed = ClientProxy "LoggingFailed" "logging_failed",
        "Nút không ghi được thông điệp vào sổ cái nên không gửi. Chưa có gì được gửi đi; gửi lại sau.",
        "The node could not write the message to its ledger, so nothing was sent. Send it again later.";
    ClientInternalError = ClientProxy "InternalError" "internal_error",
        "Lỗi tại nút của bên gọi. Báo quản trị nút kèm mã chi tiết.",
        "Something failed at the consumer's node. Tell its administrator, with the detail.";
    AccessDenied = ServerProxy "AccessDenied" "access_denied",
        "Bên cung cấp không cho phép lời gọi này. Xem lý do được liệt kê và đề nghị bên cung cấp cấp quyền.",
        "The provider does not allow this call. See the reasons that are listed, and ask the provider for a grant.";
    UnknownService = ServerProxy "UnknownService" "unknown_service",
        "Bên cung cấp không có dịch vụ này. Xem danh sách bằng listMethods.",
        "The provider has no such service. See listMethods.";
    ServiceDisabled = ServerProxy "ServiceDisabled" "service_disabled",
        "Bên cung cấp đã tạm ngừng dịch vụ này. Xem thông báo của bên cung cấp và gửi lại sau.",
        "The provider has switched this service off. See the provider's notice, and send the request again later.";
    ServiceType = ServerProxy "ServiceType" "service_type",
        "Đây là dịch vụ SOAP, không gọi được bằng REST.",
        "This is a SOAP service; it cannot be called by REST.";
    ServiceMissingUrl = ServerProxy "ServiceMissingUrl" "service_missing_url",
        "Bên cung cấp chưa khai báo địa chỉ của dịch vụ này. Báo bên cung cấp.",
        "The provider has given no address for this service. Tell the provider.";
    ServerNetworkError = ServerProxy "NetworkError" "network_error",
        "Nút của bên cung cấp không kết nối được dịch vụ phía sau. Gửi lại sau; nếu kéo dài, báo bên cung cấp.",
        "The provider's node cannot reach the service behind it. Send the request again later; if it lasts, tell the provider.";
    // Before 7.8.0 X-Road did not tell this from a network error.
    UnknownHost = ServerProxy "NetworkError" "unknown_host",
        "Tên máy của dịch vụ phía sau không phân giải được. Báo bên cung cấp.",
        "The host name of the service behind the provider's node has no address. Tell the provider.";
    DatabaseError = ServerProxy "DatabaseError" "database_error",
        "Nút của bên cung cấp không đọc được cơ sở dữ liệu. Gửi lại sau.",
        "The provider's node cannot read its database. Send the request again later.";
    ServerInternalError = ServerProxy "InternalError" "internal_error",
        "Lỗi tại nút của bên cung cấp. Báo bên cung cấp kèm mã chi tiết.",
        "Something failed at the provider's node. Tell the provider, with the detail.";
    InvalidRequest = ServerProxy "InvalidRequest" "invalid_request",
        "Yêu cầu tới siêu dịch vụ thiếu hoặc sai tham số; hãy sửa rồi gửi lại.",
        "The request to a metaservice lacks a parameter or has a wrong one; mend it and send it again.";
    ServerSslAuthenticationFailed = ServerProxy "SslAuthenticationFailed" "ssl_authentication_failed",
        "Nút của bên gọi không xuất trình chứng thư mà danh bạ biết. Quản trị nút bên gọi cần kiểm tra chứng thư.",
        "The consumer's node showed no certificate that the directory knows. Its administrator has to look at the certificate.";
    ClientProxyVersionNotSupported = ServerProxy "ClientProxyVersionNotSupported" "client_proxy_version_not_supported",
        "Nút của bên gọi dùng phiên bản mà bên cung cấp không còn nhận. Nâng cấp nút.",
        "The consumer's node has a version that the provider no longer takes. Upgrade the node.";
    ServerLoggingFailed = ServerProxy "LoggingFailed" "logging_failed",
        "Nút của bên cung cấp không ghi được thông điệp vào sổ cái nên không chuyển tiếp. Gửi lại sau.",
        "The provider's node could not write the message to its ledger, so it was not passed on. Send it again later.";
    InvalidMessage = ServiceFailed "InvalidMessage" "invalid_message",
        "Thông điệp giữa hai nút sai định dạng nên bị từ chối trước khi tới dịch vụ. Hai nút cần cùng phiên bản giao thức.",
        "The message between the nodes is malformed and was refused before the service saw it. Both nodes need the same version of the protocol.";
    InvalidBody = ServiceFailed "InvalidBody" "invalid_body",
        "Nội dung nhận được không khớp với giá trị băm đã ký. Gửi lại; nếu lặp lại, báo quản trị nút.",
        "The body that came does not have the digest that was signed. Send it again; if it happens again, tell the node's administrator.";
    MissingSignature = ServiceFailed "MissingSignature" "missing_signature",
        "Thông điệp không kèm bằng chứng của sổ cái bên gửi nên bị từ chối.",
        "The message came without a proof from the sender's ledger and was refused.";
    SignatureVerification = ServiceFailed "SignatureVerification" "signature_verification",
        "Bằng chứng hoặc chữ ký kèm thông điệp không đúng nên bị từ chối. Kiểm tra khóa của bên gửi trong danh bạ.",
        "The proof or the signature of the message is false, so it was refused. Check the sender's key in the directory.";
    ServiceNetworkError = ServiceFailed "NetworkError" "network_error",
        "Mất kết nối trong lúc chuyển thông điệp tới dịch vụ. Gửi lại sau.",
        "The network failed while the message was passed to the service. Send it again later.";
    ServiceIoError = ServiceFailed "IOError" "io_error",
        "Dịch vụ ngắt kết nối giữa chừng; chưa rõ yêu cầu đã được xử lý hay chưa.",
        "The service broke off; whether the request was handled is not known.";
    ServiceHttpError = ServiceFailed "HttpError" "http_error",
        "Câu trả lời của dịch vụ không phải là HTTP hợp lệ nên không được chuyển tiếp. Báo bên cung cấp.",
        "The answer of the service is no valid HTTP and was not passed on. Tell the provider.";
    OpMonitorInternalError = OpMonitor "InternalError" "internal_error",
        "Dữ liệu giám sát vận hành của bên cung cấp tạm thời không đọc được. Gửi lại sau.",
        "The provider's operational monitoring data cannot be read at the moment. Send the request again later.";
    PurposeMissing = Client "PurposeMissing" "purpose_missing",
        "Lời gọi phải nêu mục đích trong tiêu đề X-Motcua-Purpose.",
        "A call has to state its purpose in the header X-Motcua-Purpose.";
    MessageTooLarge = Client "MessageTooLarge" "message_too_large",
        "Thông điệp lớn hơn mức cho phép. Chia nhỏ rồi gửi lại.",
        "The message is larger than may be. Send it in smaller pieces.";
    RateLimited = ServerProxy "RateLimited" "rate_limited",
        "Đã gọi quá số lần mà quyền truy cập cho phép. Chờ theo tiêu đề Retry-After rồi gửi lại.",
        "More calls came than the grant allows. Wait as the header Retry-After says, then send the request again.";
    MaskFailed = ServerProxy "MaskFailed" "mask_failed",
        "Quyền truy cập chỉ cho phép một số trường, nhưng câu trả lời không phải JSON nên không lọc được. Báo bên cung cấp.",
        "The grant allows some fields only, and the answer is no JSON that could be filtered. Tell the provider.";
    MessageExpired = ServiceFailed "MessageExpired" "message_expired",
        "Giờ ghi trên thông điệp lệch quá 5 phút so với nút nhận. Kiểm tra đồng hồ của hai nút rồi gửi lại.",
        "The time of the message is more than five minutes off the receiving node's. Check the clocks of both nodes, then send it again.";
    MessageReplayed = ServiceFailed "MessageReplayed" "message_replayed",
        "Thông điệp này đã được nhận trước đó nên không chuyển tiếp lần nữa.",
        "This message came before and was not passed on again.";
}

impl ErrorCode {
    /// The whole type: `Server.ServerProxy.AccessDenied`.
    pub fn name(self, spelling: Spelling) -> String {
        format!("{}.{}", self.origin().prefix(spelling), self.last(spelling))
    }

    /// The type of this name, in either spelling.
    pub fn named(name: &str) -> Option<Self> {
        let spelled = |code: &Self| [Spelling::Camel, Spelling::Snake].iter().any(|s| code.name(*s) == name);
        Self::ALL.iter().copied().find(spelled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_those_of_the_reference() {
        // Reference 1.6, the table.
        for (code, camel, snake) in [
            (
                ErrorCode::UnknownMember,
                "Server.ClientProxy.UnknownMember",
                "server.clientproxy.unknown_member",
            ),
            (
                ErrorCode::ClientSslAuthenticationFailed,
                "Server.ClientProxy.SslAuthenticationFailed",
                "server.clientproxy.ssl_authentication_failed",
            ),
            (
                ErrorCode::OutdatedGlobalConf,
                "Server.ClientProxy.OutdatedGlobalConf",
                "server.clientproxy.global_conf_outdated",
            ),
            (
                ErrorCode::ClientIoError,
                "Server.ClientProxy.IOError",
                "server.clientproxy.io_error",
            ),
            (
                ErrorCode::AccessDenied,
                "Server.ServerProxy.AccessDenied",
                "server.serverproxy.access_denied",
            ),
            (
                ErrorCode::UnknownHost,
                "Server.ServerProxy.NetworkError",
                "server.serverproxy.unknown_host",
            ),
            (
                ErrorCode::InvalidMessage,
                "Server.ServerProxy.ServiceFailed.InvalidMessage",
                "server.serverproxy.service_failed.invalid_message",
            ),
            (
                ErrorCode::OpMonitorInternalError,
                "Server.ServerProxy.OpMonitor.InternalError",
                "server.serverproxy.opmonitor.internal_error",
            ),
            (ErrorCode::BadRequest, "Client.BadRequest", "client.bad_request"),
        ] {
            assert_eq!(code.name(Spelling::Camel), camel);
            assert_eq!(code.name(Spelling::Snake), snake);
        }
    }

    #[test]
    fn no_two_types_are_called_the_same_in_the_newer_spelling() {
        let mut names: Vec<_> = ErrorCode::ALL.iter().map(|code| code.name(Spelling::Snake)).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), ErrorCode::ALL.len());
    }
}
