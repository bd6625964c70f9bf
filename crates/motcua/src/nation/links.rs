//! Who asks whom in the demonstration nation, for which purpose, and by which law.

use ::registry::elsewhere::OWN_SERVICE;

use super::{
    folder::asked_who_represents,
    plan::{AGENCIES, BUSINESS, CIVIL_STATUS, CUSTOMS, INSURANCE, POLICE, POPULATION, TAX, TOWN, registries_of_all},
};

/// Who calls a service, and why. Without a legal basis nothing was granted: the call is refused.
#[derive(Debug)]
pub struct Link {
    /// The system that asks.
    pub consumer: &'static str,
    /// The service, whole.
    pub service: String,
    /// By which methods.
    pub methods: &'static [&'static str],
    /// On which paths.
    pub path: String,
    /// For which purpose.
    pub purpose: &'static str,
    /// The law that lets it.
    pub basis: Option<&'static str>,
    /// Why, in the request.
    pub reason: &'static str,
    /// What is asked.
    pub about: About,
    /// How often, against the others; 0: not by itself.
    pub weight: u32,
}

/// Whom or what a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// A person: their number ends the path, in the place of its `*`.
    Person,
    /// An enterprise: its code ends the path.
    Enterprise,
    /// An importer: its code is a parameter.
    Importer,
    /// The node itself asks.
    Nobody,
}

/// Other systems that tell who has read what.
const OTHERS: [&str; 2] = ["VN/GOV/000.00.00.G22/danhba", "VN/ORG/nhanchung/nhanchung"];

/// The service that tells of reads of personal data, and gives the proof of each; every system has it.
const READS: &str = "findUsage";
/// As the journal states it.
const OWN_VIEW: &str = "tracker.own-view";
/// The law by which people see what is held about them, and who has read it.
const OWN_BASIS: &str = "Điều 4 Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15";

/// What the purposes mean for which the agencies ask each other, beside those of the program.
pub const PURPOSES: [(&str, &str, &str); 8] = [
    ("business.register", "Đăng ký doanh nghiệp", "Registering a business"),
    ("customs.clearance", "Thông quan hàng hóa", "Clearing goods"),
    (
        "customs.compliance",
        "Xét chính sách ưu tiên hải quan",
        "Deciding who passes customs first",
    ),
    (
        "insurance.employer",
        "Xác định đơn vị phải đóng bảo hiểm",
        "Finding who has to insure workers",
    ),
    (
        "insurance.verify",
        "Xác thực người tham gia bảo hiểm",
        "Checking who is insured",
    ),
    ("labour.inspection", "Thanh tra lao động", "Inspecting labour"),
    (
        "tax.payroll",
        "Đối chiếu quỹ lương khi kiểm tra thuế",
        "Comparing payrolls in a tax audit",
    ),
    ("tax.refund", "Hoàn thuế giá trị gia tăng", "Refunding value added tax"),
];

/// Who asks whom.
pub fn all() -> Vec<Link> {
    let link = |consumer, service: &str, path: &str, purpose, basis, reason, about, weight| Link {
        consumer,
        service: service.to_owned(),
        methods: &["GET"],
        path: path.to_owned(),
        purpose,
        basis,
        reason,
        about,
        weight,
    };
    let mut links = vec![
        link(
            TOWN,
            "VN/GOV/000.00.00.G01/dancu/persons",
            "/v1/persons/*",
            "dossier.verify",
            Some("Điều 11 Luật Căn cước 26/2023/QH15"),
            "Xác minh nhân thân khi giải quyết hồ sơ.",
            About::Person,
            10,
        ),
        link(
            TOWN,
            "VN/GOV/000.00.00.G12/dkkd/enterprises",
            "/v1/enterprises/*",
            "dossier.verify",
            Some("Điều 33 Luật Doanh nghiệp 59/2020/QH14"),
            "Xác minh doanh nghiệp khi giải quyết hồ sơ.",
            About::Enterprise,
            4,
        ),
        link(
            TOWN,
            "VN/GOV/000.00.24.G12/baohiem/cards",
            "/v1/cards/*",
            "dossier.verify",
            Some("Điều 12 Luật Bảo hiểm y tế 25/2008/QH12"),
            "Liên thông khai sinh và cấp thẻ bảo hiểm y tế cho trẻ em.",
            About::Person,
            3,
        ),
        link(
            INSURANCE,
            "VN/GOV/000.00.00.G01/dancu/persons",
            "/v1/persons/*",
            "insurance.verify",
            Some("Điều 11 Luật Căn cước 26/2023/QH15"),
            "Đồng bộ nhân thân người tham gia bảo hiểm.",
            About::Person,
            6,
        ),
        link(
            INSURANCE,
            "VN/GOV/000.00.00.G12/dkkd/enterprises",
            "/v1/enterprises/*",
            "insurance.employer",
            Some("Luật Bảo hiểm xã hội 41/2024/QH15"),
            "Xác định đơn vị phải đóng bảo hiểm cho người lao động.",
            About::Enterprise,
            4,
        ),
        link(
            CUSTOMS,
            "VN/GOV/000.00.17.G12/thue/debts",
            "/v1/debts/*",
            "customs.clearance",
            Some("Điều 98 Luật Quản lý thuế 38/2019/QH14"),
            "Kiểm tra nợ thuế của người nhập khẩu trước khi thông quan.",
            About::Enterprise,
            7,
        ),
        link(
            TAX,
            "VN/GOV/000.00.18.G12/haiquan/declarations",
            "/v1/declarations",
            "tax.refund",
            Some("Điều 98 Luật Quản lý thuế 38/2019/QH14"),
            "Đối chiếu tờ khai khi hoàn thuế giá trị gia tăng.",
            About::Importer,
            3,
        ),
        link(
            TAX,
            "VN/GOV/000.00.24.G12/baohiem/employers",
            "/v1/employers/*",
            "tax.payroll",
            Some("Điều 98 Luật Quản lý thuế 38/2019/QH14"),
            "Đối chiếu quỹ lương khi kiểm tra thuế.",
            About::Enterprise,
            3,
        ),
        // Never asked for, so never granted: refused each time.
        link(
            CUSTOMS,
            "VN/GOV/000.00.24.G12/baohiem/cards",
            "/v1/cards/*",
            "customs.clearance",
            None,
            "",
            About::Person,
            1,
        ),
        link(
            BUSINESS,
            "VN/GOV/000.00.00.G01/dancu/persons",
            "/v1/persons/*",
            "business.register",
            None,
            "",
            About::Person,
            1,
        ),
    ];
    // Registries are read as they stand, with what was written to them a moment ago.
    links.extend([
        link(
            INSURANCE,
            &registries(POPULATION),
            "/population/verify/records/*",
            "insurance.verify",
            Some("Điều 11 Luật Căn cước 26/2023/QH15"),
            "Xác thực người tham gia bảo hiểm khi cấp thẻ.",
            About::Person,
            4,
        ),
        link(
            CUSTOMS,
            &registries(BUSINESS),
            "/enterprises/verify/records/*",
            "customs.clearance",
            Some("Điều 33 Luật Doanh nghiệp 59/2020/QH14"),
            "Xác thực người khai hải quan.",
            About::Enterprise,
            2,
        ),
    ]);
    // Who asks what no single agency can say, and on what the answers rest at other agencies, for the purposes of the questions.
    let question = |consumer, provider: &str, code: &str, purpose, basis, reason| Link {
        methods: &["POST"],
        ..link(
            consumer,
            &format!("{provider}/{}", exchange::QUESTIONS),
            &format!("/{code}"),
            purpose,
            Some(basis),
            reason,
            About::Nobody,
            0,
        )
    };
    let (compliance, inspection) = (
        "Điều 17 Luật Hải quan 54/2014/QH13, Điều 98 Luật Quản lý thuế 38/2019/QH14",
        "Điều 28 Luật Bảo hiểm xã hội 41/2024/QH15",
    );
    links.extend([
        question(
            CUSTOMS,
            TAX,
            "importer-owes-tax",
            "customs.compliance",
            compliance,
            "Biết doanh nghiệp nhập khẩu có đang nợ thuế hay không trước khi áp dụng chính sách ưu tiên.",
        ),
        question(
            TOWN,
            BUSINESS,
            "employer-insures-workers",
            "labour.inspection",
            inspection,
            "Biết đơn vị có đóng bảo hiểm cho người lao động hay không khi thanh tra lao động.",
        ),
        link(
            TAX,
            &registries(CUSTOMS),
            "/customs/prefill/facts/*",
            "customs.compliance",
            Some(compliance),
            "Trả lời câu hỏi liên cơ quan: doanh nghiệp nhập khẩu có đang nợ thuế hay không.",
            About::Nobody,
            0,
        ),
        link(
            BUSINESS,
            &registries(INSURANCE),
            "/social-insurance/prefill/facts/*",
            "labour.inspection",
            Some(inspection),
            "Trả lời câu hỏi liên cơ quan: đơn vị có đóng bảo hiểm cho người lao động hay không.",
            About::Nobody,
            0,
        ),
    ]);
    links.extend(of_procedures());
    links.extend(of_people());
    links.extend([CUSTOMS, TAX].into_iter().flat_map(of_representatives));
    // What a person sees of reads at other agencies (/my/reads).
    let tellers = [POLICE, POPULATION, TAX, BUSINESS, INSURANCE, CUSTOMS, CIVIL_STATUS]
        .into_iter()
        .chain(OTHERS);
    links.extend(tellers.flat_map(|system| {
        [
            ("/v2/**", "Cho người dân biết ai đã xem dữ liệu của mình."),
            (
                "/v1/proofs/*",
                "Cho người dân bằng chứng của từng lượt xem dữ liệu của mình.",
            ),
        ]
        .map(|(path, reason)| {
            link(
                TOWN,
                &format!("{system}/{READS}"),
                path,
                OWN_VIEW,
                Some(OWN_BASIS),
                reason,
                About::Nobody,
                0,
            )
        })
    }));
    links
}

/// What the province's procedures and proposals ask of registries, and tell them: each by a grant of its own, with the law of `writes.toml` and of
/// the fields that are asked for.
fn of_procedures() -> Vec<Link> {
    let (prefill, write, contest) = ("procedure.prefill", "procedure.write", "procedure.contest");
    let asked = [
        ("population", "Luật Căn cước 26/2023/QH15, Điều 9 và Điều 11"),
        ("residence", "Luật Cư trú 68/2020/QH14, Điều 36 và Điều 37"),
        ("civil-status", "Luật Hộ tịch 60/2014/QH13, Điều 57 và Điều 58"),
        (
            "social-insurance",
            "Luật Bảo hiểm y tế 25/2008/QH12, Điều 16 và Điều 26; Luật Bảo hiểm xã hội 41/2024/QH15, Điều 21",
        ),
        ("enterprises", "Luật Doanh nghiệp 59/2020/QH14, Điều 33"),
        ("tax", "Luật Quản lý thuế 38/2019/QH14, Điều 99"),
    ];
    let told = [
        ("population", "Luật Căn cước 26/2023/QH15, Điều 12"),
        ("residence", "Luật Cư trú 68/2020/QH14, Điều 20"),
        ("civil-status", "Luật Hộ tịch 60/2014/QH13, Điều 16 và Điều 57"),
        ("social-insurance", "Luật Bảo hiểm y tế 25/2008/QH12, Điều 12, 16 và 17"),
        ("enterprises", "Luật Doanh nghiệp 59/2020/QH14, Điều 27 và Điều 29"),
        ("tax", "Luật Quản lý thuế 38/2019/QH14, Điều 35 và Điều 39"),
    ];
    // What people are proposed before they ask (`proposals/`), for the purposes of their questions.
    let proposed = [
        ("population", "proactive.remind", "Luật Căn cước 26/2023/QH15, Điều 11"),
        (
            "social-insurance",
            "proactive.remind",
            "Luật Bảo hiểm y tế 25/2008/QH12, Điều 12; Luật Bảo hiểm xã hội 41/2024/QH15, Điều 21",
        ),
        ("civil-status", "proactive.remind", "Luật Hộ tịch 60/2014/QH13, Điều 15"),
        (
            "population",
            "proactive.recommend",
            "Luật Căn cước 26/2023/QH15, Điều 11",
        ),
        ("residence", "proactive.recommend", "Luật Cư trú 68/2020/QH14, Điều 20"),
        (
            "civil-status",
            "proactive.recommend",
            "Luật Hộ tịch 60/2014/QH13, Điều 57",
        ),
        ("population", "proactive.act", "Luật Cư trú 68/2020/QH14, Điều 26"),
        ("residence", "proactive.act", "Luật Cư trú 68/2020/QH14, Điều 26"),
    ];
    let link = |registry: &'static str, methods, path: &str, purpose, basis, reason| {
        Some(Link {
            consumer: TOWN,
            service: registries(&keeper_of(registry)?),
            methods,
            path: format!("/{registry}/{path}"),
            purpose,
            basis: Some(basis),
            reason,
            about: About::Nobody,
            weight: 0,
        })
    };
    let read = |(registry, basis)| {
        link(
            registry,
            &["GET"],
            "prefill/facts/*",
            prefill,
            basis,
            "Điền sẵn tờ khai bằng thông tin mà cơ quan nhà nước đã có.",
        )
    };
    let looked_for = |(registry, purpose, basis)| {
        link(
            registry,
            &["GET"],
            "prefill/facts/*",
            purpose,
            basis,
            "Chủ động đề xuất dịch vụ công cho người được hưởng (Nghị định 224/2026/NĐ-CP).",
        )
    };
    let contested = |(registry, _)| {
        link(
            registry,
            &["POST", "GET"],
            "prefill/contests**",
            contest,
            "Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15, Điều 4",
            "Chuyển phản ánh của người dân khi thông tin điền sẵn chưa đúng và nhận trả lời.",
        )
    };
    let written = |(registry, basis)| {
        link(
            registry,
            &["POST"],
            "keep/**",
            write,
            basis,
            "Ghi nhận kết quả giải quyết thủ tục hành chính.",
        )
    };
    let asked_and_contested = asked.into_iter().flat_map(|of| [read(of), contested(of)]);
    asked_and_contested
        .chain(told.into_iter().map(written))
        .chain(proposed.into_iter().map(looked_for))
        .flatten()
        .collect()
}

/// What a person sees, and contests, of what registries hold about them (/my/records).
fn of_people() -> impl Iterator<Item = Link> {
    registries_of_all().map(|(registry, keeper)| Link {
        consumer: TOWN,
        service: registries(&keeper),
        methods: &["GET", "POST"],
        path: format!("/{registry}/{OWN_SERVICE}/**"),
        purpose: ::registry::quality::OWN_VIEW,
        basis: Some(OWN_BASIS),
        reason: "Cho người dân xem dữ liệu về chính mình và phản ánh khi chưa đúng.",
        about: About::Nobody,
        weight: 0,
    })
}

/// What who keeps records of enterprises asks, so that those who represent one today see and contest them.
fn of_representatives(keeper: &'static str) -> impl Iterator<Item = Link> {
    let kept = registries_of_all().filter(move |(_, system)| system == keeper);
    kept.filter_map(move |(registry, _)| {
        let asked = asked_who_represents(registry)?;
        Some(Link {
            consumer: keeper,
            service: registries(&keeper_of(asked)?),
            methods: &["GET"],
            path: format!("/{asked}/represented/records"),
            purpose: ::registry::quality::REPRESENTATION,
            basis: Some("Điều 12 và Điều 33 Luật Doanh nghiệp 59/2020/QH14"),
            reason: "Cho người đại diện xem và phản ánh dữ liệu của doanh nghiệp mình.",
            about: About::Nobody,
            weight: 0,
        })
    })
}

/// The service of the registries of a system.
fn registries(system: &str) -> String {
    format!("{system}/{}", exchange::REGISTRIES)
}

/// The system that keeps a registry.
fn keeper_of(registry: &str) -> Option<String> {
    AGENCIES.iter().find_map(|agency| {
        let system = agency
            .systems
            .iter()
            .find(|system| system.registries.contains(&registry))?;
        Some(agency.subsystem(system))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use exchange::model::{
        Purpose,
        identifier::{ServiceId, SubsystemId},
    };

    use super::{super::plan::node_of, *};

    #[test]
    fn who_keeps_records_of_enterprises_may_ask_who_represents_one() {
        let links = all();
        for (registry, keeper) in registries_of_all() {
            let asks = links.iter().any(|link| {
                link.consumer == keeper && link.purpose == ::registry::quality::REPRESENTATION && link.basis.is_some()
            });
            assert_eq!(asks, asked_who_represents(registry).is_some(), "{registry}");
        }
        let shown = links
            .iter()
            .filter(|link| link.purpose == ::registry::quality::OWN_VIEW);
        assert_eq!(
            shown.count(),
            registries_of_all().count(),
            "people see all that is held about them"
        );
    }

    #[test]
    fn every_name_is_good_and_leads_to_what_is_there() {
        let mut offered = BTreeSet::new();
        for agency in &AGENCIES {
            assert!(
                agency.agency.parse::<base::codes::AgencyCode>().is_ok(),
                "{}",
                agency.agency
            );
            for system in agency.systems {
                let id = agency.subsystem(system);
                assert!(id.parse::<SubsystemId>().is_ok(), "{id}");
                assert_eq!(node_of(&id).map(|found| found.folder), Some(agency.folder));
                offered.insert(format!("{id}/{READS}"));
                offered.insert(registries(&id));
                if !agency.questions.is_empty() {
                    offered.insert(format!("{id}/{}", exchange::QUESTIONS));
                }
                offered.extend(system.services.iter().map(|service| format!("{id}/{}", service.code)));
            }
        }
        for link in all() {
            let service = &link.service;
            assert!(service.parse::<ServiceId>().is_ok(), "{service}");
            assert!(offered.contains(service), "{service} is offered by nobody");
            assert!(node_of(link.consumer).is_some(), "{}", link.consumer);
            assert!(link.purpose.parse::<Purpose>().is_ok(), "{}", link.purpose);
            let own = ["dossier.", "procedure.", "proactive.", "registry.", "tracker."];
            let named = PURPOSES.iter().any(|(code, ..)| *code == link.purpose);
            assert!(
                named || own.iter().any(|own| link.purpose.starts_with(own)),
                "{}",
                link.purpose
            );
        }
    }
}
