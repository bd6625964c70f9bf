//! Why a call would be allowed or refused, from the sign-in of its system to the near misses of its grants.

use std::net::IpAddr;

use base::{Problems, Text, Timestamp};
use sha2::{Digest, Sha256};

use super::model::is_from;
use crate::model::{
    Method, Purpose,
    address::{self, Target},
    error::Refusal,
    federation::View,
    hosting::{ClientSignIn, Hosting, LocalClient, LocalService},
    identifier::{ClientId, ServiceId},
    meta::Metaservice,
    rights::{Call, decide},
};

/// A call that somebody asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Who would call.
    pub client: ClientId,
    /// From which address; none: it is not asked.
    pub from: Option<IpAddr>,
    /// With which token; none: it is not asked.
    pub token: Option<String>,
    /// By which method.
    pub method: Method,
    /// The request target: `/r1/VN/GOV/…/service/path?query`, or that of another dialect.
    pub target: String,
    /// Why; none: what the system has registered.
    pub purpose: Option<Purpose>,
}

/// The way of a call through this node, line by line: where it ends is why.
pub fn explain(hosting: &Hosting, view: Option<&View>, asked: &Asked, now: Timestamp) -> Vec<Text> {
    let mut lines = Vec::new();
    let purpose = sign_in(hosting, view, asked, &mut lines);
    let target = match address::read(asked.target.as_bytes(), &hosting.forward) {
        Ok((_, target)) => target,
        Err(refusal) => {
            lines.extend(refused("Địa chỉ bị từ chối", "The address is refused", &refusal));
            return lines;
        }
    };
    let (service, path) = (target.service(), target.path());
    lines.push(Text::new(
        format!("Địa chỉ: dịch vụ {service}, đường dẫn “{path}” (so khớp đúng từng byte)."),
        format!("The address: service {service}, path “{path}” (compared byte by byte)."),
    ));
    if Metaservice::of(&service.code).is_some() {
        lines.push(Text::new(
            "Cho phép: đây là dịch vụ thông tin mà mọi nút tự trả lời, không cần quyền.",
            "Allowed: every node answers this metaservice itself, without a grant.",
        ));
        return lines;
    }
    let Some(local) = hosting.services.get(service) else {
        lines.push(elsewhere(view, service));
        return lines;
    };
    if let Some(notice) = &local.disabled {
        lines.push(Text::new(
            format!("Không cho phép: bên cung cấp đã tạm ngừng dịch vụ: {notice}"),
            format!("Refused: the provider has switched the service off: {notice}"),
        ));
        return lines;
    }
    endpoint(local, asked.method, &target, &mut lines);
    if local.open {
        lines.push(Text::new(
            "Cho phép: dịch vụ này mở cho mọi thành viên, không cần quyền.",
            "Allowed: this service is open to every member, without a grant.",
        ));
        return lines;
    }
    let Some(purpose) = purpose else {
        lines.push(Text::new(
            "Không cho phép: chưa nêu mục đích và hệ thống không đăng ký mục đích nào. Ghi mục đích vào X-Motcua-Purpose.",
            "Refused: no purpose is stated, and the system has registered none. State one in X-Motcua-Purpose.",
        ));
        return lines;
    };
    let call = Call {
        client: &asked.client,
        service,
        method: asked.method,
        path,
        purpose: &purpose,
    };
    let grants = hosting.grants.get(service).into_iter().flatten();
    lines.extend(decide(grants, &call, now).explain(&call));
    lines
}

/// How the caller is known, and the purpose that holds.
fn sign_in(hosting: &Hosting, view: Option<&View>, asked: &Asked, lines: &mut Vec<Text>) -> Option<Purpose> {
    let client = &asked.client;
    let local = client
        .as_subsystem()
        .and_then(|subsystem| hosting.clients.get(&subsystem));
    let Some(local) = local else {
        lines.push(remote(view, client));
        return asked.purpose.clone();
    };
    lines.push(signed_in(local, asked));
    if let (None, Some(registered)) = (&asked.purpose, &local.purpose) {
        lines.push(Text::new(
            format!("Mục đích: {registered}, theo đăng ký của hệ thống."),
            format!("The purpose: {registered}, as the system has registered it."),
        ));
    }
    asked.purpose.clone().or_else(|| local.purpose.clone())
}

fn signed_in(local: &LocalClient, asked: &Asked) -> Text {
    let client = &asked.client;
    match (&local.sign_in, asked.from, &asked.token) {
        (ClientSignIn::Networks(networks), Some(from), _) if is_from(networks, from) => Text::new(
            format!("{client} đăng ký tại nút này và gọi từ mạng đã đăng ký ({from})."),
            format!("{client} is registered at this node and calls from a network of its own ({from})."),
        ),
        (ClientSignIn::Networks(networks), Some(from), _) => Text::new(
            format!(
                "{client} đăng ký tại nút này nhưng {from} không thuộc mạng đã đăng ký ({}): nút từ chối trước khi xét quyền.",
                networks.join(", ")
            ),
            format!(
                "{client} is registered at this node, but {from} is in none of its networks ({}): the node refuses before it looks at grants.",
                networks.join(", ")
            ),
        ),
        (ClientSignIn::Networks(networks), None, _) => Text::new(
            format!("{client} đăng ký tại nút này và phải gọi từ: {}.", networks.join(", ")),
            format!(
                "{client} is registered at this node and has to call from: {}.",
                networks.join(", ")
            ),
        ),
        (ClientSignIn::Token(hash), _, Some(token)) if hex::encode(Sha256::digest(token.as_bytes())) == *hash => {
            Text::new(
                format!("{client} đăng ký tại nút này và mã truy cập đúng."),
                format!("{client} is registered at this node, and the token is right."),
            )
        }
        (ClientSignIn::Token(_), _, Some(_)) => Text::new(
            format!("{client} đăng ký tại nút này nhưng mã truy cập sai: nút từ chối trước khi xét quyền."),
            format!(
                "{client} is registered at this node, but the token is wrong: the node refuses before it looks at grants."
            ),
        ),
        (ClientSignIn::Token(_), _, None) => Text::new(
            format!("{client} đăng ký tại nút này và phải gửi mã truy cập: Authorization: Bearer …."),
            format!("{client} is registered at this node and has to send its token: Authorization: Bearer …."),
        ),
        (ClientSignIn::Open, ..) => Text::new(
            format!(
                "{client} đăng ký tại nút này và không bị kiểm tra: ai kết nối được đều gọi được nhân danh hệ thống này."
            ),
            format!("{client} is registered at this node without any check: whoever reaches it can call in its name."),
        ),
    }
}

/// A caller that is no system of this node.
fn remote(view: Option<&View>, client: &ClientId) -> Text {
    let Some(subsystem) = client.as_subsystem() else {
        return Text::new(
            format!("{client} không nêu hệ thống; quyền chỉ cấp cho hệ thống."),
            format!("{client} names no subsystem; grants go to subsystems."),
        );
    };
    let Some(view) = view else {
        return Text::new(
            format!("{client} không đăng ký tại nút này, và nút chưa có danh bạ để biết hệ thống này của ai."),
            format!("{client} is not registered at this node, and the node has no directory to say whose it is."),
        );
    };
    match (view.member(&client.member), view.subsystem(&subsystem)) {
        (Some(member), _) if member.suspended.is_some() => Text::new(
            format!(
                "Thành viên {} đang bị đình chỉ trong danh bạ: mọi lời gọi bị từ chối.",
                client.member
            ),
            format!(
                "The member {} is suspended in the directory: every call of it is refused.",
                client.member
            ),
        ),
        (Some(_), Some(_)) => Text::new(
            format!("{client} gọi qua nút của thành viên mình; nút đó kiểm tra hệ thống gọi."),
            format!("{client} calls through its own member's node, which checks who calls."),
        ),
        (Some(_), None) => Text::new(
            format!(
                "Danh bạ có thành viên {} nhưng không có hệ thống {client}.",
                client.member
            ),
            format!("The directory has the member {} but no system {client}.", client.member),
        ),
        (None, _) => Text::new(
            format!("Danh bạ không có thành viên {}: lời gọi bị từ chối.", client.member),
            format!("The directory has no member {}: the call is refused.", client.member),
        ),
    }
}

/// A service that is not behind this node.
fn elsewhere(view: Option<&View>, service: &ServiceId) -> Text {
    let gateways: Vec<&str> = view
        .into_iter()
        .flat_map(|view| view.gateways_of(service))
        .map(|(_, gateway)| gateway.address.as_str())
        .collect();
    let known = view.is_some_and(|view| view.service(service).is_some());
    match (known, gateways.is_empty()) {
        (true, false) => Text::new(
            format!(
                "Dịch vụ ở nút khác ({}); quyền do nút đó xét. Hỏi tại nút của bên cung cấp.",
                gateways.join(", ")
            ),
            format!(
                "The service is at another node ({}), which judges its grants. Ask there.",
                gateways.join(", ")
            ),
        ),
        (true, true) => Text::new(
            format!("Không gọi được: danh bạ có dịch vụ {service} nhưng thành viên bị đình chỉ hoặc không có cổng."),
            format!("No way: the directory has the service {service}, but its member is suspended or has no gateway."),
        ),
        (false, _) => Text::new(
            format!("Không gọi được: nút này và danh bạ đều không có dịch vụ {service}."),
            format!("No way: neither this node nor the directory has a service {service}."),
        ),
    }
}

/// Whether the description of the service knows such a call. It judges nothing, but mostly shows the slip.
fn endpoint(local: &LocalService, method: Method, target: &Target, lines: &mut Vec<Text>) {
    let known = |e: &&crate::model::meta::Endpoint| e.methods.has(method) && e.path.matches(target.path());
    if local.endpoints.is_empty() || local.endpoints.iter().any(|e| known(&e)) {
        return;
    }
    lines.push(Text::new(
        format!("Lưu ý: mô tả OpenAPI của dịch vụ không có {method} {}.", target.path()),
        format!(
            "Note: the OpenAPI description of the service has no {method} {}.",
            target.path()
        ),
    ));
}

fn refused(vi: &str, en: &str, refusal: &Refusal) -> Vec<Text> {
    let problems: &Problems = refusal.problems();
    if problems.is_empty() {
        let text = refusal.code().text();
        return vec![Text::new(format!("{vi}: {}", text.vi), format!("{en}: {}", text.en))];
    }
    let line = |problem: &base::Problem| {
        let text = &problem.text;
        Text::new(format!("{vi}: {}", text.vi), format!("{en}: {}", text.en))
    };
    problems.iter().map(line).collect()
}
